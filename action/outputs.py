"""Prints the action's outputs, one `name=value` a line: `outputs.py ANSWER`, where ANSWER is a report in JSON."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

WRITES = ("create", "update", "rename", "adopt", "delete", "archive")
HELD_BACK = ("blocked", "foreign")


def counts(answer: dict[str, Any]) -> dict[str, int]:
    """How much there is of what later steps ask about; only what the command looked at."""
    found: dict[str, int] = {}
    if validation := answer.get("validation"):
        found |= {name: validation["counts"][name] for name in ("errors", "warnings")}
    if plan := answer.get("plan"):
        found["changes"] = sum(plan["counts"].get(name, 0) for name in WRITES)
        found["blocked"] = sum(plan["counts"].get(name, 0) for name in HELD_BACK)
    if outcome := answer.get("outcome"):
        found["changes"] = outcome["counts"].get("done", 0)
    return found


def comment_key() -> str:
    """What distinguishes this project and target from others of the pull request."""
    given = os.environ.get("INPUT_COMMENT_KEY", "").strip()
    if given:
        return " ".join(given.split())
    workspace = os.environ.get("GITHUB_WORKSPACE") or str(Path.cwd())
    folder = os.path.relpath(os.path.realpath(os.environ["INPUT_PROJECT_DIR"]), os.path.realpath(workspace))
    return " ".join(f"{Path(folder).as_posix()} {os.environ['INPUT_TARGET']}".split())


def main(answer: str) -> None:
    """Print them."""
    key = comment_key()
    lines = {"comment-key": key, "artifact": "-".join(["dbt-statsig", *re.findall(r"\w+", key)])}
    if Path(answer).is_file():
        lines |= {name: str(value) for name, value in counts(json.loads(Path(answer).read_bytes())).items()}
    sys.stdout.write("".join(f"{name}={value}\n" for name, value in lines.items()))


if __name__ == "__main__":
    main(sys.argv[1])

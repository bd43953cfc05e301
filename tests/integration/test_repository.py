"""What every file that is committed must keep to."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import dbt_statsig

ROOT = Path(__file__).resolve().parents[2]
# Put together here, so that this file does not hold what it looks for.
UNWANTED = {
    "the host of a package registry": r"py" r"pi\.org|python" r"hosted\.org|registry\." r"npmjs|conda\." r"anaconda",
    "a path of one machine": r"(?<![\w.}])/(?:work|tmp|root|home)/\w",
    "unfinished work": r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b",
    "a secret": r"console-[A-Za-z0-9]{32,}|-----BEGIN [A-Z ]*PRIVATE KEY",
    "a conflict mark": r"(?m)^(?:<{7}|>{7}) ",
}


def committed() -> dict[str, str]:
    """The text of every file that is, or would be, committed."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    files = {name: ROOT / name for name in names if name and (ROOT / name).is_file()}
    return {name: file.read_text(encoding="utf-8", errors="replace") for name, file in files.items()}


def unwanted(files: dict[str, str]) -> list[str]:
    """Every place in these files that holds what no file should hold."""
    return [
        f"{name}:{text.count(chr(10), 0, found.start()) + 1} holds {what}: {found[0]}"
        for name, text in files.items()
        for what, pattern in UNWANTED.items()
        for found in re.finditer(pattern, text)
    ]


def test_no_file_holds_what_belongs_elsewhere() -> None:
    """No committed file names a package registry or a path of one machine, or holds a secret or a loose end."""
    assert unwanted(committed()) == []


@pytest.mark.parametrize(
    "line",
    ["see https://py" + "pi.org/x", "open('/tm" + "p/x')", "# TO" + "DO: later", "key = 'console-" + "a1" * 20 + "'"],
)
def test_what_belongs_elsewhere_is_found(line: str) -> None:
    """Each kind of unwanted text is reported with file and line."""
    (fault,) = unwanted({"a.py": f"first\n{line}\n"})
    assert fault.startswith("a.py:2 holds ")


def test_constraints_are_exact() -> None:
    """Every line of constraints.txt pins one package to one version, and none is pinned twice."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9][a-z0-9-]*==[\w.]+", line)] == []
    names = [line.split("==")[0] for line in lines]
    assert names == sorted(set(names), key=names.index)


def test_changelog_names_this_version() -> None:
    """CHANGELOG.md has a heading for the version of the package."""
    headings = re.findall(r"(?m)^## \[?([^\]\s]+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    assert dbt_statsig.__version__ in headings


def test_licence_is_whole() -> None:
    """LICENSE holds the Apache License 2.0 up to its end."""
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_what_must_be_covered_in_full_exists() -> None:
    """`make test` wants full coverage of parts that exist: one that was renamed would drop out unseen."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (named,) = re.findall(r"(?m)^FULL_COVERAGE := (.+)$", makefile)
    assert "\n\t$(BIN)/python -m coverage report --fail-under 100 --include '$(FULL_COVERAGE)'\n" in makefile
    assert [part for part in named.split(",") if not any(ROOT.glob(part))] == []
    parts = {part.removeprefix("dbt_statsig/").removesuffix("/*") for part in named.split(",")}
    assert {"applying/apply.py", "console", "planning", "project/declarations"} <= parts


def test_ci_runs_what_contributors_run() -> None:
    """The script of continuous integration is executable and calls only targets that the Makefile has."""
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    called = re.findall(r"(?m)^step make (\S+)", script.read_text(encoding="utf-8"))
    targets = re.findall(r"(?m)^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"))
    assert {"lint", "types", "docs", "test", "demo"} <= set(called) <= set(targets)

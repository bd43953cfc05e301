"""The GitHub Action: its script run as Actions runs it, on the example project and the local console."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from dbt_statsig.emulator import running
from tests.integration.cli_process import COMMAND, KEY, edit_manifest, environment, own_copy
from tests.integration.shop import ROOT

if TYPE_CHECKING:
    from pathlib import Path

EXPOSURES = "model.tea_shop.fct_exposures"
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]


def check(project: Path, tmp_path: Path, *, event: str = "pull_request", **env: str) -> tuple[dict[str, str], str]:
    """What action/check.sh puts out for the project, and what it says."""
    outputs = tmp_path / "outputs"
    outputs.unlink(missing_ok=True)
    inputs = {f"INPUT_{name}": "" for name in ("TARGET", "STATE", "BASELINE")}
    known = {"INPUT_PROJECT_DIR": ".", "INPUT_STRICT": "false", "INPUT_SYNC": "false", **inputs}
    runner = {
        "RUNNER_TEMP": str(tmp_path),
        "GITHUB_OUTPUT": str(outputs),
        "GITHUB_EVENT_NAME": event,
        "GITHUB_REPOSITORY": "acme/shop",
        "HEAD_REPOSITORY": "acme/shop" if event.startswith("pull_request") else "",
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        "PATH": f"{COMMAND.parent}:/usr/bin:/bin",
        # An unset secret arrives as an empty variable.
        "STATSIG_CONSOLE_API_KEY": "",
    }
    done = subprocess.run(
        ["/bin/bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", str(ROOT / "action" / "check.sh")],
        cwd=project,
        env=environment(**{**runner, **known, **env}),
        capture_output=True,
        text=True,
        check=True,
    )
    lines = outputs.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines), done.stdout + done.stderr


def test_a_fork_has_no_key(shop: Path, tmp_path: Path) -> None:
    """Without a key, as in pull requests from forks, validate alone runs, and its report is there."""
    outputs, _ = check(own_copy(shop, tmp_path), tmp_path)
    assert outputs == {"exit-code": "0", "report": str(tmp_path / "dbt-statsig.md")}
    assert (tmp_path / "dbt-statsig.md").read_text(encoding="utf-8").startswith("<!-- dbt-statsig -->\n")
    assert (tmp_path / "summary.md").exists()


def test_a_fault_is_annotated(shop: Path, tmp_path: Path) -> None:
    """A finding becomes an annotation at its line, and the exit code is 1."""
    project = own_copy(shop, tmp_path)
    edit_manifest(project, EXPOSURES, assignment_source={"timestamp_column": "exposed_att"})
    outputs, said = check(project, tmp_path)
    assert outputs["exit-code"] == "1"
    assert re.search(r"^::error .*file=models/experiments/_experiments\.yml,line=\d+", said, re.MULTILINE)


def test_a_baseline_softens_the_whole_check(shop: Path, tmp_path: Path) -> None:
    """What the baseline knows fails neither validate nor the plan that leaves its source out."""
    project = own_copy(shop, tmp_path)
    edit_manifest(project, EXPOSURES, assignment_source={"timestamp_column": "exposed_att"})
    written: list[Path | str] = [COMMAND, "validate", "--write-baseline"]
    subprocess.run(written, cwd=project, env=environment(), check=True, capture_output=True)
    with running() as console:
        keys = {"STATSIG_CONSOLE_API_KEY": KEY, "DBT_STATSIG_BASE_URL": console.url}
        assert check(project, tmp_path, **keys)[0]["exit-code"] == "1"
        assert check(project, tmp_path, INPUT_BASELINE="statsig_baseline.json", **keys)[0]["exit-code"] == "0"


def test_a_plan_with_a_key(shop: Path, tmp_path: Path) -> None:
    """With a key the report shows what would change, and nothing is written; --state is passed on."""
    project = own_copy(shop, tmp_path)
    with running() as console:
        keys = {"STATSIG_CONSOLE_API_KEY": KEY, "DBT_STATSIG_BASE_URL": console.url}
        outputs, said = check(project, tmp_path, INPUT_STATE="target", INPUT_STRICT="true", **keys)
        assert outputs["exit-code"] == "0"
        assert {exchange.method for exchange in console.requests} == {"GET"}
    assert "What this change does" in said
    assert "9 to create" in (tmp_path / "dbt-statsig.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("head", ["stranger/shop", ""])
@pytest.mark.parametrize("event", ["pull_request", "pull_request_target"])
def test_a_fork_never_gets_the_key_to_use(shop: Path, tmp_path: Path, event: str, head: str) -> None:
    """Where the code is a fork's, even a key that is there is not used: what it would go to, the fork could choose."""
    project = own_copy(shop, tmp_path)
    with running() as console:
        (project / "dbt_statsig.yml").write_text(f"base_url: {console.url}\n", encoding="utf-8")
        keys = {"STATSIG_CONSOLE_API_KEY": KEY, "STATSIG_API_KEY": KEY, "HEAD_REPOSITORY": head}
        outputs, said = check(project, tmp_path, event=event, **keys)
        assert list(console.requests) == []
    assert outputs["exit-code"] == "0"
    assert "::notice title=dbt-statsig::A pull request from a fork" in said
    assert KEY not in said


def test_a_plan_that_cannot_run_keeps_what_was_found(shop: Path, tmp_path: Path) -> None:
    """Without a console the comment says why there is no plan, and below it what validate found."""
    keys = {
        "STATSIG_CONSOLE_API_KEY": KEY,
        "DBT_STATSIG_BASE_URL": "http://127.0.0.1:9",
        "DBT_STATSIG_WAIT_BUDGET": "1",
    }
    outputs, said = check(own_copy(shop, tmp_path), tmp_path, **keys)
    comment = (tmp_path / "dbt-statsig.md").read_text(encoding="utf-8")
    assert outputs == {"exit-code": "2", "report": str(tmp_path / "dbt-statsig.md")}
    assert comment.startswith("<!-- dbt-statsig -->\n<!-- dbt-statsig plan could-not-run -->\n")
    assert comment.count("<!-- dbt-statsig -->") == 1
    assert "### Statsig: 9 sources ready" in comment
    assert (tmp_path / "summary.md").read_text(encoding="utf-8").endswith(comment)
    assert KEY not in said + comment


def test_a_check_that_cannot_run_is_the_report(shop: Path, tmp_path: Path) -> None:
    """Without a manifest the comment says so; the report of an earlier run is not taken for this one's."""
    project = own_copy(shop, tmp_path)
    check(project, tmp_path)
    (project / "target" / "manifest.json").unlink()
    outputs, _ = check(project, tmp_path)
    assert outputs["exit-code"] == "2"
    assert "could not run" in (tmp_path / "dbt-statsig.md").read_text(encoding="utf-8")
    assert check(project, tmp_path, INPUT_SYNC="true")[0] == {"exit-code": "2"}


def test_sync_is_for_branches_only(shop: Path, tmp_path: Path) -> None:
    """A pull request is never pushed, whatever is asked for; a branch is."""
    project = own_copy(shop, tmp_path)
    with running() as console:
        keys = {"INPUT_SYNC": "true", "STATSIG_CONSOLE_API_KEY": KEY, "DBT_STATSIG_BASE_URL": console.url}
        for event in ("pull_request", "pull_request_target"):
            assert check(project, tmp_path, event=event, **keys)[0] == {"exit-code": "2"}
        assert list(console.requests) == []
        assert check(project, tmp_path, event="push", **keys)[0]["exit-code"] == "0"
        assert len(console.state.sources["assignment_sources"]) == 1


def test_a_target_is_passed_on(shop: Path, tmp_path: Path) -> None:
    """The target reaches the sync: one that may not push is refused."""
    project = own_copy(shop, tmp_path)
    (project / "dbt_statsig.yml").write_text("allowed_targets: [prod]\n", encoding="utf-8")
    with running() as console:
        keys = {"INPUT_SYNC": "true", "STATSIG_CONSOLE_API_KEY": KEY, "DBT_STATSIG_BASE_URL": console.url}
        assert check(project, tmp_path, event="push", INPUT_TARGET="ci", **keys)[0]["exit-code"] == "1"


def test_every_input_is_used() -> None:
    """Every input is handed to a step, every input of the script is handed to it, and no other one is named."""
    text = (ROOT / "action.yml").read_text(encoding="utf-8")
    assert set(re.findall(r"inputs\.([a-z-]+)", text)) == set(ACTION["inputs"])
    script = (ROOT / "action" / "check.sh").read_text(encoding="utf-8")
    (step,) = [step for step in STEPS if step.get("id") == "check"]
    handed = {name for name in step["env"] if name.startswith("INPUT_")}
    assert set(re.findall(r"INPUT_[A-Z_]+", script)) == handed


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.get("name") or step.get("id"))
def test_steps_are_safe(step: dict[str, Any]) -> None:
    """No step puts an expression into a script, and each foreign action is pinned to a commit."""
    assert "${{" not in step.get("run", "")
    assert "uses" not in step or re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step["uses"])
    for script in re.findall(r"\$GITHUB_ACTION_PATH/([\w./-]+)", step.get("run", "")):
        assert (ROOT / script).is_file()

"""The GitHub Action: its script run as Actions runs it, on the example project and the local console."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from dbt_statsig.emulator import running
from tests.integration.cli_process import COMMAND, KEY, edit_manifest, environment, own_copy
from tests.integration.shop import DECLARED, METRICS, ROOT, SOURCES

EXPOSURES = "model.tea_shop.fct_exposures"
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]


def check(project: Path, tmp_path: Path, *, event: str = "pull_request", **env: str) -> tuple[dict[str, str], str]:
    """What action/check.sh puts out for the project, and what it says."""
    outputs = tmp_path / "outputs"
    outputs.unlink(missing_ok=True)
    given = {name: ACTION["inputs"][name]["default"] for name in ACTION["inputs"]}
    known = {f"INPUT_{name.upper().replace('-', '_')}": value for name, value in given.items()}
    runner = {
        "RUNNER_TEMP": str(tmp_path),
        "GITHUB_OUTPUT": str(outputs),
        "GITHUB_ACTION_PATH": str(ROOT),
        "GITHUB_WORKSPACE": str(tmp_path),
        "GITHUB_EVENT_NAME": event,
        "GITHUB_REPOSITORY": "acme/shop",
        "HEAD_REPOSITORY": "acme/shop" if event.startswith("pull_request") else "",
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        "PATH": "/usr/bin:/bin",
        "PYTHON": sys.executable,
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


def report_of(outputs: dict[str, str]) -> str:
    """The report in Markdown that the action names."""
    return Path(outputs["report"]).read_text(encoding="utf-8")


def test_a_fork_has_no_key(shop: Path, tmp_path: Path) -> None:
    """Without a key, as in pull requests from forks, validate alone runs, and its report is there."""
    outputs, _ = check(own_copy(shop, tmp_path), tmp_path)
    assert (outputs["exit-code"], outputs["errors"], outputs["warnings"]) == ("0", "0", "0")
    assert "changes" not in outputs
    report = report_of(outputs)
    assert report.startswith("<!-- dbt-statsig -->\n")
    assert (tmp_path / "summary.md").read_text(encoding="utf-8") == report
    assert Path(outputs["html"]).read_text(encoding="utf-8").startswith("<!doctype html>")
    assert json.loads(Path(outputs["json"]).read_bytes())["command"] == "validate"


def test_a_fault_is_annotated(shop: Path, tmp_path: Path) -> None:
    """A finding becomes an annotation at its line, and the exit code is 1."""
    project = own_copy(shop, tmp_path)
    edit_manifest(project, EXPOSURES, assignment_source={"timestamp_column": "exposed_att"})
    outputs, said = check(project, tmp_path)
    assert outputs["exit-code"] == "1"
    assert re.search(r"^::error .*file=shop/models/experiments/_experiments\.yml,line=\d+", said, re.MULTILINE)


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
    assert "Effects of this change" in said
    assert f"{SOURCES + METRICS} to create" in report_of(outputs)
    assert (outputs["changes"], outputs["blocked"]) == (str(SOURCES + METRICS), "0")


FOREIGN = [
    *[(event, head, "") for event in ("pull_request", "pull_request_target") for head in ("stranger/shop", "")],
    ("pull_request_review", "stranger/shop", ""),
    ("workflow_run", "stranger/shop", "pull_request"),
    ("workflow_run", "", "push"),
    ("workflow_run", "acme/shop", "pull_request_target"),
    ("workflow_run", "acme/shop", "issue_comment"),
    ("workflow_run", "acme/shop", "workflow_run"),
    ("workflow_run", "acme/shop", ""),
    *[
        (event, "", "")
        for event in ("issue_comment", "merge_group", "repository_dispatch", "issues", "check_run", "new")
    ],
]


@pytest.mark.parametrize(("event", "head", "run_event"), FOREIGN)
def test_a_fork_never_gets_the_key_to_use(shop: Path, tmp_path: Path, event: str, head: str, run_event: str) -> None:
    """Where the code is a fork's, or the event does not tell, a key that is there is not used and nothing is pushed."""
    with running() as console:
        keys = {"STATSIG_CONSOLE_API_KEY": KEY, "STATSIG_API_KEY": KEY, "DBT_STATSIG_BASE_URL": console.url}
        given = {"HEAD_REPOSITORY": head, "RUN_EVENT": run_event, "INPUT_SYNC": "true", **keys}
        outputs, said = check(shop, tmp_path, event=event, **given)
        assert list(console.requests) == []
    assert outputs["exit-code"] == "2"
    assert "::notice title=dbt-statsig::Checked without a key: " in said
    assert f"::error title=dbt-statsig::sync is not run with {event}" in said
    assert KEY not in said


def test_a_fork_is_still_checked(shop: Path, tmp_path: Path) -> None:
    """For a fork `validate` runs and its report is there; the key under another name is not used either."""
    with running() as console:
        keys = {"STATSIG_CONSOLE_API_KEY": "", "STATSIG_API_KEY": KEY, "DBT_STATSIG_BASE_URL": console.url}
        outputs, said = check(shop, tmp_path, event="pull_request_target", HEAD_REPOSITORY="stranger/shop", **keys)
        assert list(console.requests) == []
    assert outputs["exit-code"] == "0"
    assert report_of(outputs).startswith("<!-- dbt-statsig -->\n")
    assert "Checked without a key: pull_request_target from a fork." in said


@pytest.mark.parametrize(
    ("event", "run_event", "pushes"),
    [
        ("push", "", True),
        ("schedule", "", True),
        ("workflow_dispatch", "", True),
        ("release", "", True),
        ("workflow_run", "push", True),
        ("workflow_run", "pull_request", False),
        ("pull_request", "", False),
        ("pull_request_target", "", False),
    ],
)
def test_code_of_the_repository_may_use_the_key(
    shop: Path, tmp_path: Path, event: str, run_event: str, *, pushes: bool
) -> None:
    """Merged code may push and plan, a pull request within the repository may plan: seen by whether a key is missed."""
    given = {"HEAD_REPOSITORY": "acme/shop" if event[0] in "pw" else "", "RUN_EVENT": run_event}
    _, said = check(shop, tmp_path, event=event, INPUT_SYNC="true", **given)
    assert "Checked without a key" not in said
    assert ("No Console API key is set" in said) is pushes
    assert ("sync is not run with" in said) is not pushes


def test_a_plan_that_cannot_run_keeps_what_was_found(shop: Path, tmp_path: Path) -> None:
    """Without a console the comment says why there is no plan, and below it what validate found."""
    keys = {
        "STATSIG_CONSOLE_API_KEY": KEY,
        "DBT_STATSIG_BASE_URL": "http://127.0.0.1:9",
        "DBT_STATSIG_WAIT_BUDGET": "1",
    }
    outputs, said = check(own_copy(shop, tmp_path), tmp_path, **keys)
    comment = report_of(outputs)
    assert outputs["exit-code"] == "2"
    assert comment.startswith("<!-- dbt-statsig -->\n<!-- dbt-statsig plan could-not-run -->\n")
    assert comment.count("<!-- dbt-statsig -->") == 1
    assert "### ✅ Statsig: No errors: " in comment
    assert f"\n\n{DECLARED} ready" in comment
    assert (tmp_path / "summary.md").read_text(encoding="utf-8").endswith(comment)
    assert KEY not in said + comment


def test_a_check_that_cannot_run_is_the_report(shop: Path, tmp_path: Path) -> None:
    """Without a manifest the comment says so; the report of an earlier run is not taken for this one's."""
    project = own_copy(shop, tmp_path)
    check(project, tmp_path)
    (project / "target" / "manifest.json").unlink()
    outputs, _ = check(project, tmp_path)
    assert outputs["exit-code"] == "2"
    assert "could not run" in report_of(outputs)
    refused = check(project, tmp_path, INPUT_SYNC="true")[0]
    assert refused == {"exit-code": "2", "comment-key": "shop", "artifact": "dbt-statsig-shop"}


def test_sync_pushes(shop: Path, tmp_path: Path) -> None:
    """A push to a branch of the repository is written to the console."""
    project = own_copy(shop, tmp_path)
    with running() as console:
        keys = {"INPUT_SYNC": "true", "STATSIG_CONSOLE_API_KEY": KEY, "DBT_STATSIG_BASE_URL": console.url}
        outputs, _ = check(project, tmp_path, event="push", INPUT_COMMENT_KEY=" prod  shop ", **keys)
        assert (outputs["exit-code"], outputs["changes"]) == ("0", str(SOURCES + METRICS))
        assert (outputs["comment-key"], outputs["artifact"]) == ("prod shop", "dbt-statsig-prod-shop")
        assert len(console.state.sources["assignment_sources"]) == 1


def test_a_reload_follows_the_sync(shop: Path, tmp_path: Path) -> None:
    """With `reload` the sync's answer has a reload; after `dbt compile`, of what the sync changed alone."""
    with running() as console:
        keys = {"STATSIG_CONSOLE_API_KEY": KEY, "DBT_STATSIG_BASE_URL": console.url}
        given = {"INPUT_SYNC": "true", "INPUT_RELOAD": "true", **keys}
        outputs, shown = check(own_copy(shop, tmp_path), tmp_path, event="push", **given)
    assert (outputs["exit-code"], outputs["changes"]) == ("0", str(SOURCES + METRICS))
    assert "only what this sync changed is loaded" in " ".join(shown.split())
    assert "Nothing to reload." in shown


def test_an_experiment_that_a_change_reaches_is_annotated(shop: Path, tmp_path: Path) -> None:
    """A running experiment that reads what a pull request changes is an annotation at the block."""
    project = own_copy(shop, tmp_path)
    base = shutil.copytree(project / "target", tmp_path / "base")
    edit_manifest(project, EXPOSURES, assignment_source={"id_type_mapping": {"userID": "device_id"}})
    experiment = {"name": "Redesign", "status": "active", "assignmentSourceName": "Shop exposures"}
    with running() as console:
        console.emulator.api.experiments.edited("POST", "redesign", experiment)
        keys = {"STATSIG_CONSOLE_API_KEY": KEY, "DBT_STATSIG_BASE_URL": console.url}
        outputs, shown = check(project, tmp_path, INPUT_STATE=str(base), **keys)
    assert outputs["exit-code"] == "0"
    assert re.search(r"(?m)^::warning file=shop/models/.*,title=dbt-statsig impact-\w+.*::.*Redesign", shown)


def test_what_the_plan_refuses_is_annotated(shop: Path, tmp_path: Path) -> None:
    """A refusal of the plan is an annotation, what validate and plan both find is one only, and errors come first."""
    project = own_copy(shop, tmp_path)
    edit_manifest(project, EXPOSURES, assignment_source={"timestamp_column": "exposed_att"})
    with running() as console:
        keys = {"STATSIG_CONSOLE_API_KEY": KEY, "DBT_STATSIG_BASE_URL": console.url}
        foreign = {"name": "Orders", "description": "By hand.", "sql": "select 1", "timestampColumn": "t"}
        console.state.sources["metric_sources"]["Orders"] = {**foreign, "idTypeMapping": []}
        outputs, said = check(project, tmp_path, **keys)
        written: list[Path | str] = [COMMAND, "validate", "--write-baseline"]
        subprocess.run(written, cwd=project, env=environment(), check=True, capture_output=True)
        known, baseline = check(project, tmp_path, INPUT_BASELINE="statsig_baseline.json", **keys)
    assert (outputs["errors"], outputs["blocked"]) == ("1", str(2 + METRICS))
    weights = re.findall(r"(?m)^::(error|warning|notice) ", said)
    assert weights == sorted(weights)
    assert len(re.findall(r"(?m)^::error .*title=dbt-statsig column-absent::", said)) == 1
    assert len(re.findall(r"(?m)^::error .*title=dbt-statsig not-ours::", said)) == 1
    assert "title=dbt-statsig column-absent::" not in baseline
    assert len(re.findall(r"(?m)^::error .*title=dbt-statsig not-ours::", baseline)) == 1
    assert known["exit-code"] == "0"


def test_a_choice_reaches_the_plan(shop: Path, tmp_path: Path) -> None:
    """A selection, objects to adopt and the switches of a push reach plan; each folder and target has a comment."""
    with running() as console:
        keys = {"STATSIG_CONSOLE_API_KEY": KEY, "DBT_STATSIG_BASE_URL": console.url}
        switches = dict.fromkeys(("INPUT_PRUNE", "INPUT_FORCE", "INPUT_SERVER_CHECK"), "true")
        chosen = {"INPUT_SELECT": "fct_exposures fct_shop_events", "INPUT_TARGET": "dev"}
        outputs, _ = check(own_copy(shop, tmp_path), tmp_path, **chosen, **switches, **keys)
        assert "POST" in {exchange.method for exchange in console.requests}
        assert len(console.state.sources["assignment_sources"]) == 0
        assert outputs["comment-key"] == "shop dev"
        assert outputs["changes"] == "3"
        adopted, said = check(tmp_path / "shop", tmp_path, INPUT_ADOPT="No such object\n\n", **keys)
    assert adopted["exit-code"] == "1"
    assert "No such object" in said


HOSTILE = (
    "venv",
    "pip",
    "ensurepip",
    "logging",
    "json",
    "sitecustomize",
    "usercustomize",
    "httpx",
    "msgspec",
    "hatchling",
)


def hostile(folder: Path) -> Path:
    """Put modules into a folder that take the place of Python's own, and of ours, for whoever looks there first.

    The file that is returned exists once one of them was run.
    """
    folder.mkdir(exist_ok=True)
    ran = folder / "ran"
    for name in (*HOSTILE, "dbt_statsig"):
        (folder / f"{name}.py").write_text(f"open({str(ran)!r}, 'a').write('{name} ')\n", encoding="utf-8")
    return ran


def test_installing_runs_nothing_of_the_repository(tmp_path: Path) -> None:
    """Modules of the checkout are not run by venv and pip, PYTHONPATH or not; pip is reached, and has no index here."""
    ran = hostile(tmp_path / "checkout")
    runner = {
        "RUNNER_TEMP": str(tmp_path),
        "GITHUB_OUTPUT": str(tmp_path / "outputs"),
        "GITHUB_ACTION_PATH": str(ROOT),
        "PYTHON": sys.executable,
        "PYTHONPATH": str(tmp_path / "checkout"),
        "PIP_NO_INDEX": "1",
    }
    done = subprocess.run(
        [ROOT / "action" / "install.sh"],
        cwd=tmp_path / "checkout",
        env=environment(**runner),
        capture_output=True,
        text=True,
        check=False,
    )
    assert not ran.exists(), ran.read_text()
    assert "ERROR: Cannot install hatchling" in done.stderr
    assert done.returncode == 1


def test_checking_runs_nothing_of_the_repository(shop: Path, tmp_path: Path) -> None:
    """Modules in the folder that is checked are not run, PYTHONPATH or not."""
    project = own_copy(shop, tmp_path)
    ran = hostile(project)
    assert check(project, tmp_path, PYTHONPATH=str(project))[0]["exit-code"] == "0"
    assert not ran.exists(), ran.read_text()


def test_commenting_runs_nothing_of_the_repository(tmp_path: Path) -> None:
    """Modules in the checkout are not run by the step that comments, PYTHONPATH or not."""
    checkout = tmp_path / "checkout"
    ran = hostile(checkout)
    (checkout / "report.md").write_text("<!-- dbt-statsig -->\n# Report", encoding="utf-8")
    (tmp_path / "event.json").write_text("{}", encoding="utf-8")
    (step,) = [step for step in STEPS if step.get("name") == "Comment"]
    runner = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
        "PYTHON": sys.executable,
        "PYTHONPATH": str(checkout),
        "REPORT": "report.md",
    }
    done = subprocess.run(
        ["/usr/bin/env", "bash", "-c", step["run"]],
        cwd=checkout,
        env=environment(**runner),
        capture_output=True,
        text=True,
        check=False,
    )
    assert not ran.exists(), ran.read_text()
    assert (done.returncode, done.stdout, done.stderr) == (0, "No pull request: no comment.\n", "")


def test_tools_are_pinned() -> None:
    """What installs the package is pinned: hatchling by the constraints, for pip's own isolation takes the newest."""
    script = (ROOT / "action" / "install.sh").read_text(encoding="utf-8")
    assert "--no-build-isolation" in script
    assert re.search(r"(?m)^hatchling==", (ROOT / "constraints.txt").read_text(encoding="utf-8"))


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
    script = "".join((ROOT / "action" / name).read_text(encoding="utf-8") for name in ("check.sh", "outputs.py"))
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

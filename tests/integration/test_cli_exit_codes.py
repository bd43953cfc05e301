"""Every exit code of the commands, met through the real command on the built example project."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from dbt_statsig.emulator import Running, running
from tests.integration.cli_process import KEY, edit_manifest, own_copy, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.dbt

EXPOSURES = "model.tea_shop.fct_exposures"


@pytest.fixture
def console() -> Iterator[Running]:
    """An empty console."""
    with running() as server:
        yield server


def reach(console: Running) -> dict[str, str]:
    """The environment in which commands reach that console."""
    return {"DBT_STATSIG_BASE_URL": console.url, "STATSIG_CONSOLE_API_KEY": KEY}


def test_validate_without_faults(shop: Path) -> None:
    """A project without faults gives 0, its sources on stdout, and silence on stderr."""
    done = run("validate", cwd=shop)
    assert (done.returncode, done.stderr) == (0, "")
    assert "assignment source Shop exposures" in done.stdout


def test_validate_with_a_wrong_column(shop: Path, tmp_path: Path) -> None:
    """A column that does not exist gives 1, with its code, its key and the nearest name."""
    project = own_copy(shop, tmp_path)
    edit_manifest(project, EXPOSURES, assignment_source={"timestamp_column": "exposed_att"})
    done = run("validate", cwd=project)
    assert done.returncode == 1
    assert "column-absent" in done.stdout
    assert "statsig.assignment_source.timestamp_column" in done.stdout
    assert "exposed_at" in done.stdout
    assert "cannot be pushed" in done.stdout


def test_plan_check_sync_check(shop: Path, console: Running) -> None:
    """A plan gives 0, with --check 3 while something is pending, and 0 after the sync that writes it."""
    environ = reach(console)
    assert run("plan", cwd=shop, **environ).returncode == 0
    assert run("plan", "--check", cwd=shop, **environ).returncode == 3
    assert [exchange.method for exchange in console.requests if exchange.method != "GET"] == []
    assert run("sync", cwd=shop, **environ).returncode == 0
    done = run("plan", "--check", cwd=shop, **environ)
    assert done.returncode == 0
    assert done.stdout.startswith("Nothing to do: ")


def test_dry_run_writes_nothing(shop: Path, console: Running) -> None:
    """A dry run shows the plan, gives 0 and sends no write."""
    done = run("sync", "--dry-run", cwd=shop, **reach(console))
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1].startswith("Dry run, nothing was written: ")
    assert {exchange.method for exchange in console.requests} == {"GET"}


def test_a_foreign_object_is_refused(shop: Path) -> None:
    """An object of the console's own gives 1 and is left alone, until it is adopted by name."""
    seed = {"assignment_sources": [{"name": "Shop exposures", "sql": "select 1"}]}
    with running(seed=seed) as console:
        done = run("sync", cwd=shop, **reach(console))
        assert done.returncode == 1
        assert '--adopt "Shop exposures"' in done.stdout
        assert run("sync", "--adopt", "Shop exposures", cwd=shop, **reach(console)).returncode == 0


def test_a_blocked_source_does_not_stop_the_others(shop: Path, tmp_path: Path, console: Running) -> None:
    """A source with an error is not pushed, the others are, and the exit code is 1."""
    project = own_copy(shop, tmp_path)
    edit_manifest(project, EXPOSURES, assignment_source={"timestamp_column": "exposed_att"})
    done = run("sync", "--output", "json", cwd=project, **reach(console))
    answer = json.loads(done.stdout)
    assert done.returncode == answer["exit_code"] == 1
    assert answer["plan"]["counts"]["blocked"] == 1
    assert set(answer["outcome"]["counts"]) == {"done"}


def test_a_refused_object_does_not_stop_the_others(shop: Path, console: Running) -> None:
    """An object that the API refuses gives 1; the others are written."""
    console.inject(
        {
            "match": {"method": "POST", "path": "assignment_sources"},
            "action": "status",
            "status": 400,
            "body": {"status": 400, "message": "It was not liked."},
        }
    )
    done = run("sync", cwd=shop, **reach(console))
    assert done.returncode == 1
    assert "It was not liked." in done.stdout
    assert ", 1 failed" in done.stdout.splitlines()[-1]


def test_an_unknown_outcome(shop: Path, console: Running) -> None:
    """A write whose answer is lost, and that cannot be read back, is reported as unknown: 2; a rerun converges."""
    console.inject(
        {"match": {"method": "POST", "path": "metric_source"}, "action": "drop_after_commit"},
        {"match": {"method": "GET", "path": "metric_source/Orders"}, "action": "status", "status": 500},
        {
            "match": {"method": "GET", "path": "metric_source/list", "nth": [*range(2, 99)]},
            "action": "status",
            "status": 500,
        },
    )
    only = ("--select", "fct_orders", "--kind", "metric_source")
    done = run("sync", *only, cwd=shop, DBT_STATSIG_WAIT_BUDGET="2", **reach(console))
    assert done.returncode == 2
    assert "? unknown      metric source Orders" in done.stdout
    console.inject()
    done = run("sync", *only, cwd=shop, **reach(console))
    assert (done.returncode, done.stdout) == (0, "Nothing to do: 1 source as declared.\n")


def test_a_wrong_key(shop: Path, console: Running) -> None:
    """A key that the API does not know gives 2, says so, and is not shown."""
    wrong = "console-wrong-key-1234"
    done = run("plan", cwd=shop, DBT_STATSIG_BASE_URL=console.url, STATSIG_CONSOLE_API_KEY=wrong)
    assert done.returncode == 2
    assert "key" in done.stderr
    assert wrong not in done.stderr + done.stdout


@pytest.mark.parametrize("command", ["plan", "sync"])
def test_no_key(shop: Path, command: str) -> None:
    """Without a key the commands that need one give 2 and name the variable."""
    done = run(command, cwd=shop)
    assert done.returncode == 2
    assert "STATSIG_CONSOLE_API_KEY" in done.stderr


def test_unreachable_host(shop: Path) -> None:
    """A console that nobody answers for gives 2 within the waiting budget, and nothing on stdout."""
    environ = {"DBT_STATSIG_BASE_URL": "http://127.0.0.1:9", "STATSIG_CONSOLE_API_KEY": KEY}
    done = run("plan", cwd=shop, DBT_STATSIG_WAIT_BUDGET="1", **environ)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: ")


def test_plain_http_elsewhere(shop: Path) -> None:
    """A base URL without TLS is refused with 2, except on loopback."""
    done = run("plan", "--base-url", "http://example.com", cwd=shop, STATSIG_CONSOLE_API_KEY=KEY)
    assert done.returncode == 2
    assert "https" in done.stderr


def test_no_project(tmp_path: Path) -> None:
    """Outside of any dbt project the command gives 2 and says how to name one."""
    done = run("validate", cwd=tmp_path)
    assert done.returncode == 2
    assert "--project-dir" in done.stderr


@pytest.mark.parametrize(
    ("content", "shown"),
    [(None, "dbt"), ("", "manifest.json"), ("{", "manifest.json"), ('{"a": 1}', "manifest.json"), ("[]", "manifest")],
)
def test_unusable_manifest(shop: Path, tmp_path: Path, content: str | None, shown: str) -> None:
    """A manifest that is missing, empty, truncated or foreign gives 2 and one message with a next step."""
    project = own_copy(shop, tmp_path)
    manifest = project / "target" / "manifest.json"
    if content is None:
        manifest.unlink()
    else:
        manifest.write_text(content)
    done = run("validate", cwd=project)
    assert (done.returncode, done.stdout) == (2, "")
    assert shown in done.stderr
    assert "→" in done.stderr


def test_manifest_of_another_project(shop: Path, tmp_path: Path) -> None:
    """A manifest that another project's dbt wrote gives 2 and names both."""
    project = own_copy(shop, tmp_path)
    (project / "dbt_project.yml").write_text("name: coffee_shop\n")
    done = run("validate", cwd=project)
    assert done.returncode == 2
    assert "tea_shop" in done.stderr
    assert "coffee_shop" in done.stderr


def test_broken_settings(shop: Path, tmp_path: Path) -> None:
    """Settings with several faults give 2 and name all of them with their lines."""
    project = own_copy(shop, tmp_path)
    (project / "dbt_statsig.yml").write_text("base_ulr: x\nconcurrency: many\n")
    done = run("validate", cwd=project)
    assert done.returncode == 2
    assert "dbt_statsig.yml:1" in done.stderr
    assert "base_url" in done.stderr
    assert "dbt_statsig.yml:2" in done.stderr


def test_strict_turns_warnings_into_errors(shop: Path, tmp_path: Path) -> None:
    """A column that nothing proves is a warning and gives 0; with --strict it is an error and gives 1."""
    project = own_copy(shop, tmp_path)
    (project / "target" / "catalog.json").unlink()
    edit_manifest(project, EXPOSURES, assignment_source={"group_name_column": "nobody_knows"})
    manifest = json.loads((project / "target" / "manifest.json").read_bytes())
    for node in manifest["nodes"].values():
        node["compiled_code"] = None
        if "contract" in node["config"]:
            node["config"]["contract"] = node["contract"] = {"enforced": False}
    (project / "target" / "manifest.json").write_text(json.dumps(manifest))
    done = run("validate", "--kind", "assignment_source", cwd=project)
    assert done.returncode == 0
    assert "warning  column-unknown" in done.stdout
    done = run("validate", "--kind", "assignment_source", "--strict", cwd=project)
    assert done.returncode == 1
    assert "error  column-unknown" in done.stdout


def test_debug_with_and_without_faults(shop: Path, console: Running) -> None:
    """`debug` gives 0 where all checks pass, and 2 where one fails."""
    assert run("debug", cwd=shop, **reach(console)).returncode == 0
    done = run("debug", "--output", "json", cwd=shop, **{**reach(console), "STATSIG_CONSOLE_API_KEY": "console-other"})
    answer = json.loads(done.stdout)
    assert done.returncode == answer["exit_code"] == 2
    assert False in [check["ok"] for check in answer["diagnosis"]["checks"]]
    assert "console-other" not in done.stdout + done.stderr

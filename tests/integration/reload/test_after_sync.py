"""A reload as a part of a sync: `dbt-statsig run --reload`, what a sync changed, and what it could not write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest
from msgspec import structs

import dbt_statsig
from tests.integration.cli_process import KEY
from tests.integration.faults.inprocess import call
from tests.integration.reload.built import entry, fault, starts, states

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.faults.project import Done
    from tests.integration.reload.built import Built


@pytest.fixture
def dbt(shop: Built) -> Path:
    """A program called dbt that writes the run results of a build, and fails where a file `fails` is there."""
    path = shop.folder / "bin" / "dbt"
    path.parent.mkdir()
    results = shop.folder / "target" / "run_results.json"
    results.rename(path.with_suffix(".results"))
    path.write_text(f'#!/bin/sh\ncp "{path}.results" "{results}"\n[ ! -e "{path}.fails" ]\n', encoding="utf-8")
    path.chmod(0o755)
    return path


def run(shop: Built, dbt: Path, *options: str) -> Done:
    """`dbt-statsig run … -- dbt build`."""
    return call(shop, "run", *options, "--", dbt, "build")


def test_a_build_is_followed_by_a_sync_and_a_reload(shop: Built, dbt: Path) -> None:
    """One answer has both; without --reload nothing is loaded."""
    assert "reload" not in run(shop, dbt, "--output", "json").answer
    assert starts(shop) == {}
    (shop.folder / "target" / "run_results.json").unlink()
    done = run(shop, dbt, "--reload", "--output", "json")
    assert (done.code, states(done)) == (0, {"Button": "started", "Price": "started"})
    assert done.answer["command"] == "sync"
    (shop.folder / "target" / "run_results.json").unlink()
    text = run(shop, dbt, "--reload").stdout
    assert "3 unchanged" in text or "Nothing to do" in text
    assert text.endswith("Nothing to reload: 2 up to date.\n")


@pytest.mark.parametrize(
    ("node", "change", "expected"),
    [
        ("exposures", {"id_type_mapping": {"userID": "variant"}}, {"refresh": "full"}),
        ("exposures", {"where": "amount > 1"}, {"refresh": "full"}),
        ("orders", {"id_type_mapping": {"userID": "variant"}}, {"refresh": "full"}),
        ("orders", {"where": "amount > 1"}, {"refresh": "metric", "metricIDs": ["Order count::user_warehouse"]}),
        ("orders", {"tags": ["growth"]}, {"refresh": "incremental"}),
    ],
)
def test_what_the_sync_changed_decides(
    shop: Built, dbt: Path, node: str, change: dict[str, Any], expected: dict[str, Any]
) -> None:
    """A mapping and the rows of assignments need all of the history, a metric source its metrics, tags nothing."""
    kind, name = {"exposures": ("assignment_source", "Button"), "orders": ("metric_source", "Price")}[node]
    shop.models[node]["config"]["meta"]["statsig"][kind].update(change)
    shop.write()
    done = run(shop, dbt, "--reload", "--output", "json")
    assert (done.code, starts(shop)[name.casefold()]) == (0, expected)
    if expected["refresh"] != "incremental":
        assert "changed (" in entry(done, name)["reasons"][0]


def test_experiments_that_name_a_source_as_it_was_called_before(shop: Built, dbt: Path) -> None:
    """A sync that renames an assignment source loads the experiments in which Statsig keeps its old name, too."""
    shop.models["exposures"]["config"]["meta"]["statsig"]["assignment_source"]["name"] = "Seen"
    shop.write()
    done = run(shop, dbt, "--reload", "--output", "json")
    assert "Seen" in shop.server.state.sources["assignment_sources"]
    assert (done.code, states(done)) == (0, {"Button": "started", "Price": "started"})


def test_a_source_that_the_sync_could_not_write_holds_back(shop: Built, dbt: Path) -> None:
    """Results with the old definition are not loaded; the source is named."""
    shop.declare_again("orders", where="amount > 1")
    fault(shop, "/metric_source/Orders", status=400)
    done = run(shop, dbt, "--reload", "--output", "json")
    assert (done.code, states(done)) == (1, {"Button": "started", "Price": "held back"})
    assert "the sync did not write it (status failed)" in entry(done, "Price")["reasons"][0]


def test_a_source_that_the_plan_blocks_holds_back(shop: Built, dbt: Path) -> None:
    """What Statsig has of it is not what the tables are now: its experiment waits, the other one is loaded."""
    shop.declare_again("orders", timestamp_column="nothing")
    done = run(shop, dbt, "--reload", "--output", "json")
    assert (done.code, states(done)) == (1, {"Button": "started", "Price": "held back"})
    assert "the sync did not write it (status blocked)" in entry(done, "Price")["reasons"][0]
    dry = sync(shop, "--dry-run")
    assert states(dry)["Price"] == "held back"


def test_no_reload_after_a_sync_that_did_not_end(shop: Built, dbt: Path) -> None:
    """A refused key in mid-sync: what Statsig has is not known, so nothing is loaded; exit code 2."""
    shop.declare_again("orders", where="amount > 1")
    shop.server.inject({"action": "status", "status": 401, "match": {"path": "/metric_source/Orders"}})
    done = run(shop, dbt, "--reload")
    assert (done.code, starts(shop)) == (2, {})
    assert "Nothing was reloaded. The sync did not come to its end." in done.stdout
    assert "No later reload" not in done.stdout
    assert done.stdout.endswith("Nothing was started.\n")


def test_what_a_sync_changed_and_nothing_loaded_is_named(shop: Built, dbt: Path) -> None:
    """The next sync finds it unchanged, so that the next reload would load new rows alone: the refresh is given."""
    changed_assignments(shop)
    fault(shop, "/v1/experiments[?]", status=400)
    done = run(shop, dbt, "--reload", "--output", "json")
    assert done.code == 2
    stopped = done.answer["reload"]["stopped"]
    assert 'knows what this sync changed: the assignment source "Exposures" changed (sql). Run `dbt-st' in stopped
    (shop.folder / "target" / "run_results.json").unlink()
    changed_assignments(shop, "amount > 2")
    fault(shop, "/button/load_pulse", status=403)
    done = run(shop, dbt, "--reload", "--output", "json")
    assert "with `--refresh full`" in entry(done, "Button")["fix"]


def test_a_reload_that_cannot_run_does_not_hide_the_sync(shop: Built, dbt: Path) -> None:
    """The sync's answer is given, with the reason and exit code 2."""
    fault(shop, "/v1/experiments[?]", status=400)
    done = run(shop, dbt, "--reload", "--output", "json")
    assert done.code == 2
    assert done.answer["plan"]["counts"] == {"unchanged": 3}
    assert done.answer["reload"]["stopped"].startswith("Nothing was reloaded. ")


def test_every_report_has_a_reload_that_failed(shop: Built, dbt: Path) -> None:
    """What makes the exit code is in the forms of CI systems too, as a problem and in the last sentence."""
    fault(shop, "/price/load_pulse", status=403)
    forms = ("markdown", "html", "github", "junit", "sarif", "gitlab")
    reports = [option for form in forms for option in ("--report", f"{form}:{shop.folder}/target/report.{form}")]
    done = run(shop, dbt, "--reload", *reports)
    assert done.code == 1
    texts = {form: (shop.folder / "target" / f"report.{form}").read_text(encoding="utf-8") for form in forms}
    assert [form for form in forms[2:] if "experiment Price: refused" not in texts[form]] == []
    # What people read says it once, with its experiment.
    assert [(form, texts[form].count("does not allow this")) for form in forms[:2]] == [("markdown", 1), ("html", 1)]
    assert "Not everything was reloaded" in texts["html"]
    assert "<b>refused</b>" in texts["html"]
    assert "<b>started</b> Button" in texts["html"]
    assert (
        "#### Results not loaded\n\n- `Price` (incremental): refused\n  - new rows: model.shop.orders"
        in texts["markdown"]
    )
    assert (
        "<details><summary>Results of 1 experiment</summary>\n\n- `Button` (incremental): started" in texts["markdown"]
    )
    assert "2 experiments: 1 started, 1 refused." in texts["markdown"]


def test_the_exit_code_of_dbt_wins(shop: Built, dbt: Path) -> None:
    """Where dbt failed in a part, the rest is synced and loaded, and its exit code stays."""
    dbt.with_suffix(".fails").touch()
    done = run(shop, dbt, "--reload", "--output", "json")
    assert (done.code, states(done)) == (1, {"Button": "started", "Price": "started"})


def sync(shop: Built, *options: str) -> Done:
    """`dbt-statsig sync --reload --output json`."""
    return call(shop, "sync", "--reload", *options, "--output", "json")


def changed_assignments(shop: Built, where: str = "amount > 1") -> None:
    """Declare other rows of the assignment source."""
    shop.models["exposures"]["config"]["meta"]["statsig"]["assignment_source"]["where"] = where
    shop.write()


def no_build(shop: Built, which: str = "compile") -> None:
    """Let the last dbt command be one that builds nothing, as in a job that only pushes."""
    shop.built("orders", args={"which": which})


def test_a_sync_with_a_reload_knows_both(shop: Built) -> None:
    """What dbt built is loaded, and what the sync changed in full; the second run finds nothing."""
    changed_assignments(shop)
    done = sync(shop)
    assert (done.code, states(done)) == (0, {"Button": "started", "Price": "started"})
    assert {name: body["refresh"] for name, body in starts(shop).items()} == {"button": "full", "price": "incremental"}
    again = sync(shop)
    assert (again.code, set(states(again).values())) == (0, {"up to date"})


def test_a_job_that_only_pushes_loads_what_the_sync_changed(shop: Built) -> None:
    """After `dbt compile` no rows are new: only the changed source's experiment is loaded, with a warning."""
    no_build(shop)
    changed_assignments(shop)
    done = sync(shop)
    assert (done.code, states(done), starts(shop)["button"]["refresh"]) == (0, {"Button": "started"}, "full")
    (warning,) = done.answer["reload"]["warnings"]
    assert warning.startswith("It is not known whether rows are new, so only what this sync changed is loaded. ")
    assert "`dbt compile`" in warning


def test_no_run_results_are_no_fault_of_a_sync(shop: Built) -> None:
    """Where dbt wrote none, as after `dbt parse`, nothing was built: what the sync changed counts."""
    (shop.folder / "target" / "run_results.json").unlink()
    done = sync(shop)
    assert (done.code, states(done), starts(shop)) == (0, {}, {})
    assert "only what this sync changed" in done.answer["reload"]["warnings"][0]


def test_run_results_of_another_command_do_not_pass_for_a_reload(shop: Built) -> None:
    """A build whose manifest was written again: what the sync changed is loaded, and exit code 2 says what was not."""
    path = shop.folder / "target" / "run_results.json"
    path.write_text(path.read_text(encoding="utf-8").replace("build-1", "build-0"), encoding="utf-8")
    changed_assignments(shop)
    done = sync(shop)
    assert (done.code, states(done)) == (2, {"Button": "started"})
    assert "written by different dbt commands" in done.answer["reload"]["stopped"]


def test_run_results_that_are_named_must_be_of_a_build(shop: Built) -> None:
    """With --run-results nothing is written, as the sync itself follows them."""
    no_build(shop)
    done = sync(shop, "--run-results=")
    assert (done.code, starts(shop)) == (2, {})
    assert "builds no tables" in done.stderr + done.stdout


def test_a_dry_run_shows_both(shop: Built) -> None:
    """Nothing is written or started; the load has the reason that the sync would give."""
    changed_assignments(shop)
    done = sync(shop, "--dry-run")
    assert (done.code, starts(shop)) == (0, {})
    assert (entry(done, "Button")["state"], entry(done, "Button")["refresh"]) == ("to load", "full")
    assert not [one for one in shop.server.requests if one.method != "GET"]


def test_a_dry_run_counts_what_the_sync_would_create(shop: Built) -> None:
    """Before a first push, the experiments that name its sources already are those that it would load."""
    for kind in shop.server.state.sources:
        shop.server.state.sources[kind].clear()
    done = sync(shop, "--dry-run")
    assert (done.code, states(done)) == (0, {"Button": "to load", "Price": "to load"})
    assert done.answer["reload"]["warnings"] == []
    assert states(sync(shop)) == {"Button": "started", "Price": "started"}


def test_a_saved_plan_is_followed_by_a_reload(shop: Built) -> None:
    """What the saved plan changed is loaded, within the selection that the plan was made for."""
    changed_assignments(shop)
    call(shop, "plan", "--select", "exposures", "--out", str(shop.folder / "saved.json"))
    done = sync(shop, "--plan", str(shop.folder / "saved.json"))
    assert (done.code, states(done), starts(shop)["button"]["refresh"]) == (0, {"Button": "started"}, "full")


def test_from_python_a_reload_takes_what_the_sync_gave(shop: Built) -> None:
    """With `synced` the changed source is loaded in full; a sync that did not end, or something else, is refused."""
    environ = {"STATSIG_CONSOLE_API_KEY": KEY, "DBT_STATSIG_BASE_URL": shop.server.url}
    request = dbt_statsig.Request(project_dir=shop.folder, environ=environ)
    changed_assignments(shop)
    synced = dbt_statsig.sync(request)
    loads = {one.name: one.refresh for one in dbt_statsig.reload(request, synced=synced).experiments}
    assert {name: refresh and refresh.value for name, refresh in loads.items()} == {
        "Button": "full",
        "Price": "incremental",
    }
    ended = structs.replace(synced, outcome=structs.replace(synced.outcome, stopped="The key was refused."))
    for wrong, why in ((ended, "the sync did not come to its end"), ("yes", "takes the result of `sync`")):
        with pytest.raises(dbt_statsig.UsageError, match=why):
            dbt_statsig.reload(request, synced=cast("Any", wrong))

"""A reload as a part of a sync: `dbt-statsig run --reload`, what a sync changed, and what it could not write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

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


def test_no_reload_after_a_sync_that_did_not_end(shop: Built, dbt: Path) -> None:
    """A refused key in mid-sync: what Statsig has is not known, so nothing is loaded; exit code 2."""
    shop.declare_again("orders", where="amount > 1")
    shop.server.inject({"action": "status", "status": 401, "match": {"path": "/metric_source/Orders"}})
    done = run(shop, dbt, "--reload")
    assert (done.code, starts(shop)) == (2, {})
    assert "Nothing was reloaded. The sync did not come to its end." in done.stdout
    assert done.stdout.endswith("Nothing was started.\n")


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
    assert [form for form in forms if "experiment Price: refused" not in texts[form]] == []
    assert "Not everything was reloaded" in texts["html"]
    assert "2 experiments: 1 started, 1 refused." in texts["markdown"]


def test_the_exit_code_of_dbt_wins(shop: Built, dbt: Path) -> None:
    """Where dbt failed in a part, the rest is synced and loaded, and its exit code stays."""
    dbt.with_suffix(".fails").touch()
    done = run(shop, dbt, "--reload", "--output", "json")
    assert (done.code, states(done)) == (1, {"Button": "started", "Price": "started"})

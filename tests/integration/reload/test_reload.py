"""`dbt-statsig reload` against the emulator: what is loaded, how, once, and what is said of it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

import dbt_statsig
from tests.integration.faults.inprocess import call, sync
from tests.integration.faults.project import Project
from tests.integration.reload.built import EARLIER, START, entry, fault, later, sent, starts, states

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.reload.built import Built


def test_running_experiments_that_read_what_was_built_are_loaded_once(shop: Built) -> None:
    """One request starts each load, in the order of the building; right after it there is nothing to reload."""
    done = shop.reload()
    assert (done.code, states(done)) == (0, {"Button": "started", "Price": "started"})
    assert starts(shop) == {"button": {"refresh": "incremental"}, "price": {"refresh": "incremental"}}
    assert entry(done, "Price")["reasons"] == ["new rows: model.shop.orders"]

    again = call(shop, "reload")
    assert again.code == 0
    assert "Nothing to reload: 2 up to date." in again.stdout
    assert len(shop.loads) == 2


def test_a_reload_costs_the_lists_and_three_requests_for_each_experiment(shop: Built) -> None:
    """Five lists, and for each its history, the same directly before its start, and one start; nothing for a source."""
    shop.reload()
    lists, rest = sent(shop)[:5], sent(shop)[5:]
    assert {one.rpartition("/")[2] for one in lists} == {
        "assignment_sources",
        "entity_properties",
        "list",
        "experiments",
    }
    assert sorted(rest) == sorted(
        [
            *(f"GET /console/v1/experiments/{one}/pulse_load_history" for one in ("button", "price") * 2),
            *(START.format(one) for one in ("button", "price")),
        ]
    )


def test_many_experiments_cost_three_requests_each_beside_the_pages(shop: Built) -> None:
    """Whatever the number of their metrics: three lists of sources, and pages of experiments and metrics."""
    for number in range(250):
        shop.metric(f"Metric {number}", "Orders")
    for number in range(40):
        watched = [{"name": f"Metric {one}", "type": "user_warehouse"} for one in range(number, number + 20)]
        shop.experiment(f"Many {number}", primaryMetrics=watched)
    assert shop.reload().code == 0
    asked = len(sent(shop))
    assert len(starts(shop)) == 42
    assert asked == 3 + 1 + 3 + 3 * 42


def test_where_nothing_was_built_no_experiment_is_read(shop: Built) -> None:
    """The sources' own lists are all that is asked for."""
    shop.built("plain")
    done = shop.reload()
    assert (done.code, states(done), len(sent(shop))) == (0, {}, 3)


def test_a_failed_node_holds_its_experiments_back_by_name(shop: Built) -> None:
    """The others are loaded; the reason names the source, the node and its status."""
    shop.built("exposures", orders="error")
    done = call(shop, "reload")
    assert done.code == 0
    assert starts(shop) == {"button": {"refresh": "incremental"}}
    assert 'Price: held back\n    metric source "Orders": model.shop.orders was not built (status error)' in done.stdout
    assert done.stdout.endswith("2 experiments: 1 started, 1 held back.\n")


def test_a_failed_data_test_holds_back_too(shop: Built) -> None:
    """As for a sync, unless `on_test_failure` is push; with `after_failure: skip` nothing is loaded."""
    path = shop.folder / "target" / "manifest.json"
    manifest = json.loads(path.read_bytes())
    manifest["nodes"]["test.shop.fresh"] = {
        "unique_id": "test.shop.fresh",
        "resource_type": "test",
        "attached_node": "model.shop.orders",
        "depends_on": {"nodes": ["model.shop.orders"]},
    }
    path.write_text(json.dumps(manifest), encoding="utf-8")
    path = shop.built("exposures", "orders", fresh="fail")
    path.write_text(path.read_text(encoding="utf-8").replace("model.shop.fresh", "test.shop.fresh"), encoding="utf-8")

    assert states(shop.reload("--dry-run")) == {"Button": "to load", "Price": "held back"}
    shop.settings(on_test_failure="push")
    assert states(shop.reload("--dry-run")) == {"Button": "to load", "Price": "to load"}
    shop.settings(after_failure="skip")
    assert states(shop.reload("--dry-run")) == {"Button": "held back", "Price": "held back"}


def test_a_view_is_new_by_the_table_above_it(shop: Built) -> None:
    """Orders are a view over a table of this build; the view itself was not built now."""
    shop.node("raw_orders")
    shop.node("orders", "raw_orders", materialized="view")
    shop.built("raw_orders")
    done = shop.reload("--dry-run")
    assert (states(done), entry(done, "Price")["nodes"]) == ({"Price": "to load"}, ["model.shop.raw_orders"])


@pytest.mark.parametrize("args", [{"full_refresh": True}, {"invocation_command": "dbt build --full-refresh"}])
def test_a_full_refresh_is_a_full_load(shop: Built, args: dict[str, Any]) -> None:
    """Of what is incremental; turbo is sent only where it is asked for."""
    shop.node("orders", materialized="incremental")
    shop.built("exposures", "orders", args=args)
    done = shop.reload("--turbo")
    assert starts(shop) == {
        "button": {"refresh": "incremental", "turboMode": True},
        "price": {"refresh": "full", "turboMode": True},
    }
    assert entry(done, "Price")["reasons"][0] == "model.shop.orders was built with --full-refresh"


@pytest.mark.parametrize(
    ("command", "warned"),
    [("dbt retry", True), ("dbt --quiet retry --threads 2", True), ("dbt build --select retry", False), (None, False)],
)
def test_results_of_a_retry_lack_what_was_built_before(shop: Built, command: str | None, *, warned: bool) -> None:
    """What dbt built before the retry is in no results any more: a warning says so."""
    shop.built("orders", args={"invocation_command": command})
    warnings = shop.reload("--dry-run").answer["reload"]["warnings"]
    assert any("`dbt retry` built only what failed before." in one for one in warnings) == warned


def test_after_a_turbo_load_a_full_one_is_started(shop: Built) -> None:
    """A full load in turbo mode computed one day, so that it is no reason against the full load that goes back."""
    both = ("Button", "Price")
    assert states(shop.reload("--turbo", "--refresh", "full", "--wait")) == dict.fromkeys(both, "loaded")
    assert states(shop.reload("--turbo", "--refresh", "full")) == dict.fromkeys(both, "up to date")
    assert states(shop.reload("--refresh", "full")) == dict.fromkeys(both, "started")


def test_another_snapshot_strategy_is_known_from_the_state(shop: Built, tmp_path: Path) -> None:
    """With the artifacts of before in --state, its experiments are loaded in full; a packed manifest counts too."""
    shop.models["orders"] |= {"resource_type": "snapshot"}
    shop.node("orders", materialized="snapshot", strategy="timestamp")
    before = (shop.folder / "target" / "manifest.json").read_bytes()
    (tmp_path / "manifest.json").write_bytes(before)
    shop.node("orders", materialized="snapshot", strategy="check")
    assert entry(shop.reload("--dry-run"), "Price")["refresh"] == "incremental"
    assert entry(shop.reload("--dry-run", "--state", tmp_path), "Price")["refresh"] == "full"


@pytest.mark.parametrize(
    ("refresh", "body"),
    [("full", {"refresh": "full"}), ("metric", {"refresh": "metric", "metricIDs": ["Order count::user_warehouse"]})],
)
def test_a_refresh_is_chosen_by_hand(shop: Built, refresh: str, body: dict[str, Any]) -> None:
    """It goes out as published: `refresh`, never `refreshType`."""
    shop.built("orders")
    shop.reload("--refresh", refresh)
    assert starts(shop) == {"price": body}


def test_select_narrows(shop: Built) -> None:
    """Only experiments that read what was both built and selected."""
    assert states(shop.reload("--dry-run", "--select", "orders")) == {"Price": "to load"}


def test_what_is_loading_or_was_loaded_since_is_spared(shop: Built) -> None:
    """A load under way from before the build is not doubled, and said; a later load that ended is enough."""
    hour_ago = int((EARLIER - timedelta(hours=1)).timestamp() * 1000)
    later(shop, "button", createdTime=hour_ago, looksLeft=99)
    later(shop, "price", finishedState="success", reloadType="full")
    done = call(shop, "reload")
    assert done.code == 0
    assert starts(shop) == {}
    assert "Button: already loading" in done.stdout
    assert "A load (incremental) that began before the new data is under way." in done.stdout
    assert done.stdout.endswith("Nothing to reload: 1 already loading, 1 up to date.\n")


def test_a_load_that_failed_is_no_load(shop: Built) -> None:
    """The experiment is loaded again."""
    later(shop, "button", finishedState="timeout")
    assert states(shop.reload())["Button"] == "started"


def test_more_than_the_limit_is_refused_until_it_is_forced(shop: Built) -> None:
    """Nothing is started; the setting and --most give the limit."""
    shop.settings(reload_most=1)
    done = call(shop, "reload")
    assert (done.code, starts(shop)) == (1, {})
    assert "2 experiments are to be loaded, and at most 1 may be at once (`reload_most`)." in done.stdout
    assert shop.reload("--most", "0").code == 1
    assert shop.reload("--most", "2", "--dry-run").code == 0
    assert shop.reload("--force").code == 0
    assert len(shop.loads) == 2


def test_a_dry_run_starts_nothing(shop: Built) -> None:
    """It shows what would be started, with the reasons."""
    done = call(shop, "reload", "--dry-run")
    assert (done.code, shop.loads) == (0, [])
    assert "Price (incremental): to load\n    new rows: model.shop.orders\n" in done.stdout
    assert done.stdout.endswith("Dry run, nothing was started: 2 to load.\n")


def test_waiting_ends_with_the_loads(shop: Built) -> None:
    """Each has its state and its time; all well is 0."""
    done = shop.reload("--wait")
    assert (done.code, states(done)) == (0, {"Button": "loaded", "Price": "loaded"})
    assert entry(done, "Price")["load"]["state"] == "success"
    assert entry(done, "Price")["load"]["finished"] is not None


def test_another_project_and_another_namespace_are_not_touched(shop: Built, tmp_path: Path) -> None:
    """Sources that only bear the same name belong to nobody here: neither their owner's build nor ours loads them."""
    other = Project(tmp_path / "other", shop.url)
    (other.folder / "dbt_project.yml").write_text("name: other\n", encoding="utf-8")
    for name, item in shop.server.state.sources["metric_sources"].items():
        assert name == "Orders"
        item["description"] = item["description"].replace("dbt: shop/", "dbt: other/")
    assert states(shop.reload("--dry-run")) == {"Button": "to load"}
    shop.settings(namespace={"dev": "dev", "prod": "prod"})
    done = call(shop, "reload", "--target", "dev")
    assert (done.code, starts(shop)) == (0, {})
    assert "Statsig has no source of `shop@dev`" in done.stderr


def test_a_target_that_may_not_push_loads_nothing(shop: Built) -> None:
    """The refusal speaks of loads; a dry run is allowed. A schema that may not push is left out."""
    shop.settings(allowed_targets=["prod"])
    done = shop.reload("--target", "dev")
    assert done.code == 1
    assert done.answer["error"]["message"].startswith("Nothing was loaded: ")
    assert starts(shop) == {}
    assert shop.reload("--target", "dev", "--dry-run").code == 0
    shop.settings(allowed_schemas=["elsewhere"])
    assert states(shop.reload("--dry-run")) == {}


def test_tables_of_another_target_are_refused(shop: Built) -> None:
    """Where every source in Statsig reads another schema than the manifest has, this build says nothing of them."""
    for one in shop.models.values():
        one["relation_name"] = one["relation_name"].replace("main", "dev")
    shop.write()
    done = shop.reload()
    assert done.code == 1
    assert "Nothing was loaded: every assignment source" in done.answer["error"]["message"]
    assert "would be refused without --force" in call(shop, "reload", "--dry-run").stderr
    assert shop.reload("--force").code == 0


@pytest.mark.parametrize(
    ("args", "invocation", "message"),
    [
        ({"which": "test"}, None, "written by `dbt test`, which builds no tables"),
        ({"which": "compile"}, None, "written by `dbt compile`, which builds no tables"),
        ({"which": "build", "empty": True}, None, "dbt build --empty"),
        ({}, "another", "written by different dbt commands"),
        ({}, "", "written by different dbt commands"),
    ],
)
def test_run_results_of_no_build_are_refused(
    shop: Built, args: dict[str, Any], invocation: str | None, message: str
) -> None:
    """Those of `dbt test`, of what builds nothing, and of another invocation than the manifest's, older ones too."""
    path = shop.built("orders", args=args)
    if invocation is not None:
        content = json.loads(path.read_bytes())
        content["metadata"]["invocation_id"] = invocation
        path.write_text(json.dumps(content), encoding="utf-8")
    for arguments in ((), ("--run-results", path)):
        done = shop.reload(*arguments)
        assert (done.code, sent(shop)) == (2, [])
        assert message in done.answer["error"]["message"]
        assert "--run-results" not in done.answer["error"]["fix"]


def test_missing_run_results_are_an_error(shop: Built) -> None:
    """The message names the file, and the next step is a build."""
    (shop.folder / "target" / "run_results.json").unlink()
    done = shop.reload()
    assert done.code == 2
    assert "run_results.json" in done.answer["error"]["message"]


def test_a_partial_build_loads_what_it_built(shop: Built) -> None:
    """What it did not reach is neither new nor held back."""
    shop.built("orders")
    assert states(shop.reload()) == {"Price": "started"}


def test_an_experiment_without_an_assignment_source_is_loaded_for_its_metrics(shop: Built) -> None:
    """One that reads a source which Statsig does not list is loaded too, and the source is named."""
    shop.experiment(
        "Odd", assignmentSourceName="Gone", primaryMetrics=[{"name": "Order count", "type": "user_warehouse"}]
    )
    done = call(shop, "reload")
    assert done.code == 0
    assert starts(shop).keys() == {"button", "price", "odd"}
    assert 'Experiment "Odd" reads the assignment source "Gone", which Statsig does not list.' in _flat(done.stderr)


def test_running_experiments_on_sources_that_statsig_does_not_list_are_named(shop: Built) -> None:
    """Whether they read what was built is not known, as after a source got a new name or one in another case."""
    shop.experiment("Case", assignmentSourceName="exposures")
    shop.experiment("Done", assignmentSourceName="Gone", status="archived")
    warnings = shop.reload("--dry-run").answer["reload"]["warnings"]
    (found,) = warnings
    assert found.endswith('does not list sources that they read: "Case" (the assignment source "exposures").')
    fault(shop, "assignment_sources", "short_list", by=1)
    assert "Case" not in " ".join(shop.reload("--dry-run").answer["reload"]["warnings"])


def test_a_selection_that_matches_nothing_is_named(shop: Built) -> None:
    """A word that is misspelled is no reason to believe that everything is loaded."""
    assert shop.reload("--select", "oders").answer["reload"]["warnings"] == ['The selection "oders" matches no node.']


def _flat(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("path", ["/metrics/list", "/v1/experiments[?]", "/metric_source/list"])
def test_a_list_that_may_be_incomplete_is_said(shop: Built, path: str) -> None:
    """What it lacks is not loaded, and nobody takes the rest for all there is."""
    fault(shop, path, action="endless_pages")
    done = call(shop, "reload", "--dry-run")
    assert done.code == 0
    assert "may be incomplete" in _flat(done.stderr)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--timeout", "5"], "--timeout is for --wait"),
        (["--refresh", "fast"], "fast"),
        (["--most", "-1"], "--most"),
    ],
)
def test_options_that_make_no_sense_are_refused(shop: Built, arguments: list[str], message: str) -> None:
    """Exit code 2, before any request."""
    done = call(shop, "reload", *arguments)
    assert (done.code, sent(shop)) == (2, [])
    assert message in done.stderr


def test_python_gives_the_same(shop: Built) -> None:
    """The function returns what the command prints; wrong arguments are UsageErrors."""
    request = dbt_statsig.Request(project_dir=shop.folder, environ=shop.environ)
    found = dbt_statsig.reload(request, refresh="full", wait=True, timeout=60)
    assert (found.ok(), found.exit_code, found.problems) == (True, 0, ())
    assert [(one.name, one.state, one.refresh) for one in found.experiments] == [
        ("Button", dbt_statsig.ReloadState.SUCCEEDED, dbt_statsig.Refresh.FULL),
        ("Price", dbt_statsig.ReloadState.SUCCEEDED, dbt_statsig.Refresh.FULL),
    ]
    for wrong in ({"refresh": "ful"}, {"refresh": 1}, {"wait": "yes"}, {"timeout": -1}, {"timeout": True}):
        with pytest.raises(dbt_statsig.UsageError):
            dbt_statsig.reload(request, **wrong)


def test_problems_name_what_went_wrong(shop: Built) -> None:
    """A line each, from Python as from the command line."""
    shop.server.state.load_ends["price"] = {"endsAs": "failure"}
    found = dbt_statsig.reload(dbt_statsig.Request(project_dir=shop.folder, environ=shop.environ), wait=True)
    assert found.problems == ("experiment Price: failed. The load ended with failure.",)
    assert not found.ok()


def test_statuses_and_times_that_are_none_do_no_harm(shop: Built) -> None:
    """Run results without times go by the time at which they were written."""
    path = shop.built("orders")
    content = json.loads(path.read_bytes())
    content["results"][0]["timing"] = [None, {"completed_at": "soon"}, {"completed_at": None}]
    path.write_text(json.dumps(content), encoding="utf-8")
    assert states(shop.reload()) == {"Price": "started"}
    assert states(shop.reload()) == {"Price": "up to date"}


def test_a_sync_is_needed_first(shop: Built) -> None:
    """A source that Statsig does not have yet, or that somebody else made, is no source of this project."""
    shop.declare("visits", "Visits")
    shop.built("visits")
    assert states(shop.reload()) == {}
    assert sync(shop).code == 0


def test_a_clock_that_is_ahead_loads_nothing_twice(shop: Built) -> None:
    """Run results of the next hour were written when the file was: a second reload finds nothing to do."""
    shop.built("exposures", "orders", at=datetime.now(timezone.utc) + timedelta(hours=1))
    assert set(states(shop.reload()).values()) == {"started"}
    assert set(states(shop.reload()).values()) == {"up to date"}
    assert len([one for one in sent(shop) if one.endswith("/load_pulse")]) == len(starts(shop))

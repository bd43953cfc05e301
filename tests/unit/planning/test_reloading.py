"""Which experiments are loaded again, how and why: uses, changes of a sync, restraint, limit, order."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from msgspec import structs

from dbt_statsig.planning.new_data import Freshness, News
from dbt_statsig.planning.reloading import Basis, Changed, changed_by, decide, refused, satisfied, with_next_step
from dbt_statsig.vocabulary.changes import Action, Change, FieldChange
from dbt_statsig.vocabulary.experiments import Experiment, Metric, MetricRef, SourceRead, TagRef
from dbt_statsig.vocabulary.reloads import ExperimentReload, Load, Refresh, ReloadState
from dbt_statsig.vocabulary.sources import Kind
from dbt_statsig.vocabulary.uses import Uses

A, E, M = Kind.ASSIGNMENT_SOURCE, Kind.ENTITY_PROPERTY_SOURCE, Kind.METRIC_SOURCE
NOON = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
LATER = NOON + timedelta(minutes=10)


def read(kind: Kind, name: str) -> SourceRead:
    """A source that is read."""
    return SourceRead(kind=kind, name=name, use="assignment")


def metric(name: str, *sources: str, **more: Any) -> Metric:
    """A metric of these metric sources."""
    return Metric(name=name, id=f"{name}::user_warehouse", reads=tuple(read(M, one) for one in sources), **more)


def experiment(name: str, *reads: SourceRead, metrics: tuple[str, ...] = (), **more: Any) -> Experiment:
    """An active experiment."""
    refs = tuple(MetricRef(name=one) for one in metrics)
    return Experiment(id=name, name=name, reads=reads, metrics=refs, **{"status": "active", **more})


def new(*built: str, history: str = "") -> News:
    """New rows of these nodes."""
    return News(freshness=Freshness.NEW, built=built, history=history)


HELD = News(freshness=Freshness.HELD, why="model.x was not built (status error)")
METRICS = (
    metric("revenue", "orders"),
    metric("visits", "visits", tags=("core",)),
    metric("share", components=(MetricRef(name="revenue"),)),
)


def decided(*experiments: Experiment, **basis: Any) -> dict[str, ExperimentReload]:
    """What is decided, by name."""
    return {one.name: one for one in decide(Uses(experiments, METRICS), Basis(**basis))}


@pytest.mark.parametrize(
    "reader",
    [
        experiment("x", read(A, "exposures")),
        experiment("x", read(E, "users")),
        experiment("x", metrics=("revenue",)),
        experiment("x", metrics=("share",)),
        experiment("x", metric_tags=(TagRef(name="core"),)),
        experiment("x", read(A, "exposures"), status="assignment_stopped"),
        experiment("x", read(A, "exposures"), status=""),
    ],
)
@pytest.mark.parametrize("freshness", [Freshness.NEW, Freshness.OLD, Freshness.HELD])
def test_every_use_counts(reader: Experiment, freshness: Freshness) -> None:
    """Named sources, metrics, components and tags alike: new is loaded, held back is held back, old is nothing."""
    one = new("model.n") if freshness is Freshness.NEW else News(freshness=freshness, why="model.x failed")
    sources = {(A, "exposures"): one, (E, "users"): one, (M, "orders"): one, (M, "visits"): one}

    found = decided(reader, sources=sources)

    expected = {Freshness.NEW: ReloadState.PLANNED, Freshness.HELD: ReloadState.HELD}
    assert [entry.state for entry in found.values()] == ([expected[freshness]] if freshness in expected else [])


def test_a_metric_load_needs_a_metric() -> None:
    """Where what is new is read through no metric, `--refresh metric` starts nothing, and says so; that is no error."""
    found = decided(
        experiment("x", read(A, "exposures"), metrics=("visits",)),
        sources={(A, "exposures"): new("model.n")},
        refresh=Refresh.METRIC,
    )["x"]
    assert (found.state, found.metric_ids, found.is_problem) == (ReloadState.HELD, (), False)
    assert found.reasons == ("--refresh metric: it reads what is new through no metric",)


@pytest.mark.parametrize("status", ["setup", "decision_made", "abandoned", "archived", "experiment_stopped"])
def test_what_computes_no_results_is_not_loaded(status: str) -> None:
    """An experiment that has not begun, or is over, is not loaded."""
    assert decided(experiment("x", read(A, "exposures"), status=status), sources={(A, "exposures"): new("n")}) == {}


def test_new_rows_are_incremental() -> None:
    """New rows alone need no history; the reason names their nodes, a few of many."""
    found = decided(experiment("x", read(A, "exposures")), sources={(A, "exposures"): new("a", "b", "c", "d")})["x"]
    assert (found.refresh, found.nodes) == (Refresh.INCREMENTAL, ("a", "b", "c", "d"))
    assert found.reasons == ("new rows: a, b, c and 1 more",)


def test_another_history_is_a_full_load() -> None:
    """What a full refresh above, or a sync, made of older rows is computed from the start; both reasons are given."""
    sources = {(A, "exposures"): new("a", history="i was built with --full-refresh")}
    changed = Changed(history={(E, "users"): "the ID mapping changed"})

    found = decided(experiment("x", read(A, "exposures"), read(E, "users")), sources=sources, changed=changed)["x"]

    assert found.refresh is Refresh.FULL
    assert found.reasons == ("i was built with --full-refresh", "the ID mapping changed", "new rows: a")


def test_a_changed_definition_alone_is_a_metric_load() -> None:
    """The metrics whose own definition or source changed are computed again, and those that combine them."""
    changed = Changed(definitions={(Kind.METRIC, "revenue"): "revenue changed", (M, "visits"): "visits changed"})

    found = decided(experiment("x", metrics=("share",)), experiment("y", metrics=("visits",)), changed=changed)

    assert {name: (one.refresh, one.metric_ids) for name, one in found.items()} == {
        "x": (Refresh.METRIC, ("revenue::user_warehouse", "share::user_warehouse")),
        "y": (Refresh.METRIC, ("visits::user_warehouse",)),
    }


def test_new_rows_beside_a_changed_metric_are_a_full_load() -> None:
    """An incremental load would have the old definition in older days; a metric load has the rows of its metric.

    The assignments of `x` are new too, those of `y` are not.
    """
    changed = Changed(definitions={(Kind.METRIC, "revenue"): "revenue changed"})
    sources = {(M, "orders"): new("o"), (A, "exposures"): new("e")}
    readers = (
        experiment("x", read(A, "exposures"), metrics=("revenue",)),
        experiment("y", metrics=("revenue",)),
        experiment("z", read(A, "other"), metrics=("share",)),
    )
    found = decided(*readers, sources=sources, changed=changed)
    assert {name: (one.refresh, one.reasons) for name, one in found.items()} == {
        "x": (Refresh.FULL, ("revenue changed", "new rows: e, o")),
        "y": (Refresh.METRIC, ("revenue changed", "new rows: o")),
        "z": (Refresh.METRIC, ("revenue changed", "new rows: o")),
    }


@pytest.mark.parametrize("refresh", Refresh)
def test_a_refresh_can_be_chosen(refresh: Refresh) -> None:
    """It is taken for all, with what speaks for another one; a metric load is of the metrics that have new rows."""
    sources = {(M, "orders"): new("o", history="i was rebuilt")}
    found = decided(experiment("x", metrics=("share",)), sources=sources, refresh=refresh)["x"]
    assert (found.refresh, found.reasons[-1]) == (refresh, f"--refresh {refresh.value}")
    ids = ("revenue::user_warehouse", "share::user_warehouse")
    assert found.metric_ids == (ids if refresh is Refresh.METRIC else ())


def test_a_failed_node_holds_all_of_an_experiment_back() -> None:
    """The source and the node are named; the rest of what it reads does not matter."""
    sources = {(A, "exposures"): new("e"), (M, "orders"): HELD}
    found = decided(experiment("x", read(A, "exposures"), metrics=("revenue",)), sources=sources)["x"]
    assert (found.state, found.refresh, found.is_missed) == (ReloadState.HELD, None, False)
    assert found.reasons == ('metric source "orders": model.x was not built (status error)',)


@pytest.mark.parametrize(
    ("changed", "refresh"),
    [
        (Changed(history={(A, "exposures"): "mapping"}), Refresh.FULL),
        (Changed(definitions={(Kind.METRIC, "revenue"): "changed"}), Refresh.METRIC),
    ],
)
def test_what_no_later_run_would_know_is_said_of_what_is_held_back(changed: Changed, refresh: Refresh) -> None:
    """A change of this sync that needs more than new rows is named with the load that it needs."""
    reader = experiment("x", read(A, "exposures"), metrics=("revenue",))
    found = decided(reader, sources={(M, "orders"): HELD}, changed=changed)["x"]
    assert (found.state, found.refresh, found.is_missed) == (ReloadState.HELD, refresh, True)
    assert f"--refresh {refresh.value}" in found.fix


def test_the_order_is_that_of_the_building() -> None:
    """An experiment comes when the last node that it reads was ready, and what is held back comes last."""
    sources = {(A, "late"): new("b"), (A, "early"): new("a"), (A, "bad"): HELD, (A, "both"): new("a", "b")}
    names = ("late", "bad", "both", "early")
    experiments = [experiment(name, read(A, name)) for name in names]
    places = {"a": 0, "b": 1}
    assert list(decided(*experiments, sources=sources, places=places)) == ["early", "both", "late", "bad"]


def change(kind: Kind, *fields: str, action: Action = Action.UPDATE, **more: Any) -> Change:
    """A change of an object called `n`."""
    made = tuple(FieldChange(field=field, before=1, after=2) for field in fields)
    return Change(action=action, kind=kind, name="n", fields=made, **more)


@pytest.mark.parametrize(
    ("made", "history", "definitions"),
    [
        (change(A, "id_type_mapping", "tags"), 'the assignment source "n" changed (id type mapping)', ""),
        (change(A, "sql"), 'the assignment source "n" changed (sql)', ""),
        (change(A, *"abcd"), 'the assignment source "n" changed (a, b, c …)', ""),
        (change(E, "sql"), 'the entity property source "n" changed (sql)', ""),
        (change(M, "id_type_mapping"), 'the metric source "n" changed (id type mapping)', ""),
        (change(M, "sql"), "", 'the metric source "n" changed (sql)'),
        (change(Kind.METRIC, "aggregation"), "", 'the metric "n" changed (aggregation)'),
        (change(Kind.METRIC, action=Action.CREATE), "", 'the metric "n" is new'),
        (change(Kind.METRIC, "description", "tags"), "", ""),
        (change(A, "description", "owner", "is_read_only"), "", ""),
        (change(A, action=Action.CREATE), "", ""),
        (change(Kind.QUALIFYING_EVENT, "sql"), "", ""),
    ],
)
def test_what_a_sync_changed(made: Change, history: str, definitions: str) -> None:
    """Mappings and the SQL of assignments change history, definitions their metrics; texts and tags change nothing."""
    found = changed_by([made])
    assert found.history == ({(made.kind, "n"): history} if history else {})
    assert found.definitions == ({(made.kind, "n"): definitions} if definitions else {})


def test_a_renamed_source_is_known_by_both_names() -> None:
    """Which name Statsig's experiments show after a rename is not published."""
    found = changed_by([change(A, "name", "sql", action=Action.RENAME, live_name="old")])
    assert {name for _, name in found.history} == {"n", "old"}


PLANNED = ExperimentReload(id="x", name="x", state=ReloadState.PLANNED, refresh=Refresh.INCREMENTAL, turbo=False)


def load(minutes: int, state: str = "success", reload_type: str = "incremental") -> Load:
    """A load so many minutes after noon."""
    return Load(key=str(minutes), created=NOON + timedelta(minutes=minutes), state=state, reload_type=reload_type)


@pytest.mark.parametrize(
    ("refresh", "loads", "expected"),
    [
        ("incremental", [], ReloadState.PLANNED),
        ("incremental", [load(-5)], ReloadState.PLANNED),
        ("incremental", [load(5)], ReloadState.CURRENT),
        ("incremental", [load(5, reload_type="full")], ReloadState.CURRENT),
        ("incremental", [load(5, reload_type="")], ReloadState.CURRENT),
        ("incremental", [load(5, reload_type="metric")], ReloadState.PLANNED),
        ("incremental", [load(5, "failure"), load(4, "timeout"), load(3, "a_new_word")], ReloadState.PLANNED),
        ("incremental", [load(5, "partial_failure"), load(4)], ReloadState.CURRENT),
        ("incremental", [load(5, "")], ReloadState.CURRENT),
        ("incremental", [load(-5, "")], ReloadState.UNDER_WAY),
        ("incremental", [load(5), load(-5, "")], ReloadState.CURRENT),
        ("incremental", [load(-1), load(-5, "")], ReloadState.UNDER_WAY),
        ("incremental", [load(-1), load(-2000, "")], ReloadState.PLANNED),
        ("incremental", [load(-2000, "")], ReloadState.UNDER_WAY),
        ("incremental", [load(-1), Load(key="k")], ReloadState.PLANNED),
        ("incremental", [load(6, "", "metric"), load(5)], ReloadState.CURRENT),
        ("full", [load(6), load(5, "", "full")], ReloadState.CURRENT),
        ("full", [load(5)], ReloadState.PLANNED),
        ("full", [load(5, "")], ReloadState.UNDER_WAY),
        ("full", [load(5, reload_type="full")], ReloadState.CURRENT),
        ("metric", [load(5, reload_type="metric")], ReloadState.CURRENT),
        ("metric", [load(5)], ReloadState.PLANNED),
        ("incremental", [Load(key="k")], ReloadState.UNDER_WAY),
        ("incremental", [Load(key="k", state="success")], ReloadState.PLANNED),
    ],
)
def test_what_was_loaded_since_the_build_is_not_loaded_again(
    refresh: str, loads: list[Load], expected: ReloadState
) -> None:
    """Only a load that began after the build, gives enough and did not fail counts; one under way is never doubled.

    One that never got an end, more than a day ago, does not count beside newer ones.
    """
    entry = ExperimentReload(id="x", name="x", state=ReloadState.PLANNED, refresh=Refresh(refresh))
    found = satisfied(entry, loads, NOON, now=LATER)
    assert found.state is expected
    assert found.is_missed is (expected is ReloadState.UNDER_WAY and refresh != "incremental")


@pytest.mark.parametrize(
    ("refresh", "under_way", "words"),
    [
        ("incremental", load(-5, ""), "(incremental) that began before the new data is"),
        ("full", load(5, ""), "(incremental) that does not give all that it needs is"),
        ("incremental", Load(key="k"), "is under way, and Statsig does not say when it began"),
    ],
)
def test_what_is_said_of_a_load_under_way(refresh: str, under_way: Load, words: str) -> None:
    """When it began, where that is known, and whether it is of the wrong kind."""
    entry = ExperimentReload(id="x", name="x", state=ReloadState.PLANNED, refresh=Refresh(refresh))
    assert words in satisfied(entry, [under_way], NOON, now=LATER).message


@pytest.mark.parametrize("refresh", list(Refresh))
def test_a_turbo_load_is_of_the_latest_day(refresh: Refresh) -> None:
    """It gives new rows; older days only to whoever asks for turbo again."""
    entry = structs.replace(PLANNED, refresh=refresh)
    turbo = structs.replace(load(5, reload_type=refresh.value), turbo=True)
    is_enough = refresh is Refresh.INCREMENTAL
    state = satisfied(entry, [turbo], NOON, now=LATER).state
    assert state is (ReloadState.CURRENT if is_enough else ReloadState.PLANNED)
    assert satisfied(entry, [turbo], NOON, now=LATER, turbo=True).state is ReloadState.CURRENT


TURBO = structs.replace(load(-5), turbo=True)
FAILED_FULL = load(-5, "failure", "full")


@pytest.mark.parametrize(
    ("loads", "reason"),
    [
        ([TURBO], "its last load was in turbo mode, which gives the latest day only"),
        ([load(-2, reload_type="metric"), load(-3, "failure"), TURBO], "its last load was in turbo mode"),
        ([load(-2), TURBO], ""),
        ([load(-2, reload_type="full"), TURBO], ""),
        ([FAILED_FULL], "its last full load ended with failure"),
        ([load(-2), FAILED_FULL], "its last full load ended with failure"),
        ([load(-2, "timeout", "full"), load(-5, reload_type="full")], "its last full load ended with timeout"),
        ([load(-2, reload_type="full"), FAILED_FULL], ""),
        ([load(-5, "partial_failure", "full")], ""),
        ([load(-5, "failure")], ""),
    ],
)
def test_what_the_loads_before_did_not_give_is_a_full_load(loads: list[Load], reason: str) -> None:
    """After a turbo load, or a full one that failed, new rows alone would leave older days out; the reason is given."""
    found = satisfied(PLANNED, loads, NOON, now=LATER, auto=True)
    assert found.state is ReloadState.PLANNED
    assert found.refresh is (Refresh.FULL if reason else Refresh.INCREMENTAL)
    assert "".join(found.reasons).startswith(reason)
    assert satisfied(PLANNED, loads, NOON, now=LATER) is PLANNED


def test_who_wants_turbo_gets_it() -> None:
    """With --turbo, or where Statsig's schedule loads in turbo mode or may do so, a turbo load asks for no full one."""
    assert satisfied(PLANNED, [TURBO], NOON, now=LATER, auto=True, turbo=True) is PLANNED
    for turbo in (True, None):
        own = structs.replace(PLANNED, turbo=turbo)
        assert satisfied(own, [TURBO], NOON, now=LATER, auto=True) is own


def test_without_a_time_no_load_is_late_enough() -> None:
    """What a sync has only just changed was in no load before."""
    assert satisfied(PLANNED, [load(5)], None, now=LATER).state is ReloadState.PLANNED
    assert satisfied(PLANNED, [load(5, "")], None, now=LATER).state is ReloadState.UNDER_WAY


def test_what_is_held_back_stays_so() -> None:
    """Its loads do not matter."""
    held = ExperimentReload(id="x", name="x", state=ReloadState.HELD)
    assert satisfied(held, [load(5)], NOON, now=LATER) is held


def test_more_than_the_limit_is_refused() -> None:
    """The limit counts what is to be loaded, not what is held back."""
    entries = [PLANNED, PLANNED, ExperimentReload(id="x", name="x", state=ReloadState.HELD)]
    assert refused(entries, 2, Changed(), force=False) == refused(entries, 1, Changed(), force=True) == ""
    assert refused(entries, 1, Changed(), force=False).endswith("at once (`reload_most`).")


def test_a_refusal_says_what_no_later_reload_knows() -> None:
    """What a sync has changed is no change for the next one: the refresh has to be given then."""
    changed = Changed(history={(A, "a"): "mapping"}, definitions={(M, "m"): "formula"})
    full = structs.replace(PLANNED, refresh=Refresh.FULL, reasons=("mapping", "new rows: n"))
    metric = structs.replace(PLANNED, refresh=Refresh.METRIC, reasons=("formula",))
    assert "with `--refresh full or metric`" in refused([full, metric, PLANNED], 1, changed, force=False)
    for state in (ReloadState.NOT_STARTED, ReloadState.REFUSED, ReloadState.UNKNOWN):
        one = structs.replace(metric, state=state, fix="Try again later.")
        assert with_next_step(one, changed).fix.startswith("Try again later. No later reload knows")
        assert with_next_step(one, Changed()) is one
    for one in (full, structs.replace(full, state=ReloadState.STARTED), structs.replace(full, refresh=None)):
        assert with_next_step(one, changed) is one

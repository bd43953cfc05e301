"""Metrics beside their sources: what waits for what, and what is blocked."""

from __future__ import annotations

import pytest

from dbt_statsig.planning.asked import Live
from dbt_statsig.planning.basis import Basis, settled
from dbt_statsig.planning.metrics import with_metrics, without_waiting
from dbt_statsig.vocabulary.adapters import adapter_for
from dbt_statsig.vocabulary.changes import Action, Change, Plan
from dbt_statsig.vocabulary.kinds import Metric, MetricSource
from dbt_statsig.vocabulary.kinds.metric import Criterion, DimensionLimit, FunnelEvent, MetricPart
from dbt_statsig.vocabulary.sources import Kind


def metric(column: str = "amount", source: str = "orders") -> Metric:
    """A sum over one source."""
    part = MetricPart(metric_source_name=source, value_column=column)
    return Metric(name="Revenue", aggregation="sum", metric_sources=(part,))


def of_source(action: Action) -> Change:
    """What happens to the source."""
    return Change(action=action, kind=Kind.METRIC_SOURCE, name="orders")


def of_metric(action: Action, desired: Metric | None = None) -> Change:
    """What happens to the metric, which reads the source as it is in Statsig."""
    return Change(action=action, kind=Kind.METRIC, name="Revenue", live=metric(), desired=desired)


@pytest.mark.parametrize(
    ("action", "desired", "expected"),
    [
        (Action.FOREIGN, metric(), Action.DELETE),
        (Action.ARCHIVE, None, Action.DELETE),
        (Action.UPDATE, metric(source="visits"), Action.DELETE),
        (Action.UPDATE, metric(), Action.BLOCKED),
        (Action.UNCHANGED, metric(), Action.BLOCKED),
        (Action.ORPHAN, None, Action.BLOCKED),
    ],
)
def test_a_source_that_goes(action: Action, desired: Metric | None, expected: Action) -> None:
    """A source is deleted only where no metric of this project reads it afterwards."""
    changes = with_metrics([of_source(Action.DELETE), of_metric(action, desired)], {})
    assert changes[0].action is expected
    waits = expected is Action.DELETE and action is not Action.FOREIGN
    assert changes[0].after == (((Kind.METRIC, "Revenue"),) if waits else ())


@pytest.mark.parametrize(
    ("action", "after", "expected"),
    [
        (Action.CREATE, True, Action.CREATE),
        (Action.UPDATE, True, Action.CREATE),
        (Action.UNCHANGED, False, Action.CREATE),
        (Action.FOREIGN, False, Action.BLOCKED),
        (Action.BLOCKED, False, Action.BLOCKED),
    ],
)
def test_a_metric_after_its_source(action: Action, after: bool, expected: Action) -> None:  # noqa: FBT001
    """A metric is written after a source that is written, and not at all where the source cannot be."""
    new = Change(action=Action.CREATE, kind=Kind.METRIC, name="Revenue", desired=metric())
    found = with_metrics([of_source(action), new], {})[1]
    assert found.action is expected
    assert found.after == (((Kind.METRIC_SOURCE, "orders"),) if after else ())


def test_a_source_that_only_statsig_has() -> None:
    """A source of no change must be in Statsig; a list that may lack it tells nothing."""
    new = Change(action=Action.CREATE, kind=Kind.METRIC, name="Revenue", desired=metric())
    lives = [
        (Live(items=(MetricSource(name="orders"),)), Action.CREATE),
        (Live(items=()), Action.BLOCKED),
        (Live(items=(), complete=False), Action.CREATE),
    ]
    for live, expected in lives:
        assert with_metrics([new], {Kind.METRIC_SOURCE: live})[0].action is expected
    assert with_metrics([new], {})[0].action is Action.CREATE


def test_the_spelling_of_columns_that_nothing_proves() -> None:
    """Where the spelling of columns is not proven, the live metric keeps its own; another column is a change."""
    weak = Basis(adapter=adapter_for("snowflake"), unproven=frozenset({"value_column"}))
    assert settled(metric("AMOUNT"), weak, metric()).payload == metric()
    assert settled(metric("other"), weak, metric()).payload == metric("other")
    proven = Basis(adapter=adapter_for("snowflake"))
    assert settled(metric("AMOUNT"), proven, metric()).payload == metric("AMOUNT")


def test_the_spelling_of_what_is_no_column() -> None:
    """The case of a filter's values, of SQL in it and of a step's name is a change, also where nothing is proven."""
    weak = Basis(adapter=adapter_for("snowflake"), unproven=frozenset({"value_column"}))

    def funnel(name: str, column: str, value: str) -> Metric:
        criterion = Criterion(type="metadata", column=column, condition="in", values=(value,))
        event = FunnelEvent(name=name, metric_source_name="orders", criteria=(criterion,))
        limits = (DimensionLimit(name=column, limit=3),)
        return Metric(name="Rate", aggregation="funnel", funnel_events=(event,), metric_dimension_limits=limits)

    live = funnel("Visit", "status", "paid")
    assert settled(funnel("Visit", "STATUS", "paid"), weak, live).payload == live
    for other in (funnel("Visit", "status", "PAID"), funnel("visit", "status", "paid")):
        assert settled(other, weak, live).payload == other


def test_what_waits_for_a_declared_source_is_skipped() -> None:
    """Only a metric whose missing source is declared waits for a later run; one with a wrong name stays blocked."""
    live = {Kind.METRIC_SOURCE: Live(items=(), complete=True)}
    changes = with_metrics([of_metric(Action.CREATE, metric())], live)
    plan = Plan(project="shop", changes=changes)
    rest, (waiting,) = without_waiting(plan, {"orders"})
    assert (rest.changes, waiting.name) == ((), "Revenue")
    assert waiting.reason == 'Statsig has no metric source "orders", and this run does not write it.'
    assert without_waiting(plan, {"visits"}) == (plan, ())

"""Which running experiments a change reaches, by the sources that it touches."""

from __future__ import annotations

from typing import Any

import pytest

from dbt_statsig.impact.experiments import with_experiments
from dbt_statsig.vocabulary.changes import Action, Change, Plan
from dbt_statsig.vocabulary.findings import Finding, Severity, finding
from dbt_statsig.vocabulary.progress import Silent
from dbt_statsig.vocabulary.results import ExperimentUse, Impact, Planned, Validation
from dbt_statsig.vocabulary.sources import Kind
from tests.unit.console.service import Opened, page, refused

BUTTON = {"id": "button", "status": "active", "assignmentSourceName": "Old name"}


def planned(*changes: Change, effects: tuple[Finding, ...] = (), asked: bool = True) -> Planned:
    """A plan of these changes, compared with a base or not."""
    impact = Impact(base="base/manifest.json", compared=1, effects=effects) if asked else None
    validation = Validation(
        project="shop",
        adapter="duckdb",
        dbt_version="1.11",
        manifest_path="manifest.json",
        sources=(),
        findings=effects,
        impact=impact,
    )
    return Planned(validation=validation, plan=Plan(project="shop", changes=changes), requests=0)


def change(action: Action, **keys: Any) -> Change:
    """A change of the assignment source."""
    return Change(action=action, **{"kind": Kind.ASSIGNMENT_SOURCE, "name": "Exposures", **keys})


def found(result: Planned) -> list[str]:
    """The messages about experiments, which stand among the findings and the effects alike."""
    told = [one.message for one in result.validation.findings if one.code == "impact-experiment"]
    assert result.validation.impact is not None
    assert told == [one.message for one in result.validation.impact.effects if one.code == "impact-experiment"]
    return told


def test_an_experiment_goes_by_the_name_in_the_console() -> None:
    """A source that is being renamed is known to experiments by its old name."""
    opened = Opened(page(BUTTON, total=1))
    result = with_experiments(planned(change(Action.RENAME, live_name="Old name")), opened.client, Silent())
    assert found(result) == ['The experiment "button" (active) uses the assignment source "Old name".']
    assert result.requests == 1


def test_a_removed_source_is_looked_for_too() -> None:
    """A source that the change no longer declares is looked for even where the plan does not speak of it."""
    removed = finding("impact-source-removed", "Gone.", kind="assignment_source", source="Old name")
    opened = Opened(page(BUTTON, {"id": "quiet", "assignmentSourceName": "Old name"}, total=2))
    result = with_experiments(planned(effects=(removed,)), opened.client, Silent())
    assert found(result) == ['2 running experiments use the assignment source "Old name": "button" (active), "quiet".']


def test_nothing_is_asked_in_vain() -> None:
    """Without a base, or where nothing is touched, no request is sent and the plan is the same."""
    opened = Opened(page(BUTTON, total=1))
    plans = (planned(change(Action.UPDATE), asked=False), planned(change(Action.UNCHANGED)))
    assert [with_experiments(one, opened.client, Silent()) for one in plans] == list(plans)
    assert opened.service.calls == []


def unchecked(result: Planned) -> list[tuple[Severity, str]]:
    """Weight and message of what could not be asked, which stands among the findings and the effects alike."""
    assert result.validation.impact is not None
    effects = [one for one in result.validation.impact.effects if one.code == "impact-experiments-unchecked"]
    assert all(one in result.validation.findings for one in effects)
    return [(one.severity, one.message) for one in effects]


@pytest.mark.parametrize("strict", [False, True])
def test_a_list_that_may_lack_some_is_doubted(strict: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """A list of experiments that is incomplete, or that cannot be read, is a warning, and an error with --strict."""
    weight = Severity.ERROR if strict else Severity.WARNING
    opened = Opened(page(BUTTON, total=7))
    result = with_experiments(planned(change(Action.UPDATE)), opened.client, Silent(), strict=strict)
    ((severity, message),) = unchecked(result)
    assert severity is weight
    assert message.startswith("Experiments not checked: the list of experiments may be incomplete: ")
    assert result.validation.impact is not None
    assert result.validation.impact.experiments == ()
    assert [one.fix for one in result.validation.impact.effects] == ["Run `plan --state` again."]
    for status in (400, 403):
        opened = Opened(refused(status))
        result = with_experiments(planned(change(Action.UPDATE)), opened.client, Silent(), strict=strict)
        ((severity, message),) = unchecked(result)
        assert severity is weight
        assert message.startswith("Experiments not checked: experiments were not read: ")
        assert result.validation.impact is not None
        assert result.validation.impact.experiments is None


def test_a_qualifying_event_is_not_checked() -> None:
    """Which experiments use a qualifying event nobody publishes: that is a note, and no request is sent."""
    event = finding("impact-source-removed", "Gone.", kind="qualifying_event", source="Opened")
    for plan in (
        planned(effects=(event,)),
        planned(change(Action.UPDATE, kind=Kind.QUALIFYING_EVENT)),
    ):
        opened = Opened()
        told = unchecked(with_experiments(plan, opened.client, Silent()))
        text = "Experiments not checked: Statsig does not publish which experiments use a qualifying event."
        assert told == [(Severity.NOTE, text)]
        assert opened.service.calls == []


WATCHING = {
    "id": "flow",
    "status": "active",
    "primaryMetrics": [{"name": "revenue", "type": "sum"}, {"name": "visits", "type": "count"}],
    "secondaryMetrics": [{"name": "funnel"}],
}
METRICS = (
    {"id": "revenue::sum", "name": "revenue", "type": "sum", "warehouseNative": {"metricSourceName": "Orders"}},
    {"id": "revenue::mean", "name": "revenue", "type": "mean", "warehouseNative": {"metricSourceName": "Orders"}},
    {"name": "visits", "type": "count", "warehouseNative": {"metricSources": [{"metricSourceName": "Visits"}]}},
    {"name": "funnel", "type": "funnel", "warehouseNative": {"funnelEvents": [{"metricSourceName": "Orders"}]}},
    {"name": "cloud metric", "type": "user", "warehouseNative": None},
)
ORDERS = change(Action.UPDATE, kind=Kind.METRIC_SOURCE, name="Orders")


def test_a_metric_source_is_used_through_metrics() -> None:
    """Which running experiments read a metric source follows from the metrics that they watch, which are named."""
    opened = Opened(page(WATCHING, BUTTON, total=2), page(*METRICS, total=len(METRICS)))
    result = with_experiments(planned(ORDERS), opened.client, Silent())
    assert found(result) == [
        'The experiment "flow" (active) uses the metric source "Orders" through the metrics "revenue", "funnel".'
    ]
    assert result.validation.impact is not None
    assert [one.id for one in result.validation.impact.experiments or ()] == ["flow"]
    assert [call.split("?")[0] for call in opened.service.calls] == [
        "GET /console/v1/experiments",
        "GET /console/v1/metrics/list",
    ]


def test_many_metrics_are_counted() -> None:
    """Of more than five metrics five are named."""
    names = [f"m{number}" for number in range(7)]
    experiment = {"id": "all", "primaryMetrics": [{"name": name} for name in names]}
    metrics = [{"name": name, "warehouseNative": {"denominatorMetricSourceName": "Orders"}} for name in names]
    opened = Opened(page(experiment, total=1), page(*metrics, total=7))
    (told,) = found(with_experiments(planned(ORDERS), opened.client, Silent()))
    assert told.endswith('through the metrics "m0", "m1", "m2", "m3", "m4" and 2 more.')


def test_metrics_are_not_read_in_vain() -> None:
    """Where no running experiment watches a metric, or no metric source is touched, metrics are not asked for."""
    opened = Opened(page({**WATCHING, "status": "archived"}, BUTTON, total=2))
    assert found(with_experiments(planned(ORDERS), opened.client, Silent())) == []
    opened = Opened(page(WATCHING, total=1))
    assert found(with_experiments(planned(change(Action.UPDATE)), opened.client, Silent())) == []


def test_metrics_that_cannot_be_read_are_a_warning() -> None:
    """What experiments say themselves still counts, and the warning says what is missing."""
    opened = Opened(page(WATCHING, BUTTON, total=2), refused(400))
    renamed = change(Action.RENAME, live_name="Old name")
    result = with_experiments(planned(ORDERS, renamed), opened.client, Silent())
    assert found(result) == ['The experiment "button" (active) uses the assignment source "Old name".']
    ((severity, message),) = unchecked(result)
    assert severity is Severity.WARNING
    assert message.startswith("Experiments not checked: metrics were not read: ")


def test_a_metric_that_no_list_has() -> None:
    """A metric that a running experiment names and no list has is a note: what it reads is not known."""
    opened = Opened(page(WATCHING, total=1), page(METRICS[0], total=1))
    told = unchecked(with_experiments(planned(ORDERS), opened.client, Silent()))
    text = (
        'Experiments not checked: "visits", "funnel" are watched but not in the list of metrics; what they read is '
        "not known."
    )
    assert told == [(Severity.NOTE, text)]
    opened = Opened(page({"id": "e", "primaryMetrics": [{"name": "gone"}]}, total=1), page(total=0))
    ((severity, message),) = unchecked(with_experiments(planned(ORDERS), opened.client, Silent()))
    assert (severity, '"gone" is watched but not in the list' in message) == (Severity.NOTE, True)


def test_a_metric_reaches_the_experiments_that_watch_it() -> None:
    """A changed metric is followed to the experiments that watch it, by name, by tag, or in one that combines it."""
    tagged = {"id": "tagged", "status": "assignment_stopped", "primaryMetricTags": ["money"]}
    combining = {"id": "combining", "status": "active", "otherMetrics": [{"name": "net", "type": "composite"}]}
    revenue = {**METRICS[0], "tags": ["money"]}
    net = {"name": "net", "type": "composite", "metricComponentMetrics": [{"name": "revenue", "type": "sum"}]}
    opened = Opened(page(WATCHING, tagged, combining, BUTTON, total=4), page(revenue, net, total=2))
    result = with_experiments(planned(change(Action.UPDATE, kind=Kind.METRIC, name="revenue")), opened.client, Silent())
    assert found(result) == [
        (
            '3 running experiments use the metric "revenue": "flow" (active), "tagged" (assignment_stopped), '
            '"combining" (active).'
        )
    ]


def test_who_is_to_be_asked() -> None:
    """An experiment is named with its status, owner and permalink; how it uses the source is in the result."""
    owned = {
        **BUTTON,
        "owner": {"ownerName": "Ada", "ownerEmail": "ada@shop.example"},
        "permalink": "https://x.example/e",
    }
    opened = Opened(page(owned, total=1))
    result = with_experiments(planned(change(Action.RENAME, live_name="Old name")), opened.client, Silent())
    assert found(result) == [
        (
            'The experiment "button" (active, Ada <ada@shop.example>, https://x.example/e) uses the assignment source '
            '"Old name".'
        )
    ]
    assert result.validation.impact is not None
    (reached,) = result.validation.impact.reached
    assert (reached.kind, reached.name, reached.live_name) == (Kind.ASSIGNMENT_SOURCE, "Exposures", "Old name")
    assert reached.experiments == (ExperimentUse(experiment="button", uses=("assignment",), metrics=()),)


def test_another_target_has_other_names() -> None:
    """Where this dbt target has a prefix, experiments on that source in other targets are found: production's too."""
    bare = {"id": "bare", "status": "active", "assignmentSourceName": "Exposures"}
    live = {"id": "live", "status": "active", "assignmentSourceName": "prod Exposures"}
    mine = {"id": "mine", "status": "active", "assignmentSourceName": "ci Exposures"}
    effect = finding(
        "impact-source-changed",
        "Other groups.",
        kind="assignment_source",
        source="ci Exposures",
        key="statsig.assignment_source.group_id_column",
    )
    plan = planned(change(Action.CREATE, name="ci Exposures"), effects=(effect,))
    opened = Opened(page(bare, live, mine, BUTTON, total=4))
    result = with_experiments(plan, opened.client, Silent(), prefixes=("ci ", "prod "))
    assert found(result) == [
        f'The experiment "{name}" (active) uses the assignment source "{source}".'
        for name, source in (("bare", "Exposures"), ("live", "prod Exposures"), ("mine", "ci Exposures"))
    ]
    assert any(
        one.message == "Other groups; 3 running experiments use this source." for one in result.validation.findings
    )
    opened = Opened(page(bare, live, mine, BUTTON, total=4))
    result = with_experiments(plan, opened.client, Silent(), prefixes=("", "prod "))
    assert found(result) == ['The experiment "mine" (active) uses the assignment source "ci Exposures".']

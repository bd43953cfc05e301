"""Which running experiments a change reaches, by the sources that it touches."""

from __future__ import annotations

from typing import Any

from dbt_statsig.changes import Action, Change, Plan
from dbt_statsig.findings import Finding, finding
from dbt_statsig.impact.live_experiments import with_experiments
from dbt_statsig.progress import Silent
from dbt_statsig.results import Impact, Planned, Validation
from dbt_statsig.sources import Kind
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
    assert found(result) == [
        'The experiment "button" (active) uses the assignment source "Old name".',
        'The experiment "quiet" uses the assignment source "Old name".',
    ]


def test_nothing_is_asked_in_vain() -> None:
    """Without a base, or where only other kinds or nothing is touched, no request is sent and the plan is the same."""
    opened = Opened(page(BUTTON, total=1))
    metric = finding("impact-source-removed", "Gone.", kind="metric_source", source="Orders")
    plans = (
        planned(change(Action.UPDATE), asked=False),
        planned(change(Action.UNCHANGED)),
        planned(change(Action.UPDATE, kind=Kind.METRIC_SOURCE), effects=(metric,)),
    )
    assert [with_experiments(one, opened.client, Silent()) for one in plans] == list(plans)
    assert opened.service.calls == []


def test_a_list_that_may_lack_some_is_doubted() -> None:
    """An incomplete list of experiments is a warning, as is one that cannot be read."""
    opened = Opened(page(BUTTON, total=7))
    result = with_experiments(planned(change(Action.UPDATE)), opened.client, Silent())
    assert result.warnings[0].startswith("The list of experiments may lack some: ")
    assert result.validation.impact is not None
    assert result.validation.impact.experiments == ()
    opened = Opened(refused(400))
    result = with_experiments(planned(change(Action.UPDATE)), opened.client, Silent())
    assert result.warnings[0].startswith("Experiments were not read: ")
    assert result.validation.impact is not None
    assert result.validation.impact.experiments is None

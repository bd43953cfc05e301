"""The stages of a plan: what is written first, and what only afterwards."""

from __future__ import annotations

from msgspec import structs

from dbt_statsig.planning.stages import StageKind, stages_of
from dbt_statsig.report.text.report import plan_text
from dbt_statsig.report.text.style import Style
from dbt_statsig.vocabulary.changes import Action, Change, FieldChange, Plan
from dbt_statsig.vocabulary.kinds.assignment_source import AssignmentSource
from dbt_statsig.vocabulary.kinds.metric_source import MetricSource
from dbt_statsig.vocabulary.sources import Kind
from tests.unit.report import samples

KIND = Kind.METRIC_SOURCE


def change(action: Action, name: str, **more: object) -> Change:
    """A change of a metric source."""
    return Change(action=action, kind=KIND, name=name, **more)  # type: ignore[arg-type]


def plan(*changes: Change) -> Plan:
    """A plan of the shop."""
    return Plan(project="shop", changes=changes)


MIXED = plan(
    change(Action.DELETE, "Old"),
    change(Action.UPDATE, "Orders", desired=MetricSource(name="Orders", tags=("unsent",))),
    change(Action.RENAME, "B", requires=("C",), live_name="A"),
    change(Action.CREATE, "New", desired=MetricSource(name="New", tags=("core", "dbt"))),
    change(Action.UNCHANGED, "Same"),
    change(Action.RENAME, "C", live_name="B"),
    change(Action.FOREIGN, "Theirs"),
)


def test_the_order() -> None:
    """Tags, renames so that each new name is free, sources in the plan's order, deletions; nothing else."""
    stages = stages_of(MIXED)
    of_metrics = {StageKind.METRIC_RENAMES, StageKind.METRICS}
    assert [stage.kind for stage in stages] == [kind for kind in StageKind if kind not in of_metrics]
    assert stages[0].tags == ("core", "dbt")
    assert [[one.name for one in stage.changes] for stage in stages] == [[], ["C", "B"], ["Orders", "New"], ["Old"]]


def test_tags_that_an_update_changes() -> None:
    """The tags of an update count where it changes them."""
    field = FieldChange(field="tags", before=None, after=["core"])
    source = AssignmentSource(name="A", tags=("core",))
    update = Change(action=Action.UPDATE, kind=Kind.ASSIGNMENT_SOURCE, name="A", desired=source, fields=(field,))
    assert stages_of(plan(update))[0].tags == ("core",)


def test_a_plan_without_writes_has_no_stage() -> None:
    """What is not written is in no stage."""
    assert stages_of(plan(change(Action.UNCHANGED, "Same"), change(Action.ORPHAN, "Left"))) == ()


def test_the_text_names_the_order() -> None:
    """In full, the text says in which order the stages are written; a single stage needs no order."""
    planned = structs.replace(samples.PLANNED, plan=MIXED)
    text = plan_text(planned, Style(verbose=True))
    assert "Written in this order: tags (2), renames (2), sources (2), retirement (1)." in text
    assert "in this order" not in plan_text(planned)
    one = structs.replace(planned, plan=plan(change(Action.DELETE, "Old")))
    assert "in this order" not in plan_text(one, Style(verbose=True))

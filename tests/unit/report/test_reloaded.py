"""A reload in Markdown and JUnit: nothing that the log has is left out."""

from __future__ import annotations

from msgspec import structs

from dbt_statsig.report.junit import render as junit
from dbt_statsig.report.markdown import LIMIT
from dbt_statsig.report.markdown import render as markdown
from dbt_statsig.report.subject import Subject
from dbt_statsig.vocabulary.reloads import ExperimentReload, FailingSource, Refresh, Reloaded, ReloadState
from tests.unit.report import many

FAILED = ExperimentReload(
    id="exp_1",
    name="Free delivery",
    state=ReloadState.FAILED,
    refresh=Refresh.FULL,
    failing=(FailingSource(metric_source="Orders", unique_id="model.shop.fct_orders", path="models/orders.sql"),),
)


def subject(reloaded: Reloaded) -> Subject:
    """A sync that pushed, and then reloaded."""
    return Subject.of(structs.replace(many.synced(1), reloaded=reloaded))


def test_every_warning_of_a_reload_is_in_markdown() -> None:
    """However many warnings a reload has, each is there once, and what stopped it is among the errors, once."""
    warnings = tuple(f"Warning {number}." for number in range(12))
    reloaded = Reloaded(project="shop", experiments=(), requests=0, stopped="Statsig is away.", warnings=warnings)
    text = markdown(subject(reloaded))
    assert [text.count(one) for one in (*warnings, "Statsig is away.")] == [1] * 13
    many_words = markdown(subject(structs.replace(reloaded, warnings=tuple(f"{n} {'long ' * 150}" for n in range(50)))))
    assert "more not shown" in many_words


def test_junit_names_the_source_that_failed_and_each_reason() -> None:
    """A failed load has its kind and its failing source in JUnit; a refusal and an early end are both errors."""
    reloaded = Reloaded(project="shop", experiments=(FAILED,), requests=0, stopped="It ended.", refused="No key.")
    text = junit(subject(reloaded))
    assert "failed (full)" in text
    assert "failed at metric source &quot;Orders&quot; → model.shop.fct_orders → models/orders.sql" in text
    assert (text.count('message="It ended."'), text.count('message="No key."')) == (1, 1)


def test_a_full_report_with_a_reload_fits() -> None:
    """A thousand changed sources and as many failed loads and warnings stay within the limit of a comment."""
    failed = tuple(structs.replace(FAILED, id=f"exp_{number}", message="It failed. " * 20) for number in range(1_000))
    warnings = tuple(f"Warning {number}." for number in range(1_000))
    reloaded = Reloaded(project="shop", experiments=failed, requests=0, warnings=warnings)
    full = structs.replace(many.synced(1_000), reloaded=reloaded)
    assert len(markdown(Subject.of(full)).encode()) <= LIMIT

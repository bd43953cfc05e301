"""The sections of a change's effects and of a baseline, as text."""

from __future__ import annotations

import json

from msgspec import structs

from dbt_statsig.project.baseline import baseline_of
from dbt_statsig.report.json import render
from dbt_statsig.report.subject import Subject
from dbt_statsig.report.text.report import plan_text, validation_text
from dbt_statsig.report.text.style import Style
from dbt_statsig.vocabulary.experiments import Experiment
from dbt_statsig.vocabulary.findings import Finding, Severity, finding
from dbt_statsig.vocabulary.results import Baseline, Impact, Planned, Validation
from dbt_statsig.vocabulary.sources import Kind
from tests.unit.report import samples

DROPPED = finding(
    "impact-column-dropped",
    'The metric source "Orders" maps the column "a".',
    fix="Keep it.",
    unique_id="model.shop.fct_orders",
    kind="metric_source",
    source="Orders",
)
ABOVE = finding("impact-upstream-gone", "model.shop.stg\x1b[31m is gone.", unique_id="model.shop.stg")
OPEN = finding("impact-unknown", "The columns of x could not be compared.")


def with_impact(*effects: Finding, experiments: tuple[Experiment, ...] | None = None) -> Validation:
    """The sample with these effects."""
    validation = samples.VALIDATION
    impact = Impact(base="prod/manifest.json", compared=3, effects=effects, experiments=experiments)
    return structs.replace(validation, findings=(*validation.findings, *effects), impact=impact)


def test_effects_are_in_their_own_section() -> None:
    """Each effect is reported once, under its source, with weight and next step; upstream ones come last."""
    text = validation_text(with_impact(OPEN, ABOVE, DROPPED))
    section = text[text.index("Effects of this change") :]
    assert section.splitlines()[:8] == [
        "Effects of this change  (against prod/manifest.json)",
        "  metric source Orders",
        '    warning  The metric source "Orders" maps the column "a".',
        "      → Keep it.",
        "  not compared",
        "    note  The columns of x could not be compared.",
        "  upstream of the sources",
        "    note  model.shop.stg\\x1b[31m is gone.",
    ]
    assert text.count("maps the column") == 1


def test_no_effect_is_reported_too() -> None:
    """Where a change does nothing, that is reported, with the number of objects compared."""
    assert "No mapped or selected column changes (3 objects compared)." in validation_text(with_impact())


def test_quiet_leaves_notes_out() -> None:
    """In quiet style only effects that weigh more than a note are reported."""
    assert "Effects of this change" not in validation_text(with_impact(ABOVE), Style(quiet=True))
    assert "maps the column" in validation_text(with_impact(ABOVE, DROPPED), Style(quiet=True))


def test_experiments_are_named_in_a_plan() -> None:
    """A plan names the running experiments, or says that there is none."""
    running = (Experiment(id="a", name="Button", status="active"), Experiment(id="b", name="Other"))
    planned = structs.replace(samples.PLANNED, validation=with_impact(DROPPED, experiments=running))
    assert "Running experiments that use affected sources: Button (active), Other." in plan_text(planned)
    none: Planned = structs.replace(planned, validation=with_impact(DROPPED, experiments=()))
    assert "use affected sources: none." in plan_text(none)


def test_a_baseline_is_counted() -> None:
    """What the baseline knew is counted, its stale entries are listed, ten of them at most."""
    entries = baseline_of([structs.replace(DROPPED, code="column-absent", source=f"S{n:02}") for n in range(12)])
    more = structs.replace(entries[0], count=3)
    baseline = Baseline(path="known.json", known=(DROPPED,), stale=(more, *entries[1:]))
    text = validation_text(structs.replace(samples.VALIDATION, baseline=baseline))
    assert "In the baseline known.json, not shown: 1 warning." in text
    assert "12 entries of known.json no longer match a finding" in text
    assert "column-absent  model.shop.fct_orders metric_source S00  (3 times)" in text
    assert "S09" in text
    assert "S10" not in text
    assert "and 2 more" in text
    quiet = structs.replace(baseline, stale=())
    assert "known.json" not in validation_text(structs.replace(samples.VALIDATION, baseline=quiet), Style(quiet=True))


def test_blocked_sources_are_not_ready() -> None:
    """A source whose error the baseline knows is still not ready, and the last line says so."""
    sources = samples.VALIDATION.sources
    blocked = tuple(structs.replace(source, blocked=place == 0) for place, source in enumerate(sources))
    kept = Baseline(path="known.json", known=samples.VALIDATION.findings, stale=())
    validation = structs.replace(samples.VALIDATION, sources=blocked, findings=(), baseline=kept)
    ready = len(sources) - 1
    assert f"{ready} source{'s' * (ready != 1)} ready, 1 not, because of findings in the baseline" in validation_text(
        validation
    )


def test_unproven_sources_are_not_ready() -> None:
    """A source that cannot be pushed for lack of proof is not ready, and no baseline lists it."""
    first, *others = samples.VALIDATION.sources
    blocked = structs.replace(first, blocked=True, unproven="the type")
    sources = (blocked, *(structs.replace(one, blocked=False) for one in others))
    validation = structs.replace(samples.VALIDATION, sources=sources, findings=())
    line = validation_text(validation).splitlines()[-1]
    assert "ready, 1 not, because proof is missing, no findings." in line
    assert "baseline" not in line


def test_sources_and_metrics_are_summed() -> None:
    """Where sources and metrics are declared, those that cannot be pushed are counted among all objects."""
    first = structs.replace(samples.VALIDATION.sources[0], blocked=True)
    sources = (first, structs.replace(first, kind=Kind.METRIC, blocked=False))
    validation = structs.replace(samples.VALIDATION, sources=sources)
    assert validation_text(validation).splitlines()[-1].endswith(" 1 of 2 objects cannot be pushed.")


def test_json_holds_both() -> None:
    """The JSON answer holds the effects, the experiments and what the baseline knew."""
    stale = baseline_of([structs.replace(DROPPED, code="column-absent", severity=Severity.ERROR)])
    validation = structs.replace(
        with_impact(DROPPED, experiments=(Experiment(id="a", name="Button"),)),
        baseline=Baseline(path="known.json", known=(ABOVE,), stale=stale),
    )
    content = json.loads(render(Subject.of(validation)))["validation"]
    assert content["impact"]["base"] == "prod/manifest.json"
    assert content["impact"]["effects"][0]["code"] == "impact-column-dropped"
    assert content["impact"]["experiments"][0]["id"] == "a"
    assert content["baseline"]["counts"] == {"known": 1, "stale": 1}
    assert content["baseline"]["stale"][0]["code"] == "column-absent"
    plain = json.loads(render(Subject.of(samples.VALIDATION)))["validation"]
    assert (plain["impact"], plain["baseline"]) == (None, None)

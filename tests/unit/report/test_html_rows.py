"""The rows of the HTML page: what they are about, what their heads say, and the facts above them."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from hypothesis import given, settings
from msgspec import structs

from dbt_statsig.report.html.heads import head
from dbt_statsig.report.html.markup import linked
from dbt_statsig.report.html.page import render, render_failure
from dbt_statsig.report.html.rows import Group, anchor_of, rows_of
from dbt_statsig.report.subject import Subject
from dbt_statsig.vocabulary.changes import Action, Plan
from dbt_statsig.vocabulary.experiments import Experiment, Person
from dbt_statsig.vocabulary.findings import Severity
from dbt_statsig.vocabulary.results import Failure, Impact, ObjectOutcome, Planned, Status
from dbt_statsig.vocabulary.sources import Kind
from tests.unit.report import hostile, many, samples
from tests.unit.report.test_html import below

NOTE, WARNING = Severity.NOTE, Severity.WARNING


def facts_of(text: str) -> dict[str, str]:
    """What the head says about the run, links as they are."""
    return dict(re.findall(r"<dt>([^<]+)</dt><dd[^>]*>(.*?)</dd>", text))


def test_impact_and_baseline() -> None:
    """What the change does is in the row that it concerns; the head and the end name base and baseline."""
    effects = (
        structs.replace(samples.FINDINGS[1], code="impact-source-changed", message="Now reads b.", severity=NOTE),
        structs.replace(samples.FINDINGS[1], code="impact-experiment", message="New flow uses it.", severity=WARNING),
        structs.replace(samples.FINDINGS[2], code="impact-unknown", message="Not compared."),
    )
    page = "https://console.statsig.com/shop/experiments/1"
    running = (Experiment(id="1", name="New flow", owner=Person(name="Ada"), permalink=page, status="active"),)
    impact = Impact(base="base/target", compared=2, effects=effects, experiments=running, reached=(samples.REACHED,))
    findings = (*samples.FINDINGS, *effects)
    validation = structs.replace(samples.VALIDATION, impact=impact, baseline=samples.BASELINE, findings=findings)
    text = render(Subject.of(structs.replace(samples.PLANNED, validation=validation)))
    assert facts_of(text)["compared with"] == "base/target"
    assert '<span class="pill warn">1 running experiment</span>' in text
    orders = below(text, "Orders")
    assert orders.index("New flow uses it.") < orders.index("Now reads b.") < orders.index("column-absent")
    assert f'<li><a href="{page}" rel="noreferrer">New flow</a> · active · Ada · through revenue, aov</ul>' in orders
    assert text.index("<h2>Other findings") < text.index("Not compared.")
    assert "<code>known.json</code>, not shown: 3. 1 of its entries no longer match a finding." in text
    none = structs.replace(impact, effects=(), experiments=())
    text = render(Subject.of(structs.replace(samples.CLEAN, impact=none)))
    assert "No mapped or selected column changes (2 objects compared)." in text


def test_a_source_that_only_its_model_changes() -> None:
    """A source whose object stays as it is, but not what it reads, has a section of its own above what is in force."""
    effect = structs.replace(
        samples.FINDINGS[1], code="impact-sql-changed", severity=NOTE, source="Carts", message="Other SQL."
    )
    impact = Impact(base="b", compared=1, effects=(effect,))
    for validation, names in ((samples.CLEAN, ("Carts",)), (structs.replace(samples.CLEAN, sources=()), ("Carts",))):
        changed = structs.replace(validation, impact=impact, findings=(effect,))
        plan = Plan(project="shop", changes=(samples.UNCHANGED,))
        text = render(Subject.of(Planned(validation=changed, plan=plan, requests=1)))
        part = text[text.index("<h2>Not changed in Statsig, but affected") :]
        assert all(f"<b>{name}</b>" in part for name in names)
        assert "<span class=says>Other SQL.</span>" in part
    own = structs.replace(effect, kind="assignment_source", source="Checkout exposures")
    changed = structs.replace(samples.CLEAN, impact=structs.replace(impact, effects=(own,)), findings=(own,))
    assert "<h2>Ready" not in render(Subject.of(changed))


def test_what_the_limit_holds_back_is_shown() -> None:
    """What the limit holds back has its diff, its action and the mark; the reason is given once, above all of it."""
    words = {"action": Action.BLOCKED, "reason": "4 of 9 at once.", "fix": "Run --force."}
    held = [
        structs.replace(samples.UPDATE, **words, held=Action.UPDATE, adopted=False),
        structs.replace(samples.DELETE, **words, held=Action.DELETE, live=samples.EXPOSURES),
    ]
    planned = Planned(validation=samples.CLEAN, plan=Plan(project="shop", changes=tuple(held)), requests=1)
    text = render(Subject.of(planned))
    assert re.findall(r'class="badge (\w+)">([^<]+)<', text)[:2] == [("remove", "delete"), ("change", "update")]
    assert text.count("4 of 9 at once. Run --force.") == text.count("4 of 9 at once.") == 1
    assert text.count('<span class="pill warn">held by the limit</span>') == 2
    assert "<ins>ordered_at</ins>" in below(text, "Orders")
    assert 'aria-label="SQL"><code>select' in below(text, "Basket opened")
    assert '<h1 class="bad">' in text
    assert "2 changes held by the limit" in text


def test_rows_say_what_changes() -> None:
    """A row's head has the fields with small diffs, of a list what joins and leaves, of long texts the lines."""
    text = render(Subject.of(samples.PLANNED))
    row = next(part for part in text.split("<details class=row")[1:] if "<b>Orders</b>" in part)
    for part in (
        "<b>sql</b> <ins>+1</ins> <del>&minus;1</del>",
        "<b>timestamp_column</b> <del>created_at</del> → <ins>ordered_at</ins>",
        "<b>tags</b> <ins>+growth</ins> <del>&minus;legacy</del>",
        "<b>userID</b> <del>user</del> → <ins>user_id</ins>",
        "<span class=says>and 4 more</span>",
    ):
        assert part in row, part


def test_code_in_a_row_head_is_code() -> None:
    """What a message has between backticks is code in a row's head; a cut through it leaves no single backtick."""
    row = next(row for row in rows_of(Subject.of(samples.SYNCED)) if row.group is Group.ATTENTION)
    for message, shown in (
        ("Fix `tags` first.", "Fix <code>tags</code> first."),
        ("x" * 175 + "`" + "y" * 90, "xyyyy..."),
    ):
        outcome = ObjectOutcome(change=samples.UPDATE, status=Status.FAILED, message=message)
        made = head(structs.replace(row, outcome=outcome))
        assert shown in made
        assert "`" not in made


def test_the_head_says_which_run_it_is() -> None:
    """Commit, time, command, job, selection and the manifest's age are in the head; addresses are links."""
    run = structs.replace(many.RUN, is_dirty=True, selection="--select tag:core")
    text = render(Subject.of(many.planned(3), run=run))
    facts = facts_of(text)
    assert facts == {
        "project": "shop",
        "target": "prod",
        "commit": f'<a href="{run.commit_url}" rel="noreferrer">4f2c9a1be on orders-by-device with uncommitted '
        "changes</a>",
        "run": "27 Nov 2026, 07:04 UTC",
        "command": "dbt-statsig plan --state base --report html:target/statsig.html",
        "job": f'<a href="{run.job}" rel="noreferrer">CI job</a>',
        "selection": "--select tag:core",
        "manifest": "target/manifest.json, 12 minutes old",
        "warehouse": "snowflake",
        "dbt": "1.11.16",
        "console": "https://statsigapi.net",
    }
    assert f'<a href="https://github.com/acme/shop/blob/{run.commit}/models/checkout/_models.yml#L12"' in text
    failure = Failure(command="plan", type="X", message="No.", fix="", exit_code=2, run=run)
    assert facts_of(render_failure(failure))["run"] == "27 Nov 2026, 07:04 UTC"


@pytest.mark.parametrize(
    ("seconds", "age"),
    [
        (5, "less than a minute old"),
        (60, "1 minute old"),
        (7_300, "2 hours old"),
        (200_000, "2 days old"),
        (-9, "less"),
    ],
)
def test_age_of_the_manifest(seconds: int, age: str) -> None:
    """The manifest's age is in the largest unit that it has one of."""
    planned = many.planned(1)
    written = many.RUN.at and many.RUN.at - timedelta(seconds=seconds)
    validation = structs.replace(planned.validation, manifest_at=written)
    facts = facts_of(render(Subject.of(structs.replace(planned, validation=validation), run=many.RUN)))
    assert facts["manifest"].startswith(f"target/manifest.json, {age}")


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", 'https://x/"><script>', "https://x y", "data:text/html,x", "//x"]
)
def test_only_pages_of_the_web_are_linked(url: str) -> None:
    """An address that is no page of the web, or would end its attribute, is no link."""
    assert linked("a", url) == "a"
    assert linked("a", "https://x.io/p?q=1&r#L2") == '<a href="https://x.io/p?q=1&amp;r#L2" rel="noreferrer">a</a>'


@pytest.mark.parametrize(
    ("one", "anchor"),
    [
        ("Daily orders", "metric_source-Daily-orders"),
        ("a_b.C9", "metric_source-a_b.C9"),
        ("a-b", "metric_source-a%2Db-"),
        ("Bestellungen für Köln", "metric_source-Bestellungen%20f%C3%BCr%20K%C3%B6ln-"),
        ("x" * 500, f"metric_source-{'x' * 40}-"),
        ("\ud800", "metric_source-%3F-"),
    ],
)
def test_anchors(one: str, anchor: str) -> None:
    """A row's anchor follows from its kind and name alone, and is short."""
    found = anchor_of(Kind.METRIC_SOURCE, one)
    assert found == anchor or (found.startswith(anchor) and len(found) == len(anchor) + 8)


@settings(max_examples=60)
@given(hostile.ANY_WORD, hostile.ANY_WORD)
def test_anchors_differ(one: str, other: str) -> None:
    """Two names have two anchors."""
    assert (one == other) == (anchor_of(Kind.METRIC, one) == anchor_of(Kind.METRIC, other))


def test_an_object_in_two_rows() -> None:
    """Where two rows are about one object, their anchors differ all the same."""
    plan = Plan(project="shop", changes=(samples.ORPHAN, samples.ORPHAN))
    text = render(Subject.of(Planned(validation=samples.CLEAN, plan=plan, requests=1)))
    assert re.findall(r'class=row id="([^"]+)"', text)[:2] == ["metric_source-Visits", "metric_source-Visits~2"]


def test_few_changes_are_open() -> None:
    """Ten changes or fewer are open from the start, more are not."""
    for count, is_open in ((10, True), (11, False)):
        changes = tuple(structs.replace(samples.UPDATE, name=f"S{number}") for number in range(count))
        text = render(
            Subject.of(Planned(validation=samples.CLEAN, plan=Plan(project="shop", changes=changes), requests=1))
        )
        assert text.count(' data-state="update" open>') == (count if is_open else 0)

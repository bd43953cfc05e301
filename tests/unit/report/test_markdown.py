"""Reports as Markdown for a pull request."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from markdown_it import MarkdownIt
from msgspec import structs

from dbt_statsig.report.escape import one_line
from dbt_statsig.report.markdown import LIMIT, MARKER, render, render_failure
from dbt_statsig.report.markdown_text import code, fenced, message, prose
from dbt_statsig.report.subject import Subject, plan_hash
from dbt_statsig.vocabulary.changes import Action, Change, FieldChange, Plan
from dbt_statsig.vocabulary.experiments import Experiment, Person
from dbt_statsig.vocabulary.findings import Location, Severity
from dbt_statsig.vocabulary.results import (
    Baseline,
    Failure,
    Impact,
    ObjectOutcome,
    Outcome,
    Planned,
    Status,
    Synced,
    Validation,
)
from tests.unit.report import hostile, many, samples
from tests.unit.report.golden import assert_golden

READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
TAG = re.compile(r"<[^>]*>")


def shown(markdown: str) -> str:
    """The HTML that comes of one line of Markdown."""
    return str(READER.renderInline(markdown))


def words(html: str) -> str:
    """What a reader sees of it, without the zero-width spaces that keep names from being mentions."""
    for entity, character in {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&amp;": "&"}.items():
        html = html.replace(entity, character)
    return html.replace("\u200b", "")


@pytest.mark.parametrize(
    ("name", "subject"),
    [
        ("validation.md", Subject.of(samples.VALIDATION)),
        ("plan.md", Subject.of(samples.PLANNED, root="dbt")),
        ("sync.md", Subject.of(samples.SYNCED)),
    ],
)
def test_golden(name: str, subject: Subject) -> None:
    """Each report reads as its golden file does."""
    assert_golden(name, render(subject))


@pytest.mark.parametrize(
    ("planned", "headline"),
    [
        ((), "Nothing to do: no declared source is part of this run."),
        ((samples.UNCHANGED,), "Nothing to do: 1 source as declared."),
    ],
)
def test_nothing_planned(planned: tuple[Change, ...], headline: str) -> None:
    """A plan of zero says so, without a table or a diff."""
    subject = Subject.of(Planned(validation=samples.CLEAN, plan=Plan(project="shop", changes=planned), requests=1))
    text = render(subject)
    assert f"### ✅ Statsig: Safe to merge: nothing to write\n\n{headline}\n" in text
    assert "|" not in text


def test_fault_41_large_plans_are_cut_with_a_pointer() -> None:
    """2,000 sources stay under the limit; what is left out is counted, with a pointer to the whole report."""
    text = render(Subject.of(many.synced(2_000)))
    assert len(text.encode()) < LIMIT
    assert text.count("more not shown. The whole report has them: `--report html:FILE`") >= 3
    assert text.count("<details>") == text.count("</details>") > 10


def test_fault_41_a_megabyte_of_sql_is_cut() -> None:
    """One huge query leaves room for the others, and its fence is closed."""
    huge = structs.replace(
        samples.UPDATE, fields=(FieldChange(field="sql", before="select 1", after="select 1,\n" * 100_000),)
    )
    plan = Plan(project="shop", changes=(huge, samples.RENAME))
    text = render(Subject.of(Planned(validation=samples.CLEAN, plan=plan, requests=1)))
    assert len(text.encode()) < 12_000
    assert "(the rest is not shown)\n```" in text
    assert "Find exposures" in text


@settings(deadline=None, max_examples=30)
@given(hostile.ANY_WORD)
def test_any_word_stays_under_the_limit(word: str) -> None:
    """However much space escapes take, the report stays under its limit."""
    validation = structs.replace(samples.VALIDATION, findings=samples.FINDINGS * 40, project=word * 5_000)
    assert len(render(Subject.of(validation)).encode("utf-8", "replace")) < LIMIT


def test_markers() -> None:
    """The first line finds the comment again; the second says which plan it shows, by project."""
    first, second, *_ = render(Subject.of(samples.PLANNED)).splitlines()
    assert first == MARKER
    assert second == f"<!-- dbt-statsig plan project=shop plan={plan_hash(samples.PLAN)} -->"


def test_plan_hash_is_of_what_would_be_done() -> None:
    """The same changes have the same digest, another value another one."""
    changed = structs.replace(samples.CREATE, desired=structs.replace(samples.EXPOSURES, team="x"))
    assert plan_hash(samples.PLAN) == plan_hash(Plan(project="shop", changes=samples.PLAN.changes))
    assert plan_hash(samples.PLAN) != plan_hash(Plan(project="shop", changes=(changed, *samples.PLAN.changes[1:])))


@settings(deadline=None)
@given(hostile.ANY_WORD)
def test_fault_41_prose_is_only_words(word: str) -> None:
    """Prose shows the word and nothing else: no tag, link, mention or code comes of it."""
    html = shown("x" + prose(word) + "x")
    expected = one_line(" ".join(word.splitlines()))
    assert not TAG.search(html)
    assert "@" not in html.replace("@\u200b", "")
    assert words(html).split() == f"x{expected}x".split()
    assert "http:" not in prose(word) and "www." not in prose(word)  # noqa: PT018 - both are links to GitHub


@pytest.mark.parametrize("word", ["#12", "!12", "$12", "&12", "%12", '%"Next"', "~bug", '~"a bug"', "@ann", "GH-12"])
def test_prose_refers_to_nothing(word: str) -> None:
    """No issue, merge request, snippet, epic, milestone or label is linked, which services read after the escapes."""
    html = shown(prose(f"about {word}, 50% off, R&D!"))
    assert words(html) == f"about {word}, 50% off, R&D!"
    assert "\u200b" in html.partition(",")[0]
    assert "\u200b" not in html.partition(",")[2]


@settings(deadline=None)
@given(hostile.ANY_WORD)
def test_fault_41_code_is_only_code(word: str) -> None:
    """A name in code keeps to its element and to its table cell."""
    made = code(word)
    if not made:
        assert not one_line(word).strip()
        return
    table = READER.render(f"| a | b |\n| --- | --- |\n| {made} | z |\n")
    cell = re.search(r"<td>(.*?)</td>\n<td>z</td>", table, re.DOTALL)
    assert cell is not None, table
    inner = re.fullmatch(r"<code>(.*)</code>", cell[1], re.DOTALL)
    assert inner is not None
    assert not TAG.search(inner[1])
    assert words(inner[1]).split() == one_line(word).split()


@settings(deadline=None)
@given(hostile.ANY_WORD)
def test_fault_41_no_line_closes_a_fence(word: str) -> None:
    """All lines of a diff stay inside of its fence."""
    html = READER.render(fenced([f"+ {word}", word, "end"]) + "\n\n<b>after</b>\n")
    block, _, rest = html.partition("</code></pre>")
    assert words(block).splitlines()[-1] == "end"
    assert rest.strip() == "<p><b>after</b></p>"


@pytest.mark.parametrize("word", hostile.WORDS)
def test_hostile_words_add_no_structure(word: str) -> None:
    """A sync full of a hostile word has as many tables, folds and headings as one of plain words, and no links."""

    def shape(text: str) -> dict[str, int]:
        html = READER.render(text)
        tags = ("<table>", "<tr>", "<td>", "<details>", "</details>", "<h3>", "<h4>", "<pre>", "<li>", "<a ", "<img")
        return {tag: html.count(tag) for tag in tags}

    assert shape(render(hostile.subject(word))) == shape(render(hostile.subject("word")))
    assert READER.render(render(hostile.subject(word))).count("<!-- dbt-statsig") == 2


def test_left_and_notes_are_reported() -> None:
    """Sources that a run left as they are and remarks of the run have their place."""
    text = render(hostile.subject("word"))
    assert "<details><summary>Skipped</summary>\n\n- metric source `word4`: word" in text
    assert text.count("> word") == 3


def test_dry_run() -> None:
    """A dry run shows the plan and says that nothing was written."""
    synced = Synced(planned=samples.PLANNED, outcome=Outcome(objects=()))
    text = render(Subject.of(synced, dry_run=True))
    assert "\n\nDry run, nothing was written: 1 to create" in text
    assert "| Action | Source |" in text


def test_validation_counts_by_kind() -> None:
    """A validation has a row for each kind in use, with what is ready and what is blocked."""
    text = render(Subject.of(samples.VALIDATION))
    assert "| assignment sources | 1 | 1 | 0 |\n| metric sources | 1 | 0 | 1 |" in text
    nothing = Validation(
        project="shop", adapter="", dbt_version="", manifest_path="", sources=(), findings=(), unmatched=()
    )
    assert "| Kind |" not in render(Subject.of(nothing))


def test_impact_and_baseline() -> None:
    """Effects are grouped by source, the weightiest first, behind a fold; the table has the experiments' number."""
    dropped = structs.replace(samples.FINDINGS[1], code="impact-column-dropped", severity=Severity.NOTE)
    used = structs.replace(dropped, code="impact-experiment", severity=Severity.WARNING, message="Flow uses it.")
    other = structs.replace(dropped, source="Carts", unique_id="model.shop.fct_carts")
    above = structs.replace(dropped, source="", kind="", unique_id="model.shop.stg", location=None)
    effects = (above, other, dropped, used)
    running = (Experiment(id="1", name="Flow", owner=Person(name="Ada"), permalink="https://x.io/e/1"),)
    impact = Impact(base="base/target", compared=2, effects=effects, experiments=running, reached=(samples.REACHED,))
    validation = structs.replace(
        samples.VALIDATION, impact=impact, baseline=samples.BASELINE, findings=(*samples.FINDINGS, *effects)
    )
    text = render(Subject.of(structs.replace(samples.PLANNED, validation=validation)))
    fold = text[text.index("<details><summary>Effects of this change") :]
    lines = [line for line in fold.splitlines() if line.lstrip().startswith("- ")][:8]
    assert lines[0] == "- metric source `Orders`"
    assert lines[1].startswith("  - warning [`impact-experiment`](<")
    assert lines[2] == "    - [`Flow`](<https://x.io/e/1>) · Ada · through revenue, aov"
    assert lines[3].startswith("  - note [`impact-column-dropped`](<")
    assert (lines[4], lines[6]) == ("- `model.shop.stg`", "- metric source `Carts`")
    assert text.count("Flow uses it.") == 1
    assert "| **1 running experiment**<br>`sql` +1 −1<br>" in text  # noqa: RUF001 - the sign of what goes
    assert "| unchanged | `Carts`<br>metric source, `model.shop.fct_carts` | its model changes |" in text
    assert (
        "In the baseline `known.json`, not shown: 3 findings. 1 entry is stale: they no longer match a finding." in text
    )


def test_no_impact() -> None:
    """A change that nobody would notice says so, and that no experiment reads what changes."""
    impact = Impact(base="base", compared=1, effects=(), experiments=())
    baseline = Baseline(path="known.json", known=(), stale=())
    text = render(Subject.of(structs.replace(samples.CLEAN, impact=impact, baseline=baseline)))
    assert "No mapped or selected column changes (1 object compared)." in text
    assert "no running experiment reads what changes" in text
    assert "not shown: 0 findings.\n" in text


def test_the_run_is_in_the_head() -> None:
    """The comment names commit, time, command and job, with links; whether it is stale can be seen in its marker."""
    text = render(Subject.of(many.compared(9), run=many.RUN))
    commit = many.RUN.commit
    assert f" commit={commit} -->" in text.splitlines()[1]
    assert f"commit [4f2c9a1be on orders-by-device](<https://github.com/acme/shop/commit/{commit}>)" in text
    assert "run 27 Nov 2026, 07:04 UTC" in text
    assert "command `dbt-statsig plan --state base --report html:target/statsig.html`" in text
    assert f"job [CI job](<{many.RUN.job}>)" in text
    assert "manifest target/manifest.json, 12 minutes old" in text
    assert f"[`models/billing/_models.yml:15`](<https://github.com/acme/shop/blob/{commit}/models/billing/" in text
    failure = Failure(command="plan", type="X", message="No.", fix="", exit_code=2, run=many.RUN)
    assert f"could-not-run commit={commit} -->" in render_failure(failure)


def test_what_the_limit_holds_back_is_shown() -> None:
    """What the limit holds back is in the table with its fields and has its diff; the reason is given once."""
    words = {"action": Action.BLOCKED, "reason": "4 of 9 at once.", "fix": "Run `plan --force`."}
    held = [
        structs.replace(samples.UPDATE, **words, held=Action.UPDATE, adopted=False),
        structs.replace(samples.DELETE, **words, held=Action.DELETE, live=samples.EXPOSURES),
    ]
    text = render(
        Subject.of(Planned(validation=samples.CLEAN, plan=Plan(project="shop", changes=tuple(held)), requests=1))
    )
    assert "> Held by the limit: 4 of 9 at once. Run `plan --force`." in text
    assert text.count("4 of 9 at once.") == 1
    assert "| update, held by the limit | `Orders`<br>" in text
    assert "`timestamp_column`: `created_at` → `ordered_at`" in text
    assert "<b>delete</b> qualifying event <code>Basket opened</code>, held by the limit" in text
    assert "@@ timestamp_column @@\n- exposed_at\n" in text
    assert "<b>update</b> metric source <code>Orders</code>, 7 fields, held by the limit" in text


def test_what_failed_is_never_cut() -> None:
    """Of 2,000 written objects, the few that failed are the first rows and in the table, wherever they were written."""
    failed = [1_990, 1_999]
    objects = tuple(
        ObjectOutcome(
            change=structs.replace(samples.CREATE, name=f"Source {number}"),
            status=Status.FAILED if number in failed else Status.DONE,
        )
        for number in range(2_000)
    )
    planned = Planned(validation=samples.CLEAN, plan=Plan(project="shop", changes=()), requests=1)
    text = render(Subject.of(Synced(planned=planned, outcome=Outcome(objects=objects))))
    rows = [line for line in text.splitlines() if line.startswith("| ")][2:]
    assert ["`Source 1990`" in rows[0], "`Source 1999`" in rows[1]] == [True, True]
    assert "more not shown" in text
    assert len(text.encode()) <= LIMIT


def test_many_errors_leave_room_for_all() -> None:
    """500 sources with 30 errors stay under the limit, with the table, the errors, the effects and some diffs."""
    planned = many.compared(500)
    errors = tuple(
        structs.replace(samples.FINDINGS[1], message="Long. " * 80, source=f"S{number}", key=f"k{number}")
        for number in range(30)
    )
    validation = structs.replace(planned.validation, findings=(*planned.validation.findings, *errors))
    text = render(Subject.of(structs.replace(planned, validation=validation), run=many.RUN))
    assert len(text.encode()) < LIMIT
    for part in ("| Action | Source | What |", "#### Errors", "Effects of this change", "```diff"):
        assert part in text
    assert text.index("| Action |") < text.index("#### Errors") < text.index("Effects of this change")


def test_code_in_messages_is_code() -> None:
    """What a message has between backticks is code; a single backtick and an odd one are text."""
    assert message("Run `sync --prune` or `a|b`.") == "Run `sync --prune` or <code>a&#124;b</code>."
    assert message("A ` alone") == prose("A ` alone")


@pytest.mark.parametrize("location", [None, Location("models/_m.yml")])
def test_a_finding_without_a_line_names_its_node(location: Location | None) -> None:
    """Where no line is known, the node says whom a finding concerns."""
    found = structs.replace(samples.FINDINGS[1], location=location, message="No such column.")
    text = render(Subject.of(structs.replace(samples.VALIDATION, findings=(found,))))
    assert "`model.shop.fct_orders`: No such column." in text

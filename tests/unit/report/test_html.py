"""The HTML page, as far as it can be judged without a browser."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest
from hypothesis import example, given, settings
from msgspec import structs

from dbt_statsig.report.diff import DiffLine, Mark, cut
from dbt_statsig.report.html.markup import listing, prose
from dbt_statsig.report.html.page import LARGEST, render, render_failure
from dbt_statsig.report.subject import Subject
from dbt_statsig.vocabulary.changes import Plan
from dbt_statsig.vocabulary.code import DOCS
from dbt_statsig.vocabulary.kinds import SPECS
from dbt_statsig.vocabulary.results import (
    Failure,
    Lineage,
    ObjectOutcome,
    Outcome,
    Planned,
    Status,
    Synced,
)
from tests.unit.report import hostile, many, samples


class Page(HTMLParser):
    """The tags of a page with their attributes, and the text of each script and style."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[tuple[str, str | None], ...]]] = []
        self.raw: dict[str, list[str]] = {"script": [], "style": []}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the tag."""
        self.tags.append((tag, tuple(attrs)))

    def handle_data(self, data: str) -> None:
        """Note what stands inside of scripts and styles."""
        if self.cdata_elem in self.raw:
            self.raw[str(self.cdata_elem)].append(data)

    @property
    def policy(self) -> str:
        """The content security policy."""
        (content,) = (
            dict(attrs)["content"] for tag, attrs in self.tags if tag == "meta" and ("http-equiv", CSP) in attrs
        )
        return str(content)


CSP = "Content-Security-Policy"


def page(subject: Subject) -> Page:
    """The page of a subject."""
    return Page(render(subject))


def below(text: str, name: str) -> str:
    """What stands below the head of one row, as the page has it."""
    row = next(part for part in text.split("<details class=row")[1:] if f"<b>{name}</b>" in part)
    return row.partition("<noscript>")[2].partition("</noscript>")[0]


def tame(word: str) -> str:
    """A word of the same length on the same lines in which no character means anything."""
    return re.sub(r"\S", "w", word)


def digest(text: str) -> str:
    """A source of a content security policy."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_each_kind_has_its_colours() -> None:
    """The style of the page holds the colours of every kind, for light paper and for dark, as the kind's file says."""
    style = "".join(page(Subject.of(samples.SYNCED)).raw["style"])
    for kind, spec in SPECS.items():
        light, dark = (f".{kind.value} {{ --k: {colour}; }}" for colour in spec.colours)
        assert f"\n{light}" in style
        assert f':root:not([data-theme="light"]) {dark}' in style
        assert f':root[data-theme="dark"] {dark}' in style


def test_policy_lets_only_the_page_itself_run() -> None:
    """The policy names the digests of the one style and the one script, and nothing from elsewhere."""
    found = page(Subject.of(samples.SYNCED))
    policy = dict(part.strip().split(" ", 1) for part in found.policy.split(";"))
    assert policy == {
        "default-src": "'none'",
        "style-src": digest("".join(found.raw["style"])),
        "script-src": digest(found.raw["script"][-1]),
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


def test_nothing_comes_from_elsewhere() -> None:
    """The page names no address that a browser would load, and has no inline style or handler."""
    for tag, attrs in page(Subject.of(many.synced(60))).tags:
        for name, value in attrs:
            assert name not in {"src", "style", "srcset", "action"}, (tag, name)
            assert not name.startswith("on"), (tag, name)
            assert name != "href" or tag == "a" or value == "data:,", value
            assert tag != "a" or name != "href" or str(value).startswith(("#", f"{DOCS}/findings/")), value


def shape(found: Page) -> list[tuple[str, list[str]]]:
    """The tags with the names of their attributes, but for code: a message may have some between backticks."""
    return [(tag, [name for name, _ in attrs]) for tag, attrs in found.tags if tag != "code"]


def test_backticks_in_messages_are_code() -> None:
    """What a message has between backticks is code in the page, and still no more than text."""
    assert prose("Run `dbt parse`, not `a<b>`.") == "Run <code>dbt parse</code>, not <code>a&lt;b&gt;</code>."
    failure = Failure(command="plan", type="UsageError", message="No `a\nb`.", fix="Run `dbt parse`.", exit_code=2)
    assert '<p class="fix">Run <code>dbt parse</code>.</p>' in render_failure(failure)


@pytest.mark.parametrize("word", hostile.WORDS)
def test_fault_39_words_are_text(word: str) -> None:
    """A sync full of a hostile word has the same tags and attributes as one of plain words of the same lines."""
    plain, odd = page(hostile.subject(tame(word))), page(hostile.subject(word))
    assert shape(odd) == shape(plain)
    assert odd.policy == plain.policy


@settings(deadline=None, max_examples=60)
@given(hostile.ANY_WORD)
@example(".")
@example("0" * 23 + "\x1f" * 7)
def test_any_word_can_be_shown(word: str) -> None:
    """Whatever is in names, the page is UTF-8, its tags are the same, and no character hides or reorders text."""
    text = render(hostile.subject(word))
    text.encode()
    tags, tame_tags = ([tag for tag, _ in shape(one)] for one in (Page(text), page(hostile.subject(tame(word)))))
    assert tags == tame_tags
    assert text.count("<noscript>") == text.count("</noscript>") == text.count("<details class=row")
    assert not any(map(hostile.is_unsafe, text.replace("\n", "")))


def test_rows_are_in_the_order_of_need() -> None:
    """What needs somebody comes first, then what changes, then what is in force."""
    text = render(Subject.of(samples.SYNCED))
    assert re.findall(r"<h2>([^<]+?)(?: <|</h2>)", text) == [
        *("Needs attention", "What changes", "In force", "Other findings")
    ]
    assert re.findall(r'class="badge (\w+)">([^<]+)<', text) == [
        ("bad", "failed"),
        ("bad", "not managed by this project"),
        ("bad", "blocked"),
        ("warn", "no longer declared"),
        ("warn", "not started"),
        ("change", "adopted"),
        ("add", "created"),
        ("calm", "unchanged"),
    ]


def test_a_validation_shows_what_is_ready() -> None:
    """Without a plan each declared source is ready or blocked."""
    text = render(Subject.of(samples.VALIDATION))
    assert re.findall(r'class="badge (\w+)">([^<]+)<', text) == [("bad", "blocked"), ("good", "ready")]
    assert "<title>Validation: shop</title>" in text
    assert "Excludes 2 hidden columns: email, birth_date" in text


def test_a_ready_source_with_a_warning_is_marked() -> None:
    """A source that may be pushed in spite of a warning shows that it has one."""
    warning = structs.replace(
        samples.FINDINGS[0],
        unique_id=samples.SOURCES[0].unique_id,
        kind="assignment_source",
        source="Checkout exposures",
    )
    text = render(Subject.of(structs.replace(samples.CLEAN, findings=(warning,))))
    assert 'class="badge warn">ready<' in text
    assert "<span class=says>1 warning</span>" in text


def test_details_of_an_update() -> None:
    """An opened row is given its diffs, its columns with their proof, and what was reported about it."""
    orders = below(render(Subject.of(samples.SYNCED)), "Orders")
    for part in (
        "<dt>timestamp_column<dd><del class=was>created_at</del>",
        "<ins>ordered_at</ins>",
        "<dt>tags<dd class=list>",
        "<span class=minus>- legacy\n</span><span class=plus>+ growth\n</span>",
        '<span class=minus>-   "amount"\n</span><span class=plus>+   "amount_usd"\n</span><span>  from orders\n</span>',
        "<span class=fold>⋮ 11 unchanged lines\n</span>",
        "<td>timestamp_column<td><code>ordered_att</code><td class=bad>✗ absent (catalog)",
        '<div class="notice change"><p>Taken over (adopted).</p></div>',
        "<p>team: declared Growth, Statsig keeps not set</p>",
        f'<li class=warning><p><b>warning</b> <a href="{DOCS}/findings/column-unknown/" rel="noreferrer"><code>column-',
        f'<li class=error><p><b>error</b> <a href="{DOCS}/findings/column-absent/" rel="noreferrer"><code>column-ab',
    ):
        assert part in orders, part
    assert "Everything declared" not in orders
    assert "<details class=more><summary>Everything declared</summary>" in render(Subject.of(many.planned(20)))


def test_details_of_what_is_new_and_what_goes() -> None:
    """A new object shows what it will hold, one that goes what it holds."""
    gone = structs.replace(samples.DELETE, live=samples.EXPOSURES)
    plan = Plan(project="shop", changes=(samples.CREATE, gone))
    text = render(Subject.of(Planned(validation=samples.CLEAN, plan=plan, requests=1)))
    for name in ("Checkout exposures", "Basket opened"):
        assert 'aria-label="SQL"><code>select\n' in below(text, name)
        assert "<dt>timestamp_column<dd>exposed_at</div>" in below(text, name)
        assert "<dt>id_type_mapping<dd class=items>userID: user_id</div>" in below(text, name)


def test_what_a_saved_plan_can_no_longer_do() -> None:
    """An outcome of an object that the plan of now has nothing to do to is a row of its own."""
    gone = ObjectOutcome(change=samples.RENAME, status=Status.REFUSED, message="Nothing remains to do.")
    planned = Planned(validation=samples.CLEAN, plan=Plan(project="shop", changes=()), requests=1)
    text = render(Subject.of(Synced(planned=planned, outcome=Outcome(objects=(gone,))), dry_run=True))
    assert '<span class="badge bad">refused</span>' in text
    assert "Nothing remains to do." in below(text, "Search exposures")


def test_lineage() -> None:
    """The nodes above a source name their readers by place, -1 being the source's own node."""
    text = render(Subject.of(many.planned(1)))
    assert re.findall(r"<li data-to=\"([-\d ]+)\"><b>([^<]+)</b> <i>(\w+)</i>", text) == [
        ("-1", "stg_checkout_events", "model"),
        ("-1", "dim_users", "model"),
        ("0", "raw.checkout_events", "source"),
        ("1 0", "countries", "seed"),
    ]
    assert "<li class=more>and 2 more upstream</ul>" in text
    alone = structs.replace(samples.CLEAN.sources[0], lineage=Lineage(nodes=()))
    text = render(Subject.of(structs.replace(samples.CLEAN, sources=(alone,))))
    assert "<figcaption>No upstream nodes in dbt</figcaption></figure>" in text


def test_left_and_warnings() -> None:
    """Sources that a run left alone have a section, and remarks of the run stand above all."""
    text = render(hostile.subject("word"))
    assert "<h2>Skipped " in text
    assert "Stopped early: word" in text


@pytest.mark.parametrize("result", [samples.CLEAN, None])
def test_nothing_to_show(result: object) -> None:
    """A plan of zero, and a project that declares nothing, have a page that says so."""
    nothing = structs.replace(samples.CLEAN, sources=(), findings=())
    empty = Planned(validation=nothing, plan=Plan(project="shop", changes=()), requests=1)
    subject = (
        Subject.of(Synced(planned=empty, outcome=Outcome(objects=())), dry_run=True) if result else Subject.of(nothing)
    )
    text = render(subject)
    assert "No source is declared." in text
    assert 'id="search"' not in text
    assert "<noscript>" not in text


def test_2000_sources_stay_small() -> None:
    """A plan of 2,000 sources is a page of less than 5 MB."""
    assert len(render(Subject.of(many.planned(2_000))).encode()) < LARGEST


def test_huge_queries_are_cut_short() -> None:
    """Many sources with much SQL each, 30 MB in all, still make a page that can be opened."""
    planned = many.planned(100)
    huge = "select 1,\n" * 30_000 + "2"
    changes = tuple(
        structs.replace(change, desired=structs.replace(change.desired, sql=huge)) if change.desired else change
        for change in planned.plan.changes
    )
    text = render(Subject.of(structs.replace(planned, plan=Plan(project="shop", changes=changes))))
    assert len(text.encode()) < LARGEST
    assert " more lines" in text


def test_a_value_that_is_cut_short_is_counted() -> None:
    """What has no room says how many lines are left out, in the words for one or for several."""
    lines = [DiffLine(Mark.SAME, text) for text in ("a" * 20, "b", "c")]
    assert [line.text for line in cut(lines, 28)][1:] == ["2 more lines"]
    assert [line.text for line in cut(lines, 30)][2:] == ["1 more line"]
    assert listing(["a" * 600], 100).endswith("... (100 more characters)")
    assert listing(["a" * 20, "<"], 22) == f"{'a' * 20}\n⋮ 1 more line"
    assert listing([], 0) == ""


def test_wide_characters_count_as_bytes() -> None:
    """Where the first attempt is too large, texts are cut shorter until the page fits."""
    planned = many.planned(1_500)
    wide = "\n".join(["\U0001f375" * 100] * 12)
    changes = tuple(
        structs.replace(change, desired=structs.replace(change.desired, sql=wide, description=wide))
        if change.desired
        else change
        for change in planned.plan.changes
    )
    text = render(Subject.of(structs.replace(planned, plan=Plan(project="shop", changes=changes))))
    assert len(text.encode()) < LARGEST

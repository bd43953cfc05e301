"""The HTML page, as far as it can be judged without a browser."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from msgspec import structs

from dbt_statsig.baseline import KnownFinding
from dbt_statsig.changes import Plan
from dbt_statsig.experiments import Experiment
from dbt_statsig.report.html import html_report
from dbt_statsig.report.html.page import LARGEST
from dbt_statsig.report.subject import Subject
from dbt_statsig.results import Baseline, Impact, Outcome, Planned, Synced
from tests.unit.report import hostile, many, samples


class Page(HTMLParser):
    """The tags of a page with their attributes, and the text of each script and style."""

    def __init__(self, text: str) -> None:
        """Read the whole page."""
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

    @property
    def data(self) -> list[dict[str, Any]]:
        """What the page's script is given."""
        return [item for text in self.raw["script"][:-1] for item in json.loads(text)]


CSP = "Content-Security-Policy"


def page(subject: Subject) -> Page:
    """The page of a subject."""
    return Page(html_report(subject))


def digest(text: str) -> str:
    """A source of a content security policy."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


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
            assert name != "href" or str(value).startswith(("#", "data:,")), value


@pytest.mark.parametrize("word", hostile.WORDS)
def test_fault_39_words_are_text(word: str) -> None:
    """A sync full of a hostile word has the same tags and attributes as one of plain words."""
    plain, odd = page(hostile.subject("word")), page(hostile.subject(word))
    assert [tag for tag, _ in odd.tags] == [tag for tag, _ in plain.tags]
    assert [[name for name, _ in attrs] for _, attrs in odd.tags] == [
        [name for name, _ in attrs] for _, attrs in plain.tags
    ]
    assert odd.policy == plain.policy


@settings(deadline=None, max_examples=60)
@given(hostile.ANY_WORD)
def test_any_word_can_be_shown(word: str) -> None:
    """Whatever stands in names, the page is UTF-8, its data is JSON, and no character hides or reorders text."""
    text = html_report(hostile.subject(word))
    text.encode()
    found = Page(text)
    assert len(found.data) == len([tag for tag, _ in found.tags if tag == "details"])
    assert not any(map(hostile.is_unsafe, text.replace("\n", "")))
    assert not any(map(hostile.is_unsafe, "".join(map(str, found.data))))


def test_rows_stand_in_the_order_of_need() -> None:
    """What needs somebody comes first, then what changes, then what is in force."""
    text = html_report(Subject.of(samples.SYNCED))
    assert re.findall(r"<h2>([^<]+?) <", text) == ["The project", "Needs attention", "What changes", "In force"]
    assert re.findall(r'class="badge (\w+)">([^<]+)<', text) == [
        ("bad", "failed"),
        ("bad", "refused"),
        ("bad", "blocked"),
        ("warn", "undeclared"),
        ("warn", "not started"),
        ("change", "updated"),
        ("add", "created"),
        ("calm", "unchanged"),
    ]


def test_a_validation_shows_what_is_ready() -> None:
    """Without a plan each declared source is ready or blocked."""
    text = html_report(Subject.of(samples.VALIDATION))
    assert re.findall(r'class="badge (\w+)">([^<]+)<', text) == [("bad", "blocked"), ("good", "ready")]
    assert "<title>Validation: shop</title>" in text


def test_a_ready_source_with_a_warning_is_marked() -> None:
    """A source that may be pushed in spite of a warning shows that it has one."""
    warning = structs.replace(
        samples.FINDINGS[0],
        unique_id=samples.SOURCES[0].unique_id,
        kind="assignment_source",
        source="Checkout exposures",
    )
    text = html_report(Subject.of(structs.replace(samples.CLEAN, findings=(warning,))))
    assert 'class="badge warn">ready<' in text
    assert "1 finding" in text


def test_details_of_an_update() -> None:
    """An opened row is given its diffs, its columns with their proof, and what was said of it."""
    found = page(Subject.of(samples.SYNCED))
    (orders,) = (item for item in found.data if item["n"] == "Orders")
    changed = {name: rest for name, *rest in orders["f"]}
    assert changed["timestamp_column"] == ["created_at", "ordered_at"]
    assert changed["tags"] == [["-legacy", "+growth"]]
    assert changed["sql"][0][-3:] == ['-  "amount"', '+  "amount_usd"', " from orders"]
    assert [orders["c"][0][place] for place in (0, 1, 3)] == ["timestamp_column", "ordered_att", 1]
    assert orders["t"][0] == ["change", "Taken over from the console."]
    assert "team: sent Growth, Statsig keeps not set" in orders["t"][1]
    assert [entry[:2] for entry in orders["w"]] == [["warning", "column-unknown"], ["error", "column-absent"]]


def test_details_of_what_is_new_and_what_goes() -> None:
    """A new object shows what it will hold, one that goes what it holds."""
    gone = structs.replace(samples.DELETE, live=samples.EXPOSURES)
    plan = Plan(project="shop", changes=(samples.CREATE, gone))
    deleted, created = page(Subject.of(Planned(validation=samples.CLEAN, plan=plan, requests=1))).data
    for item in (deleted, created):
        assert item["q"][0] == " select"
        assert ["timestamp_column", "", "exposed_at"] in item["d"]
        assert ["id_type_mapping", [" userID: user_id"]] in item["d"]


def test_lineage() -> None:
    """The nodes above a source name their readers by place, -1 being the source's own node."""
    item = page(Subject.of(many.planned(1))).data[0]
    assert item["l"] == [
        ["stg_checkout_events", "model", [-1]],
        ["dim_users", "model", [-1]],
        ["raw.checkout_events", "source", [0]],
        ["countries", "seed", [1, 0]],
    ]
    assert item["m"] == 2


def test_left_and_warnings() -> None:
    """Sources that a run left alone have a section, and remarks of the run stand above all."""
    text = html_report(hostile.subject("word"))
    assert "<h2>Left as they are " in text
    assert "Stopped early: word" in text
    assert "The selection &#34;word&#34; matches no node." in text


@pytest.mark.parametrize("result", [samples.CLEAN, None])
def test_nothing_to_show(result: object) -> None:
    """A plan of zero, and a project that declares nothing, have a page that says so."""
    nothing = structs.replace(samples.CLEAN, sources=(), findings=())
    empty = Planned(validation=nothing, plan=Plan(project="shop", changes=()), requests=1)
    subject = (
        Subject.of(Synced(planned=empty, outcome=Outcome(objects=())), dry_run=True) if result else Subject.of(nothing)
    )
    text = html_report(subject)
    assert "No source is declared." in text
    assert 'id="search"' not in text
    assert Page(text).data == []


def test_impact_and_baseline() -> None:
    """What a change does stands above all, with the experiments that it touches, and so does what a baseline knew."""
    effect = samples.FINDINGS[1]
    impact = Impact(
        base="base/target", compared=2, effects=(effect,), experiments=(Experiment(id="1", name="New flow"),)
    )
    stale = KnownFinding(code="bad-name", unique_id="model.shop.x", kind="", source="", key="", count=1)
    baseline = Baseline(path="known.json", known=samples.FINDINGS, stale=(stale,))
    text = html_report(Subject.of(structs.replace(samples.VALIDATION, impact=impact, baseline=baseline)))
    above = text[text.index("What this change does") : text.index("<h2>The project")]
    assert "against base/target" in above
    assert "has no column &#34;ordered_att&#34;" in above
    assert "<code>New flow</code>" in above
    assert "<code>known.json</code>, not shown: 3. 1 of its entries stand for nothing any more." in text
    none = structs.replace(impact, effects=(), experiments=())
    text = html_report(Subject.of(structs.replace(samples.CLEAN, impact=none)))
    assert "Nothing that Statsig&#39;s sources would notice; 2 compared." in text.replace("Statsig's", "Statsig&#39;s")
    assert "touches: none." in text


def test_2000_sources_stay_small() -> None:
    """A plan of 2,000 sources is a page of less than 5 MB."""
    assert len(html_report(Subject.of(many.planned(2_000))).encode()) < LARGEST


def test_huge_queries_are_cut_short() -> None:
    """Hundreds of sources with a megabyte of SQL each still make a page that can be opened."""
    planned = many.planned(300)
    huge = "select 1,\n" * 100_000 + "2"
    changes = tuple(
        structs.replace(change, desired=structs.replace(change.desired, sql=huge)) if change.desired else change
        for change in planned.plan.changes
    )
    text = html_report(Subject.of(structs.replace(planned, plan=Plan(project="shop", changes=changes))))
    assert len(text.encode()) < LARGEST
    assert " more lines" in text


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
    text = html_report(Subject.of(structs.replace(planned, plan=Plan(project="shop", changes=changes))))
    assert len(text.encode()) < LARGEST

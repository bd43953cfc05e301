"""Why a command could not run, in every form."""

from __future__ import annotations

import json
import os
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from hypothesis import given, settings
from msgspec import structs

from dbt_statsig.report.documents import report_schema
from dbt_statsig.report.formats import FORMATS, format_named
from dbt_statsig.report.markdown import LIMIT
from dbt_statsig.vocabulary.results import Failure
from tests.unit.report import hostile
from tests.unit.report.golden import assert_golden
from tests.unit.report.sarif_subset import SUBSET
from tests.unit.report.test_sarif import ROOT
from tests.unit.report.test_sarif import SCHEMA as SARIF

FAILURE = Failure(
    command="plan",
    type="SettingsError",
    message="Two settings are wrong.\n- base_ulr\n- strict",
    fix="Did you mean base_url?\nLook at docs/settings.md.",
    exit_code=2,
    root="dbt",
)


class Tags(HTMLParser):
    """The tags of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the tag and the names of its attributes."""
        self.found.append(" ".join([tag, *(name for name, _ in attrs)]))


@pytest.mark.parametrize("form", FORMATS)
def test_golden(form: str) -> None:
    """Each form says what is wrong and what to do; a page without a style of its own is not compared whole."""
    text = format_named(form).render_failure(FAILURE)
    assert "base_ulr" in text
    assert "Did you mean base_url?" in text
    if form in ("text", "markdown", "github", "junit"):
        assert_golden(f"failure.{form}", text)


@pytest.mark.parametrize("form", FORMATS)
def test_without_command_and_fix(form: str) -> None:
    """A failure of which nothing but the message is known can be reported in every form."""
    text = format_named(form).render_failure(structs.replace(FAILURE, command="", fix="", root=""))
    assert "Two settings are wrong." in text
    assert "→" not in text or form == "html"


def test_the_published_schema_of_sarif() -> None:
    """The log of a run that could not start is valid by the schema that the standard's authors publish."""
    path = Path(os.environ.get("SARIF_SCHEMA") or ROOT / ".venv" / "share" / SARIF)
    if not path.is_file():
        pytest.skip("no published SARIF schema here; see test_sarif.py")
    schema = json.loads(path.read_text(encoding="utf-8"))
    jsonschema.Draft7Validator(schema).validate(json.loads(format_named("sarif").render_failure(FAILURE)))


def test_a_very_long_message_fits_into_a_comment() -> None:
    """Whatever went wrong, the Markdown leaves room for the rest of a comment."""
    long = structs.replace(FAILURE, message="<@x>\n" * 50_000, fix="#1 " * 50_000)
    assert len(format_named("markdown").render_failure(long).encode()) < LIMIT
    assert len(format_named("html").render_failure(long).encode()) < 5_000_000


@settings(deadline=None, max_examples=20)
@given(hostile.ANY_WORD)
def test_any_word_is_only_text(word: str) -> None:
    """Whatever is in a message, each form is well formed, and nothing of the message is obeyed."""
    odd = structs.replace(FAILURE, message=f"a {word} b", fix=word)
    shown = {form: format_named(form).render_failure(odd) for form in FORMATS}
    for form in ("text", "github", "markdown", "html", "junit"):
        assert not any(map(hostile.is_unsafe, shown[form].replace("\n", ""))), form
    jsonschema.validate(json.loads(shown["json"]), report_schema())
    jsonschema.validate(json.loads(shown["sarif"]), SUBSET)
    assert ET.fromstring(shown["junit"].encode("utf-8", "replace")).attrib["errors"] == "1"  # noqa: S314 - our own text
    assert shown["github"].count("\n") == 1
    plain = structs.replace(odd, message="\n".join(["w"] * len(odd.message.splitlines())))
    plain = structs.replace(plain, fix="\n".join(["w"] * len(odd.fix.splitlines())))
    odd_tags, tags = (Tags(text).found for text in (shown["html"], format_named("html").render_failure(plain)))
    assert [one for one in odd_tags if one != "code"] == [one for one in tags if one != "code"]
    assert "<" not in shown["markdown"].split("\n", 2)[2]
    assert not shown["text"].startswith("::")

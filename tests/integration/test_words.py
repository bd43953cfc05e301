"""The words that users read: plain ones, and one for each state."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest

from dbt_statsig.cli.options import SIGNS
from dbt_statsig.report.text.plan import _COUNTED, _SIGNS
from dbt_statsig.vocabulary.changes import Action
from tests.integration.shop import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACKAGE = ROOT / "dbt_statsig"
OTHERS = ("README.md", "action.yml", "macros/_macros.yml", "example_project/README.md")
PAGES = [*(ROOT / name for name in OTHERS), *sorted((ROOT / "docs").rglob("*.md"))]
OLD_WORDS = re.compile(
    r"\b(told|tells?|said|mend(s|ed)?|borne?|stands?|stood|anew|of now|hangs? on|doors?|roof|house|left|leaves?"
    r"|in silence|half a character|not this project's|in (?:its|their) place|in place of|at hand|thereby|whoever"
    r"|the very same|did move)\b|(?<!there )\bis no (?!longer)\w",
    re.IGNORECASE,
)


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """The texts of a module that may be shown, with their lines: no docstring, no placeholder, no single word."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.lineno, node.value if " " in node.value.strip() else ""


def prose(page: Path) -> Iterator[tuple[int, str]]:
    """The lines of a page, without code."""
    text = re.sub(r"(?ms)^```.*?^```", lambda block: "\n" * block[0].count("\n"), page.read_text(encoding="utf-8"))
    for number, line in enumerate(text.splitlines(), 1):
        yield number, re.sub(r"`[^`]*`|\]\([^)]*\)", "", line)


def test_messages_use_plain_words() -> None:
    """No message, finding, heading or option uses a word of the list."""
    files = [path for path in PACKAGE.rglob("*.py") if "emulator" not in path.parts]
    assert [
        f"{path.relative_to(ROOT)}:{line}: {found[0]}"
        for path in files
        for line, text in texts(path)
        if (found := OLD_WORDS.search(text))
    ] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_pages_use_plain_words(page: Path) -> None:
    """No page uses a word of the list; docs/cli.md and its like hold the help of commands, settings and findings."""
    assert [f"{line}: {found[0]}" for line, text in prose(page) if (found := OLD_WORDS.search(text))] == []


def test_the_legend_has_every_sign() -> None:
    """Help and glossary give each sign of a plan with the word that the plan's last line has for it."""
    words = {action: word.removeprefix("to ") for action, word in _COUNTED}
    glossary = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    for action in set(Action) & _SIGNS.keys():
        sign = _SIGNS[action][0]
        (line,) = re.findall(rf"(?m)^  {re.escape(sign)}  (.*)$", SIGNS)
        assert words[action] in line
        assert f"| `{sign}` | {line} |" in glossary


def test_the_words_are_found() -> None:
    """A word of the list is found, and words that only contain it are not."""
    assert [
        bool(OLD_WORDS.search(text)) for text in ("It is told.", "It is no list.", "What is left", "in place of")
    ] == [True] * 4
    assert not any(map(OLD_WORDS.search, ("warehouse", "There is no model.", "is no longer declared", "understands")))

"""The documents say what is so: links lead somewhere, commands and their options exist."""

from __future__ import annotations

import functools
import re
import shlex
from typing import TYPE_CHECKING

import pytest

from tests.integration.shop import ROOT, command

if TYPE_CHECKING:
    from pathlib import Path

FOLDERS = ("docs", "example_project", "macros", "benchmarks")
DOCUMENTS = sorted({*ROOT.glob("*.md"), *(file for folder in FOLDERS for file in (ROOT / folder).rglob("*.md"))})
NAMES = [str(file.relative_to(ROOT)) for file in DOCUMENTS]
FENCE = re.compile(r"(?ms)^ *```(\w*)\n(.*?)^ *```")
SHELLS = {"", "bash", "sh", "shell", "console", "text"}


def slug(heading: str) -> str:
    """The anchor that a heading gets where Markdown is shown: lower case, hyphens for blanks, no punctuation."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def broken_links(document: Path, text: str) -> list[str]:
    """Relative links of a document that lead to no file, or to no heading of it."""
    faults = []
    prose = re.sub(r"(?ms)^ *```.*?^ *```", "", text)
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = document.parent / path if path else document
        if not file.exists():
            faults.append(target)
        elif anchor and file.suffix == ".md":
            linked = text if file == document else file.read_text(encoding="utf-8")
            headings = {slug(heading) for heading in re.findall(r"(?m)^#+ (.+)$", linked)}
            if anchor not in headings | set(re.findall(r'<a id="([^"]+)"', linked)):
                faults.append(target)
    return faults


def commands(text: str) -> list[list[str]]:
    """The commands of this project that a document's code blocks show, as words."""
    found = []
    for language, block in FENCE.findall(text):
        if language not in SHELLS:
            continue
        for line in block.replace("\\\n", " ").splitlines():
            shown = re.match(r"\s*(?:\$ )?((?:\w+=\S+ )*)((?:dbt-statsig|make|dbt run-operation)\b.*)", line)
            if shown:
                found.append(shlex.split(re.split(r"\s(?:[|&>;]|#)", shown[2])[0]))
    return found


@functools.cache
def known_options(name: str) -> frozenset[str]:
    """The options that `dbt-statsig NAME --help` lists; an assertion fails when there is no such command."""
    return frozenset(
        re.findall(r"(?<![\w-])-{1,2}[a-z][\w-]*", command("dbt-statsig", *name.split(), "--help", cwd=ROOT))
    )


def unknown(words: list[str]) -> list[str]:
    """What of a command does not exist."""
    program, *rest = words
    if program == "make":
        targets = set(re.findall(r"(?m)^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8")))
        return [word for word in rest if "=" not in word and word not in targets]
    if program == "dbt":
        return [] if (ROOT / "macros" / f"{rest[1]}.sql").exists() else rest[1:2]
    name = rest.pop(0) if rest and not rest[0].startswith("-") else ""
    ours = rest[: rest.index("--")] if "--" in rest else rest
    return [word for word in ours if word.startswith("-") and word.split("=")[0] not in known_options(name)]


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name: str) -> None:
    """Every relative link of a document leads to a file, and its anchor to a heading."""
    assert broken_links(ROOT / name, (ROOT / name).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("name", NAMES)
def test_shown_commands_exist(name: str) -> None:
    """Every command that a document shows exists, with the options shown."""
    shown = commands((ROOT / name).read_text(encoding="utf-8"))
    assert [(words, missing) for words in shown if (missing := unknown(words))] == []


def test_readme_shows_the_way() -> None:
    """README.md shows how to validate, plan and sync, and how to run the demonstration and the tests."""
    shown = {tuple(words[:2]) for words in commands((ROOT / "README.md").read_text(encoding="utf-8"))}
    assert {("dbt-statsig", "validate"), ("dbt-statsig", "sync"), ("make", "demo"), ("make", "test")} <= shown


def test_faults_of_documents_are_found(tmp_path: Path) -> None:
    """A dead link, a dead anchor, an unknown target and an unknown option are reported."""
    text = (
        "# A b\n[x](gone.md) [y](#a-b) [z](#c)\n```console\n$ make nothing\n$ dbt-statsig validate --nothing x\n```\n"
    )
    document = tmp_path / "a.md"
    document.write_text(text, encoding="utf-8")
    assert broken_links(document, text) == ["gone.md", "#c"]
    assert [unknown(words) for words in commands(text)] == [["nothing"], ["--nothing"]]

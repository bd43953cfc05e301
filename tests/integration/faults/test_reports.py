"""Faults of reports: 39, 40, 41, 43 and 44, with what other people wrote in names, descriptions and answers."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from tests.integration.faults.project import Project, names, wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from dbt_statsig.emulator import Running

SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>"


class Tags(HTMLParser):
    """The elements and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember it."""
        self.found.append((tag, dict(attrs)))


def report(project: Project, form: str, *, command: str = "plan") -> str:
    """A report that the command writes."""
    path = project.folder / "target" / f"report.{form}"
    done = project.text(command, "--report", f"{form}:target/report.{form}")
    assert done.code in {0, 1}, done.stderr
    return path.read_text(encoding="utf-8")


def test_fault_39_script_in_a_description(project: Project) -> None:
    """In the HTML report a script, an event handler and a javascript: link are text, and nothing is loaded."""
    project.declare("orders", SCRIPT, description=f"{SCRIPT} [click](javascript:alert(3)) javascript:alert(4)")
    page = report(project, "html")
    assert "&lt;script&gt;alert(1)" in page
    tags = Tags()
    tags.feed(page)
    assert ("img", {"src": "x", "onerror": "alert(2)"}) not in tags.found
    attributes = [(name, value or "") for _, given in tags.found for name, value in given.items()]
    assert [name for name, _ in attributes if name.startswith("on")] == []
    assert [value for name, value in attributes if name in {"href", "src"} and "javascript" in value.lower()] == []


def test_fault_39_script_in_an_answer(project: Project, server: Running) -> None:
    """What Statsig answers is text in the HTML report too."""
    body = {"status": 400, "message": SCRIPT}
    server.inject({"match": {"method": "POST"}, "action": "status", "status": 400, "body": body})
    page = report(project, "html", command="sync")
    assert "<script>alert(1)" not in page
    assert "<img src=x" not in page


@pytest.mark.parametrize("text", ["\n::set-env name=X::y", "\r\n::add-mask::z", "%0A::stop-commands::t"])
def test_fault_40_commands_in_annotations(project: Project, server: Running, text: str) -> None:
    """A line break in a text cannot begin a workflow command of its own."""
    body = {"status": 400, "message": f"No{text}"}
    server.inject({"match": {"method": "POST"}, "action": "status", "status": 400, "body": body})
    lines = report(project, "github", command="sync").splitlines()
    assert lines
    assert [line for line in lines if not re.match(r"::(error|warning|notice) ", line)] == []
    assert "%0A::stop" not in "\n".join(lines)


def test_fault_41_tables_and_mentions(project: Project) -> None:
    """Pipes, mentions and HTML in names stay text of their own cell in Markdown."""
    project.declare("orders", "a | b @everyone <!-- x --> `c`", description="# Title\n| x | @team")
    text = report(project, "markdown")
    outside = re.sub(r"```.*?```|`[^`\n]*`|<code>.*?</code>", "", text, flags=re.DOTALL)
    assert "@everyone" not in outside
    assert "@team" not in outside
    assert "<!-- x -->" not in outside


def test_fault_41_a_megabyte_of_markdown(project: Project) -> None:
    """More than the platforms take is cut, with a pointer to the whole report."""
    project.forget("orders")
    project.declare_many(90, description="words " * 3000)
    text = report(project, "markdown")
    assert len(text.encode()) < 65_536
    assert "--report html:FILE" in text


@pytest.mark.parametrize("place", ["target", "gone/out.html", "/dev/null"])
def test_fault_43_a_report_without_a_place(project: Project, server: Running, place: str) -> None:
    """What is no file, or has no folder, is refused before anything is done."""
    done = project.text("sync", "--report", f"html:{place}")
    assert (done.code, done.stdout) == (2, "")
    assert place.removesuffix("/out.html") in done.stderr
    assert server.requests == []


def test_fault_43_a_report_outside_of_the_project(project: Project, tmp_path: Path) -> None:
    """A report goes where the user names it; a link in its place is replaced, never followed."""
    (tmp_path / "theirs").mkdir()
    (project.folder / "file.html").symlink_to(tmp_path / "theirs" / "file.html")
    for place in (f"{tmp_path}/theirs/out.html", "file.html"):
        assert project.text("plan", "--report", f"html:{place}").code == 0
    assert [file.name for file in (tmp_path / "theirs").iterdir()] == ["out.html"]


def test_fault_44_a_report_that_fails_in_the_end(project: Project, server: Running) -> None:
    """A report whose folder is gone when the sync ends gives a non-zero exit; what was written stands."""
    folder = project.folder / "reports"
    folder.mkdir()
    server.inject({"match": {"method": "POST"}, "action": "delay", "seconds": 1.5})
    process = project.start("sync", "--report", "html:reports/out.html")
    wait_for(lambda: any(request.method == "GET" for request in server.requests))
    folder.rmdir()
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "1 created." in stdout
    assert "could not be written" in stderr
    assert names(server) == ["Orders"]

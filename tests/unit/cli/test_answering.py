"""The answer of a command, on stdout and in files."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from msgspec import structs

from dbt_statsig.cli import output as answering
from dbt_statsig.cli.output import Output, emit
from dbt_statsig.cli.report_files import ReportFile
from dbt_statsig.errors import AnswerLost
from dbt_statsig.report import formats
from dbt_statsig.report.text.style import Style
from tests.unit.report import samples

if TYPE_CHECKING:
    from dbt_statsig.report.formats import Format

OUTPUT = Output(json=False, quiet=False, style=Style(), aside=Style())


def reports(*names: str) -> tuple[ReportFile, ...]:
    """One report of JSON for each name."""
    return tuple(ReportFile(form="json", path=Path(name)) for name in names)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)


def test_the_exit_code_is_the_runs_own(capsys: pytest.CaptureFixture[str]) -> None:
    """Where everything can be written, the exit code is the one given, and the forms know it."""
    output = structs.replace(OUTPUT, reports=reports("a.json", "b.json"))
    assert emit(output, samples.VALIDATION, exit_code=1) == 1
    assert capsys.readouterr().out.splitlines()[0] == "shop (duckdb, dbt 1.11.2): 2 sources declared"
    assert '"exit_code": 1' in Path("a.json").read_text(encoding="utf-8")
    assert Path("a.json").read_bytes() == Path("b.json").read_bytes()


@pytest.mark.parametrize(("given", "expected"), [(0, 2), (1, 1), (3, 3)])
def test_fault_44_a_lost_report_is_reported(given: int, expected: int, capsys: pytest.CaptureFixture[str]) -> None:
    """A report that cannot be written spoils a clean exit code and no other; the answer stands."""
    output = structs.replace(OUTPUT, reports=reports("gone/a.json", "b.json"))
    assert emit(output, samples.CLEAN, exit_code=given) == expected
    shown = capsys.readouterr()
    assert "1 source ready" in shown.out
    assert shown.err.startswith("Error: gone/a.json could not be written:")
    assert Path("b.json").is_file()


def test_fault_44_a_full_disk_below_stdout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where stdout takes nothing, the reports are written first."""

    def full(*_: object, **__: object) -> None:
        raise AnswerLost("No space.")

    monkeypatch.setattr(answering, "write_out", full)
    with pytest.raises(AnswerLost, match="No space"):
        emit(structs.replace(OUTPUT, reports=reports("a.json")), samples.CLEAN, exit_code=0)
    assert Path("a.json").is_file()


@pytest.mark.parametrize("form", ["json", "text"])
def test_fault_44_a_renderer_that_fails(
    form: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One form that cannot be made costs no other: neither the answer nor a report, whichever of them it is."""
    real = formats.format_named

    def broken(wanted: str) -> Format:
        if wanted == form:
            raise ImportError("No module\x1b named jinja2")
        return real(wanted)

    monkeypatch.setattr(answering, "format_named", broken)
    output = structs.replace(OUTPUT, reports=(*reports("a.json"), ReportFile(form="markdown", path=Path("b.md"))))
    if form == "text":
        with pytest.raises(AnswerLost, match=r"text report failed: ImportError: No module.x1b named"):
            emit(output, samples.CLEAN, exit_code=0)
        assert Path("a.json").is_file()
    else:
        assert emit(output, samples.CLEAN, exit_code=0) == 2
        shown = capsys.readouterr()
        assert "1 source ready" in shown.out
        assert "json report failed" in shown.err
        assert not Path("a.json").exists()
    assert Path("b.md").is_file()


def test_step_summary(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """With the form github the step's summary is the Markdown; one that cannot be written is reported."""
    output = structs.replace(OUTPUT, form="github")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
    assert emit(output, samples.CLEAN, exit_code=0) == 0
    assert Path("summary.md").read_text(encoding="utf-8").startswith("<!-- dbt-statsig -->")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "gone/summary.md")
    assert emit(output, samples.CLEAN, exit_code=0) == 2
    assert "gone/summary.md could not be written" in capsys.readouterr().err


def test_all_but_text_is_utf8(monkeypatch: pytest.MonkeyPatch) -> None:
    """The forms for programs are UTF-8 on any terminal."""
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    clean = structs.replace(samples.CLEAN, project="caf\u00e9")
    emit(structs.replace(OUTPUT, form="markdown"), clean, exit_code=0)
    assert "caf\u00e9".encode() in raw.getvalue()

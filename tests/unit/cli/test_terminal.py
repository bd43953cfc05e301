"""What streams can show."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

import pytest

from dbt_statsig.cli.ending import lenient_streams
from dbt_statsig.cli.terminal import style_for, write_out
from dbt_statsig.errors import DbtStatsigError

if TYPE_CHECKING:
    from pathlib import Path


class Stream(io.TextIOWrapper):
    """A stream of an encoding, on a terminal or not."""

    def __init__(self, *, terminal: bool, encoding: str = "utf-8") -> None:
        super().__init__(io.BytesIO(), encoding=encoding)
        self.terminal = terminal

    def isatty(self) -> bool:
        """As given."""
        return self.terminal


@pytest.mark.parametrize(
    ("terminal", "environ", "no_color", "colour"),
    [
        (True, {}, False, True),
        (False, {}, False, False),
        (True, {"TERM": "dumb"}, False, False),
        (True, {"NO_COLOR": "1"}, False, False),
        (True, {"NO_COLOR": ""}, False, True),
        (False, {"FORCE_COLOR": "1"}, False, True),
        (False, {"FORCE_COLOR": "0"}, False, False),
        (True, {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False, False),
        (True, {"FORCE_COLOR": "1"}, True, False),
    ],
)
def test_colour(terminal: bool, environ: dict[str, str], no_color: bool, colour: bool) -> None:  # noqa: FBT001 - pytest passes them by name
    """`--no-color` wins over NO_COLOR, that over FORCE_COLOR, that over what the stream is."""
    assert style_for(Stream(terminal=terminal), environ=environ, no_color=no_color).colour is colour


@pytest.mark.parametrize(("encoding", "signs"), [("utf-8", True), ("ascii", False), ("cp1252", False)])
def test_signs(encoding: str, signs: bool) -> None:  # noqa: FBT001 - pytest passes it by name
    """Signs beyond ASCII are used where the encoding has all of them."""
    assert style_for(Stream(terminal=False, encoding=encoding), environ={}).unicode is signs


def test_width(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prose is as wide as the terminal, up to what reads well; 100 where there is no terminal."""
    monkeypatch.setenv("COLUMNS", "72")
    assert style_for(Stream(terminal=True), environ={}).width == 72
    assert style_for(Stream(terminal=False), environ={}).width == 100
    monkeypatch.setenv("COLUMNS", "500")
    assert style_for(Stream(terminal=True), environ={}).width == 120


def test_text_that_the_encoding_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that the terminal cannot show is escaped, and stops nothing."""
    stream = Stream(terminal=False, encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with lenient_streams():
        sys.stdout.write("naïve →")
    assert stream.buffer.getvalue() == b"na\\xefve \\u2192"  # type: ignore[attr-defined] # it is the BytesIO above


def test_full_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where stdout cannot take the report, the error says so and that the work stands."""

    class Full(io.StringIO):
        def flush(self) -> None:
            raise OSError(28, "No space left on device")

        def fileno(self) -> int:
            return spare.fileno()

    with (tmp_path / "spare").open("w") as spare:
        monkeypatch.setattr(sys, "stdout", Full())
        with pytest.raises(DbtStatsigError, match="No space left on device") as caught:
            write_out("report")
    assert "not undone" in caught.value.fix

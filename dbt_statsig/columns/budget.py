"""How much SQL is read, and for how long: texts that would never end count as not read.

sqlglot takes exponential time for some texts of a few words (`JOIN a JOIN a …` without a condition), and a gigabyte for
a megabyte of brackets.
"""

from __future__ import annotations

import re
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dbt_statsig.sql_pieces import PieceKind, pieces

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_CHARACTERS = 2_000_000
MAX_TOKENS = 200_000
"""The longest query of the projects that this was measured on has 5,000 tokens in 39,000 characters."""
MAX_SECONDS = 10.0
# sqlglot's tokenizer is quadratic in the length of a word that begins like a number.
_MAX_NUMBER = 1_000
# Where sqlglot is compiled (`sqlglot[c]`), no clock can interrupt it, and deep nesting ends the process: these bounds
# hold before it reads anything. Python's own recursion limit allows less nesting, and a join without a condition
# doubles the time.
MAX_NESTING = 200
MAX_OPEN_JOINS = 12
_BRACKET_OR_JOIN = re.compile(
    r"[(\[{]|[)\]}]|\b(?:(?P<free>(?:cross|array|natural|asof)\s+)?join(?!\s+unnest\b)|on|using)\b", re.IGNORECASE
)
_TOKEN = re.compile(r"\w+|[^\w\s]")


class Unparsable(Exception):
    """Text that is no SQL that sqlglot understands; `line` and `column` count from 1 (0: not known)."""

    def __init__(self, message: str, *, line: int = 0, column: int = 0) -> None:
        """`message` is one line without the text itself."""
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


class Overtime(Unparsable):
    """Raised in the thread that reads a text for too long, wherever it is."""

    def __init__(self) -> None:
        """Without arguments, as Python makes it itself."""
        super().__init__(f"it takes longer than {MAX_SECONDS:.0f} s to read")


def check_size(sql: str) -> None:
    """Raise Unparsable for a text that is too long or nested too deeply to be read, before anything reads it."""
    if len(sql) > MAX_CHARACTERS:
        raise Unparsable(f"it is longer than {MAX_CHARACTERS:,} characters")
    if len(sql) > MAX_TOKENS:
        _check_tokens(sql)
    if sum(map(sql.count, "([{")) > MAX_NESTING or sql.casefold().count("join") > MAX_OPEN_JOINS:
        _check_nesting(sql)


def _check_tokens(sql: str) -> None:
    for count, token in enumerate(_TOKEN.finditer(sql)):
        if count == MAX_TOKENS:
            raise Unparsable(f"it has more than {MAX_TOKENS:,} words and signs")
        if token.end() - token.start() > _MAX_NUMBER and sql[token.start()].isdigit():
            raise Unparsable(f"it has a number of more than {_MAX_NUMBER:,} digits")


def _check_nesting(sql: str) -> None:
    depth = joins = 0
    bare = " ".join(piece.text for piece in pieces(sql, escapes=False) if piece.kind is PieceKind.OTHER)
    for found in _BRACKET_OR_JOIN.finditer(bare):
        word = found[0].casefold()
        if word in "([{":
            depth += 1
        elif word in ")]}":
            depth = max(0, depth - 1)
        elif word in {"on", "using"}:
            joins = max(0, joins - 1)
        elif not found["free"]:
            joins += 1
        if depth > MAX_NESTING:
            raise Unparsable("it is nested too deeply")
        if joins > MAX_OPEN_JOINS:
            raise Unparsable(f"it has more than {MAX_OPEN_JOINS} joins without a condition")


class _Reading:
    """One reading of a text in a thread."""

    def __init__(self) -> None:
        self.until = time.monotonic() + MAX_SECONDS
        self.raised = False


class _Watch:
    """A thread that lives while texts are read, and ends the readings that take too long."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._readings: dict[int, _Reading] = {}
        self._thread: threading.Thread | None = None
        self._rest = threading.Event()

    def begin(self) -> _Reading | None:
        """Watch this thread; the reading that it interrupts, if any, is handed back and waits."""
        me = threading.get_ident()
        with self._lock:
            outer = self._readings.get(me)
            self._readings[me] = _Reading()
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="sql-budget", daemon=True)
                self._thread.start()
        return outer

    def end(self, outer: _Reading | None, began: float) -> None:
        """Stop watching this thread, or go on with the reading that was interrupted."""
        me = threading.get_ident()
        with self._lock:
            reading = self._readings.pop(me)
            if outer is not None:
                outer.until += time.monotonic() - began
                self._readings[me] = outer
            if reading.raised:
                # Not raised yet, or raised already: either way, not after this.
                _raise_in(me, None)

    def rest(self) -> None:
        """End the thread now; a later reading starts another."""
        with self._lock:
            thread = self._thread
        if thread is not None:
            self._rest.set()
            thread.join()
            self._rest.clear()

    def _run(self) -> None:
        while not self._rest.wait(MAX_SECONDS / 20):
            with self._lock:
                if not self._readings:
                    self._thread = None
                    return
                now = time.monotonic()
                for thread, reading in self._readings.items():
                    if now > reading.until:
                        # Python drops what is raised within a callback (a finalizer's, the garbage collector's): until
                        # the reading has ended it is raised again, a while later.
                        reading.raised = True
                        reading.until = now + MAX_SECONDS / 10
                        _raise_in(thread, Overtime)


def _raise_in(thread: int, error: type[BaseException] | None) -> None:
    import ctypes  # noqa: PLC0415 - hardly any run needs it

    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), error and ctypes.py_object(error))


_watch = _Watch()


def before_fork() -> None:
    """End the thread that watches: a process with threads must not be forked."""
    _watch.rest()


@contextmanager
def limited() -> Iterator[None]:
    """Read a text for `MAX_SECONDS` at most. Raises Overtime.

    The clock of a reading stands still while another one within it runs.
    """
    began = time.monotonic()
    outer = _watch.begin()
    try:
        yield
    finally:
        _watch.end(outer, began)

"""What may happen to a command from outside: signals that end it, and streams that nobody reads any more."""

from __future__ import annotations

import contextlib
import errno
import io
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from typing import TextIO

    from typing_extensions import Buffer

_ALL = frozenset(errno.errorcode)
SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


@contextmanager
def signals_as_interrupts() -> Iterator[None]:
    """Let a cancelled CI job (SIGTERM) and a closed terminal (SIGHUP) end a command as Ctrl-C does.

    A signal that is ignored (nohup), or that this process handles otherwise, stays so.
    """
    is_main = threading.current_thread() is threading.main_thread()
    numbers = [number for number in SIGNALS if is_main and signal.getsignal(number) is signal.SIG_DFL]
    for number in numbers:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)


@contextmanager
def lenient_streams() -> Iterator[None]:
    """Let no reader that went away stop a command: stdout forgives a closed pipe, stderr everything.

    Both escape what their encoding lacks, so that no name can stop a report.
    """
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _lenient(sys.stdout, {errno.EPIPE}), _lenient(sys.stderr, _ALL)
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError):
                stream.flush()
        sys.stdout, sys.stderr = before


class _Raw(io.FileIO):
    """A file that takes what it cannot write where the reason is one of those forgiven."""

    def __init__(self, number: int, forgiven: Collection[int]) -> None:
        super().__init__(number, "w", closefd=False)
        self._forgiven = forgiven

    def write(self, data: Buffer) -> int:
        try:
            return super().write(data)
        except OSError as error:
            if error.errno not in self._forgiven:
                raise
            return memoryview(data).nbytes


def _lenient(stream: TextIO, forgiven: Collection[int]) -> TextIO:
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    stream.reconfigure(errors="backslashreplace")
    # What else there is writes to no file: a test's memory, the console of Windows.
    if not isinstance(getattr(stream.buffer, "raw", stream.buffer), io.FileIO):
        return stream
    stream.flush()
    buffer = io.BufferedWriter(_Raw(stream.fileno(), forgiven))
    return io.TextIOWrapper(buffer, stream.encoding, stream.errors, line_buffering=stream.line_buffering)

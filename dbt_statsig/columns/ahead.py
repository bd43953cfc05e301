"""A second process that has loaded the parser by the time the first has read the manifest.

Loading sqlglot takes longer than all else that a run without memory does for a small project, and depends on nothing
that the run reads. Only the command line starts the process, before it does anything else: a fork of a program that has
done nothing yet is safe and free. Whatever goes wrong with it, the questions are answered here instead.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys

from dbt_statsig.columns.cache_folder import cache_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import BinaryIO, NoReturn, TypeVar

    from dbt_statsig.columns.questions import Question

    T = TypeVar("T")

COMMANDS = frozenset({"validate", "plan", "sync"})


class Ahead:
    """The way to the other process. Once it has failed it is not asked again."""

    def __init__(self, process: int, questions: BinaryIO, answers: BinaryIO) -> None:
        """Questions are written to the one pipe, and answers read from the other."""
        self._process = process
        self._questions = questions
        self._answers = answers
        self._failed = False

    def ask(self, question: Question, kind: type[T]) -> T | None:
        """The answer; None where there is none to be had from that process."""
        import msgspec  # noqa: PLC0415 - not before the process is started

        from dbt_statsig.columns.pipes import receive, send  # noqa: PLC0415 - the same

        if self._failed:
            return None
        # Until the answer is here: whatever interrupts this, the next question must not get the answer to this one.
        self._failed = True
        try:
            send(self._questions, msgspec.msgpack.encode(question))
            answer = msgspec.msgpack.decode(receive(self._answers), type=kind)
        except (OSError, EOFError, ValueError, msgspec.MsgspecError):
            # ValueError: a closed pipe, or text that has no UTF-8 form.
            return None
        self._failed = False
        return answer

    def end(self) -> None:
        """Leave no process behind, whatever it is doing."""
        self._failed = True
        with contextlib.suppress(OSError):
            os.kill(self._process, signal.SIGKILL)
            os.waitpid(self._process, 0)


_started: list[Ahead] = []


def started() -> Ahead | None:
    """The process that this program has started ahead, where it has."""
    return _started[0] if _started else None


def start_for(arguments: Sequence[str], environ: Mapping[str, str]) -> None:
    """Start the process for a command line that reads SQL, unless what reading gave is remembered anyway.

    Only on Linux, where a fork is safe, and with a processor to spare.
    """
    if sys.platform != "linux" or not arguments or arguments[0] not in COMMANDS or len(os.sched_getaffinity(0)) < 2:  # noqa: PLR2004 - one for each process
        return
    if {"-h", "--help"}.isdisjoint(arguments) and ("--no-cache" in arguments or not _remembers(environ)):
        with contextlib.suppress(OSError):
            _started[:] = [_start()]


def end() -> None:
    """End the process, where there is one."""
    while _started:
        _started.pop().end()


def _remembers(environ: Mapping[str, str]) -> bool:
    folder = cache_folder(environ)
    try:
        return bool(folder and os.listdir(folder))  # noqa: PTH208 - pathlib takes longer
    except OSError:
        return False


def _start() -> Ahead:
    asked, questions = os.pipe()
    answers, answered = os.pipe()
    process = os.fork()
    if not process:
        os.close(questions)
        os.close(answers)
        _serve_and_exit(asked, answered)
    os.close(asked)
    os.close(answered)
    return Ahead(process, os.fdopen(questions, "wb"), os.fdopen(answers, "rb"))


def _serve_and_exit(asked: int, answered: int) -> NoReturn:
    """The life of the other process: load the parser, answer until nobody asks any more."""
    try:
        # Who reads what this program prints must not wait for this process too.
        nowhere = os.open(os.devnull, os.O_RDWR)
        for standard in range(3):
            os.dup2(nowhere, standard)
        # Loading the parser makes thousands of objects, none of them garbage.
        gc.set_threshold(50_000, 20, 100)
        from dbt_statsig.columns.answering import serve  # noqa: PLC0415 - with it come msgspec and sqlglot

        serve(os.fdopen(asked, "rb"), os.fdopen(answered, "wb"))
    finally:
        # Nothing that was registered for the end of the first process may happen twice.
        os._exit(0)

"""The other side of `ahead`: answers questions about SQL, large ones by several processes at once."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
from typing import TYPE_CHECKING

import msgspec

import dbt_statsig.columns.shape  # noqa: F401 - loads the parser, which is what this process is for
from dbt_statsig.columns.items import Shape
from dbt_statsig.columns.pipes import receive, send
from dbt_statsig.columns.questions import Question, ShapesOf

if TYPE_CHECKING:
    from typing import BinaryIO

WORTH_CHARACTERS = 12_000
"""SQL of this length takes several times as long to read as a process takes to fork."""
MOST_PROCESSES = 8


def serve(questions: BinaryIO, answers: BinaryIO) -> None:
    """Answer until the pipe ends."""
    # Ctrl-C is for the first process; this one ends with it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.freeze()
    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            question = msgspec.msgpack.decode(receive(questions), type=Question)
            send(answers, answer(question, processes=len(os.sched_getaffinity(0))))


def answer(question: Question, *, processes: int) -> bytes:
    """The encoded answer."""
    if isinstance(question, ShapesOf):
        size = sum(map(len, question.texts))
        parts = min(processes, MOST_PROCESSES, size // WORTH_CHARACTERS, len(question.texts))
        if parts > 1:
            return msgspec.msgpack.encode(_spread(question, parts))
    return msgspec.msgpack.encode(question.answer())


def _spread(question: ShapesOf, parts: int) -> list[Shape]:
    """Every process takes each so-manieth text, so that long ones do not all fall to one."""
    shares = [ShapesOf(adapter=question.adapter, texts=question.texts[part::parts]) for part in range(parts)]
    others = [_fork(share) for share in shares[1:]]
    found: list[Shape | None] = [None] * len(question.texts)
    found[0::parts] = shares[0].answer()
    for part, (share, pipe, process) in enumerate(zip(shares[1:], *zip(*others, strict=True), strict=True), start=1):
        with pipe:
            content = pipe.read()
        os.waitpid(process, 0)
        try:
            found[part::parts] = msgspec.msgpack.decode(content, type=tuple[Shape, ...])
        except (msgspec.MsgspecError, ValueError):
            found[part::parts] = share.answer()
    return [shape for shape in found if shape is not None]


def _fork(share: ShapesOf) -> tuple[BinaryIO, int]:
    reading, writing = os.pipe()
    process = os.fork()
    if process:
        os.close(writing)
        return os.fdopen(reading, "rb"), process
    try:
        os.close(reading)
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(msgspec.msgpack.encode(share.answer()))
    finally:
        os._exit(0)

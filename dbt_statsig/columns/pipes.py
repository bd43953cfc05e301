"""Messages through a pipe: their length, then their bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import BinaryIO

_SIZE = 8


def send(pipe: BinaryIO, message: bytes) -> None:
    """Write one message. Raises OSError where nobody reads."""
    pipe.write(len(message).to_bytes(_SIZE, "big") + message)
    pipe.flush()


def receive(pipe: BinaryIO) -> bytes:
    """Read one message. Raises EOFError where the pipe ends first."""
    return _exactly(pipe, int.from_bytes(_exactly(pipe, _SIZE), "big"))


def _exactly(pipe: BinaryIO, size: int) -> bytes:
    content = pipe.read(size)
    if len(content) < size:
        raise EOFError
    return content

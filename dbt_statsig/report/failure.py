"""Why a command could not run: a value, as every renderer takes it."""

from __future__ import annotations

from msgspec import Struct


class Failure(Struct, frozen=True, kw_only=True):
    """`type` is the class in the error tree; `root` the project's folder inside its repository (empty: the same).

    Message and next step hold no secret: who makes this has taken them out.
    """

    command: str
    type: str
    message: str
    fix: str
    exit_code: int
    root: str = ""

    @property
    def text(self) -> str:
        """The message and the next step, on lines of their own."""
        return f"{self.message}\n{self.fix}".rstrip()

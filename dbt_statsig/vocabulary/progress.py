"""Progress of long work: reported here, shown by the command line only."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called at each step and after each written object; may be called from several threads."""

    def say(self, text: str) -> None:
        """Something begins, or has to wait: one sentence without a full stop."""

    def done(self, count: int, total: int) -> None:
        """So many of so many objects are written."""


class Silent:
    """A progress that nobody sees."""

    def say(self, text: str) -> None:
        """Say nothing."""

    def done(self, count: int, total: int) -> None:
        """Say nothing."""

"""Why the emulator cannot start: one class, whose text is the whole message."""

from __future__ import annotations

__all__ = ["CannotStart"]


class CannotStart(Exception):
    """A seed, a fault plan, an option, a port or a missing package keeps the emulator from starting."""

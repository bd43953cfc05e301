"""Keys kept out of what the command line says of surprises."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

HIDDEN = "<key hidden>"
_SECRET_NAMES = re.compile(r"STATSIG.*KEY|^DBT_ENV_SECRET", re.IGNORECASE)
_CONSOLE_KEY = re.compile(r"(?<![A-Za-z0-9])console-[A-Za-z0-9_-]{6,}", re.IGNORECASE)
# Shorter values ("1", "true") stand in innocent text by chance.
_SHORTEST = 6


def redacted(text: str, environ: Mapping[str, str]) -> str:
    """The text without the values of secret environment variables and without anything like a Console key."""
    secrets = {value.strip() for name, value in environ.items() if _SECRET_NAMES.search(name)}
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST:
            text = text.replace(secret, HIDDEN)
    return _CONSOLE_KEY.sub(HIDDEN, text)

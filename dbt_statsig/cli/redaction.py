"""Keys kept out of what the command line says of surprises."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

HIDDEN = "<key hidden>"
_KEY_NAMES = re.compile(r"STATSIG.*KEY", re.IGNORECASE)
_SECRET_NAMES = re.compile(r"STATSIG.*KEY|^DBT_ENV_SECRET", re.IGNORECASE)
_CONSOLE_KEY = re.compile(r"(?<![A-Za-z0-9])console-[A-Za-z0-9_-]{6,}", re.IGNORECASE)
# Shorter values ("1", "true") stand in innocent text by chance.
_SHORTEST = 6


def redacted(text: str, environ: Mapping[str, str]) -> str:
    """The text without the values of secret environment variables and without anything like a Console key."""
    return _CONSOLE_KEY.sub(HIDDEN, _without(text, environ, _SECRET_NAMES, HIDDEN))


def without_keys(text: str, environ: Mapping[str, str]) -> str:
    """A whole report without the Console key, which an object in the console or a declared text may hold.

    The mask has no character that means something in Markdown, HTML, XML or JSON.
    """
    return _without(text, environ, _KEY_NAMES, HIDDEN.strip("<>").join("()"))


def _without(text: str, environ: Mapping[str, str], names: re.Pattern[str], mask: str) -> str:
    secrets = {value.strip() for name, value in environ.items() if names.search(name)}
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST:
            from dbt_statsig.secrets import Spellings  # noqa: PLC0415 - most runs have no key

            text = Spellings(secret).hide(text, mask)
    return text

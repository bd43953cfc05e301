"""What an entry of the catalogue of findings is made of."""

from __future__ import annotations

from enum import IntEnum

from msgspec import Struct

DOCS = "https://dbt-statsig.readthedocs.io"
"""Where docs/ is published; mkdocs.yml has the same."""


class Severity(IntEnum):
    """How much a finding weighs; with `--strict` a warning counts as an error."""

    NOTE = 1
    WARNING = 2
    ERROR = 3

    @property
    def label(self) -> str:
        """The word that outputs show."""
        return self.name.lower()


class Code(Struct, frozen=True):
    """One entry of the catalogue; `meaning` says why it matters, `remedy` how to fix it."""

    severity: Severity
    meaning: str
    remedy: str

"""The catalogue of findings."""

from __future__ import annotations

from pathlib import Path

import dbt_statsig
from dbt_statsig.vocabulary.finding_codes import CODES

PACKAGE = Path(dbt_statsig.__file__).parent


def test_every_code_is_found_by_something() -> None:
    """No code is in the catalogue that no part of the program gives."""
    text = "\n".join(
        file.read_text(encoding="utf-8") for file in PACKAGE.rglob("*.py") if file.name != "finding_codes.py"
    )
    assert [code for code in CODES if f'"{code}"' not in text] == []

"""Nodes' meta into typed declarations and findings.

The keys are in `vocabulary/kinds`; how they merge, in `layers.py` and `marks.py`; what is checked, in `reading.py`.
"""

from __future__ import annotations

from dbt_statsig.project.declarations.declaring import declare
from dbt_statsig.project.declarations.model import Declaration, Declared, DeclaredName, FaultyBlock

__all__ = ["Declaration", "Declared", "DeclaredName", "FaultyBlock", "declare"]

"""Tests of what a query gives, construct by construct."""

from __future__ import annotations

from importlib.metadata import version

import pytest

from dbt_statsig.columns.budget import Unparsable
from dbt_statsig.columns.expand import Known, expand
from dbt_statsig.columns.sql import quiet
from dbt_statsig.columns.walk import shape_of
from dbt_statsig.vocabulary.adapters import adapter_for
from tests.unit.columns.shape_cases import CASES, TABLES

# The version from which sqlglot reads all the constructs of the cases.
OLDER = int(version("sqlglot").split(".")[0]) < 30


def tables(parts: tuple[str, ...]) -> Known:
    """The columns of the cases' tables."""
    names = {table.casefold(): columns for table, columns in TABLES.items()}.get(parts[-1].casefold())
    return Known(names=names) if names else Known(reasons=(f"nothing is known of {parts[-1]}",))


@pytest.mark.parametrize(("adapter", "sql", "names", "closed"), CASES)
def test_columns_of_a_query(adapter: str, sql: str, names: tuple[str, ...], *, closed: bool) -> None:
    """Each construct gives the columns that the warehouse would, and says when there may be others."""
    rules = adapter_for(adapter)
    known = expand(rules, shape_of(rules, sql).items, tables)
    if closed and OLDER and known.reasons[:1] and known.reasons[0].startswith("the SQL does not parse"):
        pytest.skip("this version of sqlglot does not read it, and says so")
    assert (known.names, known.closed) == (names, closed), known.reasons


def test_an_open_list_gives_its_reason() -> None:
    """What is unknown is explained in words that name the fault."""
    rules = adapter_for("duckdb")
    known = expand(rules, shape_of(rules, "select a\nfrom (select").items, tables)
    assert len(known.reasons) == 1
    assert known.reasons[0].startswith("the SQL does not parse")
    assert "<class" not in known.reasons[0]


def test_faults_inside_sqlglot_are_unknowns() -> None:
    """Broken text that reaches a fault in sqlglot itself comes out as text that does not parse."""
    with pytest.raises(Unparsable, match="failed on it"), quiet():
        raise TypeError

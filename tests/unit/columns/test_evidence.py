"""Tests of the verdict table, row by row."""

from __future__ import annotations

import pytest

from dbt_statsig.columns.evidence import Facts, decide, decide_in, match
from dbt_statsig.vocabulary.adapters import adapter_for
from dbt_statsig.vocabulary.findings import CODES
from dbt_statsig.vocabulary.verdicts import ColumnSet, Evidence, KnownColumn, Presence

DUCKDB = adapter_for("duckdb")
OPEN = ("it reads a table that nobody declared",)
PRESENT, ABSENT, UNKNOWN = Presence.PRESENT, Presence.ABSENT, Presence.UNKNOWN


def known(*names: str, evidence: Evidence = Evidence.INFERRED) -> tuple[KnownColumn, ...]:
    """Columns with one kind of evidence."""
    return tuple(KnownColumn(name=name, evidence=evidence) for name in names)


def facts(catalog: str, inferred: str, *, documented: tuple[str, ...] = (), dated: bool = False) -> Facts:
    """A row about the column `wanted`: `yes fresh`, `no stale`, `none` … and `yes`, `no`, `open`, `yes open`."""
    has, _, age = catalog.partition(" ")
    columns = known("other", *(["wanted"] if has == "yes" else []), evidence=Evidence.CATALOG)
    return Facts(
        label="The model m",
        catalog=None if has == "none" else columns,
        fresh=age == "fresh",
        inferred=known("other", *(["wanted"] if inferred.startswith("yes") else [])),
        inferred_reasons=OPEN if inferred.endswith("open") else (),
        dated=dated,
        documented=documented,
    )


ROWS = [
    ("yes fresh", "yes", PRESENT, Evidence.CATALOG, ""),
    ("yes fresh", "open", PRESENT, Evidence.CATALOG, ""),
    ("yes stale", "yes", PRESENT, Evidence.CATALOG, ""),
    ("yes stale", "open", PRESENT, Evidence.CATALOG, ""),
    ("yes fresh", "no", PRESENT, Evidence.CATALOG, "column-going"),
    ("yes stale", "no", UNKNOWN, Evidence.POSSIBLE, "column-going"),
    ("no fresh", "yes", ABSENT, Evidence.CATALOG, "column-not-built"),
    ("no fresh", "yes open", ABSENT, Evidence.CATALOG, "column-not-built"),
    ("no fresh", "no", ABSENT, Evidence.CATALOG, "column-absent"),
    ("no fresh", "open", ABSENT, Evidence.CATALOG, "column-absent"),
    ("no stale", "yes", PRESENT, Evidence.INFERRED, "catalog-stale"),
    ("no stale", "no", ABSENT, Evidence.INFERRED, "column-absent"),
    ("no stale", "open", UNKNOWN, Evidence.NONE, "catalog-stale"),
    ("none", "yes", PRESENT, Evidence.INFERRED, ""),
    ("none", "yes open", PRESENT, Evidence.INFERRED, ""),
    ("none", "no", ABSENT, Evidence.INFERRED, "column-absent"),
    ("none", "open", UNKNOWN, Evidence.NONE, "column-unknown"),
]


@pytest.mark.parametrize(("catalog", "inferred", "presence", "evidence", "code"), ROWS)
def test_verdict_table(catalog: str, inferred: str, presence: Presence, evidence: Evidence, code: str) -> None:
    """Each row of the table gives its verdict; whatever needs saying has a message, a fix and a known code."""
    verdict = decide(DUCKDB, "wanted", facts(catalog, inferred))
    assert (verdict.presence, verdict.evidence, verdict.code) == (presence, evidence, code)
    assert bool(verdict.message) == bool(verdict.fix) == bool(code)
    assert not code or code in CODES


def test_documentation_softens_unknown() -> None:
    """A documented column that nothing proves is a note, not a warning."""
    verdict = decide(DUCKDB, "wanted", facts("none", "open", documented=("Wanted",)))
    assert (verdict.presence, verdict.code) == (UNKNOWN, "column-documented-only")
    assert OPEN[0] in verdict.message
    assert " of the " in verdict.message


def test_documentation_proves_nothing() -> None:
    """A documented column that the SQL does not give is absent."""
    assert decide(DUCKDB, "wanted", facts("none", "no", documented=("wanted",))).presence is ABSENT


@pytest.mark.parametrize("catalog", ["none", "no stale"])
def test_old_sources_prove_no_absence(catalog: str) -> None:
    """A list that rests on an old catalog of sources shows what there is, but proves nothing absent."""
    assert decide(DUCKDB, "wanted", facts(catalog, "no", dated=True)).presence is UNKNOWN
    assert decide(DUCKDB, "other", facts("none", "no", dated=True)).presence is PRESENT


def test_old_sources_are_named_as_the_reason() -> None:
    """The message says that the catalog of the tables read is old."""
    assert "older than the manifest" in decide(DUCKDB, "wanted", facts("none", "no", dated=True)).message


def test_a_contract_outranks_the_catalog() -> None:
    """Under an enforced contract its list decides, whatever the catalog says."""
    contract = known("wanted", evidence=Evidence.CONTRACT)
    both = Facts(label="The model m", contract=contract, catalog=known("other", evidence=Evidence.CATALOG), fresh=True)
    assert decide(DUCKDB, "wanted", both).evidence is Evidence.CONTRACT
    assert decide(DUCKDB, "other", both).code == "column-absent"


def test_the_nearest_name_is_suggested() -> None:
    """A misspelled column gets the name that it most likely means; a strange one the list of what there is."""
    near = decide(DUCKDB, "wnated", facts("yes fresh", "yes"))
    assert near.fix == 'Did you mean "wanted"?'
    assert decide(DUCKDB, "zzz", facts("yes fresh", "yes")).fix == "It has other, wanted."


def test_a_long_list_is_cut() -> None:
    """Not more than a dozen names are listed."""
    many = Facts(label="The model m", inferred=known(*(f"c{n}" for n in range(20))), inferred_reasons=())
    assert decide(DUCKDB, "zzz", many).fix.endswith("c11 and 8 more.")


def test_no_columns_at_all() -> None:
    """A list that is complete and empty says so."""
    empty = Facts(label="The model m", inferred_reasons=())
    assert decide(DUCKDB, "zzz", empty).fix == "It has no columns."


SPELLINGS = [
    ("snowflake", "user_id", ("USER_ID",), "USER_ID", False),
    ("snowflake", "User_Id", ("USER_ID",), "USER_ID", False),
    ("snowflake", "user_id", ("user_id",), "user_id", False),
    ("snowflake", "user_id", ("USER_ID", "user_id"), "user_id", False),
    ("snowflake", "USER_ID", ("user_id",), "user_id", True),
    ("snowflake", "user id", ("USER ID",), "USER ID", True),
    ("postgres", "UserId", ("userid",), "userid", False),
    ("postgres", "userid", ("UserId",), "UserId", True),
    ("clickhouse", "userid", ("UserId",), "UserId", True),
    ("fabric", "userid", ("UserId",), "UserId", True),
    ("bigquery", "userid", ("UserId",), "UserId", False),
    ("redshift", "UserId", ("userid",), "userid", False),
    ("sqlite", "user_id", ("USER_ID",), "USER_ID", False),
]


@pytest.mark.parametrize(("adapter", "written", "stored", "meant", "by_case"), SPELLINGS)
def test_spellings(adapter: str, written: str, stored: tuple[str, ...], meant: str, *, by_case: bool) -> None:
    """A written name means the stored one that the warehouse would take; a difference of case is reported."""
    found = match(adapter_for(adapter), written, known(*stored))
    assert found is not None
    assert (found.column.name, found.by_case_only) == (meant, by_case)


def test_a_case_only_match_is_a_warning_with_the_fix() -> None:
    """Where the warehouse tells the spellings apart, the stored one is used and named."""
    rules = adapter_for("clickhouse")
    verdict = decide(rules, "userid", Facts(label="m", inferred=known("UserId"), inferred_reasons=()))
    assert (verdict.presence, verdict.stored, verdict.code) == (PRESENT, "UserId", "column-case")
    assert verdict.fix == 'Write "UserId".'


def test_a_list_alone() -> None:
    """For a user's own query its list of columns is all the evidence."""
    closed = ColumnSet(columns=known("a"), closed=True)
    opened = ColumnSet(columns=known("a"), closed=False)
    assert decide_in(DUCKDB, "a", opened, "The query").presence is PRESENT
    assert decide_in(DUCKDB, "b", closed, "The query").presence is ABSENT
    assert decide_in(DUCKDB, "b", opened, "The query").presence is UNKNOWN

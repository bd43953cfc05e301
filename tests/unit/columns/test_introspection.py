"""Tests of SQL that depends on what the warehouse answered while dbt compiled it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dbt_statsig.columns.materializations import asked
from dbt_statsig.vocabulary.verdicts import Presence
from tests.unit.columns.projects import get, model, prover

if TYPE_CHECKING:
    from dbt_statsig.columns.prover import Prover

M = "model.shop.m"


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("select {{ run_query('select 1') }}", "run_query"),
        ("{% call statement('x', fetch_result=true) %}select 1{% endcall %}", "statement"),
        ("{%- set r = load_result('x') -%}", "load_result"),
        ("{% for v in dbt_utils.get_column_values(ref('x'), 'y') %}{% endfor %}", "get_column_values"),
        ("select {{ dbt_utils.star(ref('x')) }}", "star"),
        ("{% if flags.WHICH == 'run' %}1 as a{% endif %}", "flags.WHICH"),
        ("{% set c = adapter.get_columns_in_relation(this) %}", "adapter.get_columns_in_relation"),
        ("{{ return(adapter.dispatch('x')()) }}", ""),
        ("{{ adapter.quote('x') }}", ""),
        ("{# run_query() #} select 1", ""),
        ("select run_query, adapter.x from adapter", ""),
        ("{{ f.fill_staging_columns(source_columns=adapter.get_columns_in_relation(ref('x')), y=z()) }}", ""),
        ("select * from {{ ref('x') }} {% if is_incremental() %}where 1{% endif %}", ""),
    ],
)
def test_what_asks(code: str, found: str) -> None:
    """Calls in Jinja that ask the warehouse or the command are found, and nothing that only looks like them."""
    assert asked(code) == found


def of(raw_code: str, *macros: str, defined: dict[str, Any] | None = None, **more: Any) -> Prover:
    """A prover of a model `m` with this text, calling these macros."""
    node = model("m", "select 1 as a", raw_code=raw_code, **more)
    node["depends_on"]["macros"] = list(macros)
    proof = prover(node)
    proof._manifest._file = type(proof._manifest._file)(macros=_raw(defined or {}))
    return proof


def _raw(content: Any) -> Any:
    import msgspec  # only here

    return msgspec.Raw(msgspec.json.encode(content))


def closed(proof: Prover) -> bool:
    """Whether nothing but the listed columns is there."""
    return proof.columns(get(proof, M)).closed


def macro(sql: str, *calls: str) -> dict[str, Any]:
    """A macro as the manifest holds it."""
    return {"macro_sql": sql, "depends_on": {"macros": list(calls)}}


def test_what_such_sql_gives_is_present_and_selected() -> None:
    """The compiled SQL's columns count; what it does not give is unknown, with the reason."""
    proof = of("{% set x = run_query('select 1') %}select 1 as a")
    columns = proof.columns(get(proof, M))
    assert (columns.closed, columns.selectable) == (False, True)
    assert proof.verdict(get(proof, M), "a").presence is Presence.PRESENT
    other = proof.verdict(get(proof, M), "b")
    assert (other.presence, other.code) == (Presence.UNKNOWN, "column-unknown")
    assert "run_query" in other.message


def test_macros_are_followed() -> None:
    """A macro that calls one that asks counts as asking; circles end; `is_incremental` decides about rows only."""
    asking = {
        "macro.shop.outer": macro("{{ inner() }}", "macro.shop.inner"),
        "macro.shop.inner": macro("{{ outer() }}{{ run_query('x') }}", "macro.shop.outer"),
    }
    assert not closed(of("{{ outer() }}", "macro.shop.outer", defined=asking))
    quiet = {
        "macro.shop.outer": macro("{{ inner() }}", "macro.shop.inner"),
        "macro.shop.inner": macro("{{ outer() }}", "macro.shop.outer"),
        "macro.dbt.is_incremental": macro("{% set r = load_cached_relation(this) %}"),
    }
    proof = of("{{ outer() }}", "macro.shop.outer", "macro.dbt.is_incremental", defined=quiet)
    assert proof.columns(get(proof, M)).closed


def test_a_macro_that_the_manifest_lacks_is_known_by_its_name() -> None:
    """Without the macros' text, names that are known to ask still tell."""
    assert not closed(of("", "macro.dbt_utils.get_column_values"))
    assert not closed(of("", "macro.dbt_utils.star"))
    assert closed(of("", "macro.dbt_utils.generate_surrogate_key"))


def test_sql_that_the_manifest_leaves_out_proves_no_absence() -> None:
    """Betas of dbt 2 write a placeholder for a model's SQL: what it asks is not known."""
    proof = of("--placeholder--")
    assert not closed(proof)
    assert proof.verdict(get(proof, M), "a").presence is Presence.PRESENT
    other = proof.verdict(get(proof, M), "b")
    assert other.presence is Presence.UNKNOWN
    assert "the manifest does not have its SQL as written" in other.message


def test_an_ephemeral_parent_that_asks() -> None:
    """Dbt puts an ephemeral model's SQL into its children, so that these ask too."""
    ephemeral = model("eph", "select 1 as a", config={"materialized": "ephemeral"}, raw_code="{{ run_query('x') }}")
    ephemeral["relation_name"] = None
    child = model("m", "with __dbt__cte__eph as (select 1 as a) select * from __dbt__cte__eph", "model.shop.eph")
    proof = prover(ephemeral, child)
    columns = proof.columns(get(proof, M))
    assert not columns.closed
    assert "the SQL of eph" in columns.reasons[0]


def test_children_that_take_all_columns() -> None:
    """A star over such a model proves no absence either."""
    asking = model("p", "select 1 as a", raw_code="{{ run_query('x') }}")
    proof = prover(asking, model("m", 'select * from "shop"."main"."p"', "model.shop.p"))
    assert proof.verdict(get(proof, M), "b").presence is Presence.UNKNOWN
    assert proof.verdict(get(proof, M), "a").presence is Presence.PRESENT

"""`--state`: the same columns from other SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dbt_statsig.report.text.report import validation_text
from tests.unit.impact.two_states import COLUMNS, changed, effects, marked, other_sql, staging
from tests.unit.project.artifacts.build import manifest_bytes, node

if TYPE_CHECKING:
    from pathlib import Path


ABOUT = 'The assignment source "Exposures" may have other values: the SQL of'
RAW = "select * from {{ ref('stg') }}"
SWAPPED = COLUMNS.replace("variant", "case variant when 'control' then 'test' else 'control' end as variant")


def test_swapped_groups_are_no_all_clear(tmp_path: Path) -> None:
    """Where the model's own SQL changes and its columns do not, that is a note, beside what was compared."""
    found = changed(tmp_path, [staging(), marked("fct")], [staging(), marked("fct", SWAPPED)])
    assert other_sql(found) == [f"{ABOUT} fct changed."]
    assert effects(found) == []
    assert found.ok(strict=True)
    assert "No mapped or selected column changes (1 object compared)." in validation_text(found)


def test_sql_above_counts_too(tmp_path: Path) -> None:
    """The model itself is named first, then those above it; a new model above is no changed one."""
    base = [staging(), marked("fct")]
    now = [{**staging(), "compiled_code": "select distinct * from raw"}, marked("fct", SWAPPED)]
    assert other_sql(changed(tmp_path, base, now)) == [f"{ABOUT} fct, stg changed."]


@pytest.mark.parametrize(
    ("was", "is_now", "notes"),
    [
        ({"raw_code": RAW}, {"raw_code": f"  {RAW}\n"}, 0),
        ({"raw_code": RAW}, {"raw_code": RAW, "compiled_code": f'select {COLUMNS} from "shop"."ci"."stg"'}, 0),
        ({"raw_code": RAW}, {"raw_code": RAW.replace("*", "distinct *")}, 1),
        ({"raw_code": RAW}, {"compiled_code": ""}, 0),
    ],
)
def test_sql_as_written(tmp_path: Path, was: dict[str, Any], is_now: dict[str, Any], notes: int) -> None:
    """SQL is compared as it was written, so another target's schema is no change; nor is white space."""
    found = changed(tmp_path, [staging(), {**marked("fct"), **was}], [staging(), {**marked("fct"), **is_now}])
    assert len(other_sql(found)) == notes


def test_compiled_sql_without_places(tmp_path: Path) -> None:
    """Where SQL as written is missing, compiled SQL is compared, whatever schemas the parents are in."""
    moved = {**staging(), "relation_name": '"shop"."ci"."stg"'}
    fct = marked("fct")
    now = {**fct, "compiled_code": fct["compiled_code"].replace('"main"', '"ci"')}
    base = [{**staging(), "relation_name": '"shop"."main"."stg"'}, fct]
    assert other_sql(changed(tmp_path, base, [moved, now])) == []


def test_a_seed_above(tmp_path: Path) -> None:
    """Another file of a seed above is a change too; where dbt wrote no hash, nothing is reported."""

    def seeded(digest: str) -> list[dict[str, Any]]:
        checksum = {"name": "sha256", "checksum": digest}
        stg = {**staging(), "depends_on": {"nodes": ["seed.shop.codes"], "macros": []}}
        return [node("seed.shop.codes", checksum=checksum), stg, marked("fct")]

    assert other_sql(changed(tmp_path, seeded("a"), seeded("b"))) == [f"{ABOUT} codes changed."]
    assert other_sql(changed(tmp_path, seeded(""), seeded("b"))) == []


def test_a_macro_that_it_calls(tmp_path: Path) -> None:
    """Another text of a macro of the project, however deep, is other SQL of the models that call it."""
    from dbt_statsig.impact.sql_changes import SqlChanges
    from dbt_statsig.project.artifacts import Manifest  # beside the rest of this one test

    def side(text: str, own: str = "a") -> Manifest:
        macros = {
            "macro.shop.outer": {"macro_sql": "outer", "depends_on": {"macros": ["macro.shop.inner", "macro.dbt.ref"]}},
            "macro.shop.inner": {"macro_sql": text, "depends_on": {"macros": ["macro.shop.outer", "macro.shop.gone"]}},
            "macro.shop.bare": {"macro_sql": "bare"},
            "macro.dbt.ref": {"macro_sql": own},
        }
        calls = {"nodes": [], "macros": ["macro.shop.outer", "macro.shop.bare"]}
        return Manifest.from_bytes(
            manifest_bytes(node("model.shop.fct", raw_code=RAW, depends_on=calls), macros=macros)
        )

    assert SqlChanges(side("one"), side("two")).behind("model.shop.fct") == ["fct"]
    assert SqlChanges(side("one"), side("one", "b")).behind("model.shop.fct") == []

"""What a change does to the sources, told from two manifests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dbt_statsig.errors import ArtifactError
from dbt_statsig.vocabulary.findings import Severity
from tests.unit.columns.projects import model
from tests.unit.impact.two_states import COLUMNS, EXPOSURES, changed, effects, marked, staging
from tests.unit.project.artifacts.build import manifest_bytes

if TYPE_CHECKING:
    from pathlib import Path

SAME = [staging(), marked("fct")]


def block(**keys: Any) -> dict[str, Any]:
    """The block of the exposures with other keys."""
    return {"assignment_source": {**EXPOSURES["assignment_source"], **keys}}


def test_no_change_has_no_effect(tmp_path: Path) -> None:
    """Two equal states give no effect, and the number of sources that were compared."""
    validation = changed(tmp_path, SAME, SAME)
    assert effects(validation) == []
    assert validation.impact is not None
    assert validation.impact.compared == 1
    assert validation.ok(strict=True)


def test_without_a_state_nothing_is_compared(tmp_path: Path) -> None:
    """Without artifacts to compare with there is no impact at all."""
    assert changed(tmp_path, SAME, SAME, state=None).impact is None


def test_a_dropped_column_that_is_mapped(tmp_path: Path) -> None:
    """A column that the model loses while the source still maps it is named with its role."""
    now = [staging(), marked("fct", "exposed_at, experiment, variant, country")]
    found = effects(changed(tmp_path, SAME, now))
    ((code, told),) = found
    assert code == "impact-column-dropped"
    assert told.startswith('The assignment source "Exposures" maps the column "user_id" (id_type_mapping.userID),')
    assert told.endswith("which model.shop.fct loses.")


def test_a_dropped_column_that_only_the_sql_selects(tmp_path: Path) -> None:
    """A column that only the SQL selected is reported as well: metrics and filters may use it."""
    now = [staging(), marked("fct", "exposed_at, experiment, variant, user_id")]
    assert effects(changed(tmp_path, SAME, now)) == [
        (
            "impact-selected-column-dropped",
            'The assignment source "Exposures" no longer selects the column "country".',
        )
    ]


def test_another_column_in_a_role(tmp_path: Path) -> None:
    """Another column in one of the roles is reported with both names."""
    now = [staging(), marked("fct", statsig=block(group_id_column="country"))]
    assert effects(changed(tmp_path, SAME, now)) == [
        (
            "impact-source-changed",
            'The assignment source "Exposures" now reads group_id_column from "country" (was "variant").',
        )
    ]


def test_another_spelling_is_no_change(tmp_path: Path) -> None:
    """Where the warehouse does not tell upper and lower case apart, neither does the comparison."""
    now = [staging(), marked("fct", statsig=block(group_id_column="VARIANT"))]
    assert effects(changed(tmp_path, SAME, now)) == []


def test_a_renamed_model(tmp_path: Path) -> None:
    """A source that moved to another model is reported with both, and no column of it counts as lost."""
    found = effects(changed(tmp_path, SAME, [staging(), marked("fct_exposures")]))
    told = 'The assignment source "Exposures" now reads model.shop.fct_exposures (was model.shop.fct).'
    assert found == [("impact-model-renamed", told)]


def test_a_renamed_table(tmp_path: Path) -> None:
    """Another alias of the same model is reported; another schema, as in every pull request's build, is not."""
    found = effects(changed(tmp_path, SAME, [staging(), marked("fct", alias="exposures_v2")]))
    told = 'The assignment source "Exposures" now reads the table "exposures_v2" (was "fct").'
    assert found == [("impact-table-renamed", told)]
    elsewhere = [staging(), {**marked("fct"), "schema": "pr_7", "relation_name": '"shop"."pr_7"."fct"'}]
    assert effects(changed(tmp_path, SAME, elsewhere)) == []


def test_a_removed_source(tmp_path: Path) -> None:
    """A source that is no longer declared is reported; where only a part was selected, it is not."""
    other = marked("other", statsig={"metric_source": {**EXPOSURES["assignment_source"], "name": "Other"}})
    other["config"]["meta"]["statsig"] = {
        "metric_source": {"name": "Other", "timestamp_column": "exposed_at", "id_type_mapping": {"userID": "user_id"}}
    }
    base, now = [*SAME, other], [staging(), other]
    found = effects(changed(tmp_path, base, now))
    assert found == [("impact-source-removed", 'The assignment source "Exposures" is no longer declared.')]
    assert effects(changed(tmp_path, base, now, select=("other",))) == []


@pytest.mark.parametrize(
    ("kind", "then"),
    [("entity_property_source", "renamed"), ("metric_source", "created as a new object; the old one stays")],
)
def test_a_renamed_source(tmp_path: Path, kind: str, then: str) -> None:
    """Another name of the only source of a kind on a model is a new name, told with what Statsig makes of it."""
    keys = {"timestamp_column": "exposed_at", "id_type_mapping": {"userID": "user_id"}}
    base = [staging(), marked("fct", statsig={kind: {"name": "Old", **keys}})]
    now = [staging(), marked("fct", statsig={kind: {"name": "New", **keys}})]
    ((code, told),) = effects(changed(tmp_path, base, now))
    assert code == "impact-source-renamed"
    assert told.endswith(f'"New" was called "Old" before; in Statsig it is {then}.')


def test_names_that_move_on(tmp_path: Path) -> None:
    """C was A, and A was B: both are called renamed, as a plan does, and neither is said to have other rows."""

    def two(schema: str, **where: str) -> list[dict[str, Any]]:
        listed = [{**EXPOSURES["assignment_source"], "name": name, "where": one} for name, one in where.items()]
        fct = marked("fct", statsig={"assignment_source": listed})
        return [staging(), {**fct, "schema": schema, "relation_name": f'"shop"."{schema}"."fct"'}]

    base = two("prod", A="country = 'a'", B="country = 'b'")
    assert effects(changed(tmp_path, base, two("pr_7", C="country = 'a'", A="country = 'b'"))) == [
        ("impact-source-renamed", 'The assignment source "A" was called "B" before; in Statsig it is renamed.'),
        ("impact-source-renamed", 'The assignment source "C" was called "A" before; in Statsig it is renamed.'),
    ]
    exchanged = effects(changed(tmp_path, base, two("pr_7", B="country = 'a'", A="country = 'b'")))
    assert [code for code, _ in exchanged] == ["impact-source-changed"] * 2


def test_two_new_names_are_not_matched(tmp_path: Path) -> None:
    """Where it is not clear which source became which, the old ones count as removed."""
    keys = {"timestamp_column": "exposed_at", "id_type_mapping": {"userID": "user_id"}}
    base = [staging(), marked("fct", statsig={"metric_source": [{"name": name, **keys} for name in ("A", "B")]})]
    now = [staging(), marked("fct", statsig={"metric_source": [{"name": name, **keys} for name in ("C", "D")]})]
    assert [code for code, _ in effects(changed(tmp_path, base, now))] == ["impact-source-removed"] * 2


def test_a_column_lost_above(tmp_path: Path) -> None:
    """A model above that loses a column is reported once, with the sources that it feeds."""
    now = [staging(columns=COLUMNS), marked("fct")]
    assert effects(changed(tmp_path, SAME, now)) == [
        (
            "impact-upstream-column-dropped",
            'model.shop.stg loses extra; it feeds the assignment source "Exposures".',
        )
    ]


def test_a_model_above_that_is_renamed_or_gone(tmp_path: Path) -> None:
    """A model above that vanished is reported, with its new name where a new model has its SQL."""
    now = [staging("stg_exposures"), marked("fct", above="stg_exposures")]
    ((code, told),) = effects(changed(tmp_path, SAME, now))
    assert code == "impact-upstream-gone"
    assert told.startswith("model.shop.stg is now called model.shop.stg_exposures;")
    now = [model("landing", "select 1 as one", alias="landing"), marked("fct", above="landing")]
    ((code, told),) = effects(changed(tmp_path, SAME, now))
    assert told.startswith("model.shop.stg is gone;")


def test_what_cannot_be_compared_is_reported(tmp_path: Path) -> None:
    """A model whose columns one side does not tell is named, and no column of it counts as lost."""
    now = [staging(), {**marked("fct"), "compiled_code": None}]
    codes = dict(effects(changed(tmp_path, SAME, now)))
    assert codes["impact-unknown"] == "The columns of model.shop.fct could not be compared."
    assert set(codes) <= {"impact-unknown", "impact-selected-column-dropped"}


@pytest.mark.parametrize("side", ["base", "now"])
def test_an_open_model_above_is_reported(tmp_path: Path, side: str) -> None:
    """A model above that one side does not tell the columns of is named, whichever side that is."""
    states = {"base": list(SAME), "now": list(SAME)}
    states[side] = [{**staging(), "compiled_code": None}, marked("fct")]
    found = effects(changed(tmp_path, states["base"], states["now"]))
    assert found == [("impact-unknown", "The columns of model.shop.stg could not be compared.")]


def test_many_that_cannot_be_compared_are_counted(tmp_path: Path) -> None:
    """Of more than five that cannot be compared, five are named."""
    keys = {"timestamp_column": "exposed_at", "id_type_mapping": {"userID": "user_id"}}
    several = [marked(f"m{place}", statsig={"metric_source": {"name": f"S{place}", **keys}}) for place in range(7)]
    now = [staging(), *({**node, "compiled_code": None} for node in several)]
    codes = dict(effects(changed(tmp_path, [staging(), *several], now)))
    assert codes["impact-unknown"].endswith("model.shop.m4 and 2 more could not be compared.")
    lost = [staging(columns="exposed_at"), *several]
    told = dict(effects(changed(tmp_path, [staging(), *several], lost)))["impact-upstream-column-dropped"]
    assert told.endswith(" and 2 more.")


def test_strict_leaves_effects_alone(tmp_path: Path) -> None:
    """An effect says what a change does, not that it is wrong: with --strict it is still no error."""
    validation = changed(tmp_path, SAME, [staging(), marked("fct_exposures")], strict=True)
    assert validation.impact is not None
    assert [(found.code, found.severity) for found in validation.impact.effects] == [
        ("impact-model-renamed", Severity.WARNING),
        ("impact-experiments-unchecked", Severity.NOTE),
    ]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ({"where": "country = 'DE'"}, {"where": "country = 'FR'"}, "now has where \"country = 'FR'\" (was"),
        ({"where": "country = 'DE'"}, {"where": "variant = 'a'"}, "now has where \"variant = 'a'\" (was"),
        ({}, {"where": "country = 'DE'"}, "now has where \"country = 'DE'\" (was nothing)."),
        ({"partition_column": "exposed_at"}, {}, 'now has partition_column nothing (was "exposed_at").'),
        ({}, {"sql": f"select {COLUMNS} from fct"}, "now has its own `sql`."),
        ({"sql": f"select {COLUMNS} from fct"}, {}, "no longer has its own `sql`."),
        ({"sql": f"select {COLUMNS} from a"}, {"sql": f"select {COLUMNS} from b"}, "has changed its own `sql`."),
    ],
)
def test_other_rows(tmp_path: Path, old: dict[str, Any], new: dict[str, Any], told: str) -> None:
    """Another predicate, partition or query of the block is reported once, with both where they are short."""
    base, now = ([staging(), marked("fct", statsig=block(**keys))] for keys in (old, new))
    ((code, message),) = [one for one in effects(changed(tmp_path, base, now)) if "selects" not in one[1]]
    assert (code, message.startswith(f'The assignment source "Exposures" {told}')) == ("impact-source-changed", True)


def test_white_space_is_no_change(tmp_path: Path) -> None:
    """A predicate that is written on other lines is the same one."""
    base, now = (
        [staging(), marked("fct", statsig=block(where=where))] for where in ("country = 'DE'", "country\n  = 'DE'\n")
    )
    assert effects(changed(tmp_path, base, now)) == []


def test_other_formulas_of_a_metric_source(tmp_path: Path) -> None:
    """A formula that changes, comes or goes is reported by its key; so are whole days and the kind of source."""
    keys: dict[str, Any] = {
        "name": "Orders",
        "timestamp_column": "exposed_at",
        "id_type_mapping": {"userID": "user_id"},
    }
    old = {**keys, "custom_field_mapping": {"net": "extra * 0.81", "same": "extra", "gone": "extra + 1"}}
    new = {
        **keys,
        "custom_field_mapping": {"net": f"extra * 0.80 + {'1' * 200}", "same": " extra ", "new": "user_id"},
        "timestamp_as_day": True,
    }
    wide = f"{COLUMNS}, extra"
    base, now = ([staging(), marked("fct", wide, statsig={"metric_source": one})] for one in (old, new))
    told = [message.partition('"Orders" ')[2] for _, message in effects(changed(tmp_path, base, now))]
    assert sorted(told) == [
        'computes the custom field gone as nothing instead of "extra + 1".',
        f'computes the custom field net as "extra * 0.80 + {"1" * 105}..." instead of "extra * 0.81".',
        'computes the custom field new as "user_id" instead of nothing.',
        "now has timestamp_as_day true (was nothing).",
    ]


def typed(columns: dict[str, str], *, enforced: bool = True) -> dict[str, Any]:
    """The exposures' model with a contract."""
    listed = {name: {"name": name, "data_type": kind} for name, kind in columns.items()}
    node, contract = marked("fct"), {"enforced": enforced}
    return {**node, "columns": listed, "contract": contract, "config": {**node["config"], "contract": contract}}


TYPES = {"exposed_at": "timestamp", "experiment": "varchar(20)", "variant": "text", "user_id": "int", "country": "text"}


def test_another_type_in_the_contract(tmp_path: Path) -> None:
    """Another type of a mapped column is a warning for each, of those that are only selected one note."""
    new = {**TYPES, "exposed_at": "date", "country": "int", "experiment": "VARCHAR ( 20 )"}
    validation = changed(tmp_path, [staging(), typed(TYPES)], [staging(), typed(new)])
    assert [message.partition('"Exposures" ')[2] for _, message in effects(validation)] == [
        'selects columns whose type changes in the contract: "country" (int, was text).',
        'maps "exposed_at" (timestamp_column), whose contract type is now date (was timestamp).',
    ]
    assert {code for code, _ in effects(validation)} == {"impact-column-type-changed"}
    assert validation.impact is not None
    assert [found.severity for found in validation.impact.effects if found.kind] == [Severity.NOTE, Severity.WARNING]


def test_types_without_a_contract_are_not_compared(tmp_path: Path) -> None:
    """Types that no contract enforces on both sides say nothing."""
    new = {**TYPES, "exposed_at": "date"}
    assert effects(changed(tmp_path, [staging(), typed(TYPES, enforced=False)], [staging(), typed(new)])) == []


def test_both_sides_read_sql_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What reading SQL gave is kept for both sides: a second comparison reads none, and says the same."""
    now = [staging("stg_exposures"), marked("fct", above="stg_exposures")]
    first = changed(tmp_path, SAME, now)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("SQL was read")

    monkeypatch.setattr("dbt_statsig.columns.walk.shape_of", refuse)
    assert changed(tmp_path, SAME, now) == first
    with pytest.raises(AssertionError, match="SQL was read"):
        changed(tmp_path, SAME, now, environ={"XDG_CACHE_HOME": str(tmp_path / "other")})


def test_a_packed_base_is_read(tmp_path: Path) -> None:
    """The base's manifest may be gzip."""
    import gzip  # for this test only

    changed(tmp_path, SAME, SAME)
    plain = tmp_path / "base" / "manifest.json"
    packed = plain.with_suffix(".json.gz")
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    from dbt_statsig.impact.downstream import base_request
    from dbt_statsig.project.request import Request

    plain.unlink()
    request = base_request(Request(project_dir=tmp_path, state=tmp_path / "base", environ={}), target="prod")
    assert (request.manifest, request.state, request.dbt_target) == (packed, None, "prod")


def test_a_folder_without_artifacts(tmp_path: Path) -> None:
    """A base without a manifest is an error that names the file."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(ArtifactError, match=r"no manifest\.json in .*empty\."):
        changed(tmp_path, SAME, SAME, state=tmp_path / "empty")


def test_a_base_of_another_project(tmp_path: Path) -> None:
    """Artifacts of another project give no comparison: nothing of theirs is this project's."""
    base = tmp_path / "other"
    base.mkdir()
    (base / "manifest.json").write_bytes(manifest_bytes(staging(), metadata={"project_name": "bazaar"}))
    with pytest.raises(ArtifactError, match='the dbt project "bazaar", not "shop"'):
        changed(tmp_path, SAME, SAME, state=base)

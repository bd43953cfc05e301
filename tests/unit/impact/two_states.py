"""A project in two states: the artifacts of its base, and those of a change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dbt_statsig.commands.validate import validate
from dbt_statsig.project.request import Request
from tests.unit.columns.projects import model
from tests.unit.project.artifacts.build import manifest_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from dbt_statsig.vocabulary.results import Validation

EXPOSURES = {
    "assignment_source": {
        "name": "Exposures",
        "timestamp_column": "exposed_at",
        "experiment_id_column": "experiment",
        "group_id_column": "variant",
        "id_type_mapping": {"userID": "user_id"},
    }
}
COLUMNS = "exposed_at, experiment, variant, user_id, country"


def marked(name: str, columns: str = COLUMNS, *, above: str = "stg", **fields: Any) -> dict[str, Any]:
    """A model that reads one other and is a source; `statsig` gives another block, `alias` another table."""
    alias = fields.pop("alias", name)
    config = {"meta": {"statsig": fields.pop("statsig", EXPOSURES)}}
    sql = f'select {columns} from "shop"."main"."{above}"'
    node = model(name, sql, f"model.shop.{above}", config=config, alias=alias, **fields)
    return {**node, "relation_name": f'"shop"."main"."{alias}"'}


def staging(name: str = "stg", columns: str = f"{COLUMNS}, extra") -> dict[str, Any]:
    """The model above it."""
    return model(name, f"select {columns} from raw", alias=name)


def write(folder: Path, *nodes: dict[str, Any]) -> Path:
    """A manifest of these nodes in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.json").write_bytes(manifest_bytes(*nodes))
    return folder


def changed(tmp_path: Path, base: list[dict[str, Any]], now: list[dict[str, Any]], **request: Any) -> Validation:
    """The validation of `now`, compared with `base`."""
    state = write(tmp_path / "base", *base)
    manifest = write(tmp_path / "target", *now) / "manifest.json"
    cache = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    return validate(Request(project_dir=tmp_path, manifest=manifest, **{"environ": cache, "state": state, **request}))


def effects(validation: Validation) -> list[tuple[str, str]]:
    """Code and message of each effect, but for changed SQL, and the note that no experiment was asked for."""
    assert validation.impact is not None
    assert set(validation.impact.effects) <= set(validation.findings)
    apart = {"impact-sql-changed", "impact-experiments-unchecked"}
    return [(one.code, one.message) for one in validation.impact.effects if one.code not in apart]


def other_sql(validation: Validation) -> list[str]:
    """What is reported about changed SQL."""
    return [found.message for found in validation.findings if found.code == "impact-sql-changed"]

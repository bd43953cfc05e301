"""Which target a run is for, and whether it may push."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from dbt_statsig.errors import TargetRefused
from dbt_statsig.project.artifacts import Manifest, Node
from dbt_statsig.project.request import Request
from dbt_statsig.project.settings import Settings
from dbt_statsig.project.target import Place, Target, check_target, other_target, refused_place, target_of
from tests.unit.project.artifacts.build import manifest_bytes

if TYPE_CHECKING:
    from pathlib import Path

MINE = "11111111-1111-1111-1111-111111111111"


def results(folder: Path, *, invocation_id: str = MINE, target: str | None = "dev") -> Path:
    """Run results of one dbt command."""
    path = folder / "run_results.json"
    url = "https://schemas.getdbt.com/dbt/run-results/v6.json"
    args = {"which": "run"} if target is None else {"which": "run", "target": target}
    metadata = {"dbt_schema_version": url, "invocation_id": invocation_id}
    path.write_text(json.dumps({"metadata": metadata, "args": args, "results": []}), encoding="utf-8")
    return path


def known(run_results: Path, **given: str | None) -> Target:
    """The target of a run over a manifest of one dbt command."""
    manifest = Manifest.from_bytes(manifest_bytes(metadata={"invocation_id": MINE}))
    return target_of(Request(project_dir=run_results.parent, **given), manifest, run_results)  # type: ignore[arg-type]  # a test's shorthand


def test_what_dbt_says_counts_first(tmp_path: Path) -> None:
    """The word of dbt comes before its run results, and these before what somebody says."""
    path = results(tmp_path)
    assert known(path, dbt_target="live").name == "live"
    assert known(path) == Target(name="dev", is_certain=True)
    assert known(path, target="dev") == Target(name="dev", is_certain=True)
    assert known(results(tmp_path, target=None), target="prod") == Target(name="prod")
    assert known(tmp_path / "none.json") == Target(name="")


def test_results_of_another_command_count_for_nothing(tmp_path: Path) -> None:
    """Run results that another dbt command wrote, or that cannot be read, say nothing about this manifest."""
    assert known(results(tmp_path, invocation_id="another"), target="prod") == Target(name="prod")
    assert known(results(tmp_path, invocation_id=""), target="prod") == Target(name="prod")
    (tmp_path / "run_results.json").write_text("{", encoding="utf-8")
    assert known(tmp_path / "run_results.json") == Target(name="")


@pytest.mark.parametrize(
    ("given", "doubt"),
    [
        ({"target": "prod"}, '--target (or DBT_TARGET) says "prod", but run_results.json of the same dbt command'),
        ({"target": "prod", "dbt_target": "dev"}, '--target (or DBT_TARGET) says "prod", but dbt says "dev".'),
        ({"dbt_target": "prod"}, 'run_results.json of the same dbt command says "dev", but dbt says "prod".'),
    ],
)
def test_a_contradiction_may_not_push(tmp_path: Path, given: dict[str, str], doubt: str) -> None:
    """Where any two of dbt, its run results and the user name other targets, nothing may push, whatever is allowed."""
    target = known(results(tmp_path), **given)
    assert doubt in target.conflict
    with pytest.raises(TargetRefused, match="Nothing was pushed"):
        check_target(target, Settings())


@pytest.mark.parametrize(
    ("name", "allowed", "message"),
    [
        ("dev", ("prod", "ci"), '"dev" may not push; allowed: prod, ci'),
        ("", ("prod",), "is not known, and only these may push: prod"),
        ("dev", (), "allowed: none"),
    ],
)
def test_refused(name: str, allowed: tuple[str, ...], message: str) -> None:
    """A target that is not listed, or not known, is refused, with the list and the next step."""
    with pytest.raises(TargetRefused, match=message) as raised:
        check_target(Target(name=name), Settings(allowed_targets=allowed))
    assert raised.value.fix


def test_allowed() -> None:
    """Without a list any target may push, an unknown one too; with one, those that are listed."""
    check_target(Target(name=""), Settings())
    check_target(Target(name="prod"), Settings(allowed_targets=("ci", "prod")))


def test_places() -> None:
    """A database or schema that is not listed is refused by name; upper and lower case do not matter."""
    node = Node(unique_id="m", name="m", resource_type="model", package_name="p", database="Prod", schema=None)
    assert refused_place(node, Settings()) == ""
    assert refused_place(node, Settings(allowed_databases=("PROD",))) == ""
    assert 'database "Prod"' in refused_place(node, Settings(allowed_databases=("other",)))
    assert 'schema ""' in refused_place(node, Settings(allowed_databases=("prod",), allowed_schemas=("marts",)))


def built(schema_: str, database_: str = "db", /, *, kind: str = "model", **config: object) -> Node:
    """A node that dbt builds."""
    names = {"unique_id": f"{kind}.p.m", "name": "m", "resource_type": kind, "package_name": "p"}
    return Node(**names, database=database_, schema=schema_, config=config)  # type: ignore[arg-type]  # a test's shorthand


PLACES = {
    "dev": Place(database="db", schema="ana"),
    "prod": Place(database="db", schema="marts"),
    "old": Place(database="db", schema="marts_x"),
    "unread": Place(),
}


@pytest.mark.parametrize(
    ("nodes", "doubt"),
    [
        ((built("marts"),), ""),
        ((built("MARTS_staging", schema="staging"), built("elsewhere")), ""),
        (
            (built("ana"), built("ana_staging", schema="staging")),
            'prod" builds in db.marts, but the manifest builds m in db.ana, as target "dev" does',
        ),
        ((built("marts_x"),), 'as target "old" does'),
        ((built("tmp"),), "the manifest builds m in db.tmp."),
        ((built("marts", "db2"),), "the manifest builds m in db2.marts."),
        ((built("marts", "db2", database="db2"),), ""),
        ((built("raw", kind="source"),), ""),
        ((built("hist", kind="snapshot", target_schema="hist"),), ""),
        ((), ""),
    ],
)
def test_a_manifest_of_another_target(nodes: tuple[Node, ...], doubt: str) -> None:
    """A manifest is of another target where none of its nodes is where profiles.yml says that the target builds."""
    found = other_target("prod", PLACES, nodes, own_names=False)
    assert doubt in found
    assert bool(found) == bool(doubt)
    assert other_target("unread", PLACES, nodes, own_names=False) == ""
    assert other_target("unknown", PLACES, nodes, own_names=False) == ""


def test_own_names_of_schemas() -> None:
    """With the project's own generate_schema_name, only a manifest that fits another target's schema is doubted."""
    assert other_target("prod", PLACES, [built("finance", schema="finance")], own_names=True) == ""
    assert 'as target "dev" does' in other_target("prod", PLACES, [built("ana")], own_names=True)

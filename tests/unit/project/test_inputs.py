"""What a run starts from: whether a dbt command built tables, and of which manifest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dbt_statsig.errors import ArtifactError, UsageError
from dbt_statsig.project.artifacts import Manifest
from dbt_statsig.project.inputs import artifacts_dir, built_by, load_inputs
from dbt_statsig.project.request import Request
from tests.unit.project.artifacts.build import manifest_bytes, node, schema

RAW = '"db"."raw"."orders"'


def manifest(*compiled: str) -> Manifest:
    """A manifest with one model for each SQL; all of them read one seed."""
    seed = node("seed.shop.orders", relation_name=RAW)
    reads = {"macros": [], "nodes": ["seed.shop.orders"]}
    models = [
        node(f"model.shop.m{number}", compiled_code=code, compiled=True, depends_on=reads)
        for number, code in enumerate(compiled)
    ]
    return Manifest.from_bytes(manifest_bytes(seed, *models))


def results(folder: Path, *, which: str = "build", invocation_id: str = "inv-1", **args: object) -> Path:
    """Run results in which every node ended well."""
    path = folder / "run_results.json"
    ids = ["seed.shop.orders", "model.shop.m0", "model.shop.m1"]
    content = {
        "metadata": {"dbt_schema_version": schema("run-results", 6), "invocation_id": invocation_id},
        "args": {"which": which, **args},
        "results": [{"unique_id": unique_id, "status": "success"} for unique_id in ids],
    }
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "compiled",
    [
        (f"select * from (select * from {RAW} limit 0)",),
        (f"select * from (select * from {RAW} where false limit 0) _dbt_limit_subq", "select 1"),
        (f"with a as (select * from (SELECT * FROM {RAW} LIMIT 0)) select * from (select * from {RAW} limit 0) o",),
    ],
)
def test_a_build_without_rows_shows_in_its_sql(tmp_path: Path, compiled: tuple[str, ...]) -> None:
    """Where the compiled SQL of all that was built reads no rows, it was built with --empty, recorded or not."""
    with pytest.raises(UsageError, match="`dbt build --empty`, which builds no tables"):
        built_by(results(tmp_path), manifest(*compiled))


def test_a_relation_that_begins_like_another(tmp_path: Path) -> None:
    """Relations that are not quoted are distinguished where one is how another begins."""
    seeds = [node(f"seed.shop.{name}", relation_name=f"db.raw.{name}") for name in ("orders", "orders_old")]
    code = " union all ".join(
        f"select * from (select * from db.raw.{name} limit 0)" for name in ("orders", "orders_old")
    )
    reads = {"macros": [], "nodes": ["seed.shop.orders", "seed.shop.orders_old"]}
    built = Manifest.from_bytes(
        manifest_bytes(*seeds, node("model.shop.m0", compiled_code=code, compiled=True, depends_on=reads))
    )
    with pytest.raises(UsageError, match="--empty"):
        built_by(results(tmp_path), built)


@pytest.mark.parametrize(
    "compiled",
    [
        (f"select * from {RAW}",),
        (f"select * from (select * from {RAW} limit 0)", f"select * from {RAW}"),
        (f"select * from (select * from {RAW} limit 0) union all select * from {RAW}",),
        ("select 1", "select * from (select * from other limit 0)"),
        (),
    ],
)
def test_a_build_with_rows(tmp_path: Path, compiled: tuple[str, ...]) -> None:
    """A model that reads no rows beside others that do, or of what dbt does not build, is nobody's --empty."""
    assert built_by(results(tmp_path), manifest(*compiled))["seed.shop.orders"] == "success"


def test_results_that_say_nothing(tmp_path: Path) -> None:
    """Recorded --empty, a command that builds nothing, or results of another command: nothing to go by."""
    with pytest.raises(UsageError, match="--empty"):
        built_by(results(tmp_path, empty=True), manifest("select 1"))
    with pytest.raises(UsageError, match="`dbt compile`, which builds no tables"):
        built_by(results(tmp_path, which="compile"), manifest("select 1"))
    with pytest.raises(UsageError, match="`dbt docs generate`, which builds no tables"):
        built_by(results(tmp_path, which="generate"), manifest("select 1"))
    with pytest.raises(ArtifactError, match="different dbt commands"):
        built_by(results(tmp_path, invocation_id="inv-2"), manifest("select 1"))


@pytest.mark.parametrize("name", ["manifest.json", "catalog.json", "run_results.json"])
def test_the_setting_bounds_every_artifact(tmp_path: Path, name: str) -> None:
    """An artifact that is larger than `max_artifact_mb` says is refused with file, size and setting."""
    (tmp_path / "dbt_project.yml").write_text("name: shop\n", encoding="utf-8")
    (tmp_path / "dbt_statsig.yml").write_text("max_artifact_mb: 1\n", encoding="utf-8")
    target = tmp_path / "target"
    target.mkdir()
    (target / "manifest.json").write_bytes(manifest_bytes(node("model.shop.orders")))
    (target / name).write_bytes(b" " * (3 << 20))
    request = Request(project_dir=tmp_path, run_results=target / name if name == "run_results.json" else None)
    with pytest.raises(ArtifactError, match=rf"{name} has 3\.0 MB; the setting `max_artifact_mb` allows 1 MB"):
        load_inputs(request)


@pytest.mark.parametrize(
    ("written", "folder"),
    [
        ("build", "build"),
        ('"build"  # of {x}', "build"),
        ("\"{{ env_var('T', 'out') }}\"", "out"),
        ("'{{ env_var(\"HERE\") }}/dbt'", "here/dbt"),
    ],
)
def test_where_dbt_writes(tmp_path: Path, written: str, folder: str) -> None:
    """The folder of artifacts is the one of dbt_project.yml, where an environment variable names it too."""
    (tmp_path / "dbt_project.yml").write_text(f"name: shop\ntarget-path: {written}\n", encoding="utf-8")
    assert artifacts_dir(Request(project_dir=tmp_path, environ={"HERE": "here"})) == tmp_path / folder


def test_a_target_path_that_only_dbt_can_read(tmp_path: Path) -> None:
    """What is not known is no reason to read a manifest in `target/`, which may be an old one."""
    (tmp_path / "dbt_project.yml").write_text('name: shop\ntarget-path: "{{ target.name }}"\n', encoding="utf-8")
    with pytest.raises(UsageError, match="which only dbt can read") as caught:
        artifacts_dir(Request(project_dir=tmp_path, environ={}))
    assert "--target-path" in caught.value.fix
    given = Request(project_dir=tmp_path, environ={}, target_path=Path("there"))
    assert artifacts_dir(given) == tmp_path / "there"

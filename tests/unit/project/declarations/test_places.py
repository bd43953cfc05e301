"""Tests of places: where a key is found in YAML, and what happens where it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dbt_statsig.project.artifacts.nodes import Node
from dbt_statsig.project.declarations import declare
from dbt_statsig.project.declarations.places import NodePlaces, Places
from dbt_statsig.project.settings import Settings
from dbt_statsig.vocabulary.findings import Finding, Location
from tests.unit.project.declarations.project import FILE, declared, one_model, output

if TYPE_CHECKING:
    from pathlib import Path

KEYS = ("statsig", "metric_source", "name")


def _at(project_dir: Path | None, key: tuple[str | int, ...] = KEYS, **fields: object) -> Location | None:
    values: dict[str, object] = {
        "unique_id": "model.shop.orders",
        "name": "orders",
        "resource_type": "model",
        "package_name": "shop",
        "path": "models/orders.sql",
        "patch_path": FILE,
        "fqn": ("shop", "marts", "orders"),
    }
    node = Node(**(values | fields))  # type: ignore[arg-type] # fields of a node, by name
    return NodePlaces(node, Places(project_dir)).at(key)


def _write(project_dir: Path, text: str, name: str = FILE) -> None:
    file = project_dir / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


META = "config: {meta: {statsig: {metric_source: {name: A}}}}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"models:\n  - name: orders\n    {META}\n", (3, 47)),
        (f"models:\n- name: orders # the table\n  {META}\n- name: b\n", (3, 45)),
        (f"models:\n  - name: 'orders'\n\n    # why\n    {META}\n  - name: b\n", (5, 47)),
        (f'models:\r\n  - name: "orders"\r\n    {META}\r\n', (3, 47)),
        (f"models:\n  - {META}\n    name: orders\n", (2, 47)),
        ("models: [{name: orders, meta: {statsig: {metric_source: {name: A}}}}]\n", (1, 58)),
        ("models:\n  - name: orders\n    meta:\n      statsig:\n        metric_source:\n          name: A\n", (6, 11)),
        (f"models:\n  - name: b\n    columns: [{{name: orders}}]\n  - name: orders\n    {META}\n", (5, 47)),
        (f"models:\n  - name: b\n    columns:\n      - name: orders\n  - name: orders\n    {META}\n", (6, 47)),
        (f"seeds:\n  - name: orders\nmodels:\n  - name: orders\n    {META}\n", (5, 47)),
        ("x: &m {statsig: {metric_source: {name: A}}}\nmodels:\n  - name: orders\n    meta: *m\n", (1, 34)),
        ("x: &m {statsig: {metric_source: {name: A}}}\nmodels:\n  - name: orders\n    meta: {<<: *m}\n", (1, 34)),
        ("models:\n  - name: orders\n    description: |\n      - name: orders\n\n    " + META + "\n", (6, 47)),
        (f"models:\n  - name: orders\n    {META}\n  - name: b\n   broken: [\n", (3, 47)),
        ("models:\n  - name: orders\n    meta: {statsig: {metric_source: B}}\n", (3, 22)),
        ("models:\n  - name: orders\n    meta: {statsig: x}\n", (3, 12)),
        ("models:\n  - name: orders\n", (2, 5)),
        ("models:\n  - name: others\n", (0, 0)),
        ("models: 3\n", (0, 0)),
        ("", (0, 0)),
    ],
)
def test_the_place_of_a_key(tmp_path: Path, text: str, expected: tuple[int, int]) -> None:
    """A key is found in every way to write a model; where it is not, the nearest thing above it that is."""
    _write(tmp_path, text)
    assert _at(tmp_path) == Location(FILE, *expected)


def test_nested_entries_of_the_same_name(tmp_path: Path) -> None:
    """A column of another model that has the model's name is not taken for it."""
    _write(tmp_path, f"models:\n  - name: b\n    columns:\n      - name: orders\n        {META}\n")
    assert _at(tmp_path) == Location(FILE)


def test_a_version(tmp_path: Path) -> None:
    """A version's own meta is nearer than its model's."""
    text = f"models:\n  - name: orders\n    {META}\n    versions:\n      - v: 1\n      - v: 2\n        {META}\n"
    _write(tmp_path, text)
    assert _at(tmp_path, version=2, latest_version=2) == Location(FILE, 7, 51)
    assert _at(tmp_path, version=1, latest_version=2) == Location(FILE, 3, 47)


def test_a_source_table(tmp_path: Path) -> None:
    """Tables are found below their source; what they inherit is found at the source."""
    text = f"sources:\n  - name: raw\n    {META}\n    tables:\n      - name: a\n      - name: orders\n        {META}\n"
    _write(tmp_path, text)
    fields: dict[str, Any] = {"resource_type": "source", "source_name": "raw"}
    assert _at(tmp_path, **fields) == Location(FILE, 7, 51)
    assert _at(tmp_path, **fields, name="a") == Location(FILE, 3, 47)
    assert _at(tmp_path, **fields, name="a", key=("statsig_defaults",)) == Location(FILE, 5, 9)


@pytest.mark.parametrize("key", ["+meta", "meta"])
def test_meta_of_a_folder(tmp_path: Path, key: str) -> None:
    """What dbt_project.yml gives to the folder is found there, the deepest folder first."""
    text = f"name: shop\nmodels:\n  shop:\n    {key}: {{statsig: 1}}\n    marts:\n      {key}: {{statsig: 2}}\n"
    _write(tmp_path, text, "dbt_project.yml")
    _write(tmp_path, "models:\n  - name: orders\n")
    assert _at(tmp_path) == Location("dbt_project.yml", 6, 11 + len(key) - 1)
    assert _at(tmp_path, ("columns", "a", "statsig")) == Location(FILE, 2, 5)


def test_without_a_folder() -> None:
    """Without the project's folder the file is named, without a line; without a file, nothing."""
    assert _at(None) == Location(FILE)
    assert _at(None, patch_path="") == Location("models/orders.sql")
    assert _at(None, patch_path="", path="") is None
    assert _at(None, patch_path="models\\a.yml") == Location("models/a.yml")
    assert _at(None, ("dbt_statsig.yml", "defaults")) == Location("dbt_statsig.yml")


def test_a_file_outside_the_project(tmp_path: Path) -> None:
    """A path that leads out of the project is not read."""
    _write(tmp_path, f"models:\n  - name: orders\n    {META}\n", "x.yml")
    project = tmp_path / "project"
    project.mkdir()
    assert _at(project, patch_path="../x.yml") == Location("../x.yml")
    assert _at(project, patch_path="nul\0.yml") == Location("nul\0.yml")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"models:\n  - name: a\n   b: [\n", "did not find expected"),
        (b"\xff\xfe\xff", "it is not UTF-8 (byte 0)."),
        (b"models: \x07\n", "a character that YAML does not allow"),
        (b"- " * 200_000, "nested too deeply"),
        (b"#" * 20_000_001, "it is larger than 20000000 bytes."),
    ],
)
def test_a_file_that_cannot_be_read(tmp_path: Path, data: bytes, message: str) -> None:
    """A broken property file costs the lines in it and gives one warning; the findings stay."""
    text = "models:\n  - name: a\n    config: {meta: {statsig: {metric_source: A}}}\n"
    assert len(declared(text, tmp_path).findings) == 2
    (tmp_path / FILE).write_bytes(data)
    found = _declared_from(text, tmp_path, data)
    faults = [one for one in found if one.startswith("yaml-unreadable")]
    assert len(faults) == 1
    assert message in faults[0]
    assert len(found) == 3


def _declared_from(text: str, project_dir: Path, data: bytes) -> list[str]:
    """The findings of a project whose file is broken since dbt read it."""
    elsewhere = project_dir / "before"
    found = declared(text, elsewhere)
    file = elsewhere / FILE
    file.write_bytes(data)
    node = found.declarations[0].node
    return [output(one) for one in _declare_again(node, elsewhere)]


def _declare_again(node: Node, project_dir: Path) -> tuple[Finding, ...]:
    class Known:
        def marked(self) -> tuple[Node, ...]:
            return (node,)

        def unsupported_marked(self) -> tuple[Node, ...]:
            return ()

    return declare(Known(), settings=Settings(), project_dir=project_dir).findings


def test_a_list_that_grew_shorter(tmp_path: Path) -> None:
    """An item that the file no longer has is placed at its list."""
    _write(tmp_path, "models:\n  - name: orders\n    meta: {statsig: {metric_source: [A]}}\n")
    assert _at(tmp_path, ("statsig", "metric_source", 0)) == Location(FILE, 3, 38)
    assert _at(tmp_path, ("statsig", "metric_source", 1)) == Location(FILE, 3, 22)
    assert _at(tmp_path, ("statsig", 0)) == Location(FILE, 3, 12)


def test_a_moved_block(tmp_path: Path) -> None:
    """A file that changed since dbt read it still gives the nearest place, and no fault."""
    _write(tmp_path, "models:\n  - name: orders\n    description: x\n    config: {meta: {}}\n")
    assert _at(tmp_path) == Location(FILE, 2, 5)


def test_keys_that_occur_twice(tmp_path: Path) -> None:
    """Equal keys in a block or a mark are reported at the second, and concern the source that they are in."""
    found = one_model(
        """
        statsig:
          metric_source:
            name: A
            timestamp_column: a
            timestamp_column: b
            id_type_mapping: {userID: x, userID: y}
        statsig:
          metric_source:
            name: A
            timestamp_column: a
            timestamp_column: b
            id_type_mapping: {userID: x, userID: y}
        other: {a: 1, a: 2}
        """,
        tmp_path,
        columns="- {name: c, config: {meta: {statsig: {unit_id: z, unit_id: z}}}}",
    )
    duplicates = [one for one in found.findings if one.code == "duplicate-key"]
    assert [str(one.location) for one in duplicates] == [
        f"{FILE}:9:13",
        f"{FILE}:10:42",
        f"{FILE}:11:9",
        f"{FILE}:15:13",
        f"{FILE}:16:42",
        f"{FILE}:19:57",
    ]
    assert duplicates[0].message == (
        "`statsig.metric_source.timestamp_column` is already given in line 8. YAML keeps only the last one."
    )
    assert [(one.kind, one.source) for one in duplicates][2] == ("", "")
    assert {(one.kind, one.source) for one in duplicates if one.key.startswith("statsig.")} == {("metric_source", "A")}


def test_aliases_that_expand_without_end(tmp_path: Path) -> None:
    """An alias bomb in a block is not followed."""
    lines = ["models:", "  - name: orders", "    meta:", "      statsig:", "        a0: &a0 [x, x]"]
    lines += [f"        a{number}: &a{number} [{', '.join([f'*a{number - 1}'] * 9)}]" for number in range(1, 12)]
    _write(tmp_path, "\n".join(lines))
    node = Node(unique_id="m", name="orders", resource_type="model", package_name="shop", patch_path=FILE)
    assert list(NodePlaces(node, Places(tmp_path)).duplicates()) == []


def test_the_folder_of_a_package(tmp_path: Path) -> None:
    """A package's files are those in its folder, wherever the project installs packages."""
    _write(tmp_path, f"models:\n  - name: orders\n    {META}\n")
    (tmp_path / "dbt_project.yml").write_text("name: shop\n", encoding="utf-8")
    node = Node(
        unique_id="model.pkg.orders", name="orders", resource_type="model", package_name="pkg", path="models/orders.sql"
    )
    assert NodePlaces(node, Places(tmp_path)).at(("statsig",)) == Location("dbt_packages/pkg/models/orders.sql")
    (tmp_path / "dbt_project.yml").write_text("name: shop\npackages-install-path: lib/\n", encoding="utf-8")
    assert NodePlaces(node, Places(tmp_path)).at(("statsig",)) == Location("lib/pkg/models/orders.sql")
    assert NodePlaces(node, Places(None)).at(("statsig",)) == Location("models/orders.sql")


def test_a_block_in_the_models_own_file(tmp_path: Path) -> None:
    """What the model's SQL gives with `config(meta=…)`, and its YAML does not, is placed in the SQL file."""
    _write(tmp_path, "models:\n  - name: orders\n")
    (tmp_path / "models" / "orders.sql").write_text("{{ config(meta={'statsig': {}}) }} select 1", encoding="utf-8")
    assert _at(tmp_path) == Location("models/orders.sql")
    _write(tmp_path, f"models:\n  - name: orders\n    {META}\n")
    found = _at(tmp_path)
    assert found is not None
    assert found.path == FILE

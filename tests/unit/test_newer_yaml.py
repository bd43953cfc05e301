"""YAML that was changed after the manifest: named where that is certain, and nowhere else."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from dbt_statsig.project.artifacts import Manifest
from dbt_statsig.project.newer_yaml import NewerYaml, newer_yaml, outdated
from dbt_statsig.project.settings import SemanticLayerSettings
from dbt_statsig.vocabulary.findings import Severity
from tests.unit.project.artifacts.build import manifest_bytes, node

if TYPE_CHECKING:
    from pathlib import Path

FILE = "models/_m.yml"
BLOCK = {"metric_source": {"name": "Orders", "timestamp_as_day": True, "tags": ["a", "b"]}}
YAML = "{metric_source: {name: Orders, timestamp_as_day: true, tags: [a, b]}}"
OTHER = "{metric_source: {name: Orders of shops}}"


def orders(block: Any = BLOCK, **fields: Any) -> dict[str, Any]:
    """A model with this block, whose properties are in the file."""
    meta = {} if block is None else {"statsig": block}
    return node("model.shop.orders", **{"meta": meta, "patch_path": f"shop://{FILE}", **fields})


VERSIONED = node(
    "model.shop.orders.v1", version=1, meta={"statsig": BLOCK}, patch_path=f"shop://{FILE}", original_file_path="x.sql"
)


def entry(block: str, more: str = "") -> str:
    """A property file with one model of this block."""
    return f"models:\n  - name: orders\n    config: {{meta: {{statsig: {block}}}}}\n{more}"


def project(folder: Path, text: str, *, file: str = FILE, settings: str = "name: shop\n") -> Path:
    """A project with one property file, which is newer than the manifests of these tests."""
    (folder / "models").mkdir(exist_ok=True)
    (folder / "dbt_project.yml").write_text(settings, encoding="utf-8")
    (folder / "models" / "orders.sql").write_text("select 1", encoding="utf-8")
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    (folder / file).write_text(text, encoding="utf-8")
    return folder


def found(folder: Path, *nodes: dict[str, Any], disabled: Any = None, **metadata: Any) -> list[str]:
    """The files that are named, with the fault of each that is no YAML."""
    path = folder / "manifest.json"
    path.write_bytes(manifest_bytes(*nodes, metadata=metadata, disabled=disabled or {}))
    manifest = Manifest.from_bytes(path.read_bytes(), path)
    return [
        f"{one.path}:{one.line} {one.fault}" if one.fault else one.path
        for one in newer_yaml(manifest, path, folder, SemanticLayerSettings())
    ]


SOURCES = "sources:\n  - name: raw\n    meta: {statsig: %s}\n    tables: [{name: orders}]\n"
COLUMN = "    columns:\n      - name: id\n        %s: {unit_id: userID}%s\n"
TAGGED = "    columns:\n      - name: id\n        config: {tags: %s}\n"
IN_CONFIG, IN_META = ("config: {meta: {statsig", "}}"), ("meta: {statsig", "}")
MARKED = {"id": {"name": "id", "config": {"meta": {"statsig": {"unit_id": "userID"}}}}}


@pytest.mark.parametrize(
    ("text", "nodes"),
    [
        (entry(OTHER), [orders()]),
        (entry(YAML), [orders(None)]),
        (entry(YAML), []),
        ("models:\n  - name: orders\n", [orders()]),
        ("models: []\n", [orders()]),
        ("models: {statsig: 1}\n", [orders()]),
        (entry("{metric_source: {name: Orders, timestamp_as_day: true, tags: [a, c]}}"), [orders()]),
        (entry("metric_source"), [orders()]),
        (entry(YAML, "      \n    meta: {statsig_defaults: {tags: [x]}}\n"), [orders()]),
        (entry(YAML, COLUMN % IN_CONFIG), [orders()]),
        (entry(YAML), [orders(columns=MARKED)]),
        (SOURCES % OTHER, [node("source.shop.raw.orders", meta={"statsig": BLOCK}, original_file_path=FILE)]),
        (SOURCES % YAML, []),
        ("", [orders()]),
        (entry(YAML, TAGGED % "[a, pii]"), [orders(columns={"id": {"name": "id", "tags": ["a"]}})]),
        (entry(YAML, TAGGED % "pii"), [orders(columns={"id": {"name": "id"}})]),
        ("snapshots:\n  - name: kept\n    relation: ref('x')\n    config: {meta: {statsig: {}}}\n", []),
    ],
)
def test_a_block_that_the_manifest_does_not_have(tmp_path: Path, text: str, nodes: list[dict[str, Any]]) -> None:
    """A newer file is named where a block was changed, added or removed, of a model, a column or a source."""
    assert found(project(tmp_path, text), *nodes, node("model.shop.other")) == [FILE]


@pytest.mark.parametrize(
    ("text", "nodes"),
    [
        (entry(YAML), [orders()]),
        (entry(YAML.replace("Orders", "'{{ var(''name'') }}'")), [orders()]),
        (entry(YAML), [orders(OTHER, raw_code="{{ config(meta={'statsig': 1}) }} select 1")]),
        (entry(YAML.replace("true", "yes")), [orders()]),
        (entry("{metric_source: {name: 2024-01-01, n: 3.0}}"), [orders({"metric_source": {"name": "x", "n": 3}})]),
        (entry(YAML) + "  - name: misspelled\n    meta: {statsig: {}}\n", [orders()]),
        (f"models:\n  - name: orders\n    versions: [{{v: 1}}]\n    meta: {{statsig: {OTHER}}}\n", [VERSIONED]),
        (
            entry(YAML, COLUMN % IN_META),
            [orders(columns={"id": {"name": "id", "meta": {"statsig": {"unit_id": "userID"}}}})],
        ),
        ("models:\n  - name: other\n    description: about statsig\n", []),
        (
            entry(YAML, TAGGED % "[a, '{{ var(''tag'') }}', 1]"),
            [orders(columns={"id": {"name": "id", "tags": ["a", "b"]}})],
        ),
        ("x: &m {statsig: {a: {<<: *m}}}\nmodels:\n  - name: orders\n    meta: *m\n", [orders()]),
        (f"models:\n  - name: other\n{'  ' * 500}- [{'[' * 3000}\n# statsig", []),
        (entry('{1: "a\\n"}'), [orders({"1": "a"})]),
    ],
)
def test_what_is_the_same_or_cannot_be_known(tmp_path: Path, text: str, nodes: list[dict[str, Any]]) -> None:
    """A newer file is not named where it says the same, or where only dbt can tell."""
    version = {"dbt_version": "1.9.0"} if "columns" in text else {}
    assert found(project(tmp_path, text), *nodes, node("model.shop.other"), **version) == []


def test_a_large_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where very many files are newer, entries that do not concern Statsig are not read, and changes are found."""
    many = "".join(f"  - name: m{number}\n    columns:\n      - name: id\n\n" for number in range(9))
    changed, same = entry(OTHER, many), entry(YAML, many + "sources:\n- name: raw\n  tables: []\n")
    for limit in (0, 1_000_000):
        monkeypatch.setattr("dbt_statsig.project.newer_yaml._WHOLE", limit)
        assert found(project(tmp_path, same), orders()) == []
        assert found(project(tmp_path, changed), orders()) == [FILE]
        assert found(project(tmp_path, f"models:\n{many}"), orders()) == [FILE]
        (fault,) = found(project(tmp_path, "models:\n  - name: [orders\n"), orders())
        assert fault.startswith(f"{FILE}:3 ")
        broken = found(project(tmp_path, same + "  - name: [other\n"), orders())
        assert [one.partition(" ")[0] for one in broken] == ([f"{FILE}:43"] if limit else [])


@pytest.mark.parametrize(
    "text",
    [
        f"x: &m {{statsig: {OTHER}}}\nmodels:\n  - name: orders\n    meta: *m\n",
        f"models:\n- {{name: orders, meta: {{statsig: {OTHER}}}}}\n",
        f"models:\n  -\n    name: orders\n    meta: {{statsig: {OTHER}}}\n",
        f'models:\n  - meta: {{statsig: {OTHER}}}\n    description: "\n  - "\n    name: orders\n',
    ],
)
def test_other_ways_to_write_an_entry(tmp_path: Path, text: str) -> None:
    """A changed block is found however its entry is written: at the margin, in one line, by an alias, around a text."""
    assert found(project(tmp_path, text), orders()) == [FILE]
    assert found(project(tmp_path, text.replace(OTHER, YAML)), orders()) == []


def test_a_tag_of_a_model_without_a_block(tmp_path: Path) -> None:
    """A tag that hides a column changes nothing of a model that is not for Statsig."""
    text = entry(YAML, "  - name: other\n" + TAGGED % "[pii]" + "    # about statsig\n")
    assert found(project(tmp_path, text), orders(), node("model.shop.other", columns={"id": {"name": "id"}})) == []


def test_a_disabled_node(tmp_path: Path) -> None:
    """Of a node that is disabled in this target dbt may have read less than its YAML says."""
    disabled = {"model.shop.orders": [orders({})]}
    assert found(project(tmp_path, entry(YAML)), node("model.shop.other"), disabled=disabled) == []


def test_a_checkout_of_now_beside_an_older_manifest(tmp_path: Path) -> None:
    """The time of a file alone proves nothing; a file that is older than the manifest is not looked at."""
    folder = project(tmp_path, entry(YAML))
    assert found(folder, orders()) == []
    (folder / FILE).write_text(entry(OTHER), encoding="utf-8")
    assert found(folder, orders()) == [FILE]
    os.utime(folder / FILE, (0, 0))
    assert found(folder, orders()) == []


def test_a_manifest_of_a_clock_that_goes_wrong(tmp_path: Path) -> None:
    """A manifest whose time is still to come is as old as its file: else no edit would ever be named."""
    folder = project(tmp_path, entry(OTHER))
    future = "2999-01-01T00:00:00Z"
    os.utime(folder / FILE, (2**33, 2**33))
    assert found(folder, orders(), generated_at=future) == [FILE]
    os.utime(folder / FILE, (0, 0))
    assert found(folder, orders(), generated_at=future) == []


def test_a_manifest_without_a_time(tmp_path: Path) -> None:
    """Where the manifest does not say when it was written, its file does."""
    folder = project(tmp_path, entry(OTHER))
    os.utime(folder / FILE, (0, 0))
    assert found(folder, orders(), generated_at=None) == []


def test_broken_yaml(tmp_path: Path) -> None:
    """A newer file that is no YAML is named with the place of the fault, however good the manifest's block is."""
    (fault,) = found(project(tmp_path, "models:\n  - name: [orders\n"), orders())
    assert fault.startswith(f"{FILE}:3 ")


@pytest.mark.parametrize(
    ("settings", "file"),
    [
        ("name: shop\nmodel-paths: [marts]\n", "marts/deep/_m.yml"),
        ("name: shop\nmodel-paths:\n  - 'marts'\n  - \"other\"\nseed-paths: []\n", "other/_m.yaml"),
        ('name: shop\nmodel-paths: ["."]\n', "_m.yml"),
    ],
)
def test_the_project_s_own_folders(tmp_path: Path, settings: str, file: str) -> None:
    """New files are looked for in the folders that dbt_project.yml names; a list that Jinja makes is left out."""
    text = f"sources:\n  - name: raw\n    tables:\n      - name: orders\n        meta: {{statsig: {YAML}}}\n"
    folder = project(tmp_path, text, file=file, settings=settings)
    assert found(folder, node("model.shop.other")) == [file]
    project(tmp_path, text, file=file, settings="name: shop\nmodel-paths: \"{{ env_var('X') }}\"\n")
    assert found(folder, node("model.shop.other")) == []
    project(tmp_path, text, file=file, settings=settings)
    (folder / ".dbtignore").write_text("*", encoding="utf-8")
    assert found(folder, node("model.shop.other")) == []


@pytest.mark.parametrize("place", ["/", "..", "../beside"])
def test_folders_outside_of_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    """A folder of models that is none of the project is not searched: `/` would be the whole machine."""
    walked: list[str] = []

    def walk(path: Path) -> tuple[()]:
        walked.append(str(path))
        return ()

    monkeypatch.setattr(os, "walk", walk)
    (tmp_path / "shop").mkdir()
    settings = f"name: shop\nmodel-paths: ['{place}', models]\nseed-paths: []\nsnapshot-paths: []\n"
    folder = project(tmp_path / "shop", entry(YAML), settings=settings)
    found(folder, orders())
    assert walked == [str(folder / "models")]


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """A folder in the place of a property file says nothing of what it held."""
    folder = project(tmp_path, "x")
    (folder / FILE).unlink()
    (folder / FILE).mkdir()
    assert found(folder, orders()) == []


def test_files_of_others(tmp_path: Path) -> None:
    """A file outside the project, of an installed package, or one that is gone is never named."""
    (tmp_path / "shop").mkdir()
    folder = project(tmp_path / "shop", entry(OTHER))
    (tmp_path / "out.yml").write_text(entry(OTHER), encoding="utf-8")
    outside = orders(patch_path="shop://../out.yml")
    package = node("model.pkg.orders", meta={"statsig": BLOCK}, patch_path=f"pkg://{FILE}")
    gone = orders(patch_path="shop://models/gone.yml")
    unreadable = orders(patch_path="shop://models/\0.yml")
    for one in (outside, gone, unreadable):
        (folder / FILE).write_text("models: []\n", encoding="utf-8")
        assert found(folder, one, package) == []


def test_words() -> None:
    """All changed files are in one line, the first ones by name; broken ones in a line each, with the next step."""
    many = [NewerYaml(path=f"models/{number}.yml") for number in range(7)]
    (line, broken) = outdated(
        [*many, NewerYaml(path="models/b.yml", fault="no", line=3)], "target/manifest.json", severity=Severity.ERROR
    )
    assert line.message == (
        "models/0.yml, models/1.yml, models/2.yml, models/3.yml, models/4.yml and 2 more are newer than "
        "target/manifest.json: run `dbt compile`."
    )
    assert str(broken.location) == "models/b.yml:3"
    assert broken.message == (
        "models/b.yml is newer than target/manifest.json, and is not valid YAML: no. Correct it, then run `dbt "
        "compile`."
    )
    assert {line.severity, broken.severity} == {Severity.ERROR}
    assert [one.message for one in outdated(many[:1], "m.json", severity=Severity.WARNING)] == [
        "models/0.yml is newer than m.json: run `dbt compile`."
    ]

"""`dbt-statsig exposures`: a file that is written whole, again only when it has changed, and never over another's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from dbt_statsig import Request, UsageError, exposures, statsig_tables
from dbt_statsig.emulator import running
from dbt_statsig.importing.exposures import MARK
from tests.integration.faults.inprocess import call, sync
from tests.integration.faults.project import Project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dbt_statsig.emulator import Running

ORDERS = {"aggregation": "count", "metricSources": [{"metricSourceName": "Orders", "criteria": []}]}
METRIC = {"name": "Paid", "id": "Paid::user_warehouse", "type": "user_warehouse", "warehouseNative": ORDERS}
EXPERIMENTS: list[dict[str, Any]] = [
    {
        "id": "button",
        "name": "Green button",
        "status": "active",
        "assignmentSourceName": "Exposures",
        "primaryMetrics": [{"name": "Paid", "type": "user_warehouse"}],
    },
    {"id": "elsewhere", "status": "active", "assignmentSourceName": "Theirs"},
    {"id": "old", "status": "decision_made", "assignmentSourceName": "Exposures"},
]


@pytest.fixture(scope="module")
def full() -> Iterator[Running]:
    """A console with experiments, a metric and a custom unit ID."""
    with running(seed={"experiments": EXPERIMENTS, "metrics": [METRIC], "unit_id_types": ["companyID"]}) as server:
        yield server


@pytest.fixture
def made(tmp_path: Path, full: Running) -> Project:
    """A project with an assignment source and a metric source, which Statsig has."""
    full.reset()
    project = declared(tmp_path / "shop", full)
    assert sync(project).code == 0
    full.emulator.console.log.clear()
    return project


def declared(folder: Path, server: Running, **settings: Any) -> Project:
    """The project with these settings."""
    project = Project(folder, server.url)
    project.declare("orders", "Orders")
    project.declare("exposures", "Exposures", "assignment_source")
    project.settings(**settings)
    return project


def test_printed_and_written(made: Project, full: Running) -> None:
    """Without --write the YAML is the answer; with it the file is written once, and again only for a change."""
    printed = call(made, "exposures")
    (one,) = yaml.safe_load(printed.stdout)["exposures"]
    assert (one["name"], one["depends_on"]) == ("statsig_button", ["ref('exposures')", "ref('orders')"])
    assert "elsewhere" in printed.stderr
    asked = [exchange.path.rsplit("/", 1)[-1] for exchange in full.requests]
    assert asked == ["assignment_sources", "entity_properties", "list", "experiments", "list"]
    path = made.folder / "statsig_exposures.yml"
    written = call(made, "exposures", "--write", path)
    assert (written.code, written.stdout) == (0, f"Wrote {path} (1 exposure).\n")
    assert path.read_text(encoding="utf-8") == printed.stdout
    before = path.stat().st_mtime_ns
    assert call(made, "exposures", "--write", path).stdout == f"Unchanged: {path} (1 exposure).\n"
    assert path.stat().st_mtime_ns == before
    answer = json.loads(call(made, "exposures", "--metrics", "--write", path, "--output", "json").stdout)["exposures"]
    assert (answer["path"], answer["written"], answer["requests"]) == (str(path), True, 5)
    assert [(one["of"], one["id"], len(one["nodes"])) for one in answer["exposures"]] == [
        ("experiment", "button", 2),
        ("metric", "Paid::user_warehouse", 1),
    ]
    assert path.read_text(encoding="utf-8") == answer["text"]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("own.yml", b"exposures: []\n", "was not made by dbt-statsig"),
        ("notes.txt", None, "is not a YAML file"),
        ("folder.yml", None, "cannot be read"),
        ("absent/x.yml", None, "could not be written"),
    ],
)
def test_a_file_that_is_not_ours(made: Project, name: str, content: bytes | None, words: str) -> None:
    """A file without our mark, of another kind, a folder or a missing one: refused, and nothing has changed."""
    path = made.folder / name
    if name.startswith("folder"):
        path.mkdir()
    if content is not None:
        path.write_bytes(content)
    done = call(made, "exposures", "--write", path)
    assert (done.code, words in " ".join(done.stderr.split()) or "is a directory" in done.stderr) == (2, True)
    assert content is None or path.read_bytes() == content


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"action": "status", "status": 403, "match": {"path": "experiments\\?"}}, "(403)"),
        ({"action": "status", "status": 403, "match": {"path": "metrics/list"}}, "(403)"),
        ({"action": "status", "status": 403, "match": {"path": "assignment_sources"}}, "(403)"),
        ({"action": "short_list", "match": {"path": "experiments\\?"}}, "may be incomplete"),
        ({"action": "short_list", "match": {"path": "metrics/list"}}, "may be incomplete"),
    ],
)
def test_lists_that_cannot_be_read_in_full(made: Project, full: Running, fault: dict[str, Any], words: str) -> None:
    """Nothing is written of half a list; printed, it is with a warning."""
    path = made.folder / "statsig.yml"
    full.inject(fault)
    done = call(made, "exposures", "--write", path)
    assert (done.code, words in " ".join(done.stderr.split()), path.exists()) == (2, True, False)
    if fault["action"] == "short_list":
        printed = call(made, "exposures")
        assert (printed.code, words in " ".join(printed.stderr.split())) == (0, True)


def test_the_tables_of_statsig(made: Project, full: Running) -> None:
    """With a key the custom unit IDs are columns; without one, or where they cannot be read, a warning says so."""
    done = call(made, "exposures", "--statsig-tables", "--schema", "exp", "--events-table", "logged")
    (source,) = yaml.safe_load(done.stdout)["sources"]
    assert (source["schema"], source["tables"][1]["identifier"]) == ("exp", "logged")
    assert "companyID" in [one["name"] for one in source["tables"][0]["columns"]]
    path = made.folder / "tables.yml"
    assert call(made, "exposures", "--statsig-tables", "--write", path).stdout == f"Wrote {path}.\n"
    full.inject({"action": "status", "status": 403, "match": {"path": "unit_id_types"}})
    assert "were not read" in call(made, "exposures", "--statsig-tables").stderr


@pytest.mark.parametrize(
    "arguments", [("--schema", "x"), ("--statsig-tables", "--metrics"), ("--events-table", "x", "--metrics")]
)
def test_options_that_exclude_each_other(made: Project, full: Running, arguments: tuple[str, ...]) -> None:
    """Options of the one file are refused for the other, before anything is asked."""
    assert (call(made, "exposures", *arguments).code, full.requests) == (2, [])


def test_from_python(made: Project) -> None:
    """The functions give the same text and write the same file; a file that is not ours is a UsageError."""
    request = Request(project_dir=made.folder, environ=made.environ)
    path = made.folder / "statsig.yml"
    found = exposures(request, metrics=True, write=path)
    assert (found.written, path.read_text(encoding="utf-8"), found.exit_code) == (True, found.text, 0)
    assert [one.name for one in found.exposures] == ["statsig_button", "statsig_metric_Paid"]
    assert "schema: exp" in statsig_tables(request, schema="exp").text
    without = Request(project_dir=made.folder, environ={})
    (warning,) = statsig_tables(without).warnings
    assert "No Console API key" in warning
    path.write_text("own", encoding="utf-8")
    with pytest.raises(UsageError, match="not made by dbt-statsig"):
        exposures(request, write=str(path))


@pytest.mark.parametrize(
    ("section", "unique_id", "options"),
    [
        ("exposures", "exposure.shop.statsig_button", ()),
        ("sources", "source.shop.statsig.events", ("--statsig-tables",)),
    ],
)
def test_what_another_file_has_is_not_written_twice(
    made: Project, section: str, unique_id: str, options: tuple[str, ...]
) -> None:
    """A project with two exposures or source tables of one name cannot be parsed, so a second file is refused."""
    other, path = made.folder / "models" / "mine.yml", made.folder / "models" / "statsig.yml"
    other.parent.mkdir(exist_ok=True)
    other.write_text("exposures: []\n", encoding="utf-8")
    manifest = made.folder / "target" / "manifest.json"
    content = json.loads(manifest.read_bytes())
    kind, _, *names = unique_id.split(".")
    content[section] = {
        **content.get(section, {}),
        unique_id: {
            "unique_id": unique_id,
            "name": names[-1],
            "resource_type": kind,
            "package_name": "shop",
            "original_file_path": "models/mine.yml",
        },
    }
    manifest.write_text(json.dumps(content), encoding="utf-8")
    refused = call(made, "exposures", *options, "--write", path)
    assert refused.code == 2
    assert f"models/mine.yml has the {kind} {'.'.join(names)} already" in refused.stderr
    assert not path.exists()
    other.write_text(f"{MARK}\n", encoding="utf-8")
    assert call(made, "exposures", *options, "--write", other).code == 0
    other.unlink()
    assert call(made, "exposures", *options, "--write", path).code == 0


def test_every_target_gives_the_same_file(made: Project, full: Running, tmp_path: Path) -> None:
    """Where dev has a prefix and a namespace, its file is that of prod: experiments read what prod has pushed."""
    expected = call(made, "exposures").stdout
    dev = declared(tmp_path / "dev", full, name_prefix={"dev": "dev "})
    assert call(dev, "exposures", "--target", "dev").stdout == expected
    assert sync(dev, "--target", "dev").code == 0
    assert call(dev, "exposures", "--target", "dev").stdout == expected
    assert call(made, "exposures").stdout == expected


def test_another_project_has_no_part_in_it(made: Project, full: Running, tmp_path: Path) -> None:
    """A second project that declares the same names claims nothing, and replaces no file with an empty one."""
    other = declared(tmp_path / "other", full)
    manifest = other.folder / "target" / "manifest.json"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace("shop", "till"), encoding="utf-8")
    (other.folder / "dbt_project.yml").write_text("name: till\n", encoding="utf-8")
    printed = call(other, "exposures")
    assert yaml.safe_load(printed.stdout)["exposures"] == []
    assert 'Statsig has no source of the dbt project "till": run `dbt-statsig sync` first.' in printed.stderr
    path = other.folder / "statsig.yml"
    path.write_text(f"{MARK}\nexposures: [1]\n", encoding="utf-8")
    done = call(other, "exposures", "--write", path)
    assert (done.code, path.read_text(encoding="utf-8")) == (2, f"{MARK}\nexposures: [1]\n")
    assert "check that the key is of the right Statsig project" in " ".join(done.stderr.split())
    assert call(made, "exposures").code == 0


@pytest.mark.parametrize("options", [(), ("--statsig-tables",)])
def test_a_second_file_is_refused_before_dbt_has_read_the_first(made: Project, options: tuple[str, ...]) -> None:
    """The first file is found on the disk, in every folder in which dbt reads property files; damaged ones are not."""
    first, second = made.folder / "models" / "a" / "statsig.yml", made.folder / "models" / "b.yml"
    first.parent.mkdir(parents=True)
    (made.folder / "models" / "damaged.yml").write_text(f"{MARK}\nexposures: {{\n", encoding="utf-8")
    assert call(made, "exposures", *options, "--write", first).code == 0
    refused = call(made, "exposures", *options, "--write", second)
    assert (refused.code, second.exists()) == (2, False)
    assert "models/a/statsig.yml has the " in refused.stderr
    assert call(made, "exposures", *options, "--write", first).code == 0
    (made.folder / "dbt_project.yml").write_text(f"name: shop\nmodel-paths: {first.parent}\n", encoding="utf-8")
    assert call(made, "exposures", *options, "--write", second).code == 2
    first.unlink()
    assert call(made, "exposures", *options, "--write", second).code == 0


@pytest.mark.parametrize(
    ("text", "is_told"),
    [
        ("name: shop\n", True),
        ("name: shop\nmodel-paths: [models, .]\n", False),
        ("name: shop\nmodel-paths: ['{{ var(\"x\") }}']\n", False),
        ("name: shop\nmodel-paths: [other]\n", True),
        ("name: shop\nother: {{ x }}\n", False),
    ],
)
def test_a_file_that_dbt_does_not_read_is_named(made: Project, text: str, *, is_told: bool) -> None:
    """Outside of the folders that dbt_project.yml names, the file is written with a warning."""
    (made.folder / "dbt_project.yml").write_text(text, encoding="utf-8")
    done = call(made, "exposures", "--write", made.folder / "statsig.yml")
    assert (done.code, "dbt does not read" in done.stderr) == (0, is_told)

"""A second import after a first one, and blocks that cannot be in a property file."""

from __future__ import annotations

import json
import pathlib
import re
from typing import TYPE_CHECKING

import pytest

from dbt_statsig import Exactness
from dbt_statsig.cli.app import run
from dbt_statsig.errors import DbtStatsigError, UsageError
from dbt_statsig.vocabulary.sources import Kind
from tests.integration.imports.project import imported, metric, parse

if TYPE_CHECKING:
    from pathlib import Path

    from dbt_statsig.emulator import Running


def listed_names(folder: Path) -> list[str]:
    """The objects that --adopt-imported takes over."""
    return [one["name"] for one in json.loads((folder / "target" / "statsig_import.json").read_text(encoding="utf-8"))]


def test_a_second_import_before_dbt_has_parsed(folder: Path, server: Running) -> None:
    """Blocks that are in a file but not yet in the manifest are not written again, and their objects stay listed."""
    two = "SELECT user_id, ordered_at FROM marts.fct_orders WHERE amount > 5"
    server.state.sources["metric_sources"] = {"A": metric("A"), "B": metric("B", two), "C": metric("C", two)}
    imported(folder, server, write=True, names=frozenset("AB"))
    before = (folder / "models" / "schema.yml").read_bytes()
    result = imported(folder, server, write=True)
    assert (folder / "models" / "schema.yml").read_bytes() == before
    assert 'named "A" for `fct_orders` already; run `dbt parse`.' in result.objects[0].reason
    assert (result.exit_code, listed_names(folder)) == (1, ["A", "B"])
    parse(folder, "duckdb")
    assert imported(folder, server, write=True).exit_code == 0
    assert listed_names(folder) == ["A", "B", "C"]


def test_the_list_grows_with_each_import(folder: Path, server: Running) -> None:
    """Imports of some objects add to the list; what has an owner since, or has gone from Statsig, leaves it."""
    names = ("Joined", "Shop orders", "Shop payments")
    for place, name in enumerate(names, 1):
        parse(folder, "duckdb")
        imported(folder, server, write=True, names=frozenset({name}), kinds=frozenset({Kind.METRIC_SOURCE}))
        assert len(listed_names(folder)) == (1 if place < 3 else 2)
    imported(folder, server, write=True, kinds=frozenset({Kind.QUALIFYING_EVENT}))
    assert listed_names(folder) == ["Joined", "Shop payments"]
    server.state.sources["metric_sources"]["Joined"]["description"] = "Managed by dbt: shop/model.shop.fct_orders"
    del server.state.sources["metric_sources"]["Shop payments"]
    imported(folder, server, write=True)
    assert listed_names(folder) == []


@pytest.mark.parametrize("text", ["{{ env_var('X') }} of", "a {# remark #} b", "{% if x %}"])
def test_texts_that_dbt_would_render(folder: Path, server: Running, text: str) -> None:
    """An object with a text that dbt would render gets no block, not even with --accept-changes; others do."""
    server.state.sources["metric_sources"] = {"A": metric("A"), "B": metric("B", tags=["x", "y"], description=text)}
    result = imported(folder, server, write=True, accept_changes=True)
    first, second = result.objects
    assert (first.is_written, second.is_written, second.exactness) == (True, False, Exactness.NOT_IMPORTED)
    mark = re.sub(r"[^{%#]", "", text)[:2]
    assert second.reason == f"`description` contains `{mark}`: in a property file dbt would render it."
    assert text not in (folder / "models" / "schema.yml").read_text(encoding="utf-8")


def test_blocks_and_list_are_written_together(folder: Path, server: Running) -> None:
    """Where the list of imported objects cannot be written, no block is either."""
    before = (folder / "models" / "schema.yml").read_bytes()
    (folder / "target" / "statsig_import.json").mkdir()
    with pytest.raises(DbtStatsigError, match=r"statsig_import\.json"):
        imported(folder, server, write=True)
    assert (folder / "models" / "schema.yml").read_bytes() == before


def test_a_target_that_is_not_known(folder: Path, server: Running) -> None:
    """Where names or owners depend on the dbt target and it is not known, nothing is imported."""
    (folder / "dbt_statsig.yml").write_text('namespace: "{target}"\n', encoding="utf-8")
    with pytest.raises(UsageError, match="The dbt target is not known, and `namespace` depends on it"):
        imported(folder, server, write=True)
    assert server.requests == []


def test_the_next_step_after_new_models_alone(
    folder: Path, server: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    """Objects of new models are adopted by name, so the next step is not --adopt-imported."""
    assert (folder / "models").is_dir()
    assert server.url
    assert run(["import", "--write", "--no-cache", "--name", "Elsewhere", "--models-path", "models"]) == 0
    assert "→ Build the new models, look at `dbt-statsig plan --adopt NAME`" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("shop@prod", 'This project owns it in the namespace "prod": it belongs to another dbt target.'),
        ("shop", "This project owns it without a namespace: it belongs to another dbt target."),
        ("sales@dev", 'It belongs to the dbt project "sales@dev".'),
    ],
)
def test_what_another_dbt_target_owns(folder: Path, server: Running, line: str, reason: str) -> None:
    """An object of this project's other namespace is not imported, and not called another project's."""
    (folder / "dbt_statsig.yml").write_text("namespace: dev\n", encoding="utf-8")
    description = f"Managed by dbt: {line}/model.shop.fct_orders"
    server.state.sources["metric_sources"] = {"A": metric("A", description=description)}
    (found,) = imported(folder, server, write=True).objects
    assert (found.exactness, found.reason) == (Exactness.FOREIGN, reason)


def test_a_pattern_is_literal_but_for_its_wildcards(folder: Path, server: Running) -> None:
    """Brackets in --name-pattern mean themselves; a pattern that matches nothing is a warning."""
    server.state.sources["metric_sources"] = {"[beta] A": metric("[beta] A"), "b": metric("b")}
    assert [one.name for one in imported(folder, server, pattern="[beta]*").objects] == ["[beta] A"]
    nothing = imported(folder, server, pattern="C*", names=frozenset({"b"}))
    assert [one.name for one in nothing.objects] == ["b"]
    assert nothing.warnings == ('--name-pattern "C*" matches no object in Statsig.',)


def test_the_list_is_written_first(folder: Path, server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that is killed between two files leaves no block that the list lacks."""
    places: list[str] = []
    replace = pathlib.Path.replace

    def noted(new: Path, to: Path) -> Path:
        places.append(to.name)
        return replace(new, to)

    monkeypatch.setattr(pathlib.Path, "replace", noted)
    imported(folder, server, write=True)
    assert places[0] == "statsig_import.json"
    assert "schema.yml" in places

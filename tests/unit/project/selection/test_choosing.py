"""Who answers a selection: the manifest where it can, dbt where it must."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dbt_statsig.errors import UsageError
from dbt_statsig.project.artifacts import Manifest
from dbt_statsig.project.dbt_command import DbtCommand
from dbt_statsig.project.request import Request
from dbt_statsig.project.selection.selecting import choose
from tests.unit.columns.projects import model
from tests.unit.project.artifacts.build import manifest_bytes

MANIFEST = Manifest.from_bytes(manifest_bytes(model("orders", "select 1 as a"), model("users", "select 1 as a")))
ANSWER = """#!/bin/sh
echo "$@" > "$(dirname "$0")/asked"
test -n "$SILENT" || echo '{"unique_id": "model.shop.users"}'
"""


def request(dbt: DbtCommand | None = None, **choice: Any) -> Request:
    """A request that selects."""
    return Request(project_dir=Path(), environ={}, dbt=dbt, **choice)


def answering(folder: Path, **environ: str) -> DbtCommand:
    """A dbt that answers every selection with one model, and keeps what it was asked."""
    program = folder / "dbt"
    program.write_text(ANSWER, encoding="utf-8")
    program.chmod(0o755)
    return DbtCommand(words=(str(program),), environ={"PATH": "/usr/bin:/bin", **environ})


def test_nothing_selected_is_everything() -> None:
    """Without a selection everything is in scope, and a state alone is no selection."""
    assert choose(MANIFEST, request()) == (None, ())
    assert choose(MANIFEST, request(state=Path("base"))) == (None, ())


def test_what_was_chosen_before_is_kept() -> None:
    """Nodes that dbt's own selection chose are taken as they are."""
    assert choose(MANIFEST, request(selected=frozenset({"a"}), select=("b",))) == (frozenset({"a"}), ())


def test_the_manifest_answers_names() -> None:
    """Names are answered without dbt, with a state to compare with too; what matches nothing is given back."""
    expected = (frozenset({"model.shop.orders"}), ())
    assert choose(MANIFEST, request(select=("orders",))) == expected
    assert choose(MANIFEST, request(select=("orders",), state=Path("base"))) == expected
    assert choose(MANIFEST, request(select=("nothing",))) == (frozenset(), ("nothing",))


@pytest.mark.parametrize(
    ("choice", "asked"),
    [
        ({"select": ("state:modified+",), "state": Path("base")}, "--select state:modified+ --state base"),
        ({"exclude": ("orders,state:new",), "state": Path("base")}, "--exclude orders,state:new --state base"),
        ({"selector": "nightly"}, "--selector nightly"),
        ({"select": ("result:error",), "state": Path("base")}, "--select result:error --state base"),
    ],
)
def test_dbt_answers_the_rest(tmp_path: Path, choice: dict[str, Any], asked: str) -> None:
    """What compares states, a selector and methods beyond a manifest are dbt's to answer."""
    assert choose(MANIFEST, request(answering(tmp_path), **choice)) == (frozenset({"model.shop.users"}), ())
    assert asked in (tmp_path / "asked").read_text(encoding="utf-8")


def test_an_empty_answer_of_dbt_matches_nothing(tmp_path: Path) -> None:
    """Where dbt selects nothing, the selection is given back as one that matches nothing."""
    dbt = answering(tmp_path, SILENT="1")
    assert choose(MANIFEST, request(dbt, select=("state:new",), state=Path("base"))) == (frozenset(), ("state:new",))


@pytest.mark.parametrize("choice", [{"selector": "nightly"}, {"select": ("state:new",)}, {"select": ("result:error",)}])
def test_without_dbt_it_cannot_be_answered(choice: dict[str, Any]) -> None:
    """Without dbt such a selection is a usage error."""
    with pytest.raises(UsageError):
        choose(MANIFEST, request(**choice))
    gone = DbtCommand(words=("no-such-dbt",), environ={"PATH": ""})
    with pytest.raises(UsageError):
        choose(MANIFEST, request(gone, **choice))

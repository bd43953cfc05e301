"""Hand-made objects of each kind, shape and warehouse: what becomes of each, and that nothing else changes."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from dbt_statsig.emulator import running
from dbt_statsig.vocabulary.changes import Action
from dbt_statsig.vocabulary.imports import Exactness
from dbt_statsig.vocabulary.ownership import owner_of, text_above
from tests.integration.imports.project import (
    PATTERNS,
    adopting,
    corpus,
    imported,
    parse,
    seed_of,
    write_project,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("adapter", PATTERNS)
def test_what_becomes_of_hand_made_objects(tmp_path: Path, adapter: str) -> None:
    """Each object becomes what is expected; once dbt has parsed the files, only ownership lines are left to write."""
    folder = write_project(tmp_path, adapter)
    before = {path: path.read_text(encoding="utf-8") for path in folder.rglob("*.yml")}
    with running(seed=seed_of(adapter)) as server:
        result = imported(folder, server, write=True)
        found = {(one.kind.value, one.name): one for one in result.objects}
        assert len(found) == len(result.objects) == len(list(corpus(adapter)))
        became = {one.name: (one.exactness.value, one.reason) for one in result.objects}
        wrong = {
            name: (expected, became[name]) for _, name, expected, _ in corpus(adapter) if became[name][0] != expected
        }
        assert wrong == {}
        assert all(one.reason or one.differences for one in result.objects if one.exactness is not Exactness.EXACT)
        for path, text in before.items():
            lines = iter(path.read_text(encoding="utf-8").splitlines())
            assert all(line in lines for line in text.splitlines()), path
        parse(folder, adapter)
        changes = {(change.kind.value, change.name): change for change in adopting(folder, server).plan.changes}
    for key, one in found.items():
        assert one.is_written is one.exactness.is_proven
        if one.is_written:
            change = changes.pop(key)
            assert change.action is Action.UPDATE
            assert [field.field for field in change.fields] == ["description"]
            assert text_above(change.fields[0].after) == (change.fields[0].before or "").strip()
            assert owner_of(change.fields[0].after) is not None
    assert changes == {}


def test_most_queries_of_one_table_become_keys() -> None:
    """Nine of ten queries over one known table are built from keys, not copied."""
    counts = Counter(expected for adapter in PATTERNS for _, _, expected, live in corpus(adapter) if _is_plain(live))
    assert counts["exact"] >= 9 * counts["sql"]
    assert sum(1 for adapter in PATTERNS for _ in corpus(adapter)) >= 150


def _is_plain(live: dict[str, object]) -> bool:
    """One SELECT over one table without what a block has no key for."""
    sql = str(live["sql"]).upper()
    others = ("JOIN", "WITH ", "DISTINCT", "UNION", "INTERSECT", "OVER (", "GROUP BY", "LIMIT", "ORDER BY", "(SELECT")
    return bool(sql) and live.get("sourceType") != "table" and not any(word in sql for word in others)

"""What post-hooks mark, from several threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

from dbt_statsig.dbt_runtime import hooks as marks


def test_marks_are_handed_out_once() -> None:
    """All threads' marks of an invocation come together, exactly one of them is the first, and they come once."""
    with ThreadPoolExecutor(8) as pool:
        firsts = list(pool.map(lambda number: marks.mark("run-1", f"model.a.{number % 40}"), range(200)))
    assert firsts.count(True) == 1
    assert len(marks.take("run-1")) == 40
    assert marks.take("run-1") == frozenset()


def test_another_invocation_begins_again() -> None:
    """Marks of an invocation that was never ended do not leak into the next one in the same process."""
    marks.mark("run-2", "model.a.old")
    assert marks.mark("run-3", "model.a.new")
    assert marks.take("run-2") == frozenset()
    assert marks.take("run-3") == {"model.a.new"}


def test_hooks_are_found_in_the_manifest() -> None:
    """Models with the marking post-hook, and the hook that pushes, are known by their text."""
    hook = SimpleNamespace(sql="{{ dbt_statsig.statsig_sync_model() }}")
    model = SimpleNamespace(config=SimpleNamespace(post_hook=[SimpleNamespace(sql=None), hook]), tags=[])
    end = SimpleNamespace(tags=["on-run-end"], raw_code="{{ dbt_statsig.statsig_sync_results(results) }}")
    manifest = SimpleNamespace(nodes={"model.a.b": model, "operation.a.c": end, "test.a.d": SimpleNamespace()})
    assert marks.with_marking_hook(manifest) == {"model.a.b"}
    assert marks.has_flush(manifest)
    assert not marks.has_flush(SimpleNamespace(nodes={"model.a.b": model}))

"""Shapes of many queries, read by several processes at once."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import repeat
from multiprocessing import get_context
from typing import TYPE_CHECKING

import msgspec

from dbt_statsig.columns.items import Shape
from dbt_statsig.vocabulary.adapters import adapter_for

if TYPE_CHECKING:
    from collections.abc import Sequence

BATCH = 64
"""Queries that a process takes at once."""

WORTH_CHARACTERS = 2_000_000
"""SQL of this length takes about as long to read as two processes take to start."""


def is_worth_it(texts: Sequence[str], jobs: int) -> bool:
    """Whether several processes are faster than one."""
    return jobs > 1 and sum(map(len, texts)) >= WORTH_CHARACTERS


def shapes_in_processes(adapter_type: str, texts: Sequence[str], *, jobs: int) -> list[Shape]:
    """The shapes of the queries in their order; empty where this process may start no others."""
    batches = [texts[start : start + BATCH] for start in range(0, len(texts), BATCH)]
    try:
        # Whoever calls this may have threads, which forked processes do not survive.
        with ProcessPoolExecutor(min(jobs, len(batches)), mp_context=get_context("spawn")) as pool:
            parts = list(pool.map(encoded_shapes, repeat(adapter_type), batches))
    except (OSError, AssertionError, BrokenProcessPool):
        return []
    return [shape for part in parts for shape in msgspec.msgpack.decode(part, type=list[Shape])]


def encoded_shapes(adapter_type: str, texts: Sequence[str]) -> bytes:
    """The shapes of one batch, as bytes."""
    from dbt_statsig.columns.walk import shape_of  # sqlglot, only in the processes that read

    adapter = adapter_for(adapter_type)
    return msgspec.msgpack.encode([shape_of(adapter, text) for text in texts])

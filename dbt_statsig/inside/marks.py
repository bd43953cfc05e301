"""What post-hooks have marked, by dbt invocation. dbt runs them in several threads."""

from __future__ import annotations

import threading
from typing import Any

MACRO = "statsig_sync_model"
FLUSH = "statsig_sync_results"

_lock = threading.Lock()
_marked: dict[str, set[str]] = {}


def mark(invocation_id: str, unique_id: str) -> bool:
    """Note that a node's post-hook ran; whether it is the first one of this dbt invocation."""
    with _lock:
        if invocation_id not in _marked:
            _marked.clear()
        first = invocation_id not in _marked
        _marked.setdefault(invocation_id, set()).add(unique_id)
        return first


def take(invocation_id: str) -> frozenset[str]:
    """The nodes marked in this invocation; they are handed out once."""
    with _lock:
        return frozenset(_marked.pop(invocation_id, ()))


def with_marking_hook(manifest: Any) -> frozenset[str]:
    """The models with a post-hook that marks them: where there are any, only these are pushed."""
    return frozenset(
        unique_id
        for unique_id, node in manifest.nodes.items()
        for hook in getattr(getattr(node, "config", None), "post_hook", None) or ()
        if MACRO in (getattr(hook, "sql", "") or "")
    )


def has_flush(manifest: Any) -> bool:
    """Whether an on-run-end hook of dbt's live manifest pushes what was marked."""
    return any(
        "on-run-end" in (getattr(node, "tags", None) or ()) and FLUSH in (getattr(node, "raw_code", "") or "")
        for node in manifest.nodes.values()
    )

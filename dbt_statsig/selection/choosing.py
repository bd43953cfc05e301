"""Which nodes a run is about: told from the manifest where that can be, by dbt itself where not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbt_statsig.errors import UsageError

if TYPE_CHECKING:
    from dbt_statsig.artifacts import Manifest
    from dbt_statsig.request import Request


def choose(manifest: Manifest, request: Request) -> tuple[frozenset[str] | None, tuple[str, ...]]:
    """What was selected (None: everything) and the words that matched nothing; dbt is asked for what needs it.

    Raises UsageError for a selection that cannot be answered.
    """
    if request.selected is not None:
        return request.selected, ()
    if not (request.select or request.exclude or request.selector):
        return None, ()
    from dbt_statsig.selection.selecting import select  # noqa: PLC0415 - only where something is selected

    compares = any("state:" in word for word in (*request.select, *request.exclude))
    if not (request.selector or compares):
        try:
            selection = select(manifest, request.select, request.exclude)
        except UsageError:
            if request.dbt is None or not request.dbt.is_there:
                raise
        else:
            return selection.unique_ids, selection.unmatched
    if request.dbt is None or not request.dbt.is_there:
        raise UsageError(
            "--selector and state: are answered by dbt itself, and there is no dbt command to ask.",
            fix="Install dbt where dbt-statsig runs, or name the nodes with --select.",
        )
    chosen = request.dbt.selected(
        select=request.select, exclude=request.exclude, selector=request.selector, state=request.state
    )
    return chosen, () if chosen else (" ".join((*request.select, request.selector or "")).strip(),)

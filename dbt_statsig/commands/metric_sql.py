"""The SQL that Statsig generates for the metrics that it has: what `plan --show-sql` asks for."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from msgspec import structs

from dbt_statsig.errors import ConsoleError
from dbt_statsig.support.threads import in_background
from dbt_statsig.vocabulary.sources import Kind

if TYPE_CHECKING:
    from concurrent.futures import Future

    from dbt_statsig.console.client import ConsoleClient
    from dbt_statsig.vocabulary.changes import Change
    from dbt_statsig.vocabulary.results import Planned

_AT_ONCE = 8


def with_sql(planned: Planned, client: ConsoleClient) -> Planned:
    """The plan with Statsig's SQL of each metric that is there; one that cannot be read is a warning."""
    changes = list(planned.plan.changes)
    places = [place for place, one in enumerate(changes) if one.kind is Kind.METRIC and one.live is not None]
    warnings = []
    for start in range(0, len(places), _AT_ONCE):
        chosen = places[start : start + _AT_ONCE]
        reads = [in_background(partial(client.sql_of, changes[place].live_name)) for place in chosen]
        for place, read in zip(chosen, reads, strict=True):
            found = _seen(read)
            if isinstance(found, str):
                warnings.append(f"The SQL of {_named(changes[place])} was not read: {found}")
            else:
                changes[place] = structs.replace(changes[place], generated=found)
    plan = structs.replace(planned.plan, changes=tuple(changes))
    return structs.replace(planned, plan=plan, warnings=(*planned.warnings, *warnings), requests=client.requests)


def _seen(read: Future[tuple[tuple[str, str], ...]]) -> tuple[tuple[str, str], ...] | str:
    """What was read, or in words why nothing was."""
    try:
        return read.result()
    except ConsoleError as error:
        return error.message


def _named(change: Change) -> str:
    return f'the metric "{change.live_name}"'

"""The SQL that Statsig generates for the metrics that it has: what `plan --show-sql` asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from dbt_statsig.errors import ConsoleError
from dbt_statsig.support.threads import answers
from dbt_statsig.vocabulary.sources import Kind

if TYPE_CHECKING:
    from dbt_statsig.console.client import ConsoleClient
    from dbt_statsig.vocabulary.results import Planned

_AT_ONCE = 8


def with_sql(planned: Planned, client: ConsoleClient) -> Planned:
    """The plan with Statsig's SQL of each metric that is there; one that cannot be read is a warning."""
    changes = list(planned.plan.changes)
    places = [place for place, one in enumerate(changes) if one.kind is Kind.METRIC and one.live is not None]
    warnings = []
    for place, found in answers(lambda place: client.sql_of(changes[place].live_name), places, at_once=_AT_ONCE):
        if isinstance(found, ConsoleError):
            warnings.append(f'The SQL of the metric "{changes[place].live_name}" was not read: {found.message}')
        else:
            changes[place] = structs.replace(changes[place], generated=found)
    plan = structs.replace(planned.plan, changes=tuple(changes))
    return structs.replace(planned, plan=plan, warnings=(*planned.warnings, *warnings), requests=client.requests)

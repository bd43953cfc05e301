"""Where the differences of a plan were made, by Statsig's audit log: best effort, in two requests at most."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from msgspec import structs

from dbt_statsig.errors import AuthenticationFailed, ConsoleError, Forbidden, NotFound, Refused
from dbt_statsig.planning.drift import enough, only_drift, suspects, with_origins
from dbt_statsig.vocabulary.changes import Where
from dbt_statsig.vocabulary.kinds import SPECS

if TYPE_CHECKING:
    from dbt_statsig.console.client import ConsoleClient
    from dbt_statsig.vocabulary.audit import AuditLog
    from dbt_statsig.vocabulary.changes import Plan
    from dbt_statsig.vocabulary.progress import Progress
    from dbt_statsig.vocabulary.results import Planned

_UNREAD = "It is not known whether these changes were made in Statsig or in the project: {}"
_UNTOLD = "For {} of these changes, the audit log does not show whether they were made in Statsig or in the project."
_HIDDEN = "Changes of the project, not shown: {}."
_COUNTED = "Changes of unknown origin count as drift."


def with_drift(planned: Planned, client: ConsoleClient, progress: Progress, *, only: bool = False) -> Planned:
    """The plan that says of each change whether it was made in Statsig; with `only`, without the project's own.

    Nothing is asked where nothing can have been changed in Statsig. It must be the last use of the client: a key that
    may not read the audit log may be refused for good.
    """
    found = suspects(planned.plan, in_empty=only)
    if not found:
        return planned
    log = _log(planned.plan, client, progress)
    plan = with_origins(planned.plan, log)
    unknown = sum(one.origin is not None and one.origin.where is Where.UNKNOWN for one in plan.changes)
    notes = [_UNREAD.format(log) if isinstance(log, str) else _UNTOLD.format(f"{unknown:,}")] if unknown else []
    if only:
        notes += [_COUNTED] if unknown else []
        plan = only_drift(plan)
        hidden = len(planned.plan.changes) - len(plan.changes)
        notes += [_HIDDEN.format(f"{hidden:,}")] if hidden else []
    notes = [*planned.notes, *notes]
    return structs.replace(planned, plan=plan, notes=tuple(notes), requests=client.requests)


def _log(plan: Plan, client: ConsoleClient, progress: Progress) -> AuditLog | str:
    """The audit log, or why there is none."""
    kinds = [kind for kind, spec in SPECS.items() if spec.audited and any(one.kind is kind for one in plan.changes)]
    progress.say("Reading the audit log")
    try:
        return client.audit_log(kinds, partial(enough, plan))
    except (Forbidden, AuthenticationFailed):
        return "the key may not read the audit log."
    except NotFound:
        return "this Statsig project has no audit log."
    except Refused as error:
        return f"Statsig refused the audit log ({error.status})."
    except ConsoleError as error:
        return f"the audit log could not be read. {error.message}"

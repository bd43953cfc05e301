"""What the reading says against a plan's writes: objects that cannot be read, lists that may lack some. Pure.

Those writes are blocked; of an update that may lose what no write can send, a finding says so.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from msgspec import structs

from dbt_statsig.vocabulary.changes import Action, Change, Plan, united
from dbt_statsig.vocabulary.findings import finding
from dbt_statsig.vocabulary.kinds import SPECS
from dbt_statsig.vocabulary.ownership import owner_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dbt_statsig.applying.console_state import Reading
    from dbt_statsig.vocabulary.findings import Finding
    from dbt_statsig.vocabulary.ownership import Ownership
    from dbt_statsig.vocabulary.sources import Kind

_LOOK = "Check this object in Statsig."
_AGAIN = "Run it again when no other client changes sources."
_LONGEST = 200


def withheld(plan: Plan, reading: Reading) -> Plan:
    """The plan with those writes blocked; all others stay."""
    declared = {(change.kind, change.name) for change in plan.changes if change.desired is not None}
    twins = {
        (kind, line): fault
        for kind, faults in reading.unread.items()
        for item in reading.live[kind].items
        if (fault := faults.get(item.name)) is not None
        and (kind, item.name) not in declared
        and (line := owner_of(item.description)) is not None
    }
    return structs.replace(plan, changes=united(_withheld(change, reading, twins) for change in plan.changes))


def losses(plan: Plan, reading: Reading) -> Iterator[Finding]:
    """A finding for each update that may lose values which the published API does not let be sent."""
    for change in plan.changes:
        if change.action not in {Action.UPDATE, Action.RENAME}:
            continue
        values = reading.unpublished.get(change.kind, {}).get(change.live_name, {})
        if change.is_partial:
            sent = _sent(change)
            values = {place: value for place, value in values.items() if place.partition("[")[0] in sent}
        if values:
            # JSON is YAML, in one line.
            shown = ", ".join(f"{place}: {_clipped(json.dumps(values[place], ensure_ascii=False))}" for place in values)
            yield finding(
                "fields-lost",
                f'The update of "{change.live_name}" cannot send these values that Statsig has: {shown}.',
                unique_id=change.unique_id,
                kind=change.kind.value,
                source=change.name,
            )


def _sent(change: Change) -> set[str]:
    """The changed fields, as the API names them."""
    changed = {field.field for field in change.fields}
    return {field.encode_name for field in structs.fields(SPECS[change.kind].payload) if field.name in changed}


def _clipped(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _withheld(change: Change, reading: Reading, twins: Mapping[tuple[Kind, Ownership], str]) -> Change:
    if change.action is Action.BLOCKED:
        return change
    fault = reading.unread.get(change.kind, {}).get(change.live_name)
    if fault is not None:
        return _unread(change, f"The object in Statsig cannot be read: {fault}.")
    return _create(change, reading, twins) if change.action is Action.CREATE else change


def _create(change: Change, reading: Reading, twins: Mapping[tuple[Kind, Ownership], str]) -> Change:
    kind = change.kind
    owner = owner_of(None if change.desired is None else change.desired.description)
    if owner is not None and (twin := twins.get((kind, owner))) is not None:
        return change.blocked(f"It may already exist in Statsig as an object that cannot be read: {twin}.", _LOOK)
    doubt = ""
    if (unsure := reading.unsure.get(kind, {}).get(change.name)) is not None:
        doubt = f", and Statsig could not be asked for this object: {unsure.rstrip('.')}."
    elif (missing := reading.blind.get(kind)) is not None:
        doubt = f" ({missing}), so this could create it a second time."
    return change.blocked(f"The list of {kind.label}s may be incomplete{doubt}", _AGAIN) if doubt else change


def _unread(change: Change, reason: str) -> Change:
    if change.action in {Action.FOREIGN, Action.ORPHAN}:
        return structs.replace(change, reason=f"{change.reason} {reason}".strip(), fix=_LOOK)
    return change.blocked(reason, _LOOK)

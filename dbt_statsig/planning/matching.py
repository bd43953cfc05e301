"""Payloads against live objects: what would change, and what must not be touched. Pure.

Whose an object is, is read from the ownership line of its description. An object is found by its node first (so that a
new name is a rename), then by its name. Nothing that another project or the console itself owns is ever changed unless
it is named for adoption, and nothing is deleted unless pruning is asked for and the list of live objects is complete.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from dbt_statsig.changes import Action, Change, FieldChange, Plan
from dbt_statsig.planning.comparison import differences
from dbt_statsig.planning.ownership import Ownership, owner_name, owner_of
from dbt_statsig.sources import SPECS, Kind, Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Action", "Change", "Desired", "FieldChange", "Live", "Plan", "Scope", "build_plan", "owned"]


class Desired(Struct, frozen=True, kw_only=True):
    """What one declaration asks for; `blocked` says why it must not be pushed, or is empty."""

    kind: Kind
    name: str
    unique_id: str
    payload: Source | None
    blocked: str = ""


class Live(Struct, frozen=True, kw_only=True):
    """What the console holds of one kind; `complete` is False where the list may lack some."""

    items: tuple[Source, ...]
    complete: bool = True


class Scope(Struct, frozen=True, kw_only=True):
    """What this run may touch: only objects of this project and namespace.

    `adopt` names foreign objects that may become ours; `adopt_all` lets in all that no other project owns. `only` are
    the nodes selected (None: all). `protected` are nodes whose declarations could not be read: what they own is neither
    changed nor taken for an orphan. `prefixes` are those of other dbt targets: what bears one, but no namespace, was
    pushed from there by a version that knew none, and is neither renamed nor deleted.
    """

    project: str
    namespace: str = ""
    adopt: frozenset[str] = frozenset()
    adopt_all: bool = False
    only: frozenset[str] | None = None
    protected: frozenset[tuple[Kind, str]] = frozenset()
    prune: bool = False
    prefix: str = ""
    prefixes: Mapping[str, str] = {}

    @property
    def owner(self) -> str:
        """The owner as the ownership line names it."""
        return owner_name(self.project, self.namespace)


def build_plan(desired: Iterable[Desired], live: Mapping[Kind, Live], scope: Scope) -> Plan:
    """All changes for the kinds that `live` holds, in the order of kinds and names."""
    wanted: dict[Kind, list[Desired]] = defaultdict(list)
    for item in desired:
        wanted[item.kind].append(item)
    changes: list[Change] = []
    for kind in Kind:
        if kind in live:
            changes += _KindPlanner(kind, live[kind], scope).plan(wanted[kind])
    return Plan(project=scope.project, namespace=scope.namespace, changes=tuple(changes))


def owned(scope: Scope, live: Mapping[Kind, Live]) -> dict[Kind, int]:
    """How many live objects of each kind have the ownership line of this project and namespace."""
    return {kind: len(_owners(held, scope)) for kind, held in live.items()}


def _owners(live: Live, scope: Scope) -> dict[str, str]:
    """The names of the objects that are this run's own, each with its node."""
    lines = ((item.name, owner_of(item.description)) for item in live.items)
    return {name: line.unique_id for name, line in lines if line is not None and line.owner == scope.owner}


class _KindPlanner:
    """The matching of one kind's declarations with its live objects."""

    def __init__(self, kind: Kind, live: Live, scope: Scope) -> None:
        self.kind = kind
        self.live = live
        self.scope = scope
        self.by_name = {item.name: item for item in live.items}
        self.by_folded = {item.name.casefold(): item for item in live.items}
        self.owners = _owners(live, scope)
        self.strays: dict[str, str] = {}  # live names that another dbt target seems to have given, with that target
        self.movable: dict[str, str] = {}
        self.onward: dict[str, str] = {}  # the other way round: live name -> declared name
        self.freed: set[str] = set()  # live names that renames of this plan give up
        self.taken: dict[str, str] = {}  # live name -> the declared name that it goes to
        self.replaced: dict[str, str] = {}  # live name -> the new name, where this kind cannot be renamed
        self.replaces: dict[str, str] = {}  # the other way round

    def plan(self, wanted: Sequence[Desired]) -> list[Change]:
        declared = {item.name for item in wanted}
        self.strays = {name: target for name in self.owners if name not in declared and (target := self._stray(name))}
        pairs = self._pairs_by_node(wanted)
        idle = {item.name for item in wanted if item.blocked or item.payload is None}
        self.movable = self._movable({new: old for new, old in pairs.items() if new not in idle})
        self.onward = {old: new for new, old in self.movable.items()}
        self.freed = {old for new, old in self.movable.items() if not self._is_circle(new)}
        for item in wanted:
            if (old := pairs.get(item.name)) is not None:
                self.taken[old] = item.name
            elif item.name in self.by_name:
                self.taken[item.name] = item.name
        changes = [self._change(item, pairs.get(item.name)) for item in wanted]
        blocked = {(self.kind, item.unique_id) for item in wanted if item.blocked} | self.scope.protected
        changes += self._unclaimed(frozenset(blocked))
        return sorted(changes, key=lambda change: (change.name.casefold(), change.name))

    def _pairs_by_node(self, wanted: Sequence[Desired]) -> dict[str, str]:
        """Declared name -> live name, where a node has just one of each and the names differ."""
        declared: dict[str, list[str]] = defaultdict(list)
        owned: dict[str, list[str]] = defaultdict(list)
        names = {item.name for item in wanted}
        for item in wanted:
            if not (item.name in self.by_name and self.owners.get(item.name) == item.unique_id):
                declared[item.unique_id].append(item.name)
        settled = {(item.name, item.unique_id) for item in wanted}
        for name, unique_id in self.owners.items():
            if (name, unique_id) not in settled and name not in self.strays:
                owned[unique_id].append(name)
        pairs = {}
        for unique_id, new_names in declared.items():
            old_names = owned.get(unique_id, [])
            if len(new_names) == len(old_names) == 1:
                (new,), (old,) = new_names, old_names
                if SPECS[self.kind].can_rename:
                    pairs[new] = old
                elif old not in names:
                    self.replaced[old] = new
                    self.replaces[new] = old
        return pairs

    def _stray(self, name: str) -> str:
        """The other dbt target whose prefix the name bears; empty where there is none."""
        prefixes = {} if self.scope.namespace else self.scope.prefixes
        return next((target for prefix, target in prefixes.items() if name.startswith(prefix)), "")

    def _movable(self, pairs: Mapping[str, str]) -> dict[str, str]:
        """Of the renames (new name -> live name) those whose new name is free, or gets free by another of them."""
        movable = dict(pairs)
        given_up = set(movable.values())
        while stuck := [new for new in movable if new in self.by_name and new not in given_up]:
            given_up.difference_update(movable.pop(new) for new in stuck)
        return movable

    def _change(self, item: Desired, old_name: str | None) -> Change:
        if item.blocked or item.payload is None:
            return self._refused(Action.BLOCKED, item, item.blocked, "Mend its findings.")
        if old_name is not None:
            return self._rename(item, item.payload, old_name)
        live = self.by_name.get(item.name)
        if live is None or item.name in self.freed:
            return self._create(item, item.payload)
        adopted = item.name not in self.owners
        if adopted and not self._may_adopt(live):
            return self._foreign(item, item.payload, live)
        fields = differences(item.payload, live)
        return Change(
            action=Action.UPDATE if fields else Action.UNCHANGED,
            kind=self.kind,
            name=item.name,
            unique_id=item.unique_id,
            live_name=item.name,
            fields=fields,
            adopted=adopted,
            desired=item.payload,
            live=live,
        )

    def _create(self, item: Desired, payload: Source) -> Change:
        twin = self.by_folded.get(item.name.casefold())
        if twin is not None and twin.name not in self.taken:
            return self._refused(
                Action.FOREIGN,
                item,
                f'The console has "{twin.name}", which differs only in upper and lower case.',
                "Declare the name as the console spells it.",
            )
        old = self.replaces.get(item.name, "")
        reason = f'Replaces "{old}": a {self.kind.label} cannot be renamed.' if old else ""
        return Change(
            action=Action.CREATE,
            kind=self.kind,
            name=item.name,
            unique_id=item.unique_id,
            reason=reason,
            desired=payload,
        )

    def _rename(self, item: Desired, payload: Source, old_name: str) -> Change:
        if item.name not in self.movable:
            return self._refused(
                Action.BLOCKED,
                item,
                f'It is "{old_name}" in the console, and its new name is held by another object there.',
                "Delete or rename that object first.",
            )
        if self._is_circle(item.name):
            return self._refused(
                Action.BLOCKED,
                item,
                "Its new name is one of several that are exchanged in a circle.",
                "Give one of them another name first, then run again.",
            )
        live = self.by_name[old_name]
        renamed = FieldChange(field="name", before=old_name, after=item.name)
        return Change(
            action=Action.RENAME,
            kind=self.kind,
            name=item.name,
            unique_id=item.unique_id,
            live_name=old_name,
            fields=(renamed, *differences(payload, live)),
            desired=payload,
            live=live,
        )

    def _is_circle(self, name: str) -> bool:
        """Whether moving each holder on along the renames leads back to the name itself."""
        following = self.onward.get(name)
        # It ends: no two renames share a live name, so that no circle can be entered from outside of it.
        while following is not None and following != name:
            following = self.onward.get(following)
        return following is not None

    def _may_adopt(self, live: Source) -> bool:
        if live.name in self.scope.adopt:
            return True
        return self.scope.adopt_all and (owner_of(live.description) is None or self._was_ours(live))

    def _was_ours(self, live: Source) -> bool:
        """Whether this dbt target pushed it, by its prefix, before there were namespaces."""
        line, prefix = owner_of(live.description), self.scope.prefix
        return line is not None and line.owner == self.scope.project and bool(prefix) and live.name.startswith(prefix)

    def _foreign(self, item: Desired, payload: Source, live: Source) -> Change:
        owner = owner_of(live.description)
        whose = self._whose(owner) if owner else "the console"
        reason = f"The console has an object of this name that belongs to {whose}."
        if owner is None and {field.field for field in differences(payload, live)} <= {"description"}:
            reason = (
                "The console has this object as declared, but without its ownership line: "
                "it was removed there, or the object was made by hand."
            )
        return self._refused(
            Action.FOREIGN,
            item,
            reason,
            f'To take it over, run again with --adopt "{item.name}".',
            live=live,
        )

    def _whose(self, owner: Ownership) -> str:
        namespace = f'in the namespace "{owner.namespace}"' if owner.namespace else "without a namespace"
        detail = f" {namespace}" if owner.namespace or owner.project == self.scope.project else ""
        return f'dbt project "{owner.project}"{detail}'

    def _refused(self, action: Action, item: Desired, reason: str, fix: str, *, live: Source | None = None) -> Change:
        return Change(
            action=action,
            kind=self.kind,
            name=item.name,
            unique_id=item.unique_id,
            live_name=item.name if item.name in self.by_name else "",
            reason=reason,
            fix=fix,
            desired=item.payload,
            live=live,
        )

    def _unclaimed(self, protected: frozenset[tuple[Kind, str]]) -> list[Change]:
        changes = []
        for name, unique_id in self.owners.items():
            if name in self.taken or (self.scope.only is not None and unique_id not in self.scope.only):
                continue
            if (self.kind, unique_id) in protected:
                continue
            reason = "No model declares it any more."
            if name in self.replaced:
                reason = f'Replaced by "{self.replaced[name]}".'
            action, fix = self._unclaimed_action()
            if name in self.strays:
                target = self.strays[name]
                reason = f'Its name has the prefix of the dbt target "{target}", so it is taken for that target\'s.'
                action, fix = (
                    Action.ORPHAN,
                    f'Keep it with `sync --target {target} --adopt "{name}"`, or delete it in Statsig.',
                )
            changes.append(
                Change(
                    action=action,
                    kind=self.kind,
                    name=name,
                    unique_id=unique_id,
                    live_name=name,
                    reason=reason,
                    fix=fix,
                    live=self.by_name[name],
                )
            )
        return changes

    def _unclaimed_action(self) -> tuple[Action, str]:
        if not self.scope.prune:
            return Action.ORPHAN, "To delete it, run sync with --prune."
        if not self.live.complete:
            return Action.BLOCKED, "The list of live objects was incomplete, so nothing is deleted; run again."
        return Action.DELETE, ""

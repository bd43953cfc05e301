"""Payloads against live objects: what would change, and what must not be touched. Pure.

Whose an object is, is read from the ownership line of its description. An object is found by its node first (so that a
new name is a rename), then by its name. Nothing that another project or the console itself owns is ever changed unless
it is named for adoption, and nothing is deleted unless pruning is asked for and the list of live objects is complete.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from msgspec import structs

from dbt_statsig.planning.adoption import Adoption, spellings
from dbt_statsig.planning.asked import FIX_FINDINGS, Desired, Live, Scope, to_prune
from dbt_statsig.planning.kept import compared, suited
from dbt_statsig.planning.metrics import with_metrics
from dbt_statsig.planning.moves import Moves
from dbt_statsig.planning.owned import owners
from dbt_statsig.planning.pairs import Pairs
from dbt_statsig.planning.shifts import chained, moved_from, shifted
from dbt_statsig.vocabulary.changes import PAST_TENSE, Action, Change, FieldChange, Plan, is_standing, united
from dbt_statsig.vocabulary.comparison import differences
from dbt_statsig.vocabulary.kinds import BLOCK_KINDS, SPECS
from dbt_statsig.vocabulary.ownership import Ownership, is_archived, likely_owner, owner_of
from dbt_statsig.vocabulary.sources import Kind, Source, natural

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from dbt_statsig.planning.basis import Settled

__all__ = ["Action", "Change", "Desired", "FieldChange", "Live", "Plan", "Scope", "build_plan"]


def build_plan(desired: Iterable[Desired], live: Mapping[Kind, Live], scope: Scope) -> Plan:
    """All changes for the kinds that `live` holds, in the order of kinds and names."""
    wanted: dict[Kind, list[Desired]] = defaultdict(list)
    for item in desired:
        wanted[item.kind].append(item)
    planners = [_KindPlanner(kind, live[kind], scope, wanted[kind]) for kind in Kind if kind in live]
    return Plan(
        project=scope.project,
        namespace=scope.namespace,
        changes=with_metrics(_in_order([change for planner in planners for change in planner.plan()]), live),
        disabled=tuple(change for planner in planners for change in planner.disabled()),
    )


def _in_order(changes: Sequence[Change]) -> tuple[Change, ...]:
    """The changes, with each deletion after what its node declares in another kind instead; metrics are beside that."""
    successors: dict[str, list[tuple[Kind, str]]] = defaultdict(list)
    for change in changes:
        if not is_standing(change) and change.kind in BLOCK_KINDS:
            successors[change.unique_id].append((change.kind, change.name))
    return united(
        structs.replace(one, after=tuple(new for new in successors[one.unique_id] if new[0] is not one.kind))
        if one.action is Action.DELETE and one.kind in BLOCK_KINDS
        else one
        for one in changes
    )


class _KindPlanner:
    """The matching of one kind's declarations with its live objects."""

    def __init__(self, kind: Kind, live: Live, scope: Scope, wanted: Sequence[Desired]) -> None:
        self.kind = kind
        self.live = live
        self.scope = scope
        enabled = {item.name for item in wanted if not item.disabled}
        self.wanted = [item for item in wanted if not item.disabled or item.name not in enabled]
        self.by_name = {item.name: item for item in live.items}
        self.owners = owners(live, scope, self.wanted)
        declared = {item.name for item in self.wanted}
        self.strays = {name: target for name in self.owners if name not in declared and (target := self._stray(name))}
        self.asked = {(old, new) for of, old, new in scope.renamed if of is kind and SPECS[kind].can_rename}
        renamed = self._renamed(declared)
        self.paired = self._pairs({*renamed, *renamed.values()})
        paired = self.paired.certain
        renames = {new: old for new, old in paired.items() if SPECS[kind].can_rename}
        # Where this kind cannot be renamed: the new name -> the old one, and the other way round.
        self.supersedes = {new: old for new, old in paired.items() if new not in renames and old not in declared}
        self.superseded_by = {old: new for new, old in self.supersedes.items()}
        idle = {item.name for item in self.wanted if item.is_idle}
        self.named = {new: old for of, old, new in sorted(scope.named) if of is kind and old not in self.owners}
        self.adoption = Adoption(
            scope.adopt,
            SPECS[kind],
            declared=declared - idle,
            new=sorted(declared - idle - self.by_name.keys() - paired.keys()),
            live=self.by_name,
            own=self.owners,
            named={new: old for new, old in self.named.items() if new != old} | self._at_odds(declared) | renamed,
            foreign={item.name for item in live.items if likely_owner(item.description)} - self.owners.keys(),
            free=frozenset(renamed.values()),
        )
        self.pairs = renames | self.adoption.pairs
        idle |= {item.name for item in wanted if item.name in self.pairs and self._waits(item, self.pairs[item.name])}
        self.moves = Moves(self.by_name, {new: old for new, old in self.pairs.items() if new not in idle})
        self.claimed = {self.pairs.get(name, name) for name in declared} | {*renamed.values()}

    def plan(self) -> list[Change]:
        """All changes, by name."""
        changes = [self._change(item) for item in self.wanted if not item.disabled]
        changes += self._unclaimed(changes)
        return sorted(changes, key=lambda change: natural(change.name))

    def disabled(self) -> list[Change]:
        """The own objects whose blocks or nodes are disabled in this target, by name."""
        resting = [item for item in self.wanted if item.disabled]
        nodes = {item.unique_id for item in resting if not self._is_found(item)}
        names = {self.pairs.get(item.name, item.name) for item in resting}
        return [
            self._of_ours(Action.UNCHANGED, name, "Disabled in this target.")
            for name, unique_id in sorted(self.owners.items())
            if name in names or (unique_id in nodes and name not in self.claimed)
        ]

    def _pairs(self, named: Collection[str]) -> Pairs:
        """What is declared and not there, beside the own objects of its node that nothing declares.

        What is `named` is settled.
        """
        new = [one for one in self.wanted if self.owners.get(one.name) != one.unique_id and one.name not in named]
        new.sort(key=lambda one: natural(one.name))
        settled = {(item.name, item.unique_id) for item in self.wanted}
        known = {*self.strays, *named, *(name for kind, _, name in self.scope.unread if kind is self.kind)}
        old: dict[str, list[Source]] = defaultdict(list)
        moved = moved_from(self.wanted, self.by_name, self.owners) if SPECS[self.kind].can_rename else ()
        for name, unique_id in sorted(self.owners.items(), key=lambda one: natural(one[0])):
            is_free = (name, unique_id) not in settled and name not in known
            if is_free and not is_archived(self.by_name[name].description):
                old[unique_id].append(self.by_name[name])
        unread = {node for kind, node, name in self.scope.unread if kind is self.kind and not name}
        return Pairs(new, old, unread, moved)

    def _at_odds(self, declared: set[str]) -> dict[str, str]:
        """What is not there yet -> the own object that its block names, although another block has that one's name."""
        own = self.owners.keys()
        asked = [(old, new) for old, new in sorted(self.asked) if self.paired.certain.get(new) != old]
        return {new: old for old, new in asked if old in own & declared and new not in own}

    def _renamed(self, declared: set[str]) -> dict[str, str]:
        """Declared name -> the own object that becomes it: by name, or where names of a node have moved on."""
        if not SPECS[self.kind].can_rename:
            return {}
        asked = self.asked | {pair for word in self.scope.adopt for pair in spellings(word)}
        kept = {*self.strays, *(word for kind, *words in self.scope.unread if kind is self.kind for word in words)}
        movable = {name: node for name, node in self.owners.items() if self._in_scope(name) and name not in kept}
        named = chained(asked, declared, movable, self.owners)
        clear = [item for item in self.wanted if item.unique_id not in kept]
        return named | shifted(clear, movable, self.by_name, declared, named)

    def _in_scope(self, name: str) -> bool:
        return self.scope.selected_ids is None or self.owners[name] in self.scope.selected_ids

    def _is_found(self, item: Desired) -> bool:
        """Whether it is there under its name: of the many metrics of a node, no other one is an older name of it."""
        return SPECS[self.kind].within is not None and item.name in self.owners

    def _stray(self, name: str) -> str:
        """The other dbt target whose prefix the name has; empty where there is none."""
        prefixes = {} if self.scope.namespace else self.scope.prefixes
        return next((target for prefix, target in prefixes.items() if name.startswith(prefix)), "")

    def _waits(self, item: Desired, old_name: str) -> bool:
        """Whether a rename waits for evidence."""
        payload = None if self.scope.force else item.payload
        return payload is not None and suited(item, payload, self.by_name[old_name]).lacking

    def _is_excused(self, item: Desired, payload: Source) -> bool:
        """Whether only evidence is lacking, and what is live can stay."""
        live = self.by_name.get(item.name)
        if live is None or not item.excused or item.name not in self.owners or item.name in self.moves.freed_names:
            return False
        return suited(item, payload, live).kept

    def _change(self, item: Desired) -> Change:
        if item.payload is None or (item.blocked and not self._is_excused(item, item.payload)):
            return self._refused(Action.BLOCKED, item, item.blocked, item.fix)
        if (refusal := self.adoption.refused.get(item.name)) is not None:
            return self._refused(Action.BLOCKED, item, refusal.reason, refusal.fix)
        if item.name in self.pairs:
            return self._rename(item, item.payload, self.pairs[item.name])
        live = self.by_name.get(item.name)
        if live is None or item.name in self.moves.freed_names:
            return self._create(item, item.payload)
        adopted = item.name not in self.owners
        same = suited(item, item.payload, live)
        if adopted and not self._may_adopt(live):
            return self._foreign(item, same.payload, live)
        return self._compared(item, same, live, adopted=adopted)

    def _compared(self, item: Desired, same: Settled, live: Source, *, adopted: bool) -> Change:
        if same.lacking and not self.scope.force:
            return self._refused(Action.BLOCKED, item, same.reason, same.fix, live=live)
        beside = compared(same.payload, live, retry=self.scope.force)
        return Change(
            action=Action.UPDATE if beside.fields else Action.UNCHANGED,
            kind=self.kind,
            name=item.name,
            unique_id=item.unique_id,
            live_name=item.name,
            fields=beside.fields,
            not_kept=beside.kept,
            reason=same.reason if same.kept else self._from_archive(live),
            kept=same.kept,
            adopted=adopted,
            desired=beside.desired,
            live=live,
        )

    def _create(self, item: Desired, payload: Source) -> Change:
        if in_the_way := self.moves.in_the_way(item.name):
            return self._twin(item, in_the_way[0])
        if item.basis is not None and item.basis.uncompiled and not self.scope.force:
            return self._refused(Action.BLOCKED, item, f"Not created yet: {item.basis.doubt}.", item.basis.fix)
        reason, fix = self.paired.note(item.name, self.scope.prefix) if SPECS[self.kind].can_rename else ("", "")
        if reason and item.unique_id in self.paired.unread and not self.scope.force:
            return self._refused(Action.BLOCKED, item, reason, FIX_FINDINGS)
        if old := self.supersedes.get(item.name, ""):
            reason = f'Replaces "{old}": a {self.kind.label} cannot be renamed.'
        return Change(
            action=Action.CREATE,
            kind=self.kind,
            name=item.name,
            unique_id=item.unique_id,
            reason=reason,
            fix=fix,
            requires=self.moves.waits_for(item.name),
            desired=payload,
        )

    def _rename(self, item: Desired, payload: Source, old_name: str) -> Change:
        live = self.by_name[old_name]
        same = suited(item, payload, live)
        if same.lacking and not self.scope.force:
            return self._refused(Action.BLOCKED, item, same.reason, same.fix, live=live)
        if self.moves.is_circle(item.name):
            return self._refused(
                Action.BLOCKED,
                item,
                f"Several {self.kind.label}s exchange their names in a circle.",
                "Give one of them another name first, then run again.",
            )
        in_the_way = self.moves.in_the_way(item.name)
        if item.name in in_the_way:
            return self._refused(
                Action.BLOCKED,
                item,
                f'It is "{old_name}" in Statsig, and another object has its new name.',
                "Delete or rename that object first.",
            )
        if in_the_way:
            return self._twin(item, in_the_way[0])
        renamed = FieldChange(field="name", before=old_name, after=item.name)
        beside = compared(same.payload, live, retry=self.scope.force)
        return Change(
            action=Action.RENAME,
            kind=self.kind,
            name=item.name,
            unique_id=item.unique_id,
            live_name=old_name,
            fields=(renamed, *beside.fields),
            not_kept=beside.kept,
            reason=same.reason if same.kept else self._from_archive(live),
            requires=self.moves.waits_for(item.name),
            kept=same.kept,
            adopted=old_name not in self.owners,
            desired=beside.desired,
            live=live,
        )

    def _from_archive(self, live: Source) -> str:
        return "It comes back from the archive." if SPECS[self.kind].archives and is_archived(live.description) else ""

    def _twin(self, item: Desired, twin: str) -> Change:
        """The refusal of a name that is another spelling of a live one."""
        spelling = "upper and lower case" if twin.casefold() == item.name.casefold() else "its Unicode form"
        reason = f'Statsig has "{twin}", which differs only in {spelling}.'
        if self.supersedes.get(item.name) == twin:
            reason += f" A {self.kind.label} cannot be renamed, and Statsig cannot have both."
        action = Action.BLOCKED if twin in self.owners else Action.FOREIGN
        return self._refused(action, item, reason, "Declare the name as Statsig spells it.")

    def _may_adopt(self, live: Source) -> bool:
        owner, scope = likely_owner(live.description), self.scope
        if owner is not None and owner.owner in scope.adopt_from:
            return (self.kind, live.name) not in scope.declared_there and live.name in (scope.adopt or {live.name})
        if live.name in scope.adopt and not scope.adopt_from:
            return True
        is_named = self.named.get(live.name) == live.name
        return (scope.adopt_all or is_named) and (owner is None or self._was_ours(live))

    def _was_ours(self, live: Source) -> bool:
        """Whether this dbt target pushed it, by its prefix, before there were namespaces."""
        line, prefix = owner_of(live.description), self.scope.prefix
        return line is not None and line.owner == self.scope.project and bool(prefix) and live.name.startswith(prefix)

    def _foreign(self, item: Desired, payload: Source, live: Source) -> Change:
        owner = likely_owner(live.description)
        detail = f"belongs to {self._whose(owner)}" if owner else "has no ownership line"
        reason = f"Not managed by this project: it {detail}."
        if owner is None and {field.field for field in differences(payload, live)} <= {"description"}:
            reason = (
                "Statsig has this object as declared, but without an ownership line: it was removed, or the object "
                "was created by hand."
            )
        has_moved = owner is not None and owner.project != self.scope.project
        moved = f'If it has moved to "{owner.project}", remove its block here. ' if owner and has_moved else ""
        if owner and owner.owner in self.scope.adopt_from and (self.kind, live.name) in self.scope.declared_there:
            fix = f'Remove its block in "{owner.project}", and run `dbt parse` there.'
            return self._refused(Action.FOREIGN, item, f"{reason[:-1]}, which declares it.", fix, live=live)
        return self._refused(
            Action.FOREIGN,
            item,
            reason,
            f'{moved}To take it over, run again with --adopt "{item.name}".',
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

    def _unclaimed(self, changes: Sequence[Change]) -> Iterator[Change]:
        """What becomes of own objects that nothing declares."""
        idle = {one.unique_id for one in self.wanted if (one.blocked or one.disabled) and not self._is_found(one)}
        by_node: dict[str, list[Change]] = defaultdict(list)
        for change in sorted(changes, key=lambda one: one.name):
            by_node[change.unique_id].append(change)
        for name, unique_id in self.owners.items():
            if name in self.claimed or not self._in_scope(name):
                continue
            if unique_id in idle or (self.kind, unique_id) in self.scope.protected:
                continue
            if is_archived(self.by_name[name].description) and not self.scope.delete_metrics:
                continue
            if name in self.strays:
                target = self.strays[name]
                reason = f'Its name has the prefix of the dbt target "{target}", so it belongs to that target.'
                fix = f'To keep it, run `sync --target {target} --adopt "{name}"`, or delete it in Statsig.'
                yield self._of_ours(Action.ORPHAN, name, reason, fix)
            else:
                yield self._orphan(name, [one for one in by_node[unique_id] if not is_standing(one)])

    def _orphan(self, name: str, successors: Sequence[Change]) -> Change:
        """An own object that nothing declares; it goes only after what its node declares now is there."""
        reason = "It is no longer declared."
        if SPECS[self.kind].can_rename and (new := self.paired.may_be(name)):
            reason = f'It is no longer declared, or "{new}" is its new name: see there.'
        if name in self.superseded_by:
            reason = f'Replaced by "{self.superseded_by[name]}".'
        archives = SPECS[self.kind].archives and not self.scope.delete_metrics
        gone = PAST_TENSE[Action.ARCHIVE if archives else Action.DELETE]
        refused = [one.name for one in successors if not one.action.writes]
        if refused:
            reason = f'Its node declares "{refused[0]}" instead, which cannot be written, so this one is not {gone}.'
            action = Action.BLOCKED if self.scope.prune else Action.ORPHAN
            return self._of_ours(action, name, reason, f'See "{refused[0]}".')
        if not self.scope.prune:
            return self._of_ours(Action.ORPHAN, name, reason, to_prune(self.kind))
        if not self.live.complete:
            fix = f"The list of live objects was incomplete, so nothing is {gone}; run again."
            return self._of_ours(Action.BLOCKED, name, reason, fix)
        action = Action.ARCHIVE if archives else Action.DELETE
        return self._of_ours(action, name, reason, requires=tuple(one.name for one in successors))

    def _of_ours(
        self, action: Action, name: str, reason: str, fix: str = "", *, requires: tuple[str, ...] = ()
    ) -> Change:
        return Change(
            action=action,
            kind=self.kind,
            name=name,
            unique_id=self.owners[name],
            live_name=name,
            reason=reason,
            fix=fix,
            requires=requires,
            live=self.by_name[name],
        )

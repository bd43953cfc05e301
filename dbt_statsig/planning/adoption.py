"""Which declared source a console object is to become (`--adopt NAME`, `--adopt OLD=NEW`), and giving one back. Pure.

An object that is named for adoption under a name that nobody declares is taken over and renamed where it is certain
which source is meant. Where it is not, or where that cannot be done, no new object is created in its place.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from dbt_statsig.planning.kept import compared
from dbt_statsig.vocabulary.changes import Action, Change, Plan
from dbt_statsig.vocabulary.findings import did_you_mean, listed
from dbt_statsig.vocabulary.ownership import likely_owner, owner_name, released_text, text_above

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from dbt_statsig.planning.asked import Live, Scope
    from dbt_statsig.vocabulary.changes import FieldChange
    from dbt_statsig.vocabulary.kinds import KindSpec
    from dbt_statsig.vocabulary.sources import Kind, Source


class Refusal(Struct, frozen=True):
    """Why a source is not written although adoption was asked for, and the next step."""

    reason: str
    fix: str


class Adoption:
    """The adoptions under another name, of one kind: `pairs` and `refused` by the declared name."""

    def __init__(
        self,
        words: Iterable[str],
        spec: KindSpec,
        *,
        declared: Collection[str],
        new: Collection[str],
        live: Collection[str],
        own: Collection[str],
        named: Mapping[str, str],
        foreign: Collection[str],
        free: Collection[str] = (),
    ) -> None:
        """Match the words with the declared names, of which `new` are not there yet, and the live ones.

        `named` are declared names whose block says which object to take over, if it is not one of the `foreign` ones,
        which other projects own. `free` are own objects that may get another name.
        """
        self._label = spec.kind.label
        self._live = live
        self._declared = declared
        self._own = own
        self._free = free
        self.pairs: dict[str, str] = {}
        self.refused: dict[str, Refusal] = {}
        explicit = {word: _split(word, declared, live) for word in sorted(words) if word not in declared}
        alone = [word for word, split in explicit.items() if split is None and word in live and word not in own]
        pairs = {split for split in explicit.values() if split is not None}
        pairs |= {(old, new) for new, old in named.items() if new in declared}
        self._claims: dict[str, list[str]] = defaultdict(list)
        for old, name in sorted(pairs):
            if name not in own or name in free:
                self._claims[old].append(name)
        for split in filter(None, explicit.values()):
            self._explicit(*split)
        for name in sorted(named.keys() & declared - self.pairs.keys() - self.refused.keys()):
            self._by_block(named[name], name, set(foreign) - set(free))
        self._alone(alone, [name for name in new if name not in self.pairs and name not in self.refused])
        if not spec.can_rename:
            for name, old in self.pairs.items():
                self.refused[name] = self._cannot_rename(old, name, "`adopt`" if name in named else "--adopt")
            self.pairs.clear()

    def _explicit(self, old: str, new: str) -> None:
        if new in self._own and new not in self._free:
            if old in self._live and old != new:
                reason = f'"{old}" cannot become "{new}": this project already has "{new}" in Statsig.'
                self.refused[new] = Refusal(
                    reason, f'Remove --adopt "{old}={new}", or delete one of the two in Statsig.'
                )
            return
        if len(self._claims[old]) > 1:
            named = listed([f'"{name}"' for name in self._claims[old]])
            self.refused[new] = Refusal(f'"{old}" cannot become all of {named}.', "Name it for one of them only.")
        elif new in self._live and new not in self._free:
            reason = f'"{old}" cannot become "{new}": Statsig already has "{new}".'
            self.refused[new] = Refusal(reason, f'Remove --adopt "{old}={new}", or delete "{new}" in Statsig.')
        elif self._is_kept(old) or old in self.pairs.values():
            reason = f'"{old}" cannot become "{new}": it is, or becomes, another {self._label} of this project.'
            self.refused[new] = Refusal(reason, f'Remove --adopt "{old}={new}".')
        elif old not in self._live:
            reason = f'Statsig has no {self._label} "{old}" to take over.'
            self.refused[new] = Refusal(reason, did_you_mean(old, self._live) or "Give its name as it is in Statsig.")
        else:
            self.pairs[new] = old

    def _is_kept(self, old: str) -> bool:
        return (old in self._declared or old in self._own) and old not in self._free

    def _by_block(self, old: str, new: str, foreign: Collection[str]) -> None:
        """As `--adopt OLD=NEW`, with the block's key in place of the option."""
        if old in foreign and (new not in self._own or new in self._free):
            reason = f'"{old}" cannot become "{new}": another dbt project owns it.'
            self.refused[new] = Refusal(reason, f'To take it over all the same, run with --adopt "{old}={new}".')
            return
        self._explicit(old, new)
        if (refusal := self.refused.get(new)) is not None:
            fix = refusal.fix.replace(f'--adopt "{old}={new}"', "`adopt` from its block")
            self.refused[new] = Refusal(refusal.reason, fix)

    def _alone(self, words: list[str], new: list[str]) -> None:
        """Names of objects that nobody declares: the one source that is new is meant, if there is one only."""
        if len(words) == len(new) == 1:
            self.pairs[new[0]] = words[0]
        elif words:
            named = ", ".join(f'"{word}"' for word in words)
            reason = f"It is not certain which {self._label} {named} should become, so none is created."
            for name in new:
                self.refused[name] = Refusal(reason, f'Name both: --adopt "{words[0]}={name}".')

    def _cannot_rename(self, old: str, new: str, asked: str) -> Refusal:
        reason = f'"{old}" cannot become "{new}": Statsig cannot rename a {self._label}.'
        return Refusal(reason, f'Declare it as "{old}", or remove {asked} to create "{new}" as well.')


def matchless(words: Iterable[str], plan: Plan, live: Collection[str]) -> list[str]:
    """The words that name no object that is there and no source of this plan: misspelt, most likely."""
    known = {change.name for change in plan.changes} | {change.live_name for change in plan.changes} | {*live}
    return [word for word in sorted(words) if not {word, *(new for _, new in spellings(word))} & known]


def without_creations(plan: Plan, words: Collection[str]) -> Plan:
    """The plan in which nothing is created while words to adopt match nothing: they may mean what is new."""
    if not words:
        return plan
    named = ", ".join(f'--adopt "{word}"' for word in words)

    def held(change: Change) -> Change:
        if change.action is not Action.CREATE:
            return change
        reason = f"{named} matches nothing but may mean this source, so it is not created."
        fix = "Correct the name, or remove the --adopt that matches nothing."
        return change.blocked(reason, fix)

    return structs.replace(plan, changes=tuple(held(change) for change in plan.changes))


def only_as_imported(plan: Plan, exact: Collection[tuple[Kind, str]]) -> Plan:
    """The plan in which an object that an import found `exact` is taken over only while that holds."""

    def held(change: Change) -> Change:
        more = [field.field for field in change.fields if not is_ownership_line(field)]
        if not (more and change.adopted and change.action.touches and (change.kind, change.live_name) in exact):
            return change
        reason = (
            "The object in Statsig, its block or its node has changed since the import: taking it over would change "
            f"{listed([f'`{field}`' for field in more])} too."
        )
        fix = f'To take it over with these changes, run again with --adopt "{change.live_name}".'
        return change.blocked(reason, fix)

    return structs.replace(plan, changes=tuple(held(change) for change in plan.changes))


def is_ownership_line(field: FieldChange) -> bool:
    """Whether only the ownership line (and the link above it) comes to a description."""
    before = field.before.strip() if isinstance(field.before, str) else ""
    return field.field == "description" and text_above(field.after) == before


def spellings(word: str) -> Iterator[tuple[str, str]]:
    """The ways to read OLD=NEW: names may hold an equals sign themselves."""
    parts = word.split("=")
    for place in range(1, len(parts)):
        yield "=".join(parts[:place]), "=".join(parts[place:])


def _split(word: str, declared: Collection[str], live: Collection[str]) -> tuple[str, str] | None:
    found = [(old, new) for old, new in spellings(word) if new in declared]
    return next((pair for pair in found if pair[0] in live), found[0] if found else None)


def release_plan(
    live: Mapping[Kind, Live], names: Collection[str], scope: Scope, *, locked: Collection[tuple[Kind, str]]
) -> Plan:
    """The updates that release the objects of these names; those of other owners are refused.

    `locked` are the objects that this project made read-only in the console.
    """
    changes = (
        _released(kind, item, scope, is_locked=(kind, item.name) in locked)
        for kind, held in live.items()
        for item in held.items
        if item.name in names
    )
    return Plan(project=scope.project, namespace=scope.namespace, changes=tuple(changes))


def releasable(live: Mapping[Kind, Live], scope: Scope) -> Iterator[tuple[Kind, str]]:
    """The objects that this project owns, by kind and name."""
    for kind, held in live.items():
        for item in held.items:
            owner = likely_owner(item.description)
            if owner is not None and owner.owner == scope.owner:
                yield kind, item.name


def _released(kind: Kind, item: Source, scope: Scope, *, is_locked: bool) -> Change:
    owner = likely_owner(item.description)
    if owner is None or owner.owner != scope.owner:
        whose = f'dbt project "{owner_name(owner.project, owner.namespace)}" owns it' if owner else "nobody owns it"
        reason = f"Not managed by this project: {whose}."
        fix = "Release it from that project." if owner else ""
        return Change(
            action=Action.FOREIGN, kind=kind, name=item.name, live_name=item.name, reason=reason, fix=fix, live=item
        )
    desired = structs.replace(item, description=released_text(item.description))
    reason = ""
    if item.is_read_only is True and is_locked:
        desired = structs.replace(desired, is_read_only=False)
    elif item.is_read_only is True:
        reason = "It stays read-only in the console: neither its block nor a setting made it so."
    return Change(
        action=Action.UPDATE,
        kind=kind,
        name=item.name,
        unique_id=owner.unique_id,
        live_name=item.name,
        fields=compared(desired, item).fields,
        reason=reason,
        desired=desired,
        live=item,
    )

"""A plan as a file: what was decided, and digests of all that it was decided on.

The file holds no payload and no secret. To apply it is to plan again and to write only the changes that are in both
plans, for the same object in the same state; so no file, not even an edited one, can do what a new plan would not.
"""

from __future__ import annotations

import codecs
import hashlib
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from dbt_statsig import __version__
from dbt_statsig.errors import UsageError
from dbt_statsig.support.files import read_regular, write_whole
from dbt_statsig.vocabulary.changes import PAST_TENSE, Action, Change, Plan, united
from dbt_statsig.vocabulary.comparison import fingerprint
from dbt_statsig.vocabulary.findings import listed
from dbt_statsig.vocabulary.ownership import plain
from dbt_statsig.vocabulary.results import Binding, ObjectOutcome, Outcome, Status, Synced
from dbt_statsig.vocabulary.sources import Kind, natural

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from dbt_statsig.planning.matching import Desired, Scope
    from dbt_statsig.project.request import Request
    from dbt_statsig.project.settings import Settings
    from dbt_statsig.vocabulary.results import Planned
    from dbt_statsig.vocabulary.sources import Source

SCHEMA_VERSION = 2
TOOL = "dbt-statsig saved plan"
NAMED = 5
_LARGEST = 64 * 2**20
_AGAIN = "Make a new one with `dbt-statsig plan --out FILE`."


class SavedChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One change that writes; `desired` and `live` are digests of the two objects, empty where there is none."""

    action: Action
    kind: Kind
    name: str
    live_name: str
    unique_id: str
    adopted: bool
    fields: tuple[str, ...]
    desired: str
    live: str


class SavedScope(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the plan was asked for; applying it asks for the same."""

    select: tuple[str, ...]
    exclude: tuple[str, ...]
    selector: str | None
    selected: tuple[str, ...] | None
    kinds: tuple[Kind, ...]
    strict: bool
    adopt: tuple[str, ...]
    adopt_all: bool
    adopt_from: tuple[str, ...]
    adopt_imported: bool
    prune: bool
    delete_metrics: bool = False
    force: bool


class SavedPlan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    tool: str
    schema_version: int
    version: str
    binding: Binding
    scope: SavedScope
    changes: tuple[SavedChange, ...]


class _Head(Struct, frozen=True, kw_only=True):
    tool: str = ""
    schema_version: int = 0
    version: str = ""


class Reconciled(Struct, frozen=True, kw_only=True):
    """What is left of a saved plan: the changes to write now, and the outcomes that need no writing."""

    plan: Plan
    settled: tuple[ObjectOutcome, ...]
    notes: tuple[str, ...]

    def with_outcome(self, outcome: Outcome) -> Outcome:
        """What became of the writing, with what needed none, in the order of kinds and names."""
        kinds = list(Kind)
        objects = sorted(
            (*outcome.objects, *self.settled),
            key=lambda one: (kinds.index(one.change.kind), natural(one.change.name)),
        )
        return msgspec.structs.replace(outcome, objects=tuple(objects), notes=(*outcome.notes, *self.notes))

    def preview(self, planned: Planned) -> Synced:
        """What applying would do: of the new plan only what would be written, and the outcomes that are certain."""
        ready = set(map(id, self.plan.changes))
        changes = tuple(one for one in planned.plan.changes if not one.action.writes or id(one) in ready)
        plan = msgspec.structs.replace(planned.plan, changes=changes)
        return Synced(
            planned=msgspec.structs.replace(planned, plan=plan), outcome=self.with_outcome(Outcome(objects=()))
        )


def check_savable(request: Request) -> None:
    """Raise UsageError for a run whose scope no later run can repeat from a file."""
    compares = any("state:" in word for word in (*request.select, *request.exclude))
    if compares or request.results is not None or request.run_results is not None:
        raise UsageError(
            "A plan that follows a dbt command's results or selects by state: cannot be saved.",
            fix="Select nodes with --select, or remove --out.",
        )


def binding_of(scope: Scope, target: str, settings: Settings, desired: Iterable[Desired]) -> Binding:
    """What a plan with these inputs depends on."""
    declared = sorted(
        (_called(item.kind, item.name), digest(item.unique_id, item.blocked, _digest(item.payload))) for item in desired
    )
    rules = (settings.respect_review_settings, settings.allowed_targets, settings.name_prefix, settings.strict)
    return Binding(
        project=scope.project,
        namespace=scope.namespace,
        target=target,
        base_url=settings.base_url.rstrip("/"),
        declared=tuple(declared),
        settings=digest(rules),
    )


def save(planned: Planned, request: Request, path: Path) -> None:
    """Write the file, whole or not at all. Raises DbtStatsigError where that cannot be done."""
    if planned.binding is None:
        raise ValueError("a plan that was made by hand has no binding")
    scope = SavedScope(
        select=request.select,
        exclude=request.exclude,
        selector=request.selector,
        selected=None if request.selected is None else tuple(sorted(request.selected)),
        kinds=tuple(sorted(request.kinds)),
        strict=request.strict,
        adopt=tuple(sorted(request.adopt)),
        adopt_all=request.adopt_all,
        adopt_from=tuple(sorted(request.adopt_from)),
        adopt_imported=request.adopt_imported,
        prune=request.prune,
        delete_metrics=request.delete_metrics,
        force=request.force,
    )
    saved = SavedPlan(
        tool=TOOL,
        schema_version=SCHEMA_VERSION,
        version=__version__,
        binding=planned.binding,
        scope=scope,
        changes=tuple(_saved(change) for change in planned.plan.changes if change.action.writes),
    )
    write_whole(path, msgspec.json.format(msgspec.json.encode(saved), indent=2) + b"\n")


def load(path: Path) -> SavedPlan:
    """The plan in a file. Raises UsageError for one that is missing, damaged, foreign, or of another version."""
    try:
        if path.stat().st_size > _LARGEST:
            raise UsageError(f"{path} is too large to be a saved plan.", fix=_AGAIN)
        content = read_regular(path).removeprefix(codecs.BOM_UTF8)
    except OSError as error:
        raise UsageError(f"The saved plan {path} cannot be read: {error.strerror}.", fix=_AGAIN) from None
    try:
        head = msgspec.json.decode(content, type=_Head)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        head = _Head()
    if head.tool != TOOL:
        raise UsageError(f"{path} is not a saved plan of dbt-statsig, or it is damaged.", fix=_AGAIN)
    if head.schema_version != SCHEMA_VERSION or head.version != __version__:
        raise UsageError(
            f"{path} was written by dbt-statsig {head.version} (form {head.schema_version}); "
            f"this is {__version__} (form {SCHEMA_VERSION}).",
            fix=_AGAIN,
        )
    try:
        return msgspec.json.decode(content, type=SavedPlan)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"The saved plan {path} is damaged: {error}.", fix=_AGAIN) from None


def request_from(request: Request, saved: SavedPlan) -> Request:
    """The request with the scope that the plan was made for. Raises UsageError where it brings one of its own."""
    own = {
        "--select": request.select,
        "--exclude": request.exclude,
        "--selector": request.selector,
        "--kind": request.kinds,
        "--adopt": request.adopt,
        "--adopt-all": request.adopt_all,
        "--adopt-from": request.adopt_from,
        "--adopt-imported": request.adopt_imported,
        "--prune": request.prune,
        "--delete-metrics": request.delete_metrics,
        "--force": request.force,
    }
    given = [option for option, value in own.items() if value]
    if given:
        raise UsageError(
            f"{', '.join(given)} cannot be combined with --plan: a saved plan has its own.",
            fix="Give these options to `plan --out`.",
        )
    scope = saved.scope
    return msgspec.structs.replace(
        request,
        select=scope.select,
        exclude=scope.exclude,
        selector=scope.selector,
        selected=None if scope.selected is None else frozenset(scope.selected),
        kinds=frozenset(scope.kinds),
        strict=scope.strict or request.strict,
        adopt=frozenset(scope.adopt),
        adopt_all=scope.adopt_all,
        adopt_from=frozenset(scope.adopt_from),
        adopt_imported=scope.adopt_imported,
        prune=scope.prune,
        delete_metrics=scope.delete_metrics,
        force=scope.force,
    )


def check_binding(saved: Binding, now: Planned, binding: Binding) -> None:
    """Raise UsageError where the plan was made for another project, target, console, declarations or settings."""
    words = {
        "project": f'the dbt project "{saved.project}", and this is "{binding.project}"',
        "namespace": f'the namespace "{saved.namespace}", and this is "{binding.namespace}"',
        "target": f'the dbt target "{saved.target}", and this is "{binding.target}"',
        "base_url": f"{saved.base_url}, and base_url is {binding.base_url} now",
        "settings": "other settings than the current ones",
    }
    for field, phrase in words.items():
        if getattr(saved, field) != getattr(binding, field):
            raise UsageError(f"The saved plan was made for {phrase}. Nothing was written.", fix=_AGAIN)
    changed = sorted({name for name, _ in {*saved.declared} ^ {*binding.declared}})
    if changed:
        raise UsageError(
            "The saved plan was made for another state of the project. These have another declaration or other "
            f"evidence (compiled SQL, catalog) now: {listed(changed, most=NAMED)}. Nothing was written.",
            fix=f"{_missing(changed, now)}{_AGAIN}",
        )


def _missing(changed: Sequence[str], now: Planned) -> str:
    """What would bring back the evidence that one of these lacks now; empty where none lacks any."""
    waiting = [(one.kind, one.name, one.reason) for one in now.skipped]
    waiting += [(one.kind, one.name, f"{one.reason} {one.fix}") for one in now.plan.changes if one.action.refuses]
    found = (why for kind, name, why in waiting if _called(kind, name) in changed)
    return next((f"{why} " for why in found), "")


def _called(kind: Kind, name: str) -> str:
    return f'{kind.label} "{name}"'


def reconcile(saved: SavedPlan, planned: Planned) -> Reconciled:
    """What of a saved plan can be written as it was decided; everything else gets its outcome here.

    Raises UsageError where the plan was made for something else as a whole.
    """
    now = planned.plan
    if planned.binding is not None:
        check_binding(saved.binding, planned, planned.binding)
    fresh = {(change.kind, change.name): change for change in now.changes}
    ready: list[Change] = []
    settled: list[ObjectOutcome] = []
    for old in saved.changes:
        change = fresh.pop((old.kind, old.name), None)
        if change is not None and _saved(change) == old:
            ready.append(change)
        else:
            settled.append(_decided(old, change))
    together = dict(zip(map(id, ready), united(ready), strict=True))
    settled += [_alone(change, together[id(change)]) for change in ready if together[id(change)] is not change]
    ready = [change for change in ready if together[id(change)] is change]
    new = sum(change.action.writes for change in fresh.values())
    notes = (f"Changes that are not in the saved plan were skipped: {new}. Plan again to see them.",) if new else ()
    return Reconciled(plan=msgspec.structs.replace(now, changes=tuple(ready)), settled=tuple(settled), notes=notes)


def digest(*parts: object) -> str:
    """One digest of values whose repr tells all of them."""
    return hashlib.sha256(repr(parts).encode(errors="backslashreplace")).hexdigest()


def _decided(old: SavedChange, change: Change | None) -> ObjectOutcome:
    gone = change is None and old.action.retires
    shown = change or Change(
        action=old.action, kind=old.kind, name=old.name, unique_id=old.unique_id, live_name=old.live_name
    )
    if gone or (change is not None and change.action is Action.UNCHANGED and _digest(change.desired) == old.desired):
        return ObjectOutcome(
            change=msgspec.structs.replace(shown, action=old.action),
            status=Status.DONE,
            message="Already applied: nothing was sent.",
            already=True,
        )
    why = "Statsig changed after the plan was made"
    why += f": this object would now be {_NOW[change.action]}." if change else ": nothing remains to do."
    if change is not None and change.action is old.action:
        why = "The object was edited in Statsig after the plan was made."
    return ObjectOutcome(
        change=msgspec.structs.replace(shown, action=old.action),
        status=Status.REFUSED,
        message=why,
        fix="Plan again and compare.",
    )


def _alone(change: Change, blocked: Change) -> ObjectOutcome:
    """A change whose part that must come first is not in both plans."""
    return ObjectOutcome(change=change, status=Status.REFUSED, message=blocked.reason, fix="Plan again and compare.")


_NOW = {
    **PAST_TENSE,
    Action.UNCHANGED: "unchanged",
    Action.FOREIGN: "refused as not managed by this project",
    Action.ORPHAN: "reported as no longer declared",
    Action.BLOCKED: "blocked",
}


def _saved(change: Change) -> SavedChange:
    return SavedChange(
        action=change.action,
        kind=change.kind,
        name=change.name,
        live_name=change.live_name,
        unique_id=change.unique_id,
        adopted=change.adopted,
        fields=tuple(field.field for field in change.fields),
        desired=_digest(change.desired),
        live="" if change.live is None else fingerprint(change.live),
    )


def _digest(source: Source | None) -> str:
    """A digest of what is declared, whatever is noted of what Statsig keeps."""
    if source is None:
        return ""
    text = source.description
    return digest(msgspec.structs.replace(source, description=plain(text)) if isinstance(text, str) else source)

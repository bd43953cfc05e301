"""The verdict about one column, by a table: what the contract, the catalog and inference say. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from dbt_statsig.columns.materializations import History
from dbt_statsig.vocabulary.findings import did_you_mean, listed
from dbt_statsig.vocabulary.verdicts import ColumnSet, Evidence, KnownColumn, Presence, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dbt_statsig.vocabulary.adapters import Adapter

REGENERATE = "Run `dbt docs generate` again."
_SHOWN = 12
_KEEP_OLD = (History.KEPT, History.EXTENDED, History.SNAPSHOT)
PROVE = "Run `dbt compile` and `dbt docs generate`, or enforce a contract."
PROVE_TABLE = "Run `dbt docs generate`. It lists only tables that exist in the warehouse: compare the names."
QUERY = "The query"
"""How a finding calls a user's own query."""


class Facts(Struct, frozen=True, kw_only=True):
    """All evidence about one node.

    `contract` and `catalog` are None where there is none; `fresh` is about the catalog. `inferred_reasons` is empty
    exactly when the inferred list holds all that the SQL gives, `others` exactly when the table has no more columns
    than these (or than the contract's); `dated` says that the list rests on an old catalog of sources. `history` is
    how the table follows its SQL. `inferred_from` is for a column that is not there, `prove` for one that nothing
    proves. `live` says that the warehouse itself gave the catalog's part in this run; what a contract lists then counts
    as what the SQL gives.
    """

    label: str
    contract: tuple[KnownColumn, ...] | None = None
    catalog: tuple[KnownColumn, ...] | None = None
    fresh: bool = False
    live: bool = False
    inferred: tuple[KnownColumn, ...] = ()
    inferred_reasons: tuple[str, ...] = ("nothing to infer from",)
    others: tuple[str, ...] = ()
    dated: bool = False
    history: History = History.REBUILT
    documented: tuple[str, ...] = ()
    inferred_from: str = "compiled SQL"
    prove: str = PROVE

    @property
    def lacking(self) -> bool:
        """Whether what is not inferred is not in the SQL either."""
        return not self.inferred_reasons and not self.dated


class Match(Struct, frozen=True, kw_only=True):
    """A known column that a written name means; `by_case_only` where the warehouse would tell the two apart."""

    column: KnownColumn
    by_case_only: bool = False


def match(adapter: Adapter, written: str, columns: Iterable[KnownColumn]) -> Match | None:
    """The column that `written` means: as stored, else as the warehouse folds it, else by its letters alone."""
    columns = tuple(columns)
    for spelling in (written, adapter.assumed(written)):
        for column in columns:
            if adapter.same(column.name, spelling):
                return Match(column=column)
    folded = written.casefold()
    for column in columns:
        if column.name.casefold() == folded:
            return Match(column=column, by_case_only=True)
    return None


def decide(adapter: Adapter, written: str, facts: Facts) -> Verdict:
    """The verdict about the column that the user wrote as `written`."""
    verdict = _decide(adapter, written, facts)
    if verdict.presence is Presence.PRESENT or verdict.evidence is Evidence.POSSIBLE:
        return verdict
    if adapter.is_pseudo(written):
        return _pseudo(adapter, written, facts)
    path = nested_path(adapter, written)
    top = _decide(adapter, path[0], facts) if path else verdict
    return _nested(written, top, facts) if path and top.presence is not Presence.ABSENT else verdict


def _decide(adapter: Adapter, written: str, facts: Facts) -> Verdict:  # noqa: PLR0911 - one for each row of the table
    catalog = match(adapter, written, facts.catalog or ())
    if facts.contract is not None:
        found = match(adapter, written, facts.contract) or (catalog if facts.others else None)
        if found or not facts.others:
            return _present(written, found) if found else _absent(written, facts, facts.contract, Evidence.CONTRACT)
        return _undecided(written, facts)
    inferred = match(adapter, written, facts.inferred)
    closed = facts.lacking and not facts.others
    if catalog is not None:
        return _cataloged(written, catalog, facts) if inferred is None and facts.lacking else _present(written, catalog)
    if facts.catalog is None:
        if inferred is not None:
            return _present(written, inferred)
        return _absent(written, facts, facts.inferred, Evidence.INFERRED) if closed else _undecided(written, facts)
    if inferred is not None:
        return _not_in_catalog(written, inferred, facts)
    if facts.fresh:
        return _absent(written, facts, facts.catalog, Evidence.WAREHOUSE if facts.live else Evidence.CATALOG)
    return _absent(written, facts, facts.inferred, Evidence.INFERRED) if closed else _stale(written, facts)


def decide_in(adapter: Adapter, written: str, columns: ColumnSet, label: str) -> Verdict:
    """The verdict about a name where a list of columns is all the evidence."""
    reasons = () if columns.closed else columns.reasons or ("",)
    open_, others = ((), reasons) if columns.complete else (reasons, ())
    return decide(adapter, written, Facts(label=label, inferred=columns.columns, inferred_reasons=open_, others=others))


def _present(written: str, found: Match) -> Verdict:
    """Present; unknown where the SQL gives the column, but the table need not have it."""
    column = found.column
    case = found.by_case_only
    return Verdict(
        name=written,
        stored=column.name,
        presence=Presence.PRESENT if column.is_certain else Presence.UNKNOWN,
        evidence=column.evidence,
        spelling_proven=column.spelling_proven,
        data_type=column.data_type,
        fields=column.fields,
        code="column-case" if case else "",
        message=f'"{written}" is stored as "{column.name}", and this warehouse is case-sensitive.' if case else "",
        fix=f'Write "{column.name}".' if case else "",
    )


def _cataloged(written: str, found: Match, facts: Facts) -> Verdict:
    """The catalog has the column, and the SQL does not give it (any more)."""
    if facts.history is History.REBUILT:
        return _present(written, found) if facts.fresh and facts.others else _going(written, found, facts)
    if facts.history is History.OTHER:
        return _present(written, found)
    gone = not facts.fresh and facts.history is not History.SNAPSHOT
    name = found.column.name
    message = (
        f'{facts.label} keeps "{name}" in the warehouse, but its SQL does not select it: new rows have NULL there.'
    )
    if gone:
        message = (
            f'The SQL of {_lower(facts.label)} does not select "{name}". The catalog, older than the manifest, has it; '
            "a `--full-refresh` removes it."
        )
    return replace(
        _present(written, found),
        presence=Presence.UNKNOWN if gone else Presence.PRESENT,
        evidence=Evidence.POSSIBLE if gone else found.column.evidence,
        code="column-not-filled",
        message=message,
        fix="Keep the column in the model, or map another one." if not gone else REGENERATE,
    )


def _pseudo(adapter: Adapter, written: str, facts: Facts) -> Verdict:
    name = adapter.stored(written, quoted=False)
    return Verdict(
        name=written,
        stored=name,
        presence=Presence.UNKNOWN,
        evidence=Evidence.NONE,
        spelling_proven=True,
        data_type=adapter.pseudo.get(written.casefold()) or None,
        code="column-pseudo",
        message=f'"{written}" of {_lower(facts.label)} is a pseudo column of {adapter.name}: no catalog lists it.',
        fix="Use it only on a table that has it. A view does not have it.",
    )


def _of_a_name(
    written: str,
    *,
    code: str,
    message: str,
    fix: str,
    presence: Presence = Presence.UNKNOWN,
    evidence: Evidence = Evidence.NONE,
) -> Verdict:
    """The verdict about a name that no known column has."""
    return Verdict(
        name=written, stored=written, presence=presence, evidence=evidence, code=code, message=message, fix=fix
    )


def _nested(written: str, top: Verdict, facts: Facts) -> Verdict:
    return _of_a_name(
        written,
        presence=Presence.ABSENT,
        evidence=top.evidence,
        code="column-absent",
        message=f'{facts.label} has no column "{written}": it is a field of "{top.stored}".',
        fix="Add a column for the field to the model, or select it with `sql`.",
    )


def _lower(label: str) -> str:
    return label[:1].lower() + label[1:]


def _going(written: str, found: Match, facts: Facts) -> Verdict:
    """A table that is rebuilt has the column until its next build, and an old catalog does not know of builds since."""
    if not facts.fresh:
        return replace(
            _present(written, found),
            presence=Presence.UNKNOWN,
            evidence=Evidence.POSSIBLE,
            code="column-going",
            message=f'The {facts.inferred_from} of {_lower(facts.label)} does not have "{found.column.name}". The '
            f"catalog, older than the manifest, has it; the next build removes it{_why(facts)}.",
            fix=f"Map another column, or keep this one in the model. {REGENERATE}",
        )
    return replace(
        _present(written, found),
        code="column-going",
        message=f'{facts.label} has "{found.column.name}" in the warehouse, but its {facts.inferred_from} does not '
        "give it: the next build removes it.",
        fix="Keep the column in the model, or map another one.",
    )


def _not_in_catalog(written: str, found: Match, facts: Facts) -> Verdict:
    """Inference has the column, the catalog has not."""
    column = found.column
    kept = facts.history is History.KEPT
    if facts.fresh:
        return Verdict(
            name=written,
            stored=column.name,
            presence=Presence.ABSENT,
            evidence=Evidence.WAREHOUSE if facts.live else Evidence.CATALOG,
            spelling_proven=True,
            code="column-not-built",
            message=f'{facts.label} selects the column "{column.name}" in its SQL, but its table does not have it'
            + (", and gets new columns only with `--full-refresh`." if kept else " yet."),
            fix=f"Build the model{' with `--full-refresh`' if kept else ''}"
            f"{'' if facts.live else ', then run `dbt docs generate`'}.",
        )
    return replace(
        _present(written, found),
        code="catalog-stale",
        message=f'{facts.label} selects "{column.name}"; the catalog, older than the manifest, does not have it'
        + (", and the table gets new columns only with `--full-refresh`." if kept else "."),
        fix="Build the model with `--full-refresh`, then run `dbt docs generate`." if kept else REGENERATE,
    )


def _absent(written: str, facts: Facts, columns: tuple[KnownColumn, ...], evidence: Evidence) -> Verdict:
    names = [column.name for column in columns]
    near = did_you_mean(written, names)
    proof = {
        Evidence.CONTRACT: "its enforced contract does not list it",
        Evidence.CATALOG: "the catalog does not list it",
        Evidence.WAREHOUSE: "the warehouse does not have it",
    }.get(evidence, f"its {facts.inferred_from} does not have it")
    return _of_a_name(
        written,
        presence=Presence.ABSENT,
        evidence=evidence,
        code="column-absent",
        message=f'{facts.label} has no column "{written}": {proof}.',
        fix=near or _listing(names),
    )


def _listing(names: list[str]) -> str:
    return f"It has {listed(names, most=_SHOWN)}." if names else "It has no columns."


def _stale(written: str, facts: Facts) -> Verdict:
    near = did_you_mean(written, [column.name for column in (*(facts.catalog or ()), *facts.inferred)])
    return _of_a_name(
        written,
        code="catalog-stale",
        message=f'{facts.label}: the catalog does not list "{written}", but it is older than the manifest.',
        fix=f"{near} {REGENERATE}".strip(),
    )


def _undecided(written: str, facts: Facts) -> Verdict:
    """Nothing but perhaps the project's own documentation, or a table's past."""
    if facts.lacking and facts.others and facts.history in _KEEP_OLD:
        near = did_you_mean(written, [column.name for column in facts.inferred])
        return _of_a_name(
            written,
            code="column-not-filled",
            message=f'{facts.label} has no column "{written}" in its SQL: if its table has it from earlier builds, '
            "new rows have NULL there.",
            fix=near or "Add the column to the model, or map another one.",
        )
    if any(written.casefold() == name.casefold() for name in facts.documented):
        return _of_a_name(
            written,
            evidence=Evidence.DOCUMENTED,
            code="column-documented-only",
            message=f'The column "{written}" of {_lower(facts.label)} is documented, but not proven{_why(facts)}.',
            fix=facts.prove,
        )
    near = did_you_mean(written, [*(column.name for column in facts.inferred), *facts.documented])
    return _of_a_name(
        written,
        code="column-unknown",
        message=f'No proof that {_lower(facts.label)} has a column "{written}"{_why(facts)}.',
        fix=f"{near} {facts.prove}".strip(),
    )


def _why(facts: Facts) -> str:
    if facts.dated and not facts.inferred_reasons:
        return " (the catalog of the tables that it reads is older than the manifest)"
    reasons = (*facts.inferred_reasons, *facts.others) if facts.contract is None else facts.others
    return f" ({reasons[0]})" if any(reasons) else ""


def nested_path(adapter: Adapter, name: str) -> tuple[str, str] | None:
    """The column and the path below it that a listed name means; None where it is a column itself."""
    column, dot, path = name.partition(".")
    return (column, path) if adapter.lists_paths and dot else None


def tables_own(adapter: Adapter, listed: Iterable[KnownColumn]) -> tuple[KnownColumn, ...]:
    """The columns that the table has, each once, with the paths below them; all tags of a path are the column's."""
    if not adapter.lists_paths:
        return tuple(listed)
    found: dict[str, KnownColumn] = {}
    for column in listed:
        path = nested_path(adapter, column.name)
        key = adapter.key(path[0] if path else column.name)
        known = found.get(key)
        if path is None:
            below, tags = (known.fields, known.tags) if known else ((), ())
            found[key] = replace(column, fields=below, tags=tuple(dict.fromkeys((*column.tags, *tags))))
            continue
        known = known or replace(column, name=path[0], data_type=None, tags=())
        tags = tuple(dict.fromkeys((*known.tags, *column.tags)))
        found[key] = replace(known, fields=(*known.fields, path[1]), tags=tags)
    return tuple(found.values())


def missing_field(fields: Sequence[str], path: Sequence[str]) -> str:
    """The first part of a path below a column that the listed fields lack; empty where they have them all."""
    known = {field.casefold() for field in fields}
    if not known:
        return ""
    parents = {field.rpartition(".")[0] for field in known}
    for end in range(1, len(path) + 1):
        below = ".".join(path[:end]).casefold()
        if below not in known and not any(field.startswith(f"{below}.") for field in known):
            return path[end - 1]
        if below not in parents:
            # Nothing is listed below it: a JSON value, or a struct that was listed as a whole.
            return ""
    return ""

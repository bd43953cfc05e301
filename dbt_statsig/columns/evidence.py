"""The verdict about one column, by a table: what the contract, the catalog and inference say. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from dbt_statsig.columns.verdicts import ColumnSet, Evidence, KnownColumn, Presence, Verdict
from dbt_statsig.findings import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dbt_statsig.columns.adapters import Adapter

REGENERATE = "Run `dbt docs generate` again."
_SHOWN = 12
PROVE = "Run `dbt compile` and `dbt docs generate`, or enforce a contract."


class Facts(Struct, frozen=True, kw_only=True):
    """All evidence about one node.

    `contract` and `catalog` are None where there is none; `fresh` is about the catalog. `inferred_reasons` is empty
    exactly when the inferred list is complete, `dated` says that it rests on an old catalog of sources. `inferred_from`
    is said of a column that is not there.
    """

    label: str
    contract: tuple[KnownColumn, ...] | None = None
    catalog: tuple[KnownColumn, ...] | None = None
    fresh: bool = False
    inferred: tuple[KnownColumn, ...] = ()
    inferred_reasons: tuple[str, ...] = ("nothing to infer from",)
    dated: bool = False
    documented: tuple[str, ...] = ()
    inferred_from: str = "compiled SQL"


class Match(Struct, frozen=True, kw_only=True):
    """A known column that a written name means; `by_case_only` where the warehouse would tell the two apart."""

    column: KnownColumn
    by_case_only: bool = False


def match(adapter: Adapter, written: str, columns: Iterable[KnownColumn]) -> Match | None:
    """The column that `written` means: as stored, else as the warehouse folds it, else by its letters alone."""
    columns = tuple(columns)
    for spelling in (written, adapter.stored(written, quoted=not adapter.is_plain(written))):
        for column in columns:
            if adapter.same(column.name, spelling):
                return Match(column=column)
    folded = written.casefold()
    for column in columns:
        if column.name.casefold() == folded:
            return Match(column=column, by_case_only=True)
    return None


def decide(adapter: Adapter, written: str, facts: Facts) -> Verdict:  # noqa: PLR0911 - one for each row of the table
    """The verdict about the column that the user wrote as `written`."""
    if facts.contract is not None:
        found = match(adapter, written, facts.contract)
        return _present(written, found) if found else _absent(written, facts, facts.contract, Evidence.CONTRACT)
    catalog = match(adapter, written, facts.catalog or ())
    inferred = match(adapter, written, facts.inferred)
    closed = not facts.inferred_reasons and not facts.dated
    if catalog is not None:
        if inferred is None and not facts.inferred_reasons and not facts.dated:
            return _going(written, catalog, facts)
        return _present(written, catalog)
    if facts.catalog is None:
        if inferred is not None:
            return _present(written, inferred)
        return _absent(written, facts, facts.inferred, Evidence.INFERRED) if closed else _unknown(written, facts)
    if inferred is not None:
        return _not_in_catalog(written, inferred, facts)
    if facts.fresh:
        return _absent(written, facts, facts.catalog, Evidence.CATALOG)
    return _absent(written, facts, facts.inferred, Evidence.INFERRED) if closed else _stale(written, facts)


def decide_in(adapter: Adapter, written: str, columns: ColumnSet, label: str) -> Verdict:
    """The verdict about a name where a list of columns is all the evidence."""
    facts = Facts(
        label=label, inferred=columns.columns, inferred_reasons=() if columns.closed else columns.reasons or ("",)
    )
    return decide(adapter, written, facts)


def _present(written: str, found: Match) -> Verdict:
    column = found.column
    case = found.by_case_only
    return Verdict(
        name=written,
        stored=column.name,
        presence=Presence.PRESENT,
        evidence=column.evidence,
        spelling_proven=column.spelling_proven,
        data_type=column.data_type,
        code="column-case" if case else "",
        message=f'"{written}" is stored as "{column.name}", which this warehouse tells apart.' if case else "",
        fix=f'Write "{column.name}".' if case else "",
    )


def _going(written: str, found: Match, facts: Facts) -> Verdict:
    column = found.column
    return Verdict(
        name=written,
        stored=column.name,
        presence=Presence.PRESENT,
        evidence=Evidence.CATALOG,
        spelling_proven=True,
        data_type=column.data_type,
        code="column-going",
        message=f'{facts.label} has "{column.name}" in the warehouse, but its {facts.inferred_from} does not give it.',
        fix="Keep the column in the model, or map another one; ignore this if the model's SQL asks the warehouse.",
    )


def _not_in_catalog(written: str, found: Match, facts: Facts) -> Verdict:
    """Inference has the column, the catalog has not."""
    column = found.column
    if facts.fresh:
        return Verdict(
            name=written,
            stored=column.name,
            presence=Presence.ABSENT,
            evidence=Evidence.CATALOG,
            spelling_proven=True,
            code="column-not-built",
            message=f'{facts.label} gives the column "{column.name}" in its SQL, but its table does not have it yet.',
            fix="Build the model, then run `dbt docs generate`.",
        )
    return Verdict(
        name=written,
        stored=column.name,
        presence=Presence.PRESENT,
        evidence=Evidence.INFERRED,
        spelling_proven=column.spelling_proven,
        code="catalog-stale",
        message=f'{facts.label} gives "{column.name}"; the catalog, older than the manifest, lacks it.',
        fix=REGENERATE,
    )


def _absent(written: str, facts: Facts, columns: tuple[KnownColumn, ...], evidence: Evidence) -> Verdict:
    names = [column.name for column in columns]
    near = did_you_mean(written, names)
    proof = {
        Evidence.CONTRACT: "its enforced contract does not list it",
        Evidence.CATALOG: "the catalog does not list it",
    }.get(evidence, f"its {facts.inferred_from} does not give it")
    return Verdict(
        name=written,
        stored=written,
        presence=Presence.ABSENT,
        evidence=evidence,
        code="column-absent",
        message=f'{facts.label} has no column "{written}": {proof}.',
        fix=near or _listing(names),
    )


def _listing(names: list[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"It has {shown}{more}." if names else "It has no column at all."


def _stale(written: str, facts: Facts) -> Verdict:
    near = did_you_mean(written, [column.name for column in (*(facts.catalog or ()), *facts.inferred)])
    return Verdict(
        name=written,
        stored=written,
        presence=Presence.UNKNOWN,
        evidence=Evidence.NONE,
        code="catalog-stale",
        message=f'{facts.label}: the catalog does not list "{written}", but it is older than the manifest.',
        fix=f"{near} {REGENERATE}".strip(),
    )


def _unknown(written: str, facts: Facts) -> Verdict:
    """Nothing but perhaps the project's own documentation."""
    if any(written.casefold() == name.casefold() for name in facts.documented):
        return Verdict(
            name=written,
            stored=written,
            presence=Presence.UNKNOWN,
            evidence=Evidence.DOCUMENTED,
            code="column-documented-only",
            message=f'The column "{written}" of {facts.label} is documented, but not proven{_why(facts)}.',
            fix=PROVE,
        )
    near = did_you_mean(written, [*(column.name for column in facts.inferred), *facts.documented])
    return Verdict(
        name=written,
        stored=written,
        presence=Presence.UNKNOWN,
        evidence=Evidence.NONE,
        code="column-unknown",
        message=f'Nothing proves that {facts.label} has a column "{written}"{_why(facts)}.',
        fix=f"{near} {PROVE}".strip(),
    )


def _why(facts: Facts) -> str:
    if facts.dated and not facts.inferred_reasons:
        return " (the catalog of the tables that it reads is older than the manifest)"
    return f" ({facts.inferred_reasons[0]})" if any(facts.inferred_reasons) else ""

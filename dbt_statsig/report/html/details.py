"""What is below a row's head: findings, what changes, where the rows come from, columns, SQL, what is declared."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from dbt_statsig.report.escape import lines_of, one_line
from dbt_statsig.report.html.markup import code, diff, escaped, linked, listing, paragraphs, prose, section, worded
from dbt_statsig.report.html.rows import EXPERIMENT
from dbt_statsig.report.run_findings import page_of
from dbt_statsig.report.text.fields import declared_fields, entries_of, entry_text, is_long, proof_of, scalar
from dbt_statsig.report.text.style import counted
from dbt_statsig.vocabulary.changes import Action
from dbt_statsig.vocabulary.kinds import column_roles
from dbt_statsig.vocabulary.verdicts import Presence
from dbt_statsig.vocabulary.yaml_text import NOT_SET, two_in_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from dbt_statsig.report.field_diff import FieldDiff
    from dbt_statsig.report.html.rows import Row
    from dbt_statsig.report.subject import Subject
    from dbt_statsig.vocabulary.changes import Change, FieldChange
    from dbt_statsig.vocabulary.findings import Finding
    from dbt_statsig.vocabulary.results import ColumnUse, Lineage, SourceReport
    from dbt_statsig.vocabulary.sources import Source

TEXT_BUDGET = 2_000_000
_LEAST_SHARE, _MOST_SHARE = 300, 40_000
_LONGEST_LIST, _WIDEST_ENTRY = 12, 60
_MAPPED = ("id_type_mapping.", "custom_field_mapping.")
_LOOKS = {Presence.PRESENT: ("good", "✓"), Presence.ABSENT: ("bad", "✗"), Presence.UNKNOWN: ("warn", "?")}
_FIGURE = '<figure tabindex=0 aria-label="Lineage">'
_EMPTY_FIGURE = f"{_FIGURE}</figure>"
_HEADS = "<tr>" + "".join(f"<th>{head}" for head in ("role", "column", "proof", "type"))


def bodies(subject: Subject, rows: Sequence[Row], *, budget: int = TEXT_BUDGET) -> list[str]:
    """The markup below each row's head; all long texts together take about `budget` characters, each row its share."""
    share = min(max(budget // max(len(rows), 1), _LEAST_SHARE), _MOST_SHARE)
    return [f"<div class=body>{''.join(_parts(subject, row, share))}</div>" for row in rows]


def _parts(subject: Subject, row: Row, share: int) -> Iterator[str]:
    source, change, payload, changing = row.source, row.change, _payload(row), row.diffs
    sql = payload.sql if payload and payload.sql and not any(one.field == "sql" for one in changing) else ""
    if source:
        yield _where(subject, source)
    yield from _notices(row)
    if row.effects:
        yield section("Effects of this change", findings_list(subject, row.effects, own=row.unique_id))
    if row.findings:
        yield section("Findings", findings_list(subject, row.findings, own=row.unique_id))
    if changing:
        yield section("What changes", "<dl class=fields>", *(_changed(one, share) for one in changing), "</dl>")
    if source:
        origin = _figure(source) + _columns(source, with_names=not sql)
        # Beside a diff they are a second thought.
        folded = changing and row.all_proven and origin
        yield f"<details class=more><summary>Lineage and columns</summary>{origin}</details>" if folded else origin
    if sql:
        yield section("SQL", code(listing(lines_of(sql), share), "SQL"))
    for unit, generated in change.generated if change else ():
        heading = f"SQL that Statsig generates, unit {escaped(one_line(unit))}"
        yield section(heading, code(listing(lines_of(generated), share), "Generated SQL"))
    fields = [one for one in declared_fields(payload) if one.field != "sql"] if payload else []
    if fields:
        everything = f"<dl class=fields>{''.join(_declared(one, share // 3) for one in fields)}</dl>"
        folded = f"<details class=more><summary>Everything declared</summary>{everything}</details>"
        yield folded if changing else section("Declared", everything)
    elif not (source or sql or changing):
        yield "<p class=quiet>No details.</p>"


def _payload(row: Row) -> Source | None:
    """What the object should hold; of one that is deleted, what it holds."""
    change = row.change
    if change and change.desired:
        return change.desired
    if row.source and row.source.payload:
        return row.source.payload
    return change.live if change and (_does(change).retires or change.action is Action.ORPHAN) else None


def _does(change: Change) -> Action:
    """What happens to it, or would without the limit."""
    return change.held or change.action


def _where(subject: Subject, source: SourceReport) -> str:
    place = source.location
    texts = [linked(escaped(one_line(str(place))), subject.url_of(place))] if place else []
    texts += [f"reads {escaped(one_line(source.relation_name))}"] if source.relation_name else []
    spans = "".join(f"<span>{text}</span>" for text in texts)
    return f"<p class=where>{spans}</p>" if spans else ""


def _notices(row: Row) -> Iterator[str]:
    # What the limit holds back has its reason above all of it.
    if row.change and not row.change.held and (row.change.reason or row.change.adopted):
        adopted = "Taken over (adopted)." if row.change.adopted else ""
        yield _notice(row.tone, (row.change.reason, adopted, row.change.fix))
    if row.change and row.change.origin is not None and row.change.origin.text:
        yield _notice("calm", (row.change.origin.text,))
    if row.left:
        yield _notice("calm", (row.left.reason,))
    entry = row.outcome
    if entry and (entry.message or entry.echo or entry.reconciled):
        confirmed = "Confirmed by reading back." if entry.reconciled else ""
        pairs = ((one.field, *two_in_yaml(one.before, one.after)) for one in entry.echo)
        echo = [f"{field}: declared {sent}, Statsig keeps {kept}" for field, kept, sent in pairs]
        yield _notice(row.tone, (entry.message, confirmed, *echo, entry.fix))


def _notice(tone: str, texts: Iterable[str]) -> str:
    return f'<div class="notice {tone}">{paragraphs(texts)}</div>'


def findings_list(subject: Subject, found: Iterable[Finding], *, own: str = "") -> str:
    """Findings, each with its place and the page about its code; `own` is the node that needs no naming."""
    return f"<ul class=findings>{''.join(_finding(subject, one, own) for one in found)}</ul>"


def _finding(subject: Subject, found: Finding, own: str) -> str:
    label, name = found.severity.label, linked(f"<code>{worded(found.code)}</code>", page_of(found.code))
    place = " · ".join((*_places(subject, found, own), *((worded(found.key, 400),) if found.key else ())))
    fix = f"<p class=fix>{prose(found.fix)}</p>" if found.fix else ""
    fix = (_experiments(subject, found) if found.code == EXPERIMENT else "") + fix
    return (
        f"<li class={label}><p><b>{label}</b> {name} <span class=quiet>{place}</span></p>"
        f"<p>{prose(found.message)}</p>{fix}</li>"
    )


def _experiments(subject: Subject, found: Finding) -> str:
    """The experiments that a finding is about, each with its page, its owner, and the metrics through which."""
    listed = []
    for one, use in subject.users_of(found.kind, found.source):
        through = f"through {', '.join(use.metrics)}" if use.metrics else ", ".join(use.uses)
        words = [linked(worded(one.name or one.id), one.permalink), *map(worded, (one.status, str(one.owner), through))]
        listed.append(f"<li>{' · '.join(filter(None, words))}")
    return f"<ul class=runs>{''.join(listed)}</ul>" if listed else ""


def _places(subject: Subject, found: Finding, own: str) -> Iterator[str]:
    """The line of the file; where that is not known, the node."""
    place = found.location
    if place and place.path:
        yield linked(worded(str(place), 400), subject.url_of(place))
    if found.unique_id != own and not (place and place.line):
        yield worded(found.unique_id, 400)


def _changed(field: FieldDiff, share: int) -> str:
    """One field as it changes."""
    if field.lines:
        short = len(field.lines) <= _LONGEST_LIST and all(len(line.text) < _WIDEST_ENTRY for line in field.lines)
        look = " class=list" if short and field.field not in ("sql", "description") else ""
        return _field(field.field, f"<dd{look}>{diff(field.lines, share)}")
    before = f"<del class={'unset' if field.before == NOT_SET else 'was'}>{worded(field.before, 400)}</del>"
    arrow = '<span class=arrow role="img" aria-label="becomes">→</span>'
    return _field(field.field, f"<dd>{before}{arrow}<ins>{worded(field.after, 400)}</ins>")


def _declared(field: FieldChange, share: int) -> str:
    """One field as it is declared."""
    value = field.after
    entries = entries_of(value)
    if entries is not None:
        return _field(field.field, f"<dd class=items>{listing([entry_text(*one) for one in entries.items()], share)}")
    if is_long(value):
        look = "prose" if field.field == "description" else "items"
        return _field(field.field, f"<dd class={look}>{listing(lines_of(value), share)}")
    return _field(field.field, f"<dd>{escaped(scalar(value))}")


def _field(name: str, shown: str) -> str:
    return f"<div class=field><dt>{name}{shown}</div>"


def _figure(source: SourceReport) -> str:
    """The lineage as a list, which the page's script draws; a reader is a place in it, -1 the source's own node."""
    if source.lineage is None:
        return _EMPTY_FIGURE
    nodes = _nodes(source.lineage, source.unique_id)
    caption = "Upstream in dbt" if nodes else "No upstream nodes in dbt"
    return f"{_FIGURE}<figcaption>{caption}</figcaption>{nodes}</figure>"


def _nodes(lineage: Lineage, own: str) -> str:
    places = {own: -1, **{node.unique_id: index for index, node in enumerate(lineage.nodes)}}
    listed = [
        f'<li data-to="{" ".join(str(places[reader]) for reader in node.feeds)}"><b>{worded(node.name)}</b>'
        f" <i>{worded(node.resource_type)}</i>"
        for node in lineage.nodes
    ]
    more = f"<li class=more>and {lineage.more} more upstream" if lineage.more else ""
    return f"<ul class=above>{''.join(listed)}{more}</ul>" if listed else ""


def _columns(source: SourceReport, *, with_names: bool) -> str:
    """The columns in roles, and what is merely selected where it is not proven.

    The names of all that are selected stand in the SQL; where that is not shown, they are listed.
    """
    listed = [
        _column(one) for one in source.columns if one.role != "columns" or one.verdict.presence is not Presence.PRESENT
    ]
    table = (
        f"<div class=scroll tabindex=0 role=group aria-label=Columns><table>{_HEADS}{''.join(listed)}</table></div>"
        if listed
        else ""
    )
    names = worded(", ".join(source.selected), 1_000) if with_names else ""
    selected = f"<p class=quiet>Selects {names}</p>" if names else ""
    hidden = worded(", ".join(source.hidden), 1_000)
    left_out = f"<p class=quiet>Excludes {counted(len(source.hidden), 'hidden column')}: {hidden}</p>" if hidden else ""
    return section("Columns", table, selected, left_out) if table or selected or left_out else ""


@functools.cache
def _roles() -> frozenset[str]:
    return frozenset(column_roles().values())


def _column(use: ColumnUse) -> str:
    verdict = use.verdict
    look, sign = _LOOKS[verdict.presence]
    mapped = " class=m" if use.role in _roles() or use.role.startswith(_MAPPED) else ""
    stored = (
        f" <span class=quiet>stored as <i>{worded(verdict.stored)}</i></span>" if verdict.stored != verdict.name else ""
    )
    return (
        f"<tr{mapped}><td>{worded(use.role)}<td><code>{worded(verdict.name)}</code>{stored}"
        f"<td class={look}>{sign} {proof_of(verdict)}"
        f"<td><code>{worded(verdict.data_type or '', 100)}</code>"
    )

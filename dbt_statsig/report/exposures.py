"""The answer of `exposures`: the YAML itself, or what became of its file; and its part of the JSON document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from dbt_statsig.report.escape import one_line
from dbt_statsig.report.text.style import Style, counted

if TYPE_CHECKING:
    from dbt_statsig.vocabulary.exposures import DbtYaml, Exposure


class ExposureDocument(Struct, frozen=True, kw_only=True):
    """One dbt exposure of `exposures`: `of` is `experiment` or `metric`, `id` its ID in Statsig."""

    name: str
    of: str
    id: str
    label: str
    maturity: str
    owner: str
    url: str
    tags: tuple[str, ...]
    nodes: tuple[str, ...]


class ExposuresDocument(Struct, frozen=True, kw_only=True):
    """What `exposures` found: the YAML, and the file that it is in (null: none was asked for).

    `written` says whether that changed the file.
    """

    path: str | None
    written: bool
    text: str
    exposures: tuple[ExposureDocument, ...]
    warnings: tuple[str, ...]
    requests: int


def exposures_document(result: DbtYaml) -> ExposuresDocument:
    """The part of the JSON document."""
    return ExposuresDocument(
        path=result.path or None,
        written=result.written,
        text=result.text,
        exposures=tuple(map(_exposure, result.exposures)),
        warnings=result.warnings,
        requests=result.requests,
    )


def _exposure(one: Exposure) -> ExposureDocument:
    return ExposureDocument(
        name=one.name,
        of=one.of,
        id=one.id,
        label=one.label,
        maturity=one.maturity,
        owner=str(one.owner),
        url=one.url,
        tags=one.tags,
        nodes=one.nodes,
    )


def exposures_text(result: DbtYaml, style: Style = Style()) -> str:  # noqa: B008  # a Style is a value
    """The YAML where no file was asked for; else one line about the file."""
    if not result.path:
        return result.text
    what = f" ({counted(len(result.exposures), 'exposure')})" if result.exposures else ""
    state = "Wrote" if result.written else "Unchanged:"
    return style.color(f"{state} {one_line(result.path)}{what}.", "heading") + "\n"

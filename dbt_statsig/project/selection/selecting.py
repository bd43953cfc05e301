"""The part of dbt's node selection syntax that a manifest alone can answer; the rest is refused by name.

Facts: dbt-core's documented node selection syntax, and its selector methods as of 1.11.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from msgspec import Struct

from dbt_statsig.errors import UsageError
from dbt_statsig.project.artifacts.nodes import SELECTABLE_TYPES
from dbt_statsig.project.selection.methods import METHODS, Scope
from dbt_statsig.vocabulary.findings import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dbt_statsig.project.artifacts import Manifest, NodeSummary
    from dbt_statsig.project.request import Request

CRITERION = re.compile(
    r"(?P<up>(?P<up_depth>\d{0,9})\+)?(?:(?P<method>[\w.]+):)?(?P<value>.*?)(?P<down>\+(?P<down_depth>\d{0,9}))?",
    re.DOTALL,
)
FILE_ENDINGS = (".sql", ".py", ".csv")
LET_DBT_SELECT = "Or name the nodes that `dbt ls --select …` lists."


class Selection(Struct, frozen=True, kw_only=True):
    """The selected models, snapshots, seeds and source tables, and the words that matched none of them."""

    unique_ids: frozenset[str]
    unmatched: tuple[str, ...] = ()


class Criterion(Struct, frozen=True, kw_only=True):
    """One word between commas: `2+config.materialized:table+1`. A depth of None is unlimited."""

    method: str
    arguments: tuple[str, ...]
    value: str
    parents: bool
    parents_depth: int | None
    children: bool
    children_depth: int | None


# Translating a pattern takes time that grows with the square of its length.
_MAX_CHARACTERS = 1_000


def select(manifest: Manifest, select: Sequence[str], exclude: Sequence[str]) -> Selection:
    """What `select` names (everything, where it is empty) without what `exclude` names.

    Words are parted by blanks, or given one by one, and add up; parts of a word joined by commas must all hold.
    Raises UsageError for a word that a manifest alone cannot answer.
    """
    included, excluded = _words(select), _words(exclude)
    if not included and not excluded:
        every = (
            unique_id
            for unique_id, summary in manifest.summaries().items()
            if summary.resource_type in SELECTABLE_TYPES
        )
        return Selection(unique_ids=frozenset(every))
    parsed = [(word, [parse(part, word) for part in word.split(",")]) for word in (*included, *excluded)]
    graph = _Graph(manifest.summaries())
    scope = Scope(graph.summaries, project_name=manifest.project_name)
    matches = [(word, graph.matching(criteria, scope)) for word, criteria in parsed]
    chosen = graph.sources_among(graph.summaries)
    if included:
        chosen = frozenset().union(*(matched for _, matched in matches[: len(included)]))
    dropped = frozenset().union(*(matched for _, matched in matches[len(included) :]))
    unmatched = dict.fromkeys(word for word, matched in matches if not matched)
    return Selection(unique_ids=chosen - dropped, unmatched=tuple(unmatched))


def parse(part: str, word: str) -> Criterion:
    """One part of a word; raises UsageError, naming the word, where it cannot be answered."""
    if len(part) > _MAX_CHARACTERS:
        raise UsageError(
            f'"{part[:20]}…" has {len(part):,} characters; at most {_MAX_CHARACTERS:,} are read.',
            fix="Write a shorter name or pattern.",
        )
    if part.startswith("@"):
        raise UsageError(
            f'The graph operator "@" in "{word}" cannot be used here.',
            fix=f"Use + before or after a name. {LET_DBT_SELECT}",
        )
    match = CRITERION.fullmatch(part)
    if match is None:  # pragma: no cover - every part of the pattern may be empty, and the value takes anything
        raise UsageError(f'"{word}" is not a selection.', fix=LET_DBT_SELECT)
    if not match["value"]:
        raise UsageError(
            f'"{word}" does not name anything to select.', fix="Write a name, or a method and its value: tag:daily."
        )
    method, *arguments = (match["method"] or _default_method(match["value"])).split(".")
    if method not in METHODS or (arguments and method != "config") or (method == "config" and not arguments):
        raise UsageError(
            f'The selection method "{match["method"]}:" in "{word}" cannot be answered from the manifest alone.',
            fix=f"{_suggest(method, arguments)} {LET_DBT_SELECT}".strip(),
        )
    return Criterion(
        method=method,
        arguments=tuple(arguments),
        value=match["value"],
        parents=bool(match["up"]),
        parents_depth=int(match["up_depth"]) if match["up_depth"] else None,
        children=bool(match["down"]),
        children_depth=int(match["down_depth"]) if match["down_depth"] else None,
    )


class _Graph:
    """dbt's graph, both ways."""

    def __init__(self, summaries: Mapping[str, NodeSummary]) -> None:
        self.summaries = summaries
        self._parents = {
            unique_id: [parent for parent in summary.depends_on if parent in summaries]
            for unique_id, summary in summaries.items()
        }
        self._children: dict[str, list[str]] = {unique_id: [] for unique_id in summaries}
        for unique_id, parents in self._parents.items():
            for parent in parents:
                self._children[parent].append(unique_id)

    def matching(self, criteria: Sequence[Criterion], scope: Scope) -> frozenset[str]:
        """The sources that meet all of `criteria`."""
        return self.sources_among(frozenset.intersection(*(self._matching(criterion, scope) for criterion in criteria)))

    def sources_among(self, unique_ids: Iterable[str]) -> frozenset[str]:
        """Those of a type that can be a source."""
        return frozenset(key for key in unique_ids if self.summaries[key].resource_type in SELECTABLE_TYPES)

    def _matching(self, criterion: Criterion, scope: Scope) -> frozenset[str]:
        matched = METHODS[criterion.method](scope, criterion.value, criterion.arguments)
        found = set(matched)
        if criterion.parents:
            found |= _reachable(self._parents, matched, criterion.parents_depth)
        if criterion.children:
            found |= _reachable(self._children, matched, criterion.children_depth)
        return frozenset(found)


def _reachable(edges: Mapping[str, Sequence[str]], start: Iterable[str], depth: int | None) -> set[str]:
    seen: set[str] = set()
    layer = set(start)
    steps = 0
    while layer and (depth is None or steps < depth):
        layer = {neighbour for unique_id in layer for neighbour in edges[unique_id]} - seen
        seen |= layer
        steps += 1
    return seen


def _words(values: Sequence[str]) -> list[str]:
    return [word for value in values for word in value.split()]


def _default_method(value: str) -> str:
    if "/" in value or os.sep in value:
        return "path"
    return "file" if value.lower().endswith(FILE_ENDINGS) else "fqn"


def _suggest(method: str, arguments: Sequence[str]) -> str:
    known = "Use a name, or one of: " + ", ".join(
        "config.<key>:" if name == "config" else f"{name}:" for name in METHODS
    )
    guess = "" if method in METHODS or arguments else did_you_mean(method, METHODS)
    return f"{guess} {known}.".strip()


def choose(manifest: Manifest, request: Request) -> tuple[frozenset[str] | None, tuple[str, ...]]:
    """What was selected (None: everything) and the words that matched nothing; dbt is asked for what needs it.

    Raises UsageError for a selection that cannot be answered.
    """
    if request.selected is not None:
        return request.selected, ()
    if not (request.select or request.exclude or request.selector):
        return None, ()

    compares = any("state:" in word for word in (*request.select, *request.exclude))
    if not (request.selector or compares):
        try:
            selection = select(manifest, request.select, request.exclude)
        except UsageError:
            if request.dbt is None or not request.dbt.is_there:
                raise
        else:
            return selection.unique_ids, selection.unmatched
    if request.dbt is None or not request.dbt.is_there:
        raise UsageError(
            "--selector and state: need dbt to answer them, and there is no dbt command.",
            fix="Install dbt where dbt-statsig runs, or name the nodes with --select.",
        )
    chosen = request.dbt.selected(
        select=request.select, exclude=request.exclude, selector=request.selector, state=request.state
    )
    return chosen, () if chosen else (" ".join((*request.select, request.selector or "")).strip(),)

"""A model of the project for an object whose query belongs to no node: its SQL with `ref` and `source`. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from dbt_statsig.project.artifacts.nodes import BUILT, Node

if TYPE_CHECKING:
    from dbt_statsig.columns.prover import Prover
    from dbt_statsig.importing.matching import Match
    from dbt_statsig.vocabulary.sources import Source

PROPERTIES = "_statsig.yml"
_OTHER = re.compile(r"[^a-z0-9]+")


class NewModel(Struct, frozen=True, kw_only=True):
    """A model that is not there yet, as the node that it will be, and the text of its file."""

    node: Node
    path: str
    text: str


class ModelMaker:
    """Makes models for one import; each has a name of its own."""

    def __init__(self, prover: Prover, project: str, folder: str, taken: frozenset[str]) -> None:
        """`folder` is where the models go, as seen from the project; `taken` are the names of the project's nodes."""
        self._prover = prover
        self._project = project
        self._folder = folder
        self._taken = set(taken)

    def make(self, live: Source, match: Match) -> NewModel | str:
        """The model of an object's query, or why there can be none."""
        sql = live.sql if isinstance(live.sql, str) else ""
        if match.is_table or not match.tables:
            return match.why
        if "{statsig_" in sql:
            return f"{match.why} It cannot become a model: Statsig's date macros are part of its SQL."
        name = _OTHER.sub("_", live.name.casefold()).strip("_")
        if not name or name in self._taken or name[0].isdigit():
            return f'{match.why} It cannot become a model: "{name}" cannot be the name of a new one.'
        text = self._with_references(sql, match)
        if text is None:
            return f"{match.why} It cannot become a model: it is not certain where its tables are named."
        self._taken.add(name)
        node = Node(
            unique_id=f"model.{self._project}.{name}",
            name=name,
            resource_type="model",
            package_name=self._project,
            compiled_code=sql,
            depends_on=tuple(node.unique_id for table in match.tables for node in self._prover.meant(table.parts)),
            materialized="view",
            path=f"{self._folder}/{PROPERTIES}",
        )
        path = f"{self._folder}/{name}.sql"
        return NewModel(node=node, path=path, text=text.rstrip().rstrip(";").rstrip() + "\n")

    def _with_references(self, sql: str, match: Match) -> str | None:
        """The text in which each table that is one node of the project is its reference; None where it is not clear."""
        text = sql
        for table in sorted(match.tables, key=lambda one: one.start, reverse=True):
            nodes = self._prover.meant(table.parts)
            chosen = [node for node in nodes if node.resource_type in BUILT] or list(nodes)
            if len(chosen) > 1 or table.start < 0:
                return None
            if chosen:
                text = f"{text[: table.start]}{{{{ {self._reference(chosen[0])} }}}}{text[table.end :]}"
        return text

    def _reference(self, node: Node) -> str:
        if node.resource_type == "source":
            return f"source('{node.source_name}', '{node.name}')"
        package = "" if node.package_name == self._project else f"'{node.package_name}', "
        version = "" if node.is_latest else f", v={node.version!r}"
        return f"ref({package}'{node.name}'{version})"

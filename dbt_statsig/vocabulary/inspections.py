"""What the commands that only look give back: `debug` its checks and settings, `columns` its nodes."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from dbt_statsig.errors import EXIT_CANNOT_RUN, EXIT_DONE
from dbt_statsig.vocabulary.verdicts import ColumnSet


class Check(Struct, frozen=True, kw_only=True):
    """One line of `debug`: `ok` is None where the check could not be made."""

    name: str
    ok: bool | None
    message: str
    fix: str = ""


class SettingOrigin(Struct, frozen=True, kw_only=True):
    """One setting in force, and where its value came from."""

    key: str
    value: str
    origin: str


class Diagnosis(Struct, frozen=True, kw_only=True):
    """What `debug` found."""

    checks: tuple[Check, ...]
    settings: tuple[SettingOrigin, ...]

    @property
    def exit_code(self) -> int:
        """2 where a check failed: the program could not do its work."""
        return EXIT_CANNOT_RUN if any(check.ok is False for check in self.checks) else EXIT_DONE


class ListedNode(Struct, frozen=True, kw_only=True):
    """One node with what is known of its columns, and the metrics that read a column of it, by its name."""

    unique_id: str
    columns: ColumnSet
    metrics: Mapping[str, tuple[str, ...]] = {}


class Listing(Struct, frozen=True, kw_only=True):
    """Nodes in the order of their unique_ids, and the words of the selection that matched nothing."""

    nodes: tuple[ListedNode, ...]
    unmatched: tuple[str, ...] = ()

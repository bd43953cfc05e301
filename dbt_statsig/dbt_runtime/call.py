"""One call from a macro: what dbt knows at that moment, and how to speak to its user."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct

from dbt_statsig.errors import UsageError
from dbt_statsig.project.request import Request
from dbt_statsig.vocabulary.findings import did_you_mean
from dbt_statsig.vocabulary.sources import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dbt_statsig.project.settings import Settings

BUILDING = ("run", "build")
OPERATION = ("run-operation", "run_operation")


class Dbt(Protocol):
    """What is asked of the running dbt."""

    def selected(self, select: list[str], exclude: list[str]) -> frozenset[str]:
        """The unique IDs that dbt's own selection chooses. Raises UsageError with dbt's words."""

    def compiled(self, unique_ids: Iterable[str]) -> Mapping[str, str]:
        """SQL compiled now, by unique_id; what cannot be compiled is left out."""

    def say(self, text: str) -> None:
        """Write to the user, on stdout where this is a run-operation, else in the log."""

    def warn(self, text: str) -> None:
        """Warn the user; never fails the job."""

    def failing_sql(self, text: str) -> str:
        """SQL whose running dbt reports as a failure with this text; for hooks, which must not raise."""

    def fail(self, text: str) -> None:
        """Raise what dbt reports as this operation's failure."""


class Call(Struct, frozen=True, kw_only=True):
    """`which` is the dbt command, `manifest` dbt's live manifest; `is_on` is False where a var switched us off.

    `reloads` says that a var asks for a reload after a push, `full_refresh` that incremental models were built anew.
    """

    dbt: Dbt
    manifest: Any
    which: str
    invocation_id: str
    target: str
    project_dir: Path
    target_path: Path
    is_on: bool = True
    is_empty: bool = False
    reloads: bool = False
    full_refresh: bool = False
    unique_id: str = ""

    @property
    def builds(self) -> bool:
        """Whether this dbt command builds tables with rows in them."""
        return self.which in BUILDING and not self.is_empty

    def request(self, **more: Any) -> Request:
        """The request that macros and hooks make."""
        return Request(
            project_dir=self.project_dir, target_path=self.target_path, dbt_target=self.target or None, **more
        )

    def settings(self) -> Settings:
        """The project's settings. Raises SettingsError."""
        from dbt_statsig.project.settings import resolve  # only where something is to be done

        request = self.request()
        return resolve(request.project_dir, request.environ, request.flags).settings


def words(value: object, name: str) -> list[str]:
    """A macro's argument as a list of words: it may be a text with blanks or a list. Raises UsageError."""
    if value is None:
        return []
    items = value if isinstance(value, (list, tuple)) else [value]
    if not all(isinstance(item, str) for item in items):
        raise UsageError(f"`{name}` takes a string or a list of strings.")
    return [word for item in items for word in str(item).split()]


def names(value: object, name: str) -> frozenset[str]:
    """A macro's argument as a set of names, which may hold blanks. Raises UsageError."""
    if value is None:
        return frozenset()
    items = value if isinstance(value, (list, tuple)) else [value]
    if not all(isinstance(item, str) for item in items):
        raise UsageError(f"`{name}` takes a name or a list of names.")
    return frozenset(str(item) for item in items)


def kinds(value: object) -> frozenset[Kind]:
    """The argument `kinds`. Raises UsageError for what is not a kind."""
    known = {kind.value: kind for kind in Kind}
    for word in words(value, "kinds"):
        if word not in known:
            raise UsageError(
                f'"{word}" is not a kind of source. {did_you_mean(word, known) or "Choose one of: " + ", ".join(known)}'
            )
    return frozenset(known[word] for word in words(value, "kinds"))


def switch(value: object, name: str) -> bool:
    """An argument that is on or off; the words that YAML and Jinja give are understood. Raises UsageError."""
    if isinstance(value, bool):
        return value
    given = {"true": True, "false": False, "none": False, "": False}.get(str(value).strip().lower())
    if given is None:
        raise UsageError(f"`{name}` takes true or false.")
    return given

"""The formats of reports. A new one is a module with the two functions of `Format`, and a line in `_MODULES`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from dbt_statsig.report.subject import Subject
    from dbt_statsig.vocabulary.results import Failure


class Format(Protocol):
    """What the module of a format has."""

    def render(self, subject: Subject, /) -> str:
        """The whole report."""

    def render_failure(self, failure: Failure, /) -> str:
        """Why a command could not run: no report is silent, or of yesterday."""


_MODULES = {
    "text": "text.report",
    "json": "json",
    "markdown": "markdown",
    "github": "github",
    "junit": "junit",
    "sarif": "sarif",
    "gitlab": "gitlab",
    "html": "html.page",
}
FORMATS = tuple(_MODULES)


def format_named(name: str) -> Format:
    """One of `FORMATS`, imported when it is asked for: HTML comes with Jinja."""
    module: Any = import_module(f"dbt_statsig.report.{_MODULES[name]}")
    found: Format = module
    return found

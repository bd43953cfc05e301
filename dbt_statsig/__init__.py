"""dbt-statsig keeps Statsig's warehouse-native sources in agreement with a dbt project.

From Python, and so from a task of Airflow or Dagster: `validate`, `plan` and `sync` each take a `Request` and give a
value; what can go wrong is raised as `DbtStatsigError`. Names are loaded when they are asked for, since dbt imports
this package with every command.
"""

from __future__ import annotations

__version__ = "0.1.0"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from dbt_statsig.commands.plan import plan
    from dbt_statsig.commands.sync import sync
    from dbt_statsig.commands.validate import validate
    from dbt_statsig.errors import DbtStatsigError
    from dbt_statsig.project.request import Request
    from dbt_statsig.vocabulary.results import Planned, Synced, Validation
    from dbt_statsig.vocabulary.sources import Kind

__all__ = [
    "DbtStatsigError",
    "Kind",
    "Planned",
    "Request",
    "Synced",
    "Validation",
    "__version__",
    "plan",
    "sync",
    "validate",
]

_HOMES = {
    "DbtStatsigError": "errors",
    "Kind": "vocabulary.sources",
    "Planned": "vocabulary.results",
    "Request": "project.request",
    "Synced": "vocabulary.results",
    "Validation": "vocabulary.results",
    "plan": "commands.plan",
    "sync": "commands.sync",
    "validate": "commands.validate",
}


def __getattr__(name: str) -> Any:
    if name == "plugins":
        return _plugins()
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # dbt imports this file with every command

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def _plugins() -> list[Any]:
    """What dbt looks for in every module whose name begins with `dbt_`; empty where this dbt is not one we know."""
    try:
        from dbt_statsig.dbt_runtime.plugin import plugins  # only dbt asks for it
    except Exception as error:  # noqa: BLE001 - dbt would abort the user's command
        import sys  # only for this

        sys.stderr.write(f"Warning: dbt-statsig is not active in this dbt: {type(error).__name__}: {error}\n")
        return []
    return list(plugins)

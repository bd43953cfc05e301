"""A local Console API for demos, tests and CI, written from Statsig's published API description alone.

It imports nothing else of this package, so that it cannot agree with its mistakes. `create_app` gives the ASGI
application, `running` a server in a thread, `serve` one in the foreground; see `options.Options` for their options.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from dbt_statsig.emulator.failures import CannotStart

if TYPE_CHECKING:
    from dbt_statsig.emulator.server import Running, create_app, running, serve

__all__ = ["CannotStart", "Running", "create_app", "running", "serve"]


def __getattr__(name: str) -> Any:
    """The names that need the `emulator` extra. Raises `CannotStart` where it is not installed."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module("dbt_statsig.emulator.server"), name)
    except ModuleNotFoundError as fault:
        raise CannotStart(
            f"The emulator needs the Python package {fault.name}: pip install 'dbt-statsig[emulator]'"
        ) from fault

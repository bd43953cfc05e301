"""One emulator: its state, its API and its faults, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbt_statsig.emulator.api import Api
from dbt_statsig.emulator.console import Console
from dbt_statsig.emulator.faults import FaultPlan
from dbt_statsig.emulator.seed import load
from dbt_statsig.emulator.state import State
from dbt_statsig.emulator.warehouse import checker, database_of, runner

if TYPE_CHECKING:
    from dbt_statsig.emulator.options import Options

__all__ = ["Emulator"]


class Emulator:
    """The parts that all endpoints of one emulator share. Raises `CannotStart`."""

    def __init__(self, options: Options) -> None:
        """Load the seed and the fault plan, and find the warehouse's driver."""
        self.options = options
        self.state = State(load(options.seed), audit_details=options.audit_details)
        self.faults = FaultPlan(options.faults)
        database = database_of(options.warehouse, options.lock_wait)
        self.api = Api(self.state, options, checker(database), runner(database))
        self.console = Console(self.api, self.faults, options)

    def reset(self) -> None:
        """Go back to the start: the seed's objects, no faults, an empty log, fresh rate windows."""
        self.state.reset()
        self.faults.replace([])
        self.api.limit.reset()
        self.console.forget()

"""dbt exposures, and other YAML for dbt that is made of what Statsig holds: values only."""

from __future__ import annotations

from msgspec import Struct

from dbt_statsig.errors import EXIT_DONE
from dbt_statsig.vocabulary.experiments import Person

STATSIG_TABLES_SCHEMA = "statsig"
EXPOSURES_TABLE, EVENTS_TABLE = "statsig_forwarded_exposures", "statsig_forwarded_events"
"""What the tables are called that Statsig forwards exposures and events to, unless a project calls them otherwise."""


class Exposure(Struct, frozen=True, kw_only=True):
    """One dbt exposure: an experiment or a metric (`of`) of Statsig with this ID, and the dbt nodes that it reads.

    `refs` are the nodes as dbt's YAML names them (`ref('orders')`), in the order of `nodes`, their unique_ids.
    """

    name: str
    of: str
    id: str
    label: str
    description: str
    maturity: str
    owner: Person
    url: str = ""
    tags: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    refs: tuple[str, ...] = ()


class DbtYaml(Struct, frozen=True, kw_only=True):
    """A YAML file for dbt; `path` is where it was to be written, and `written` whether that changed the file."""

    text: str
    path: str = ""
    written: bool = False
    exposures: tuple[Exposure, ...] = ()
    warnings: tuple[str, ...] = ()
    requests: int = 0

    @property
    def exit_code(self) -> int:
        """0: what could not be done was raised."""
        return EXIT_DONE

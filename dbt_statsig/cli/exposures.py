"""`dbt-statsig exposures`: the experiments that read the models, as dbt exposures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dbt_statsig.cli.options import project_options
from dbt_statsig.cli.progress import progress_on
from dbt_statsig.errors import UsageError
from dbt_statsig.report.exposures import exposures_text
from dbt_statsig.report.json import exposures_json
from dbt_statsig.vocabulary.exposures import EVENTS_TABLE, EXPOSURES_TABLE, STATSIG_TABLES_SCHEMA

if TYPE_CHECKING:
    from dbt_statsig.cli.output import Output
    from dbt_statsig.project.request import Request

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("exposures")
@project_options(selection=False, console=True, reports=False)
@click.option("--write", type=_FILE, metavar="PATH", help="Write it to this YAML file, if it has changed.")
@click.option("--metrics", is_flag=True, help="Also one exposure for each metric.")
@click.option("--statsig-tables", is_flag=True, help="A dbt source of the tables that Statsig writes, instead.")
@click.option("--schema", help=f"The schema of those tables.  [default: {STATSIG_TABLES_SCHEMA}]")
@click.option("--database", help="The database of those tables.  [default: that of the dbt target]")
@click.option("--exposures-table", help=f"The table of exposures.  [default: {EXPOSURES_TABLE}]")
@click.option("--events-table", help=f"The table of events.  [default: {EVENTS_TABLE}]")
def command(
    *,
    request: Request,
    output: Output,
    write: Path | None,
    metrics: bool,
    statsig_tables: bool,
    schema: str | None,
    database: str | None,
    exposures_table: str | None,
    events_table: str | None,
) -> int:
    """Write the experiments that read the project's models as dbt exposures.

    One exposure for each active experiment, on the nodes of all sources that it reads, so that dbt's docs and
    `dbt ls --select +exposure:NAME` show who reads a model. Statsig is only read.
    """
    from dbt_statsig.commands.exposures import exposures, table_places  # brings PyYAML
    from dbt_statsig.commands.exposures import statsig_tables as tables_of

    if statsig_tables and metrics:
        raise UsageError("--metrics and --statsig-tables exclude each other.", fix="Write two files.")
    if (schema or database or exposures_table or events_table) and not statsig_tables:
        raise UsageError("--schema, --database and the tables' names need --statsig-tables.", fix="Add it.")
    if statsig_tables:
        places = table_places(schema=schema, database=database, exposures=exposures_table, events=events_table)
        result = tables_of(request, places, write=write)
    else:
        with progress_on(output) as progress:
            result = exposures(request, metrics=metrics, write=write, progress=progress)
    output.warn(result.warnings)
    output.answer(text=lambda style: exposures_text(result, style), json=lambda: exposures_json(result))
    return result.exit_code

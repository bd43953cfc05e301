"""`dbt-statsig schema`: JSON Schemas for editors and CI."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dbt_statsig.cli.terminal import write_out
from dbt_statsig.errors import UsageError
from dbt_statsig.project.schema import meta_schema, properties_schema, settings_schema
from dbt_statsig.report.documents import report_schema

if TYPE_CHECKING:
    from collections.abc import Callable


@click.command("schema")
@click.argument("what", type=click.Choice(["meta", "properties", "settings", "report"]), default="meta")
@click.option(
    "--output-file", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file instead of stdout."
)
def command(*, what: str, output_file: Path | None) -> int:
    """Print the JSON Schema of blocks, property files, settings or JSON output.

    `meta`: the keys under config.meta.statsig. `properties`: a whole property file of dbt. `settings`: dbt_statsig.yml.
    Editors complete and check YAML with them. `report`: the output of --output json.
    """
    schemas: dict[str, Callable[[], dict[str, Any]]] = {
        "meta": meta_schema,
        "properties": properties_schema,
        "settings": settings_schema,
        "report": report_schema,
    }
    text = json.dumps(schemas[what](), indent=2, ensure_ascii=False) + "\n"
    if output_file is None:
        write_out(text.encode())
        return 0
    try:
        output_file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{output_file} cannot be written: {error.strerror}.", fix="Name another file.") from error
    return 0

"""`dbt-statsig import`: what Statsig holds, as YAML of the dbt project."""  # noqa: N999 - the command's name

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from dbt_statsig.cli.options import project_options
from dbt_statsig.cli.progress import progress_on
from dbt_statsig.cli.report_files import ReportFile, known_form, report_file, write_reports
from dbt_statsig.console.key import without_keys
from dbt_statsig.errors import EXIT_CANNOT_RUN
from dbt_statsig.report.json import import_json
from dbt_statsig.report.text.imports import import_text
from dbt_statsig.vocabulary.sources import Kind

if TYPE_CHECKING:
    from dbt_statsig.cli.output import Output
    from dbt_statsig.project.request import Request


def _report(value: str) -> ReportFile:
    found = report_file(value)
    known_form(found.form, ("text", "json"))
    return found


@click.command("import")
@project_options(selection=False, console=True, reports=False)
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice([kind.value for kind in Kind]),
    metavar="KIND",
    help=f"Only objects of this kind: {', '.join(kind.value for kind in Kind)}. Repeatable.",
)
@click.option(
    "--report",
    "reports",
    multiple=True,
    metavar="FORMAT:PATH",
    callback=lambda _ctx, _param, values: tuple(map(_report, values)),
    help="Also write the output to a file, as text or json: json:target/import.json. Repeatable.",
)
@click.option("--name", "names", multiple=True, help="Only the object of this name. Repeatable.")
@click.option("--name-pattern", "pattern", default="", help="Only objects whose name matches: 'Shop *'.")
@click.option(
    "--models-path",
    default="",
    metavar="DIR",
    help="Make models, in this folder of the project, of queries that belong to no node.",
)
@click.option("--write", is_flag=True, help="Write the blocks into the project's YAML.")
@click.option("--accept-changes", is_flag=True, help="Write blocks too that would change more than the ownership line.")
def command(
    *,
    request: Request,
    output: Output,
    names: tuple[str, ...],
    pattern: str,
    models_path: str,
    write: bool,
    accept_changes: bool,
) -> int:
    """Write what Statsig holds as YAML of the dbt project.

    Finds the dbt node of each object that no project owns, and shows its block as a diff of the project's files. Every
    block is proven first: taking its object over changes the ownership line and nothing else. Statsig is only read.
    """
    from dbt_statsig.commands.importing import Chosen, import_objects  # brings PyYAML

    chosen = Chosen(
        names=frozenset(names), pattern=pattern, write=write, accept_changes=accept_changes, models_path=models_path
    )
    with progress_on(output) as progress:
        imported = import_objects(request, chosen, progress=progress)
    output.warn(imported.warnings, important=True)
    output.answer(text=lambda style: import_text(imported, style), json=lambda: import_json(imported))
    made = {"text": lambda: import_text(imported), "json": lambda: import_json(imported)}
    faults = write_reports({one.path: without_keys(made[one.form](), os.environ) for one in output.reports})
    for fault in faults:
        output.error(fault)
    return imported.exit_code or (EXIT_CANNOT_RUN if faults else imported.exit_code)

"""The options that commands share, and the request that they make."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
from msgspec import structs

from dbt_statsig.cli.output import Output
from dbt_statsig.cli.report_files import check_places, known_form, report_file, root_in_repository, unusable
from dbt_statsig.cli.run_facts import SHOW_RUN, run_of, selection_of
from dbt_statsig.errors import UsageError
from dbt_statsig.project.dbt_command import dbt_for
from dbt_statsig.project.request import Request
from dbt_statsig.report.formats import FORMATS
from dbt_statsig.vocabulary.sources import Kind

Command = Callable[..., int]

SIGNS = """\b
Signs:
  +  create
  ~  update
  >  rename
  -  delete or archive
  !  blocked, or not managed by this project
  ?  no longer declared
"""
"""The legend of a plan, as an epilogue of help."""

_FILE = click.Path(dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


def find_project(given: Path | None, *, here: Path, needed: bool) -> Path:
    """The folder given, or the nearest one from `here` upwards with a dbt_project.yml.

    Raises `UsageError` where there is none and one is needed; else it is `here`.
    """
    if given is not None:
        return given
    for folder in (here, *here.parents):
        if (folder / "dbt_project.yml").is_file():
            return folder
    if needed:
        raise UsageError(
            f"There is no dbt_project.yml in {here} or above it.",
            fix="Change to the dbt project, or give --project-dir or --manifest.",
        )
    return here


def _applied(options: tuple[Callable[[Command], Command], ...], command: Command) -> Command:
    for option in reversed(options):
        command = option(command)
    return command


def _words(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word for value in values for word in value.split())


_PROJECT = (
    click.option(
        "--project-dir",
        type=_FOLDER,
        envvar="DBT_PROJECT_DIR",
        help="The dbt project.  [default: this folder or the nearest above it]",
    ),
    click.option(
        "--target-path",
        type=click.Path(file_okay=False, path_type=Path),
        envvar="DBT_TARGET_PATH",
        help="Where dbt writes its artifacts.  [default: as dbt_project.yml says]",
    ),
    click.option("--manifest", type=_FILE, help="This manifest.json (or .json.gz) instead."),
    click.option("--catalog", type=_FILE, help="This catalog.json instead of the one beside the manifest."),
    click.option("--target", "-t", envvar="DBT_TARGET", help="The dbt target that the manifest was made for."),
    click.option(
        "--profiles-dir", envvar="DBT_PROFILES_DIR", help="The folder of profiles.yml, for when dbt is asked."
    ),
    click.option("--no-cache", is_flag=True, help="Ignore the cache of parsed SQL, and write none."),
)
KIND = click.option(
    "--kind",
    "kinds",
    multiple=True,
    metavar="KIND",
    type=click.Choice([kind.value for kind in Kind]),
    help=f"Only sources of this kind: {', '.join(kind.value for kind in Kind)}. Repeatable.",
)
_STRICT = click.option("--strict", is_flag=True, help="Warnings count as errors.")
_ADOPT = click.option(
    "--adopt", multiple=True, help="Take over this object in Statsig: its name, OLD=NEW, or its node's unique_id."
)
_SELECTION = (
    click.option("--select", "-s", multiple=True, help="Select these nodes, as dbt does. Repeatable."),
    click.option("--exclude", multiple=True, help="Exclude these nodes. Repeatable."),
    click.option("--selector", help="Select with this selector of selectors.yml; dbt is asked."),
    click.option(
        "--state",
        type=_FOLDER,
        help="Artifacts to compare with: validate and plan show what changed. Also for state: in --select.",
    ),
)
_CHECKS = (KIND, _STRICT)
_CONSOLE = (click.option("--base-url", help="The address of the Console API.  [default: https://statsigapi.net]"),)


def _form(forms: tuple[str, ...]) -> Callable[[click.Context, click.Parameter, str], str]:
    return lambda _ctx, _param, value: known_form(value, forms)


FORM = click.option(
    "--output",
    callback=_form(("text", "json")),
    metavar="FORMAT",
    default="text",
    show_default=True,
    help="The format of the output: text, json.",
)
_REPORTS = (
    click.option(
        "--output",
        callback=_form(FORMATS),
        metavar="FORMAT",
        default="text",
        show_default=True,
        help=f"The format of the output: {', '.join(FORMATS)}.",
    ),
    click.option(
        "--report",
        "reports",
        callback=lambda _ctx, _param, values: tuple(map(report_file, values)),
        metavar="FORMAT:PATH",
        multiple=True,
        help="Also write the output to a file: html:target/statsig.html. Repeatable.",
    ),
)
_OUTPUT = (
    click.option("--quiet", "-q", is_flag=True, help="Show only changes, problems and totals."),
    click.option("--verbose", "-v", is_flag=True, help="Show every source in full."),
    click.option("--no-color", is_flag=True, help="Print without colors. NO_COLOR and FORCE_COLOR work too."),
)


def _request(values: dict[str, Any]) -> Request:
    """Take the values of the shared options out of `values` and make a request of them."""
    manifest, target_path = values.pop("manifest"), values.pop("target_path")
    target, profiles_dir = values.pop("target"), values.pop("profiles_dir")
    project_dir = find_project(
        values.pop("project_dir"), here=Path.cwd(), needed=manifest is None and target_path is None
    )
    base_url = values.pop("base_url", None)
    flags: dict[str, Any] = {} if base_url is None else {"base_url": base_url}
    flags |= {"cache": False} if values.pop("no_cache", False) else {}
    return Request(
        project_dir=project_dir,
        manifest=manifest,
        target_path=target_path,
        catalog=values.pop("catalog"),
        target=target,
        select=_words(values.pop("select", ())),
        exclude=_words(values.pop("exclude", ())),
        selector=values.pop("selector", None),
        state=values.pop("state", None),
        dbt=dbt_for(project_dir, target=target, profiles_dir=profiles_dir),
        kinds=frozenset(Kind(kind) for kind in values.pop("kinds", ())),
        strict=values.pop("strict", False),
        flags=flags,
    )


OTHER_FILES = ("manifest", "catalog", "saved_plan", "out")
"""The parameters that name a file beside reports; the one that is written comes last."""


def project_options(
    *, selection: bool = True, checks: bool = True, console: bool = False, reports: bool = True
) -> Callable[[Command], Command]:
    """Give a command the shared options; it receives `request` and `output` in their place."""

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def with_request(**values: Any) -> int:
            output = _output(values)
            others = [path for name in OTHER_FILES if (path := values.get(name)) is not None]
            if (out := values.get("out")) is not None and (fault := unusable(out, others[:-1])) is not None:
                raise fault
            request, output = _reported(_request(values), output, others)
            return command(request=request, output=output, **values)

        forms = _REPORTS if reports else (FORM,)
        selecting = (*_SELECTION, *(_CHECKS if checks else ())) if selection else ()
        groups = (_PROJECT, selecting, _CONSOLE if console else (), forms, _OUTPUT)
        return _applied(tuple(option for group in groups for option in group), with_request)

    return decorate


def console_options(command: Command) -> Command:
    """Give a command that finds its project by itself the rest of the shared options, as `project_options` does."""

    @functools.wraps(command)
    def with_request(**values: Any) -> int:
        output = _output(values)
        base_url = values.pop("base_url")
        request = Request(
            project_dir=Path.cwd(),
            kinds=frozenset(Kind(kind) for kind in values.pop("kinds")),
            strict=values.pop("strict"),
            adopt=frozenset(values.pop("adopt")),
            flags={} if base_url is None else {"base_url": base_url},
        )
        request, output = _reported(request, output)
        return command(request=request, output=output, **values)

    return _applied((KIND, _STRICT, _ADOPT, *_CONSOLE, *_REPORTS, *_OUTPUT), with_request)


def _output(values: dict[str, Any]) -> Output:
    return Output.of(
        form=values.pop("output"),
        reports=values.pop("reports", ()),
        quiet=values.pop("quiet"),
        verbose=values.pop("verbose"),
        no_color=values.pop("no_color"),
        environ=os.environ,
    )


def _reported(request: Request, output: Output, others: Sequence[Path] = ()) -> tuple[Request, Output]:
    """The two with what the reports need. Raises UsageError for one that could not be written."""
    check_places(output.reports, others)
    forms = {output.form, *(report.form for report in output.reports)}
    root = "" if forms <= {"text", "json"} else root_in_repository(request.project_dir, os.environ)
    if forms & SHOW_RUN:
        words = click.get_current_context().find_root().obj or ()
        run = run_of(request.project_dir, os.environ, words, selection_of(request))
        output = structs.replace(output, run=run)
    return structs.replace(request, lineage="html" in forms), structs.replace(output, root=root)


def run_results_option(command: Command) -> Command:
    """Give a command `--run-results`, which goes into its request."""

    @functools.wraps(command)
    def with_results(*, request: Request, run_results: str | None, **values: Any) -> int:
        if run_results is not None:
            from dbt_statsig.project.inputs import RUN_RESULTS_FILE, artifacts_dir  # brings PyYAML

            path = Path(run_results) if run_results else artifacts_dir(request) / RUN_RESULTS_FILE
            request = structs.replace(request, run_results=path)
        return command(request=request, **values)

    return click.option(
        "--run-results",
        is_flag=False,
        flag_value="",
        metavar="[FILE]",
        help="Only nodes that this run_results.json says were built.  [default file: beside the manifest]",
    )(with_results)


def adoption_options(command: Command) -> Command:
    """Give a command what widens or narrows what it may touch; it goes into its request."""

    @functools.wraps(command)
    def with_scope(*, request: Request, adopt: tuple[str, ...], **values: Any) -> int:
        names = ("adopt_all", "adopt_imported", "prune", "delete_metrics", "force", "server_check")
        scope = {name: values.pop(name) for name in names}
        owners = frozenset(values.pop("adopt_from"))
        request = structs.replace(request, adopt=frozenset(adopt), adopt_from=owners, **scope)
        return command(request=request, **values)

    options = (
        _ADOPT,
        click.option("--adopt-all", is_flag=True, help="Take over all declared objects that no other project owns."),
        click.option(
            "--adopt-from",
            multiple=True,
            metavar="PROJECT",
            help="Take over the declared objects that this other dbt project owns. Give its name, or its folder to "
            "skip what it still declares. With --adopt, only the named ones.",
        ),
        click.option(
            "--adopt-imported", is_flag=True, help="Take over what `import` has listed in target/statsig_import.json."
        ),
        click.option("--prune", is_flag=True, help="Delete objects that are no longer declared; archive metrics."),
        click.option("--delete-metrics", is_flag=True, help="With --prune: delete metrics instead of archiving them."),
        click.option(
            "--force",
            is_flag=True,
            help="Write also: more changes or deletions than the limits in settings, changes that wait for compiled "
            "SQL, and values that Statsig keeps differently.",
        ),
        click.option("--server-check", is_flag=True, help="Let Statsig check each change first (dryRun)."),
    )
    return _applied(options, with_scope)

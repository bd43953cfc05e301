"""`dbt-statsig emulator`: a local Console API for demos, tests and CI."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

from dbt_statsig.cli.terminal import write_out
from dbt_statsig.errors import DbtStatsigError

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def _announce(url: str, *, key: str) -> None:
    write_out(
        f"The emulator listens at {url} until Ctrl-C; its page shows what it holds.\n"
        "To use it, in another terminal:\n"
        f"  export DBT_STATSIG_BASE_URL={url}\n"
        f"  export STATSIG_CONSOLE_API_KEY={key}\n"
        "  dbt-statsig plan\n"
    )


def _log(line: str) -> None:
    click.echo(line, err=True)


@click.command("emulator")
@click.option(
    "--host",
    type=click.Choice(["127.0.0.1", "localhost", "::1"]),
    default="127.0.0.1",
    show_default=True,
    help="The loopback address to listen on.",
)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The port.  [default: a free one]")
@click.option("--key", default="console-emulator", show_default=True, help="The key to accept.")
@click.option("--seed", type=_FILE, help="A JSON file of the objects at the start.")
@click.option("--faults", type=_FILE, help="A JSON file of faults to inject.")
@click.option("--latency", type=click.FloatRange(min=0), default=0.0, help="Seconds to wait before each answer.")
@click.option(
    "--rate-limit",
    type=click.Choice(["published", "older"]),
    is_flag=False,
    flag_value="published",
    help="Enforce Statsig's limits on writes: the newest published ones, or those of older pages.",
)
@click.option("--retry-after", is_flag=True, help="Send Retry-After with each 429.")
@click.option("--warehouse", help="A DuckDB file or postgresql:// URL that runs the SQL of each write.")
@click.option("--normalise", is_flag=True, help="Normalise stored objects as Statsig may.")
@click.option("--read-only", is_flag=True, help="Give the key no right to write: every write is refused.")
@click.option("--review-required", is_flag=True, help="Let changes of sources wait for a review.")
@click.option("--not-warehouse-native", is_flag=True, help="Serve a project that is not warehouse native.")
@click.option("--quiet", "-q", is_flag=True, help="Do not log requests to stderr.")
def command(
    *, host: str, port: int, key: str, quiet: bool, read_only: bool, not_warehouse_native: bool, **options: Any
) -> int:
    """Serve a local Console API that behaves as Statsig publishes it.

    Keeps everything in memory. With --warehouse, refuses SQL that fails there or lacks a mapped column.
    """
    from dbt_statsig.emulator.failures import CannotStart  # the server is an extra

    try:
        from dbt_statsig.emulator import serve

        on_request = None if quiet else _log
        options["scope"] = "omni_read_only" if read_only else "omni_read_write"
        options["warehouse_native"] = not not_warehouse_native
        options["faults"] = options["faults"] or ()
        options["rate_limit"] = options["rate_limit"] or False
        serve(host, port, on_ready=partial(_announce, key=key), key=key, on_request=on_request, **options)
    except CannotStart as error:
        raise DbtStatsigError(str(error)) from error
    return 0

"""What goes to stdout and what to stderr, and what happens when a stream fails."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from dbt_statsig.emulator import Running, running
from tests.integration.cli_process import COMMAND, KEY, environment, run

pytestmark = pytest.mark.dbt


def test_json_on_stdout_only(shop: Path) -> None:
    """With `--output json` stdout is one JSON object and stderr is silent."""
    done = run("validate", "--output", "json", cwd=shop)
    answer = json.loads(done.stdout)
    assert (answer["command"], answer["exit_code"], done.stderr) == ("validate", 0, "")
    assert answer["validation"]["counts"]["sources"] == len(answer["validation"]["sources"]) > 0


def test_json_is_utf8_on_any_terminal(shop: Path) -> None:
    """JSON stays JSON where the terminal knows only ASCII."""
    done = run("plan", "--output", "json", cwd=shop.parent, PYTHONIOENCODING="ascii")
    assert json.loads(done.stdout)["error"]["type"] == "UsageError"


def test_text_on_an_ascii_terminal(shop: Path) -> None:
    """Text is ASCII where the terminal knows nothing else."""
    done = run("validate", cwd=shop, PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert "ok timestamp_column" in done.stdout
    assert done.stdout.isascii()


def test_colours_only_where_asked_for(shop: Path) -> None:
    """Pipes get no colours unless FORCE_COLOR says so, and never with NO_COLOR or --no-color."""
    assert "\x1b[" not in run("validate", cwd=shop).stdout
    assert "\x1b[" in run("validate", cwd=shop, FORCE_COLOR="1").stdout
    assert "\x1b[" not in run("validate", cwd=shop, FORCE_COLOR="1", NO_COLOR="1").stdout
    assert "\x1b[" not in run("validate", "--no-color", cwd=shop, FORCE_COLOR="1").stdout


def test_from_a_folder_inside_the_project(shop: Path) -> None:
    """The project is found from a folder inside it, and named from outside, in either way."""
    here = run("validate", "--quiet", cwd=shop / "models").stdout
    assert here == run("validate", "--quiet", "--project-dir", shop, cwd=shop.parent).stdout
    assert here == run("validate", "--quiet", cwd=shop.parent, DBT_PROJECT_DIR=str(shop)).stdout


def test_selecting_several_in_one_go(shop: Path) -> None:
    """`--select a b`, `--select "a b"` and two options give the same, and one that matches nothing is warned of."""
    first, second = "fct_exposures", "fct_orders"
    expected = run("validate", "--select", first, "--select", second, cwd=shop)
    assert run("validate", "-s", first, second, cwd=shop).stdout == expected.stdout
    assert run("validate", "--select", f"{first} {second}", cwd=shop).stdout == expected.stdout
    shown = run("validate", "-s", first, second, "nothing_of_it", cwd=shop)
    assert "nothing_of_it" in shown.stdout
    assert shown.stdout.endswith("2 sources and 1 metric ready; 1 warning.\n")


def test_a_reader_that_goes_away(shop: Path) -> None:
    """`dbt-statsig … | head -1` ends without a complaint and with the exit code of the work."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [COMMAND, "validate"],
        cwd=shop,
        env=environment(),
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full to write to")
def test_a_full_disk(shop: Path) -> None:
    """A report that cannot be written gives 2 and says why."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [COMMAND, "validate"],
            cwd=shop,
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert "could not be written" in done.stderr
    assert "Traceback" not in done.stderr


def test_sigterm_ends_a_sync_with_a_report(shop: Path) -> None:
    """A cancelled job finishes the write under way, starts no other, and reports what was and was not done."""
    with running(latency=0.3) as console:
        environ = environment(
            DBT_STATSIG_BASE_URL=console.url, STATSIG_CONSOLE_API_KEY=KEY, DBT_STATSIG_CONCURRENCY="1"
        )
        process = subprocess.Popen(
            [COMMAND, "sync", "--output", "json"],
            cwd=shop,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        _wait_for_a_write(console, process)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
    assert "Traceback" not in err
    answer = json.loads(out)
    assert process.returncode == answer["exit_code"] == 2
    assert answer["outcome"]["stopped"]
    assert set(answer["outcome"]["counts"]) == {"done", "not_started"}


def _wait_for_a_write(console: Running, process: subprocess.Popen[str]) -> None:
    for _ in range(600):
        if any(exchange.method == "POST" and "tags" not in exchange.path for exchange in console.requests):
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    raise TimeoutError("no write was seen")

"""The `emulator` and `schema` commands as processes."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
from typing import TYPE_CHECKING

import httpx
import jsonschema
import pytest

from tests.integration.cli_process import COMMAND, environment, run

if TYPE_CHECKING:
    from pathlib import Path


def _start(*arguments: str | Path, cwd: Path) -> tuple[subprocess.Popen[str], str]:
    """The running command, and the URL that it says."""
    process = subprocess.Popen(
        [COMMAND, "emulator", *arguments],
        cwd=cwd,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(5)]
    exported = next(line for line in lines if "DBT_STATSIG_BASE_URL=" in line)
    return process, exported.split("=", 1)[1].strip()


def test_emulator_serves_until_interrupted(tmp_path: Path) -> None:
    """It says its URL and key, answers there with what the seed holds, and ends with 0 on Ctrl-C."""
    seed = tmp_path / "seed.json"
    seed.write_text(json.dumps({"tags": ["core"]}))
    process, url = _start("--seed", seed, "--key", "console-mine", "--port", "0", cwd=tmp_path)
    answer = httpx.get(
        f"{url}/console/v1/tags", params={"page": 1, "limit": 10}, headers={"STATSIG-API-KEY": "console-mine"}
    )
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert [tag["name"] for tag in answer.json()["data"]] == ["core"]
    assert process.returncode == 0, err
    assert "GET /console/v1/tags" in err
    assert "Traceback" not in err + out


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["--key", "secret-x"], "console-"),
        (["--seed", "missing.json"], "missing.json"),
        (["--seed", "broken.json"], "broken.json"),
        (["--host", "0.0.0.0"], "127.0.0.1"),  # noqa: S104 - it is refused
        (["--latency", "-1"], "--latency"),
    ],
)
def test_emulator_that_cannot_start(arguments: list[str], shown: str, tmp_path: Path) -> None:
    """Options that make no sense give 2 and one message."""
    (tmp_path / "broken.json").write_text("{")
    done = run("emulator", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert shown in done.stderr


def test_port_in_use(tmp_path: Path) -> None:
    """A port that somebody else holds gives 2 and is named, with the option for another one."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = str(holder.getsockname()[1])
        done = run("emulator", "--port", port, cwd=tmp_path)
    assert done.returncode == 2
    assert port in done.stderr
    assert "Give another --port (0: any)." in done.stderr


@pytest.mark.parametrize(("arguments", "key"), [([], "statsig"), (["meta"], "statsig"), (["settings"], "base_url")])
def test_schema(arguments: list[str], key: str, tmp_path: Path) -> None:
    """`schema` prints a JSON Schema that is one, or writes it to a file."""
    done = run("schema", *arguments, cwd=tmp_path)
    schema = json.loads(done.stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert key in schema["properties"]
    assert run("schema", *arguments, "--output-file", "schema.json", cwd=tmp_path).stdout == ""
    assert (tmp_path / "schema.json").read_text(encoding="utf-8") == done.stdout


def test_schema_to_a_place_that_is_none(tmp_path: Path) -> None:
    """A file that cannot be written gives 2 and is named."""
    done = run("schema", "--output-file", "no/where.json", cwd=tmp_path)
    assert done.returncode == 2
    assert "no/where.json" in done.stderr


def test_emulator_with_faults(tmp_path: Path) -> None:
    """A file of faults is in force from the start; one that is none gives 2 and is named."""
    faults = tmp_path / "faults.json"
    faults.write_text(json.dumps([{"match": {"path": "tags"}, "action": "status", "status": 503, "times": 1}]))
    process, url = _start("--faults", faults, cwd=tmp_path)
    with httpx.Client(base_url=url, headers={"STATSIG-API-KEY": "console-emulator"}) as client:
        statuses = [client.get("/console/v1/tags", params={"page": 1, "limit": 10}).status_code for _ in range(2)]
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert statuses == [503, 200]
    faults.write_text('[{"action": "explode"}]')
    done = run("emulator", "--faults", "faults.json", cwd=tmp_path)
    assert done.returncode == 2
    assert "fault plan" in done.stderr


def test_emulator_of_another_kind_of_project(tmp_path: Path) -> None:
    """`debug` tells a key that may only read, a project that is not warehouse native, and one with reviews."""
    process, url = _start("--read-only", "--review-required", "--not-warehouse-native", cwd=tmp_path)
    (tmp_path / "dbt_project.yml").write_text("name: shop\n", encoding="utf-8")
    done = run("debug", cwd=tmp_path, STATSIG_CONSOLE_API_KEY="console-emulator", DBT_STATSIG_BASE_URL=url)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    shown = " ".join(done.stdout.split())
    for fact in ("is not warehouse native", "The key may only read", "requires a review of changed sources"):
        assert fact in shown

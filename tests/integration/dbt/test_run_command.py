"""`dbt-statsig run -- dbt …` and `sync --run-results`: what a job built, from outside of dbt."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest
from msgspec import structs

from tests.integration.cli_process import COMMAND, KEY
from tests.integration.dbt.job import HOOK
from tests.integration.shop import BUILT, METRICS, SOURCES

if TYPE_CHECKING:
    from tests.integration.dbt.job import Job

pytestmark = pytest.mark.dbt

SESSIONS = "models/shop/fct_sessions.sql"


@pytest.fixture
def outside(job: Job) -> Job:
    """The job without the hook: what pushes is outside of dbt."""
    job.edit("dbt_project.yml", HOOK, "\n")
    return job


def test_a_whole_build(outside: Job) -> None:
    """The output of dbt is passed through, then what it built is synced; the handshake tells the target."""
    outside.settings("allowed_targets: [dev]")
    said = outside.ours("run", "--", "dbt", "build", "--target", "dev")
    assert said.index("Finished running") < said.index(f"{BUILT + METRICS} created.")
    assert "Refunds" not in outside.held()
    again = outside.ours("run", "--quiet", "--", "dbt", "build", "--quiet")
    assert f"Nothing to do: {BUILT} sources and {METRICS} metrics as declared." in again


@pytest.mark.engines
def test_a_part_gets_the_same_sql_as_the_whole(outside: Job) -> None:
    """Where dbt compiled only a part, the rest is compiled on the side, and dbt's own artifacts stay as they are."""
    outside.hide_columns()
    outside.ours("run", "--", "dbt", "run", "--select", "fct_sessions")
    assert outside.held() == {"Sessions"}
    assert '"seconds"' in next(body["sql"] for _, _, body in outside.written() if "sql" in body)
    results = json.loads((outside.folder / "target" / "run_results.json").read_text(encoding="utf-8"))
    assert results["args"]["which"] == "run"
    outside.dbt("compile")
    assert f"{SOURCES + METRICS - 1} to create, 1 unchanged." in outside.ours("plan")


def test_a_deferred_parent(outside: Job) -> None:
    """With --defer a parent that only another target built is known: what its contract names is proven of the child."""
    other = "    dev2: {type: duckdb, path: tea_shop.duckdb, schema: dev2}\n"
    outside.edit("profiles.yml", "  outputs:\n", f"  outputs:\n{other}")
    names = ("session_id", "started_at", "user_id", "device_id")
    typed = [{"name": name, "data_type": "timestamp" if name == "started_at" else "varchar"} for name in names]
    contract = {"name": "stg_events", "config": {"contract": {"enforced": True}}, "columns": typed}
    staging = outside.folder / "models" / "staging" / "_staging.yml"
    staging.write_text(json.dumps({"version": 2, "models": [contract]}), encoding="utf-8")
    (outside.folder / SESSIONS).write_text("select * from {{ ref('stg_events') }}", encoding="utf-8")
    (outside.folder / "target").rename(outside.folder / "state")
    outside.dbt("compile", "--target", "dev2", "--select", "fct_sessions", "--defer", "--state", "state")
    answer = json.loads(outside.ours("validate", "--select", "fct_sessions", "--strict", "--output", "json"))
    (found,) = answer["validation"]["sources"]
    assert found["payload"]["sql"].split() == [
        *("SELECT", '"session_id",', '"started_at",', '"user_id",', '"device_id"'),
        *("FROM", '"tea_shop"."dev2"."fct_sessions"'),
    ]
    manifest = json.loads((outside.folder / "target" / "manifest.json").read_text(encoding="utf-8"))
    assert '"main_staging"."stg_events"' in manifest["nodes"]["model.tea_shop.fct_sessions"]["compiled_code"]


def test_dbt_failed(outside: Job) -> None:
    """Where a model fails, what was built is synced all the same, and the exit code is dbt's."""
    (outside.folder / SESSIONS).write_text("select nonsense from {{ ref('stg_events') }}", encoding="utf-8")
    said = outside.ours("run", "--", "dbt", "run", "--select", "fct_sessions", "fct_orders", expect=1)
    assert outside.held() == {"Orders"}
    assert "dbt ended with the status error for its node." in said
    both = ("--select", "fct_sessions", "fct_orders")
    said = outside.ours("run", "--", "dbt", "run", *both, expect=1, key="console-refused-0123")
    assert "Nothing was synced." in said
    assert "refused the key" in said


def test_dbt_could_not_start_its_work(outside: Job) -> None:
    """Where dbt wrote no new run results nothing is synced, and the exit code is dbt's."""
    said = outside.ours("run", "--", "dbt", "run", "--no-such-option", expect=2)
    assert "Nothing was synced: dbt wrote no new run results." in said
    assert list(outside.console.requests) == []


def test_a_command_that_builds_nothing(outside: Job) -> None:
    """After a dbt command that builds no tables nothing is pushed, and that is an error of usage."""
    said = outside.ours("run", "--", "dbt", "compile", expect=2)
    assert "`dbt compile`, which builds no tables" in said
    assert outside.written() == []


def test_a_target_that_may_not_push(outside: Job) -> None:
    """A target that is not listed: dbt runs, nothing is pushed, and the exit code is 1."""
    outside.settings("allowed_targets: [prod]")
    said = outside.ours("run", "--", "dbt", "run", "--select", "fct_orders", expect=1)
    assert "Done." in said
    assert 'the dbt target "dev" may not push; allowed: prod.' in said
    assert outside.written() == []


@pytest.mark.engines
def test_the_words_after_dbt_are_dbts(outside: Job) -> None:
    """In a subfolder, with glued options and without `--`: project and target are dbt's, and so is `-q`."""
    outside.settings("allowed_targets: [prod]")
    prod = "    prod: {type: duckdb, path: \"{{ env_var('TEA_SHOP_DUCKDB') }}\", schema: main}\n"
    outside.edit("profiles.yml", "  outputs:\n", f"  outputs:\n{prod}")
    below = structs.replace(outside, folder=outside.folder / "models")

    def run(options: str, *, expect: int) -> str:
        return below.ours(
            *("run", "dbt", "run", "-s", "fct_orders", options),
            expect=expect,
            DBT_PROFILES_DIR=str(outside.folder),
            TEA_SHOP_DUCKDB=str(outside.folder / "tea_shop.duckdb"),
        )

    said = run("-qxtdev", expect=1)
    assert "Done." not in said
    assert 'the dbt target "dev" may not push; allowed: prod.' in said
    assert "2 created." in run("-qxtprod", expect=0)
    assert outside.held() == {"Orders"}


def test_nothing_was_built(outside: Job) -> None:
    """A build that leaves no run results where they are looked for, or builds without rows, is an error."""
    words = ("dbt", "run", "--select", "fct_orders")
    said = outside.ours("run", "--", *words, "--no-write-json", expect=2)
    assert "Nothing was synced: dbt wrote no new run results to" in said
    assert "--empty" in outside.ours("run", "--", *words, expect=2, DBT_EMPTY="true")
    assert outside.written() == []


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [((), 2, "There is no dbt command to run."), (("/of/nobody/dbt", "run"), 2, "/of/nobody/dbt cannot be run")],
)
def test_no_dbt_to_run(outside: Job, words: tuple[str, ...], code: int, message: str) -> None:
    """Without a dbt command, or with one that does not exist, there is one clear message."""
    assert message in outside.ours("run", "--", *words, expect=code)


def test_interrupted(outside: Job) -> None:
    """A job that is ended from outside is passed on to dbt, and nothing is synced after it."""
    (outside.folder / SESSIONS).write_text(
        "select count(*) as n from range(40000000) a, range(40000000) b", encoding="utf-8"
    )
    with subprocess.Popen(
        [COMMAND, "run", "--", "dbt", "run", "--select", "fct_sessions"],
        cwd=outside.folder,
        env=outside.environ(KEY, {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        next(line for line in process.stdout if "START sql table model" in line)
        os.kill(process.pid, signal.SIGTERM)
        said = process.stdout.read()
        assert process.wait(timeout=60) != 0
    assert "Nothing was synced" in said
    assert list(outside.console.requests) == []


def test_run_results_on_their_own(outside: Job) -> None:
    """`sync --run-results` after a build pushes what was built; after a compile it refuses to go by the results."""
    outside.dbt("build", off=True)
    assert f"{BUILT + METRICS} created." in outside.ours("sync", "--run-results")
    results = outside.folder / "target" / "run_results.json"
    kept = outside.folder / "kept.json"
    kept.write_bytes(results.read_bytes())
    outside.dbt("run", "--empty", "--select", "fct_orders")
    assert "`dbt run --empty`, which builds no tables" in outside.ours("sync", "--run-results", expect=2)
    outside.dbt("compile")
    assert "`dbt compile`, which builds no tables" in outside.ours("sync", "--run-results", expect=2)
    assert "different dbt commands" in outside.ours("sync", "--run-results", str(kept), expect=2)


def test_what_depends_on_uncompiled_sql_is_skipped(outside: Job) -> None:
    """`sync --run-results` after a partial run leaves a source whose columns only uncompiled SQL tells."""
    outside.hide_columns()
    outside.dbt("run", "--select", "fct_sessions")
    said = outside.ours("sync", "--run-results")
    assert "Its columns depend on SQL that this dbt command did not compile" in said
    assert outside.written() == []
    assert f"{BUILT + METRICS} created" in outside.ours("run", "--", "dbt", "build")


def test_two_targets_named(outside: Job) -> None:
    """A target that contradicts what dbt recorded pushes nothing: the manifest is of another one."""
    outside.dbt("build", "--target", "dev")
    said = outside.ours("sync", "--target", "prod", expect=1)
    assert '--target (or DBT_TARGET) says "prod", but run_results.json of the same dbt command says "dev".' in said
    assert outside.written() == []

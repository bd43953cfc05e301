"""Real builds of dbt 2: what each way to run pushes, and what it holds back.

DBT_STATSIG_TEST_LIBDUCKDB names the folder with the libduckdb.so that dbt 2 loads; `nox -s dbt2` fetches one with npm.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from msgspec import Struct

from tests.integration.cli_process import KEY
from tests.integration.dbt.job import HOOK, Job
from tests.integration.dbt.test_dbt2 import engine, shown
from tests.integration.shop import BUILT, METRICS

__all__ = ["engine"]
pytestmark = pytest.mark.dbt

LIBRARY = os.environ.get("DBT_STATSIG_TEST_LIBDUCKDB", "")
SESSIONS = "models/shop/fct_sessions.sql"
MARK = '{{ config(post_hook="{{ dbt_statsig.statsig_sync_model() }}") }}\n'
ALL = {
    *("Shop exposures", "Checkout opened", "Product viewed", "Customer profile", "Customer segment by day"),
    *("Orders", "Reviews", "Sessions"),
}


class Builder(Struct, frozen=True):
    """A job that dbt 2 builds, and dbt-statsig outside of it."""

    job: Job
    engine: Path

    def dbt(self, *arguments: str, expect: int = 0, **environ: str) -> str:
        """What a dbt 2 command says; asserts its exit code."""
        code, output = shown(self.engine, self.job, *arguments, LD_LIBRARY_PATH=LIBRARY, **environ)
        assert code == expect, output
        return output

    def ours(self, *arguments: str, expect: int = 0, **environ: str) -> str:
        """What dbt-statsig says, in one line."""
        return " ".join(self.job.ours(*arguments, expect=expect, LD_LIBRARY_PATH=LIBRARY, **environ).split())

    def run(self, *arguments: str, expect: int = 0, **environ: str) -> str:
        """The same of `dbt-statsig run` with a dbt 2 command."""
        return self.ours("run", "--", str(self.engine), *arguments, expect=expect, **environ)

    def pushed(self) -> set[str]:
        """What was created since the last time; the console is empty afterwards."""
        held = self.job.held()
        self.job.console.reset()
        return held

    def write(self, file: str, text: str) -> str:
        """Replace a file of the project; gives what it held."""
        path = self.job.folder / file
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        path.write_text(text, encoding="utf-8")
        return before

    def hide_columns(self) -> None:
        """Let fct_sessions select all columns of a new model that holds its SQL: only that one tells them."""
        before = self.write(SESSIONS, "select * from {{ ref('stg_sessions') }}")
        self.write("models/staging/stg_sessions.sql", before)


@pytest.fixture
def builder(job: Job, engine: Path) -> Builder:
    """The job without artifacts of dbt 1, and without its database: that DuckDB may be newer than the library."""
    if not LIBRARY:
        pytest.skip("DBT_STATSIG_TEST_LIBDUCKDB names no folder with libduckdb.so: run `nox -s dbt2` where npm is")
    for file in (job.folder / "target").glob("*"):
        if file.is_file():
            file.unlink()
    (job.folder / "tea_shop.duckdb").unlink()
    return Builder(job, engine)


@pytest.fixture
def outside(builder: Builder) -> Builder:
    """The same without the hook."""
    builder.job.edit("dbt_project.yml", HOOK, "\n")
    return builder


def test_the_hooks_of_a_build(builder: Builder) -> None:
    """A build with both hooks ends as without them, with --warn-error too; one line says what pushes; it can be off."""
    builder.write(SESSIONS, MARK + builder.write(SESSIONS, ""))
    output = builder.dbt("--warn-error", "build")
    assert output.count("this hook pushes nothing") == 1
    assert "dbt-statsig run -- dbt build --target dev" in output
    assert "dbt-statsig" not in builder.dbt("build", DBT_STATSIG_ENABLED="0")
    assert "dbt-statsig" not in builder.dbt("build", "--vars", "{statsig_enabled: false}")
    assert "dbt-statsig" not in builder.dbt("compile")
    assert list(builder.job.console.requests) == []


def test_every_way_after_a_build(builder: Builder) -> None:
    """`run` pushes what was built; plain commands find nothing to do; an operation stops and changes no payload."""
    assert f"{BUILT + METRICS} created." in builder.run("build")
    assert builder.job.held() == ALL
    assert f"Nothing to do: {BUILT} sources and {METRICS} metrics as declared." in builder.ours("sync", "--run-results")
    builder.dbt("compile")
    assert f"1 to create, {BUILT + METRICS} unchanged." in builder.ours("plan")
    for name in ("validate", "plan", "sync"):
        assert f"dbt-statsig {name} --target dev" in builder.dbt("run-operation", f"statsig_{name}", expect=1)
    written = builder.job.written()
    builder.ours("sync")
    updates = [one for one in builder.job.written()[len(written) :] if one[0] != "POST"]
    assert updates == []


def test_a_part_and_the_rest(outside: Builder) -> None:
    """Where dbt 2 built a part, the SQL above it is compiled on the side: the payload is the whole build's."""
    outside.hide_columns()
    outside.dbt("build")
    outside.run("run", "--select", "fct_sessions")
    assert outside.job.held() == {"Sessions"}
    assert '"seconds"' in next(body["sql"] for _, _, body in outside.job.written() if "sql" in body)
    assert f"{BUILT + METRICS - 1} created, 1 unchanged." in outside.run("build")


def test_without_rows(outside: Builder) -> None:
    """`--empty` pushes nothing, by `run` and by the run results, which do not record it."""
    assert "(--empty)" in outside.run("build", "--empty", expect=2)
    assert "`dbt build --empty`, which builds no tables" in outside.ours("sync", "--run-results", expect=2)
    assert outside.job.written() == []


def test_failing_models_and_retry(outside: Builder) -> None:
    """A failed model's source is held back, and those of skipped ones; `retry` pushes them once they are built."""
    sessions = outside.write(SESSIONS, "select nonsense from {{ ref('stg_events') }}")
    assert "dbt ended with the status error for its node." in outside.run("build", expect=1)
    assert outside.pushed() == ALL - {"Sessions"}
    assert "dbt ended with the status error" in outside.run("retry", expect=1)
    assert outside.pushed() == set()
    outside.write(SESSIONS, sessions)
    outside.run("retry")
    assert outside.pushed() == {"Sessions"}
    outside.write("models/staging/stg_events.sql", "select nonsense from {{ ref('raw_events') }}")
    assert "3 sources: dbt ended with the status skipped for its node." in outside.run("build", expect=1)
    assert outside.pushed() == ALL - {"Sessions", "Checkout opened", "Product viewed"}


def test_failing_data_tests(outside: Builder) -> None:
    """A failed data test holds back its node's source alone; one that warns holds nothing, even with --warn-error."""
    for model, config in (("fct_orders", ""), ("fct_sessions", "{{ config(severity='warn') }} ")):
        outside.write(f"tests/bad_{model}.sql", f"{config}select 1 as one from {{{{ ref('{model}') }}}} limit 1")
    assert "A data test of its node failed: bad_fct_orders" in outside.run("build", expect=1)
    assert outside.pushed() == ALL - {"Orders"}
    assert "A data test of its node failed: bad_fct_orders" in outside.ours("sync", "--run-results")
    assert outside.pushed() == ALL - {"Orders"}
    outside.run("--warn-error", "build", expect=1)
    assert outside.pushed() == ALL - {"Orders"}


def test_a_deferred_parent(outside: Builder) -> None:
    """With --defer the columns of a parent that only another target built are proven, and pushed with the child."""
    outside.hide_columns()
    dev = "    dev2: {type: duckdb, path: \"{{ env_var('TEA_SHOP_DUCKDB', 'tea_shop.duckdb') }}\", schema: dev2}\n"
    outside.job.edit("profiles.yml", "  outputs:\n", f"  outputs:\n{dev}")
    outside.dbt("build")
    (outside.job.folder / "target").rename(outside.job.folder / "state")
    outside.run("run", "--target", "dev2", "--select", "fct_sessions", "--defer", "--state", "state")
    ((_, _, body),) = [one for one in outside.job.written() if "sql" in one[2]]
    assert '"seconds"' in body["sql"]
    assert '"dev2"."fct_sessions"' in body["sql"]


def test_the_warehouse_is_asked(builder: Builder) -> None:
    """`validate --warehouse` and `preview --cost` work with dbt 2: columns come from the warehouse."""
    builder.dbt("build", DBT_STATSIG_ENABLED="0")
    path = f"{builder.engine.parent}:{builder.job.environ(KEY, {})['PATH']}"
    said = builder.ours("validate", "--warehouse", "--verbose", PATH=path)
    assert "user_id warehouse" in said, said
    assert "9 sources and 3 metrics ready" in said
    assert "Reads about" in builder.ours("preview", "Orders", "--cost", PATH=path)

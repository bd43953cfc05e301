"""The hooks: what is pushed after a job, and that a job never suffers from it unless it shall."""

from __future__ import annotations

import time
from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest

from tests.integration.dbt.job import HOOK
from tests.integration.shop import BUILT, METRICS

if TYPE_CHECKING:
    from tests.integration.dbt.job import Job

pytestmark = pytest.mark.dbt


def dbt_minor() -> tuple[int, ...]:
    """The installed dbt-core's version, as far as its features go by it."""
    return tuple(int(part) for part in version("dbt-core").split(".")[:2])


SESSIONS = "models/shop/fct_sessions.sql"
MARK = '{{ config(post_hook="{{ dbt_statsig.statsig_sync_model() }}") }}\n'


@pytest.mark.engines
@pytest.mark.usefixtures("measured_commands")
def test_only_what_was_built_is_pushed(job: Job) -> None:
    """After a run with a failing model the sources of what was built are pushed, the failed one is named and left."""
    (job.folder / SESSIONS).write_text("select nonsense from {{ ref('stg_events') }}", encoding="utf-8")
    said = job.dbt("run", "--select", "fct_sessions", "fct_orders", expect=1)
    assert job.held() == {"Orders"}
    assert "metric source Sessions" in said
    assert "dbt ended with the status error for its node." in said
    assert "Done." in said


def test_a_part_gets_the_same_sql_as_the_whole(job: Job) -> None:
    """The SQL is the same whether a run built one model or all: what was not compiled is compiled on the side."""
    job.hide_columns()
    job.dbt("run", "--select", "fct_sessions")
    part = [body["sql"] for method, _, body in job.written() if "sql" in body]
    assert len(part) == 1
    assert '"seconds"' in part[0]
    assert f"{BUILT + METRICS - 1} created, 1 unchanged." in job.dbt("build")


@pytest.mark.engines
@pytest.mark.parametrize("on_failure", ["warn", "fail"])
def test_a_refused_key(job: Job, on_failure: str) -> None:
    """A 401 is a warning, or, where it is set so, dbt's own error with the reason; the table is kept in both cases."""
    job.settings(f"on_failure: {on_failure}")
    before = job.rows("fct_orders")
    said = job.dbt("run", "--select", "fct_orders", key="console-refused-0123", expect=int(on_failure == "fail"))
    lead = "[WARNING]: " if on_failure == "warn" else "failed, error:\n "
    assert said.count("Statsig refused the key") == said.count(f"{lead}dbt-statsig: Statsig refused the key") == 1
    assert "Done." in said
    assert ("ERROR=1" in said) == (on_failure == "fail")
    assert job.rows("fct_orders") == before > 0


@pytest.mark.parametrize("where", ["GET", "POST"])
def test_a_console_that_hangs(job: Job, where: str) -> None:
    """A console that does not answer costs the job hook_timeout, and little more."""
    job.settings("on_failure: fail\nhook_timeout: 2")
    job.console.inject({"action": "delay", "seconds": 600, "match": {"method": where}})
    started = time.monotonic()
    said = job.dbt("run", "--select", "fct_orders", expect=1)
    assert time.monotonic() - started < 150
    assert "hook_timeout" in said or "not everything was pushed" in said
    assert "Done." in said
    assert job.rows("fct_orders") > 0


@pytest.mark.engines
@pytest.mark.usefixtures("measured_commands")
def test_post_hooks_only_mark(job: Job) -> None:
    """Where models are marked by post-hooks, the run's end pushes these alone, once."""
    path = job.folder / "models" / "shop" / "fct_orders.sql"
    path.write_text(MARK + path.read_text(encoding="utf-8"), encoding="utf-8")
    said = job.dbt("run", "--select", "fct_orders", "fct_sessions", "--threads", "4")
    assert job.held() == {"Orders"}
    assert said.count("2 created.") == 1
    job.console.reset()
    job.dbt("run", "--select", "fct_sessions")
    assert job.written() == []


def test_marks_that_nobody_pushes(job: Job) -> None:
    """Post-hooks without the on-run-end hook push nothing, and one warning says what to add."""
    job.edit("dbt_project.yml", HOOK, "\n")
    for model in ("fct_orders", "fct_sessions"):
        path = job.folder / "models" / "shop" / f"{model}.sql"
        path.write_text(MARK + path.read_text(encoding="utf-8"), encoding="utf-8")
    said = job.dbt("run", "--select", "fct_orders", "fct_sessions")
    assert said.count("no on-run-end hook pushes them") == 1
    assert list(job.console.requests) == []


@pytest.mark.parametrize("command", [("compile",), ("test", "--select", "fct_orders"), ("run", "--empty")])
def test_commands_that_build_nothing(job: Job, command: tuple[str, ...]) -> None:
    """After compile, test, or a run without rows nothing is asked and nothing is pushed."""
    job.dbt(*command)
    assert list(job.console.requests) == []


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("allowed_targets: [prod]", 'the dbt target "dev" may not push; allowed: prod.'),
        ("allowed_schemas: [prod]", 'not pushed: fct_orders. Its schema "main" is not one that may be pushed'),
    ],
)
def test_a_target_that_may_not_push(job: Job, setting: str, told: str) -> None:
    """A target or schema that may not push is reported, and no failure: a developer's job ends as it would have."""
    job.settings(f"{setting}\non_failure: fail")
    said = job.dbt("--warn-error", "run", "--select", "fct_orders")
    assert told in said
    assert "[WARNING]" not in said
    assert job.written() == []


@pytest.mark.engines
def test_a_failing_data_test_holds_back_its_node(job: Job) -> None:
    """After `dbt build` the source of a node whose data test failed is left and named; one that warns holds nothing."""
    for model, config in (("fct_orders", ""), ("fct_sessions", "{{ config(severity='warn') }} ")):
        text = f"{config}select 1 as one from {{{{ ref('{model}') }}}} limit 1"
        (job.folder / "tests" / f"bad_{model}.sql").write_text(text, encoding="utf-8")
    said = job.dbt("build", "--select", "fct_orders", "fct_sessions", expect=1)
    assert job.held() == {"Sessions"}
    assert "A data test of its node failed: bad_fct_orders (`on_test_failure: hold`)." in " ".join(said.split())
    said = job.ours("sync", "--run-results")
    assert "A data test of its node failed: bad_fct_orders" in " ".join(said.split())
    assert job.held() == {"Sessions"}
    job.settings("on_test_failure: push")
    assert "2 created, 1 unchanged." in job.ours("sync", "--run-results")


@pytest.mark.engines
@pytest.mark.parametrize("trouble", ["settings", "key"])
def test_trouble_under_warn_error(job: Job, trouble: str) -> None:
    """Under --warn-error our trouble, at parse and in the hook, is reported and breaks no dbt command."""
    if dbt_minor() >= (1, 10):
        job.edit("dbt_project.yml", "flags:\n", "flags:\n  require_all_warnings_handled_by_warn_error: true\n")
    if trouble == "settings":
        job.settings("no_such_setting: 1")
        assert job.dbt("--warn-error", "parse", "--no-partial-parse").count("statsig.json was not written") == 1
    said = job.dbt("--warn-error", "run", "--select", "fct_orders", key="console-refused-0123")
    assert ("`no_such_setting` is no" if trouble == "settings" else "Statsig refused the key") in said
    assert "Done. PASS=" in said


def test_nothing_after_a_failure(job: Job) -> None:
    """With `after_failure: skip` a run in which a node failed pushes nothing at all, and says which it left."""
    job.settings("after_failure: skip")
    (job.folder / SESSIONS).write_text("select nonsense from {{ ref('stg_events') }}", encoding="utf-8")
    said = job.dbt("run", "--select", "fct_sessions", "fct_orders", expect=1)
    assert job.written() == []
    assert "Another node failed (`after_failure: skip`)." in said


def test_the_whole_operation_in_a_hook_is_refused(job: Job) -> None:
    """`statsig_sync` in a hook stops with a message that names the macro for hooks."""
    job.edit("dbt_project.yml", "statsig_sync_results(results)", "statsig_sync()")
    said = job.dbt("run", "--select", "fct_orders", expect=2)
    assert "statsig_sync_results(results)" in said
    assert list(job.console.requests) == []


def test_a_switch_that_makes_no_sense(job: Job) -> None:
    """A var that is neither on nor off costs a warning, and the job nothing."""
    said = job.dbt("run", "--select", "fct_orders", "--vars", "{statsig_enabled: perhaps}")
    assert "`statsig_enabled` takes true or false." in said
    assert list(job.console.requests) == []


def test_results_are_loaded_where_a_var_asks_for_it(job: Job) -> None:
    """With `statsig_reload: true` experiments that read what was built are loaded after the push, without waiting."""
    job.console.emulator.api.experiments.edited(
        "POST", "checkout", {"name": "Checkout", "status": "active", "assignmentSourceName": "Shop exposures"}
    )
    said = job.dbt("run", "--select", "fct_exposures", "--vars", "{statsig_reload: true}")
    assert "Checkout (incremental): started" in said
    assert [one["experimentID"] for one in job.console.state.lists["pulse_loads"]] == ["checkout"]
    assert "Done." in said

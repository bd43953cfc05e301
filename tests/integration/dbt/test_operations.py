"""`dbt run-operation` on the macros: the command line's answers, from within dbt."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from dbt_statsig.emulator import running
from tests.integration.dbt.job import Job
from tests.integration.shop import DECLARED, METRICS, SOURCES

if TYPE_CHECKING:
    from typing import Any

pytestmark = pytest.mark.dbt


def operation(job: Job, macro: str, *, expect: int = 0, key: str = "console-emulator", **arguments: Any) -> str:
    """What one run-operation says."""
    return job.dbt("run-operation", macro, "--args", json.dumps(arguments), expect=expect, key=key)


@pytest.mark.engines
@pytest.mark.usefixtures("measured_commands")
def test_the_macros_give_what_the_command_line_gives(job: Job) -> None:
    """The macro writes byte for byte what the command writes, and afterwards the command finds nothing to do."""
    output = operation(job, "statsig_sync")
    assert output.rstrip().endswith(f"{SOURCES + METRICS} created.")
    by_macro = job.written()
    assert job.dbt("compile", off=True)
    assert f"Nothing to do: {DECLARED} as declared." in job.ours("plan")
    with running() as other:
        Job(folder=job.folder, console=other).ours("sync")
        by_command = [(one.method, one.path, one.body) for one in other.requests if one.method != "GET"]
    assert sorted(map(json.dumps, by_macro)) == sorted(map(json.dumps, by_command))
    assert f"Nothing to do: {DECLARED} as declared." in operation(job, "statsig_sync")


@pytest.mark.usefixtures("measured_commands")
def test_plan_and_dry_run_write_nothing(job: Job) -> None:
    """`statsig_plan` and a dry run show what would be done, for the nodes that dbt's own selection chooses."""
    assert "1 to create." in operation(job, "statsig_plan", select="@fct_orders", kinds="metric_source")
    assert "Dry run, nothing was written" in operation(job, "statsig_sync", select=["fct_orders"], dry_run=True)
    output = operation(job, "statsig_plan", exclude="path:models/shop")
    assert "Orders" not in output
    assert "Shop exposures" in output
    assert job.written() == []


@pytest.mark.engines
def test_validate_needs_no_key(job: Job) -> None:
    """`statsig_validate` compiles what it needs, shows the proof, and fails where a finding stands in the way."""
    output = job.dbt("run-operation", "statsig_validate", STATSIG_CONSOLE_API_KEY="", key="console-emulator")
    assert f"{DECLARED} ready" in output
    job.edit("models/shop/_shop.yml", "timestamp_column: ordered_at", "timestamp_column: ordered_att")
    output = job.dbt("run-operation", "statsig_validate", expect=1)
    assert "column-absent" in output
    assert 'Did you mean "ordered_at"?' in output
    assert output.rstrip().endswith("statsig_validate: see above; exit code 1 on the command line.")
    assert job.written() == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kinds": "metric_sorce"}, 'Did you mean "metric_source"?'),
        ({"select": {"a": 1}}, "`select` takes a string or a list of strings."),
        ({"select": "state:new"}, "dbt cannot answer the selection"),
    ],
)
def test_arguments_that_make_no_sense(job: Job, arguments: dict[str, Any], message: str) -> None:
    """A wrong argument fails the operation with one clear message; nothing is sent."""
    output = operation(job, "statsig_sync", expect=1, **arguments)
    assert message in output
    assert list(job.console.requests) == []


def test_a_refused_key(job: Job) -> None:
    """A key that Statsig refuses fails the operation; the key shows nowhere, in no log either."""
    output = operation(job, "statsig_sync", expect=1, key="console-refused-0123")
    assert "statsig_sync: Statsig refused the key from STATSIG_CONSOLE_API_KEY (401)" in output
    logs = (job.folder / "logs" / "dbt.log").read_text(encoding="utf-8")
    assert "401" in logs
    assert "console-refused-0123" not in logs


def test_a_target_that_may_not_push(job: Job) -> None:
    """A target that is not listed pushes nothing, and the message says how to allow it; a plan only warns."""
    job.settings("allowed_targets: [prod]")
    output = operation(job, "statsig_sync", expect=1)
    assert 'the dbt target "dev" may not push; allowed: prod.' in output
    assert "`allowed_targets` in dbt_statsig.yml" in output
    output = operation(job, "statsig_plan")
    assert output.count("A sync would be refused.") == 1
    assert operation(job, "statsig_sync", dry_run=True).count("A sync would be refused.") == 1
    assert job.written() == []


def test_a_model_that_cannot_be_compiled(job: Job) -> None:
    """A model that raises while it is compiled is a warning; its columns are unknown, and the others are proven."""
    text = "{% if execute %}{{ exceptions.raise_compiler_error('not now') }}{% endif %} select 1 as session_id"
    (job.folder / "models" / "shop" / "fct_sessions.sql").write_text(text, encoding="utf-8")
    output = operation(job, "statsig_validate")
    assert "model.tea_shop.fct_sessions could not be compiled (CompilationError)" in output
    assert f"{DECLARED} ready" in output


@pytest.mark.parametrize("how", ["var", "environment"])
def test_switched_off(job: Job, how: str) -> None:
    """One var or one variable switches the macros off: they say so and do nothing."""
    if how == "var":
        output = job.dbt("run-operation", "statsig_sync", "--vars", "{statsig_enabled: false}")
    else:
        output = job.dbt("run-operation", "statsig_sync", off=True)
    assert "statsig_sync: switched off, nothing done." in output
    assert list(job.console.requests) == []

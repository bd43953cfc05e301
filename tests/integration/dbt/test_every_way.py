"""The same project through every way to run: the same findings, the same writes, the same verdict."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import dbt_statsig
from dbt_statsig import Request
from tests.integration.cli_process import KEY
from tests.integration.dbt.job import HOOK
from tests.integration.dbt.test_run_from_pages import blocks
from tests.integration.shop import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.dbt.job import Job

pytestmark = [pytest.mark.dbt, pytest.mark.engines]

GOOD = {"Shop exposures", "Checkout opened", "Sessions"}


def body(text: str) -> list[str]:
    """The lines of an answer, without what wraps differently."""
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def holds(output: str, answer: str) -> bool:
    """Whether an answer is in the output of a dbt command, line by line."""
    lines, wanted = body(output), body(answer)
    return any(lines[at : at + len(wanted)] == wanted for at in range(len(lines)))


@pytest.fixture
def faulty(job: Job) -> Job:
    """A project in which one source is wrong and blocked, and all others can be pushed; built and compiled."""
    job.edit("models/shop/_shop.yml", "timestamp_column: ordered_at", "timestamp_column: ordered_att")
    job.settings("on_failure: fail")
    return job


def pushed(job: Job, run: Callable[[], object]) -> list[str]:
    """What one way to run writes to an empty console."""
    job.console.reset()
    run()
    return sorted(json.dumps(one) for one in job.written() if "source." not in json.dumps(one[2]))


def through_uvx(job: Job, *arguments: str) -> None:
    """`dbt-statsig run uvx --from dbt-core … dbt …`, with a uvx that runs the dbt which is there; `-q` is dbt's."""
    uvx = job.folder / "uvx"
    uvx.write_text('#!/bin/sh\nshift 4\nexec "$@"\n', encoding="utf-8")
    uvx.chmod(0o755)
    output = job.ours("run", str(uvx), "--from", "dbt-core", "--with", "dbt-duckdb", "dbt", *arguments, expect=1)
    assert "Running with dbt" not in output
    assert "Result" in output


def test_every_way_gives_the_same(faulty: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    """Findings, writes and verdict are equal from the command line, from within dbt, from hooks and from Python."""
    job = faulty
    for name, value in job.environ(KEY, {}).items():
        if name.startswith(("STATSIG_", "DBT_STATSIG_")):
            monkeypatch.setenv(name, value)
    request = Request(project_dir=job.folder)

    writes = {"hook": pushed(job, lambda: job.dbt("build", expect=1))}
    validated, planned = dbt_statsig.validate(request), dbt_statsig.plan(request)
    answer: dict[str, Any] = json.loads(job.ours("validate", "--output", "json", expect=1))
    shown = [(one["code"], one["message"]) for one in answer["validation"]["findings"]]
    assert [(one.code, one.message) for one in validated.findings] == shown
    assert {"column-absent", "unit-not-tested"} & {code for code, _ in shown}
    assert (validated.exit_code, validated.ok(), planned.exit_code, planned.ok()) == (1, False, 1, False)
    assert "ordered_att" in " ".join(planned.problems)

    # An operation writes a manifest without compiled SQL: the command line goes first.
    writes["command line"] = pushed(job, lambda: job.ours("sync", expect=1))
    job.console.reset()
    answers = {name: job.ours(name, expect=1) for name in ("validate", "plan")}
    for name, by_command in answers.items():
        assert holds(job.dbt("run-operation", f"statsig_{name}", expect=1), by_command)
    writes["operation"] = pushed(job, lambda: job.dbt("run-operation", "statsig_sync", expect=1))
    job.edit("dbt_project.yml", HOOK, "\n")
    writes["run"] = pushed(job, lambda: through_uvx(job, "build", "-q"))
    writes["results"] = pushed(job, lambda: job.ours("sync", "--run-results", expect=1))
    synced = []
    writes["Python"] = pushed(job, lambda: synced.append(dbt_statsig.sync(request)))
    assert [(one.exit_code, one.ok()) for one in synced] == [(1, False)]

    def airflow() -> None:
        names: dict[str, Any] = {}
        exec(blocks(ROOT / "docs" / "run-from" / "airflow.md", "python")[0], names)  # noqa: S102 - our own page
        with pytest.raises(RuntimeError, match="ordered_att"):
            names["push_sources"](str(job.folder), "dev")

    writes["Airflow"] = pushed(job, airflow)
    assert {way: made == writes["hook"] for way, made in writes.items()} == dict.fromkeys(writes, True)
    assert all(name in " ".join(writes["hook"]) for name in GOOD)
    assert "Orders" not in " ".join(writes["hook"])

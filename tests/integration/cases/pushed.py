"""Cases about the plan and the way to the service."""

from __future__ import annotations

from tests.integration.cases.case import Case, case


@case("sync-after-dbt-test")
def _(given: Case) -> None:
    """After `dbt test`, whose manifest lacks the models' SQL, there is nothing to do."""
    assert given.command("sync", "--manifest", "1-after-build/manifest.json").code == 0
    planned = given.plan("--check", "--manifest", "2-after-test/manifest.json")
    assert planned.code == 0
    assert set(planned.changes) <= {"unchanged"}


@case("no-proxy-ipv6")
def _(given: Case) -> None:
    """An entry of NO_PROXY that the HTTP library cannot read does not stop a command."""
    nowhere = {"DBT_STATSIG_BASE_URL": "https://localhost:1", "DBT_STATSIG_WAIT_BUDGET": "1"}
    for value in ("fe80::/10", "localhost,127.0.0.1,[::1]", "localhost,127.0.0.1"):
        planned = given.plan(NO_PROXY=value, no_proxy=value, **nowhere)
        assert "No connection to localhost" in planned.stderr, planned.stderr

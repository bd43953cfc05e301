"""Tests of `dbt-statsig debug`: whatever is missing or wrong, every other check is still made and reported."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from dbt_statsig.emulator import Running, running
from tests.integration.cli_process import KEY, own_copy, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.dbt


@pytest.fixture(scope="module")
def console() -> Iterator[Running]:
    """A console that lists the unit IDs of the example project."""
    with running(seed={"unit_id_types": ["userID", "stableID"]}) as server:
        yield server


def checks(project: Path, *, code: int, **env: str) -> dict[str, dict[str, Any]]:
    """The checks by their names' first word; asserts the exit code."""
    done = run("debug", "--output", "json", cwd=project, **env)
    assert done.returncode == code, done.stdout + done.stderr
    return {check["name"].split()[0]: check for check in json.loads(done.stdout)["diagnosis"]["checks"]}


def test_everything_is_there(shop: Path, console: Running) -> None:
    """Settings, files, key, connection and unit IDs are well."""
    found = checks(shop, code=0, DBT_STATSIG_BASE_URL=console.url, STATSIG_CONSOLE_API_KEY=KEY)
    assert {name: check["ok"] for name, check in found.items()} == {
        "settings": True,
        "manifest": True,
        "catalog": True,
        "declarations": True,
        "key": True,
        "console": True,
        "warehouse": True,
        "reads": True,
        "writes": True,
        "reviews": True,
        "unit": True,
    }
    assert console.state.sources["assignment_sources"] == {}


def test_what_the_key_may_do(shop: Path) -> None:
    """A project that is not warehouse native is a fault; a key that only reads, and required reviews, are reported."""
    with running(scope="omni_read_only", warehouse_native=False, review_required=True) as server:
        reach = {"DBT_STATSIG_BASE_URL": server.url, "STATSIG_CONSOLE_API_KEY": KEY}
        server.inject({"action": "status", "status": 403, "match": {"path": "audit_logs"}})
        found = checks(shop, code=2, **reach)
        assert {name: found[name]["ok"] for name in ("warehouse", "reads", "writes", "reviews")} == {
            "warehouse": False,
            "reads": None,
            "writes": None,
            "reviews": None,
        }
        assert found["reads"]["message"] == "The key may not read the audit log."
        assert "enough for `plan`" in found["writes"]["message"]
        assert "respect_review_settings" in found["reviews"]["fix"]
        server.inject({"action": "status", "status": 404, "match": {"path": "company|settings|audit_logs|_sources$"}})
        found = checks(shop, code=0, **reach)
        assert [found[name]["ok"] for name in ("warehouse", "reads", "writes", "reviews")] == [None] * 4
        assert "not known" in found["writes"]["message"] + found["reads"]["message"]


def test_findings_are_counted_as_validate_counts_them(shop: Path, console: Running) -> None:
    """The check of the declarations has the numbers of `validate`'s last line."""
    found = checks(shop, code=0, DBT_STATSIG_BASE_URL=console.url, STATSIG_CONSOLE_API_KEY=KEY)
    verdict = run("validate", cwd=shop).stdout.strip().splitlines()[-1]
    tally = found["declarations"]["message"].partition(", ")[2]
    assert tally
    assert verdict.endswith(tally) or tally == "no findings."


def test_a_unit_that_statsig_does_not_list(shop: Path, tmp_path: Path, console: Running) -> None:
    """A mapped unit ID that the console does not list is named, and that built-in ones are so is reported."""
    mine = own_copy(shop, tmp_path)
    manifest = mine / "target" / "manifest.json"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace('"stableID"', '"stableIdd"'), encoding="utf-8")
    found = checks(mine, code=0, DBT_STATSIG_BASE_URL=console.url, STATSIG_CONSOLE_API_KEY=KEY)
    assert found["unit"]["ok"] is None
    assert "stableIdd" in found["unit"]["message"]


def test_a_plan_warns_of_a_unit_that_statsig_does_not_list(shop: Path, tmp_path: Path, console: Running) -> None:
    """A custom unit ID that the list lacks is a warning with the nearest name; a list that fails proves nothing."""
    mine = own_copy(shop, tmp_path)
    manifest = mine / "target" / "manifest.json"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace('"stableID"', '"stableIdd"'), encoding="utf-8")
    reach = {"DBT_STATSIG_BASE_URL": console.url, "STATSIG_CONSOLE_API_KEY": KEY}

    def warned() -> list[str]:
        done = run("plan", "--output", "json", cwd=mine, **reach)
        assert done.returncode == 0, done.stdout + done.stderr
        findings = json.loads(done.stdout)["validation"]["findings"]
        return [found["fix"] for found in findings if found["code"] == "unit-id-unlisted"]

    console.reset()
    assert set(warned()) == {'Did you mean "stableID"?'}
    assert sum("unit_id_types" in request.path for request in console.requests) == 1
    console.inject({"match": {"path": "unit_id_types"}, "action": "status", "status": 403, "body": {"message": "No."}})
    assert warned() == []
    console.inject()


def test_without_key_and_catalog(shop: Path, tmp_path: Path) -> None:
    """A project without catalog, and a run without key, are no faults: both are reported, and how to fix them."""
    mine = own_copy(shop, tmp_path)
    (mine / "target" / "catalog.json").unlink()
    found = checks(mine, code=0)
    assert [found[name]["ok"] for name in ("catalog", "key")] == [None, None]
    assert "dbt docs generate" in found["catalog"]["fix"]
    assert "STATSIG_CONSOLE_API_KEY" in found["key"]["fix"]
    assert "console" not in found


def test_an_old_catalog(shop: Path, tmp_path: Path) -> None:
    """A catalog that another dbt command wrote before the manifest is reported."""
    mine = own_copy(shop, tmp_path)
    path = mine / "target" / "catalog.json"
    catalog = json.loads(path.read_bytes())
    catalog["metadata"] |= {"generated_at": "2020-01-01T00:00:00Z", "invocation_id": "another"}
    path.write_text(json.dumps(catalog), encoding="utf-8")
    found = checks(mine, code=0)["catalog"]
    assert found["ok"] is None
    assert "older than the manifest" in found["message"]


def test_all_faults_at_once(shop: Path, tmp_path: Path) -> None:
    """A missing manifest and a broken key are both reported; neither is shown."""
    mine = own_copy(shop, tmp_path)
    (mine / "target" / "manifest.json").unlink()
    found = checks(mine, code=2, STATSIG_CONSOLE_API_KEY="console-broken key")
    assert {name: check["ok"] for name, check in found.items()} == {"settings": True, "dbt": False, "key": False}
    assert "broken key" not in json.dumps(found)


def test_settings_that_cannot_be_used(shop: Path, tmp_path: Path) -> None:
    """With faulty settings nothing is asked of the network; the key is still looked at."""
    mine = own_copy(shop, tmp_path)
    (mine / "dbt_statsig.yml").write_text("base_ulr: x\n", encoding="utf-8")
    found = checks(mine, code=2, STATSIG_CONSOLE_API_KEY=KEY)
    assert {name: check["ok"] for name, check in found.items()} == {"settings": False, "key": True}
    assert "base_url" in found["settings"]["message"] + found["settings"]["fix"]


def test_nobody_answers(shop: Path) -> None:
    """A console that cannot be reached fails, with the address and without the key."""
    found = checks(shop, code=2, DBT_STATSIG_BASE_URL="http://127.0.0.1:9", STATSIG_CONSOLE_API_KEY=KEY)
    assert found["console"]["ok"] is False
    assert "127.0.0.1:9" in json.dumps(found["console"])
    assert KEY not in json.dumps(found)

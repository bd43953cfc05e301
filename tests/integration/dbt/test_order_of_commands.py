"""Whatever dbt commands run on an unchanged project, and in whatever order: what was pushed once stays as it is."""

from __future__ import annotations

import functools
import json
import os
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct

from dbt_statsig.commands.plan import plan
from dbt_statsig.commands.sync import sync
from dbt_statsig.emulator import Running
from dbt_statsig.project.request import Request
from tests.integration.cli_process import KEY, UNPACED
from tests.integration.dbt.recorded import NIGHTLY, RECORDED, record
from tests.integration.shop import once

if TYPE_CHECKING:
    from dbt_statsig.vocabulary.results import Planned

BEGIN = datetime(2026, 1, 1, tzinfo=timezone.utc)
CATALOGS = ("missing", "old", "new")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recorded project."""
    base = tmp_path_factory.getbasetemp()
    return once((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "recorded", record)


class Shop(Struct, frozen=True, kw_only=True):
    """The recorded project in a folder of its own, on one warehouse, and the console that it pushes to."""

    folder: Path
    recorded: Path
    warehouse: str
    console: Running

    def after(self, command: str, *, catalog: str) -> Request:
        """The project as a dbt command leaves it, its catalog older or newer than the manifest."""
        self._write(self.recorded / "recorded" / command / "manifest.json", at=1)
        (self.folder / "target" / "catalog.json").unlink(missing_ok=True)
        if catalog != "missing":
            self._write(self.recorded / "recorded" / "docs generate" / "catalog.json", at=CATALOGS.index(catalog) - 1)
        environ = {
            "DBT_STATSIG_BASE_URL": self.console.url,
            "STATSIG_CONSOLE_API_KEY": KEY,
            "DBT_STATSIG_CACHE": "false",
            **UNPACED,
        }
        return Request(project_dir=self.folder, environ=environ)

    def _write(self, file: Path, *, at: int) -> None:
        content = content_of(file, self.warehouse)
        written = (BEGIN + timedelta(hours=at)).isoformat()
        content = {**content, "metadata": {**content["metadata"], "generated_at": written, "invocation_id": str(at)}}
        path = self.folder / "target" / file.name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content), encoding="utf-8")


@functools.cache
def content_of(file: Path, warehouse: str) -> dict[str, Any]:
    """What dbt wrote, as it would be for that warehouse."""
    content: dict[str, Any] = json.loads(file.read_bytes())
    content.pop("macros", None)
    if warehouse == "snowflake":
        if file.name == "manifest.json":
            content["metadata"]["adapter_type"] = "snowflake"
        for table in [*content["nodes"].values(), *content["sources"].values()]:
            if file.name == "catalog.json":
                table["columns"] = {
                    name.upper(): {**column, "name": name.upper()} for name, column in table["columns"].items()
                }
    return content


@pytest.fixture(params=["duckdb", "snowflake"])
def shop(recorded: Path, console: Running, tmp_path: Path, request: pytest.FixtureRequest) -> Shop:
    """The project beside an empty console."""
    (tmp_path / "dbt_project.yml").write_text("name: shop\n", encoding="utf-8")
    return Shop(folder=tmp_path, recorded=recorded, warehouse=request.param, console=console)


def shown(planned: Planned) -> list[str]:
    """What a plan would do or refuse, and what it is blocked by."""
    changes = [
        f"{one.action.value} {one.name}: {one.reason} {one.fields}"
        for one in planned.plan.changes
        if one.action.value != "unchanged"
    ]
    return [*changes, *(found.message for found in planned.validation.findings if found.severity.label == "error")]


@pytest.mark.timeout(3600 if NIGHTLY else 300)
@pytest.mark.parametrize(("first", "evidence"), [("docs generate", "new"), ("build", "old")])
def test_nothing_changes_for_lack_of_evidence(shop: Shop, first: str, evidence: str) -> None:
    """After a push on good evidence, a plan is empty and clean after every other dbt command, with any catalog."""
    pushed = sync(shop.after(first, catalog=evidence))
    assert pushed.exit_code == 0, shown(pushed.planned)
    for command in RECORDED:
        for catalog in CATALOGS:
            planned = plan(shop.after(command, catalog=catalog))
            assert (planned.exit_code, shown(planned)) == (0, []), (command, catalog)
            assert len(planned.plan.changes) + len(planned.skipped) == len(planned.validation.sources)


@pytest.mark.parametrize("shop", ["duckdb"], indirect=True)
@pytest.mark.timeout(3600 if NIGHTLY else 300)
@settings(max_examples=1000 if NIGHTLY else 5, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(st.tuples(st.sampled_from(list(RECORDED)), st.sampled_from(CATALOGS)), min_size=2, max_size=5))
def test_whatever_is_created_is_never_written_again(shop: Shop, steps: list[tuple[str, str]]) -> None:
    """Over any order of dbt commands with a sync after each, every object is written once, when it is created.

    Not on Snowflake: there a proven spelling replaces, once, one that nothing had proven.
    """
    shop.console.reset()
    for command, catalog in steps:
        sync(shop.after(command, catalog=catalog))
    written = [one for one in shop.console.requests if one.method != "GET" and "/tags" not in one.path]
    assert {one.method for one in written} <= {"POST"}
    names = [one.body["name"] for one in written]
    assert len(set(names)) == len(names)

"""`preview`: rows of a source through dbt, stood in for by a small program that runs the SQL on DuckDB."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from msgspec import structs

from dbt_statsig.commands.preview import Asked, preview
from dbt_statsig.errors import QueryFailed, UsageError
from dbt_statsig.project.dbt_command import DbtCommand
from dbt_statsig.project.request import Request
from dbt_statsig.report.text.previews import previews_json, previews_text
from dbt_statsig.vocabulary.adapters import adapter_for
from dbt_statsig.vocabulary.previews import Estimate, Preview, Previewed
from dbt_statsig.vocabulary.sources import Kind
from tests.dbt_program import duckdb_program
from tests.unit.impact.two_states import COLUMNS, marked, staging, write

if TYPE_CHECKING:
    from pathlib import Path


ROWS = """
create table shop.main.fct as select
  timestamp '2026-01-01' + to_days((i % 2)::int) as exposed_at, 'checkout' as experiment,
  case when i % 2 = 0 then 'a' else 'b' end as variant, case when i < 9 then 'u' || i end as user_id,
  'n\\ty' as country
from range(10) r(i)
"""


def dbt(folder: Path) -> DbtCommand:
    """The program in dbt's place, over a table of ten exposures."""
    with duckdb.connect(str(folder / "shop.duckdb")) as connection:
        connection.execute(ROWS)
    return duckdb_program(folder / "shop.duckdb")


def previewed(folder: Path, *names: str, columns: str = COLUMNS, **asked: Any) -> Previewed:
    """The preview of a project with one assignment source."""
    manifest = write(folder / "target", staging(), marked("fct", columns, **asked.pop("node", {}))) / "manifest.json"
    request = Request(project_dir=folder, manifest=manifest, environ={}, flags={"cache": False}, dbt=dbt(folder))
    return preview(request, Asked(names=names, **asked))


def test_rows_with_roles(tmp_path: Path) -> None:
    """The rows come back with mapped columns first, under the roles that they have."""
    found = previewed(tmp_path, "exposures", limit=2)
    (one,) = found.sources
    assert (one.columns[0].name, one.columns[0].roles) == ("user_id", ("id_type_mapping.userID",))
    assert one.columns[-1].roles == ()
    assert len(one.rows) == 2
    text = previews_text(found)
    lines = [line.split() for line in text.splitlines()]
    assert lines[1] == ["userID", "timestamp", "experiment_id", "group_id"]
    assert lines[2] == ["user_id", "exposed_at", "experiment", "variant", "country"]
    assert "n\\ty" in text
    assert found.exit_code == 0
    assert json.loads(previews_json(found))["sources"][0]["rows"][0][0] == "u0"


def test_counts(tmp_path: Path) -> None:
    """Units and empty unit IDs are counted over all rows, and units by experiment, group and day."""
    found = previewed(tmp_path, counts=True)
    (one,) = found.sources
    assert (one.rows_read, one.units[0].units, one.units[0].empty_rows) == (10, 9, 1)
    assert one.groups == (("checkout", "a", "2026-01-01", 5), ("checkout", "b", "2026-01-02", 4))
    text = previews_text(found)
    assert "userID: 9 units, empty in 1 row (10.0%)" in text
    assert "10 rows; newest timestamp: 2026-01-02 00:00:00" in text


def test_a_query_that_fails(tmp_path: Path) -> None:
    """What the warehouse says of a query is the source's error, in one line without dbt's frame; the exit code is 1."""
    found = previewed(tmp_path, columns=COLUMNS.replace("country", "nation"))
    (one,) = found.sources
    assert one.error.startswith("Binder Error: Referenced column")
    assert "nation" in one.error
    assert "Traceback" not in one.error
    assert found.exit_code == 1
    assert "1 source, 1 failed." in previews_text(found)


def test_macros_are_dates(tmp_path: Path) -> None:
    """Statsig's macros stand for the last days; where no row is of them, that is reported."""
    block = marked("fct")["config"]["meta"]["statsig"]["assignment_source"]
    dated = {**block, "partition_column": "exposed_at", "partition_type": "timestamp"}
    found = previewed(tmp_path, days=1, node={"statsig": {"assignment_source": dated}})
    assert f"CAST('{found.first_day}' AS DATE) AND CAST('{found.last_day}' AS DATE)" in found.sources[0].sql
    assert found.sources[0].rows == ()
    assert "  No rows.\n" in previews_text(found)


def test_what_cannot_be_asked(tmp_path: Path) -> None:
    """A name that no source has gets the nearest one; without dbt the next step is reported."""
    with pytest.raises(UsageError, match="Exposures"):
        previewed(tmp_path, "Exposurs")
    manifest = tmp_path / "target" / "manifest.json"
    request = Request(project_dir=tmp_path, manifest=manifest, environ={}, flags={"cache": False})
    for missing in (None, DbtCommand(words=(str(tmp_path / "dbt"),))):
        with pytest.raises(UsageError, match="no dbt on the PATH"):
            preview(structs.replace(request, dbt=missing), Asked())


def test_cost(tmp_path: Path) -> None:
    """With `cost` no row is read: the warehouse's plan gives the rows, and what would lower them."""
    found = previewed(tmp_path, cost=True)
    (one,) = found.sources
    assert one.estimate is not None
    assert (one.estimate.rows, one.rows) == (10, ())
    assert "Reads about 10 rows, whatever the days. `partition_column` in its" in previews_text(found)
    block = marked("fct")["config"]["meta"]["statsig"]["assignment_source"]
    dated = {**block, "partition_column": "exposed_at", "partition_type": "timestamp"}
    (tmp_path / "shop.duckdb").unlink()
    found = previewed(tmp_path, cost=True, node={"statsig": {"assignment_source": dated}})
    assert found.sources[0].estimate is not None
    assert not found.sources[0].estimate.could_filter
    (tmp_path / "shop.duckdb").unlink()
    broken = previewed(tmp_path, cost=True, columns=COLUMNS.replace("country", "nation"))
    assert broken.sources[0].error.startswith("Binder Error")
    assert broken.exit_code == 1


@pytest.mark.parametrize(
    ("adapter", "plan", "number"),
    [
        ("postgres", "Seq Scan on t  (cost=0.00..35.50 rows=2550 width=4)\n  Filter: (a > 1)", 2_550),
        ("redshift", "XN Seq Scan on t  (cost=0.00..87.98 rows=8798 width=8)", 8_798),
        ("snowflake", '{"GlobalStats":{"partitionsTotal":2,"bytesAssigned":1024}}', 1_024),
        ("clickhouse", "default\tt\t1\t8192\t1", 8_192),
        ("duckdb", "| ~1,578 rows |", 1_578),
        ("duckdb", "| EMPTY_RESULT |", 0),
        ("duckdb", "something else", None),
    ],
)
def test_plans(adapter: str, plan: str, number: int | None) -> None:
    """The estimate in a warehouse's plan is read as that warehouse writes it."""
    assert adapter_for(adapter).estimate(plan) == number
    assert adapter_for(adapter).explain


def test_bytes_are_readable() -> None:
    """An estimate in bytes is in the largest unit that fits."""
    one = Preview(kind=Kind.METRIC_SOURCE, name="A", unique_id="model.a", sql="", estimate=Estimate(bytes=12_345_678))
    whole = structs.replace(one, estimate=Estimate(bytes=3_200_000_000_000_000))
    text = previews_text(Previewed(sources=(one, whole), first_day="2026-01-01", last_day="2026-01-02"))
    assert "Reads about 12 MB." in text
    assert "Reads about 3,200.0 TB." in text


def test_no_estimate(tmp_path: Path) -> None:
    """Where dbt gives no estimate, the command ends with one line."""
    manifest = write(tmp_path / "target", staging(), marked("fct")) / "manifest.json"
    text = manifest.read_text().replace('"adapter_type": "duckdb"', '"adapter_type": "bigquery"')
    manifest.write_text(text)
    request = Request(project_dir=tmp_path, manifest=manifest, environ={}, flags={"cache": False}, dbt=dbt(tmp_path))
    with pytest.raises(UsageError, match="cannot ask bigquery for an estimate"):
        preview(request, Asked(cost=True))


def test_a_warehouse_that_is_away(tmp_path: Path) -> None:
    """A warehouse that answers no query at all ends the run once, with exit code 2 and one reason."""
    manifest = write(tmp_path / "target", staging(), marked("fct")) / "manifest.json"
    away = duckdb_program(tmp_path / "nowhere" / "x.duckdb")
    request = Request(project_dir=tmp_path, manifest=manifest, environ={}, flags={"cache": False}, dbt=away)
    for cost in (False, True):
        with pytest.raises(QueryFailed, match="The warehouse cannot be asked: IO Error") as raised:
            preview(request, Asked(cost=cost))
        assert raised.value.exit_code == 2


def test_metrics_are_no_sources(tmp_path: Path) -> None:
    """A metric has no rows of its own: its source is shown, and its name is not one of a source."""
    metrics = [{"name": "Rows", "aggregation": "count"}]
    mapping = {"userID": "user_id"}
    block = {"name": "Events", "timestamp_column": "exposed_at", "id_type_mapping": mapping, "metrics": metrics}
    node = {"statsig": {"metric_source": block}}
    found = previewed(tmp_path, node=node)
    assert [one.name for one in found.sources] == ["Events"]
    assert found.exit_code == 0
    (tmp_path / "shop.duckdb").unlink()
    with pytest.raises(UsageError, match='No source in scope is named "Rows"'):
        previewed(tmp_path, "Rows", node=node)

"""The generic tests of the package, on data with planted faults: each fault is found, and nothing else."""

from __future__ import annotations

import json
import subprocess
from importlib import import_module
from pathlib import Path  # noqa: TC003 - of a NamedTuple
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.forked import unmeasured
from tests.integration.cli_process import environment
from tests.integration.dbt import planted
from tests.integration.dbt.test_dbt2 import engine
from tests.integration.dbt.test_dbt2_builds import LIBRARY
from tests.integration.shop import BIN, ROOT
from tests.postgres import server

__all__ = ["engine"]
pytestmark = [pytest.mark.dbt, pytest.mark.engines]

ASSIGNED = {
    "name": "Exposures",
    "timestamp_column": "ts",
    "experiment_id_column": "experiment_id",
    "group_id_column": "group_id",
    "group_name_column": "group_name",
    "id_type_mapping": {"userID": "user_id"},
}
EVENTS = {"name": "Orders", "timestamp_column": "ts", "id_type_mapping": {"userID": "user_id"}}
WITHOUT_NAMES = {key: value for key, value in ASSIGNED.items() if key != "group_name_column"}
BLOCKS: dict[str, dict[str, Any]] = {
    **{name: {"assignment_source": ASSIGNED} for name in ("exposures", "ahead", "renamed", "unweighted")},
    "devices": {
        "assignment_source": {**WITHOUT_NAMES, "id_type_mapping": {"deviceID": "device_id", "userID": "user_id"}}
    },
    **{
        name: {"metric_source": [{"name": "Off", "enabled": False}, EVENTS]}
        for name in ("orders", "hashed", "empty_ids", "nothing", "days")
    },
    "traits": {"entity_property_source": {"name": "Traits", "id_type_mapping": {"userID": "user_id"}}},
    "doubled": {"entity_property_source": {"name": "Traits", "id_type_mapping": {"userID": "user_id"}}},
    "mapped": {
        "entity_property_source": {"name": "IDs", "id_type_mapping": {"userID": "user_id", "deviceID": "device_id"}}
    },
}
FIT: dict[str, Any] = {}
LEVELS = {0: "warn", 1: "error"}
# For each model its tests, and for each the faults that it finds: the check, what it is about, how bad it is.
Found = set[tuple[str, str, str]]
TESTS: dict[str, list[tuple[str, dict[str, Any], Found | str]]] = {
    "exposures": [
        (
            "fit_for_statsig",
            {},
            {
                ("one_group_per_unit", "crossed 2", "warn"),
                ("one_group_per_unit", "crossed 12", "error"),
                ("sample_ratio", "ratio 0.005", "warn"),
                ("sample_ratio", "ratio 0.0005", "warn"),
                ("sample_ratio", "alone", "warn"),
            },
        ),
        (
            "one_group_per_unit",
            {"assigned_by": "statsig"},
            {
                ("one_group_per_unit", "crossed 0.5", "warn"),
                ("one_group_per_unit", "crossed 2", "error"),
                ("one_group_per_unit", "crossed 12", "error"),
            },
        ),
        (
            "sample_ratio",
            {},
            {
                ("sample_ratio", "ratio 0.005", "warn"),
                ("sample_ratio", "ratio 0.0005", "error"),
                ("sample_ratio", "alone", "warn"),
            },
        ),
        (
            "no_duplicate_exposures",
            {},
            {("no_duplicate_exposures", f"crossed {share}", "warn") for share in planted.SHARES},
        ),
        ("group_names_stable", {}, set()),
        ("fresh_enough", {}, set()),
        ("same_unit_space", {"assignments": "ref('exposures')"}, "it is about qualifying_event"),
    ],
    "ahead": [("fit_for_statsig", {}, {("timestamps_sane", "ts", "error")})],
    "renamed": [("fit_for_statsig", {}, {("group_names_stable", "clean", "error")})],
    "unweighted": [
        ("sample_ratio", {"weights": {"control": 9, "test": 1}}, set()),
        ("fit_for_statsig", {"weights": {"split": {"control": 0.9, "test": 0.1}}}, set()),
        ("fit_for_statsig", {"weights": "equal"}, {("sample_ratio", "split", "error")}),
        ("sample_ratio", {"weights": {"control": 9, "tset": 1}}, {("sample_ratio", "split", "error")}),
        (
            "sample_ratio",
            {"weights": {"split": {"control": 9, "test": 1}, "slpit": {"control": 1}}},
            {("sample_ratio", "slpit", "warn")},
        ),
        ("fit_for_statsig", {"skip": ["sample_ratoi"], "also": ["sampel_ratio"]}, 'no check "sampel_ratio"'),
    ],
    "devices": [
        ("fit_for_statsig", {}, set()),
        ("one_group_per_unit", {"unit_id": "userID"}, {("one_group_per_unit", "e", "error")}),
        ("one_group_per_unit", {"unit_id": "stableID"}, 'no unit ID "stableID"'),
        ("group_names_stable", {}, 'assignment_source "Exposures" has no group_name_column'),
    ],
    "orders": [
        ("fit_for_statsig", {"assignments": "ref('exposures')", "max_age_hours": 1}, set()),
        ("one_group_per_unit", {}, "it is about assignment_source, and this node has metric_source"),
        ("fresh_enough", {"source": "Order"}, 'no block named "Order"'),
    ],
    "hashed": [
        ("fit_for_statsig", {"assignments": "ref('exposures')"}, {("same_unit_space", "user_id", "error")}),
    ],
    "empty_ids": [
        (
            "fit_for_statsig",
            {},
            {
                ("unit_ids_filled", "user_id", "warn"),
                ("timestamps_sane", "ts", "error"),
                ("timestamps_sane", "ts", "warn"),
            },
        ),
        ("unit_ids_filled", {"error_above": 0}, {("unit_ids_filled", "user_id", "error")}),
    ],
    "nothing": [("fit_for_statsig", {}, {("no_rows", "", "warn")})],
    "days": [
        ("fit_for_statsig", {}, {("timestamps_sane", "ts", "warn")}),
        ("timestamps_sane", {"timestamp_as_day": True}, set()),
    ],
    "traits": [
        ("fit_for_statsig", {}, set()),
        (
            "one_to_one_ids",
            {"id_type_mapping": {"userID": "user_id", "companyID": "company_id"}},
            {("one_to_one_ids", "company_id", "error")},
        ),
    ],
    "doubled": [("fit_for_statsig", {}, {("one_row_per_unit", "", "error")})],
    "mapped": [
        ("fit_for_statsig", {"also": ["one_to_one_ids"]}, set()),
        ("one_to_one_ids", {"min_units": 10}, set()),
    ],
    "unmarked": [
        ("fit_for_statsig", {}, "there is no block under config.meta.statsig"),
        ("unit_ids_filled", {"id_type_mapping": "user_id"}, set()),
        (
            "fit_for_statsig",
            {"kind": "assignment_source", **{key: value for key, value in WITHOUT_NAMES.items() if key != "name"}},
            {("sample_ratio", "split", "warn")},
        ),
    ],
}


DUCKDB = {"type": "duckdb", "path": "rows.duckdb", "threads": 2}


def make_project(
    folder: Path, *, arguments: bool = False, output: dict[str, Any] = DUCKDB
) -> dict[str, tuple[str, Found | str]]:
    """The project with all these tests; for each test's name what it is expected to find, or to say."""
    (folder / "models").mkdir(parents=True)
    profile = {"rows": {"target": "dev", "outputs": {"dev": output}}}
    (folder / "profiles.yml").write_text(json.dumps(profile), encoding="utf-8")
    (folder / "packages.yml").write_text(json.dumps({"packages": [{"local": str(ROOT)}]}), encoding="utf-8")
    (folder / "dbt_packages").mkdir()
    (folder / "dbt_packages" / "dbt_statsig").symlink_to(ROOT)  # what `dbt deps` makes of `local:`
    (folder / "dbt_project.yml").write_text("name: rows\nprofile: rows\n", encoding="utf-8")
    models, expected = [], {}
    for model, tests in TESTS.items():
        (folder / "models" / f"{model}.sql").write_text("select 1 as one", encoding="utf-8")
        listed = []
        for number, (test, given, found) in enumerate(tests):
            name = f"{model}_{number}"
            expected[name] = (test, found)
            listed.append({f"dbt_statsig.{test}": {"name": name, **({"arguments": given} if arguments else given)}})
        meta = {"statsig": BLOCKS[model]} if model in BLOCKS else {}
        models.append({"name": model, "config": {"meta": meta}, "data_tests": listed})
    (folder / "models" / "_models.yml").write_text(json.dumps({"version": 2, "models": models}), encoding="utf-8")
    planted.make(folder / "rows.duckdb")
    return expected


class Ran(NamedTuple):
    """The project after `dbt test`, what was expected of each test, and dbt's results."""

    folder: Path
    expected: dict[str, tuple[str, Found | str]]
    results: dict[str, dict[str, Any]]
    url: str = ""

    def rows(self, name: str, *columns: str) -> list[tuple[Any, ...]]:
        """What a test stored."""
        stored = f"select {', '.join(columns)} from main_dbt_test__audit.{name}"
        if self.url:
            with import_module("psycopg2").connect(self.url) as connection, connection.cursor() as cursor:
                cursor.execute(stored)
                return sorted(cursor.fetchall(), key=str)
        import duckdb  # the engine sessions install it with dbt

        with duckdb.connect(str(self.folder / "rows.duckdb"), read_only=True) as warehouse:
            return warehouse.execute(f"{stored} order by all").fetchall()


def run_by(dbt: Path, folder: Path, *, arguments: bool = False, url: str = "", **environ: str) -> Ran:
    """All tests, run once by this dbt; with a URL on that PostgreSQL server."""
    output: dict[str, Any] = DUCKDB
    if url:
        host = parse_qs(urlsplit(url).query)["host"][0]
        access = {"host": host, "port": 5432, "user": "postgres", "password": "", "dbname": "postgres"}
        output = {"type": "postgres", **access, "schema": "main", "threads": 2}
    expected = make_project(folder, arguments=arguments, output=output)
    if url:
        planted.copy_to(folder / "rows.duckdb", import_module("psycopg2").connect(url))
    done = subprocess.run(
        [dbt, "test", "--store-failures"],
        cwd=folder,
        env=unmeasured(environment(**environ)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout
    results = json.loads((folder / "target" / "run_results.json").read_text(encoding="utf-8"))["results"]
    return Ran(folder, expected, {result["unique_id"].split(".")[2]: result for result in results}, url)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """All tests, run once by the dbt of this environment."""
    return run_by(BIN / "dbt", tmp_path_factory.mktemp("rows") / "project")


def differing(ran: Ran) -> dict[str, Any]:
    """The tests that found something else than was planted, or ended in another way."""
    wrong = {}
    for name, (_, found) in ran.expected.items():
        if isinstance(found, str):
            continue
        rows = ran.rows(name, "problem", "coalesce(experiment, column_name, '')", "is_error")
        levels = {LEVELS[level] for _, _, level in rows}
        status = "fail" if "error" in levels else "warn" if levels else "pass"
        got = {(problem, subject, LEVELS[level]) for problem, subject, level in rows}
        if (got, status) != (found, ran.results[name]["status"]):
            wrong[name] = (got, found, ran.results[name])
    return wrong


def unsaid(ran: Ran) -> set[str]:
    """The tests that cannot be run, and do not say why."""
    texts = {name: found for name, (_, found) in ran.expected.items() if isinstance(found, str)}
    return {
        name
        for name, text in texts.items()
        if ran.results[name]["status"] != "error" or text not in ran.results[name]["message"]
    }


def test_every_planted_fault_is_found(ran: Ran) -> None:
    """Each test finds what is planted, at Statsig's own limits, and nothing else: errors fail, warnings warn."""
    assert differing(ran) == {}


def test_what_cannot_be_tested_is_reported(ran: Ran) -> None:
    """A model without block, a block without the column, a name that does not exist: one line that says so."""
    assert unsaid(ran) == set()


def test_the_same_on_dbt2(engine: Path, tmp_path: Path) -> None:
    """On dbt 2 each test finds the same, and says the same."""
    if not LIBRARY:
        pytest.skip("DBT_STATSIG_TEST_LIBDUCKDB names no folder with libduckdb.so: run `nox -s dbt2` where npm is")
    ran = run_by(engine, tmp_path / "project", arguments=True, LD_LIBRARY_PATH=LIBRARY)
    assert (differing(ran), unsaid(ran)) == ({}, set())


def test_the_same_on_postgres(tmp_path: Path) -> None:
    """On a real PostgreSQL server, through dbt-postgres, each test finds the same, and says the same."""
    pytest.importorskip("dbt.adapters.postgres", reason="dbt-postgres is not installed: run `nox -s postgres`")
    with server() as url:
        ran = run_by(BIN / "dbt", tmp_path / "project", url=url)
        assert (differing(ran), unsaid(ran)) == ({}, set())


def test_numbers_are_those_of_scipy(ran: Ran) -> None:
    """The chi-square and the shares of a test's rows are those that scipy and plain counting give."""
    special = pytest.importorskip("scipy.special", reason="scipy is not installed: it comes with the extra `dev`")
    rows = ran.rows("exposures_2", "experiment", "chi_square", "found", "total", "share", "threshold")
    assert [row[0] for row in rows] == ["alone", "ratio 0.0005", "ratio 0.005"]
    for experiment, chi, found, total, share, threshold in rows[1:]:
        planted_as = planted.EXPERIMENTS[experiment]
        assert chi == pytest.approx((planted_as.first - planted_as.second) ** 2 / planted.UNITS)
        assert special.chdtrc(1, chi) == pytest.approx(float(experiment.split()[1]), rel=0.05)
        # Both of two groups are as far off.
        assert found in planted_as[:2]
        assert (total, share, threshold) == (planted.UNITS, found / planted.UNITS, 0.5)
    limits = {"0.5": 0.001, "12": 0.01, "2": 0.01}
    assert ran.rows("exposures_1", "experiment", "found", "total", "threshold") == [
        (f"crossed {percent}", planted.SHARES[percent] * planted.UNITS, planted.UNITS, limit)
        for percent, limit in limits.items()
    ]

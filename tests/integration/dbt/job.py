"""A project that uses the package, and dbt commands in it as a job runs them."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from dbt_statsig.emulator import Running
from tests.forked import BIN, ENTRIES, program, unmeasured
from tests.integration.cli_process import KEY, environment
from tests.integration.shop import ROOT, command, copy_shop

if TYPE_CHECKING:
    from collections.abc import Mapping

HOOK = '\non-run-end: "{{ dbt_statsig.statsig_sync_results(results) }}"\n'
OFF = {"DBT_STATSIG_ENABLED": "0"}


def make_consumer(folder: Path) -> None:
    """The example project with this repository as a package and the on-run-end hook, built; nothing is pushed."""
    shop = copy_shop(folder)
    (shop / "packages.yml").write_text(json.dumps({"packages": [{"local": str(ROOT)}]}), encoding="utf-8")
    with (shop / "dbt_project.yml").open("a", encoding="utf-8") as project:
        project.write(HOOK)
    command("dbt", "deps", cwd=shop)
    command("dbt", "build", cwd=shop, environment=OFF)


class Job(Struct, frozen=True, kw_only=True):
    """A copy of the consumer that a test may change, and the console that it pushes to."""

    folder: Path
    console: Running

    def dbt(self, *arguments: str, expect: int = 0, key: str = KEY, off: bool = False, **environ: str) -> str:
        """What one dbt command says on both streams; asserts its exit code, and that the key does not show.

        With `off`, the macros are switched off.
        """
        return self.run("dbt", *arguments, expect=expect, key=key, **environ, **(OFF if off else {}))

    def ours(self, *arguments: str, expect: int = 0, key: str = KEY, **environ: str) -> str:
        """The same of dbt-statsig."""
        return self.run("dbt-statsig", *arguments, expect=expect, key=key, **environ)

    def run(self, name: str, *arguments: str, expect: int, key: str, **environ: str) -> str:
        """The same of any command of this environment."""
        done = subprocess.run(
            [program(name), *arguments],
            cwd=self.folder,
            env=self.environ(key, environ),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=240,
        )
        assert done.returncode == expect, f"{name} {arguments}: {done.returncode}\n{done.stdout}"
        assert "Traceback" not in done.stdout, done.stdout
        assert key not in done.stdout
        return done.stdout

    def environ(self, key: str, more: Mapping[str, str]) -> dict[str, str]:
        """The environment of a job: the console's address, the key, no colours."""
        base = environment(DBT_STATSIG_BASE_URL=self.console.url, STATSIG_CONSOLE_API_KEY=key)
        path = ":".join([*dict.fromkeys(str(program(name).parent) for name in ENTRIES), str(BIN), base["PATH"]])
        plain = {"DBT_USE_COLORS": "false", "NO_COLOR": "1", "PATH": path}
        whole = {**base, **plain, **more}
        return unmeasured(whole) if OFF.items() <= more.items() else whole

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace a text that is in a file of the project."""
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{file} has no {old!r}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def hide_columns(self) -> None:
        """Let fct_sessions select all columns of a new model that holds its SQL: only that one tells them."""
        old = self.folder / "models" / "shop" / "fct_sessions.sql"
        old.rename(self.folder / "models" / "staging" / "stg_sessions.sql")
        old.write_text("select * from {{ ref('stg_sessions') }}", encoding="utf-8")
        self.dbt("run", "--select", "stg_sessions", off=True)

    def settings(self, text: str) -> None:
        """Add lines to dbt_statsig.yml."""
        with (self.folder / "dbt_statsig.yml").open("a", encoding="utf-8") as file:
            file.write(f"\n{text}\n")

    def written(self) -> list[tuple[str, str, Any]]:
        """The writes that the console got: method, path and body."""
        return [(one.method, one.path, one.body) for one in self.console.requests if one.method != "GET"]

    def held(self) -> set[str]:
        """The names of the sources that were created in the console."""
        return {body["name"] for method, _, body in self.written() if method == "POST" and "sql" in body}

    def rows(self, table: str) -> int:
        """How many rows a table of the warehouse has."""
        import duckdb  # the engine sessions install it with dbt

        with duckdb.connect(str(self.folder / "tea_shop.duckdb"), read_only=True) as warehouse:
            found = warehouse.execute(f"select count(*) from main.{table}").fetchone()
        assert found is not None
        return int(found[0])


def copy_of(consumer: Path, folder: Path) -> Path:
    """A copy of a built consumer."""
    return shutil.copytree(consumer, folder, symlinks=True, ignore=shutil.ignore_patterns("logs"))

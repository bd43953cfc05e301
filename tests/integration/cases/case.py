"""One case: a copy of its folder, and commands in it, in this process, beside an empty console."""

from __future__ import annotations

import io
import json
import os
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import Struct

from dbt_statsig.cli.app import run
from dbt_statsig.emulator import Running
from tests.integration.cli_process import KEY

if TYPE_CHECKING:
    from collections.abc import Callable


class Answer(Struct, frozen=True, kw_only=True):
    """How one command ended, and its answer in JSON."""

    code: int
    body: Any
    stderr: str

    @property
    def findings(self) -> list[dict[str, Any]]:
        """All findings."""
        return list(self.body["validation"]["findings"])

    @property
    def codes(self) -> set[str]:
        """The codes of all findings."""
        return {found["code"] for found in self.findings}

    @property
    def errors(self) -> list[str]:
        """Code and message of each error."""
        return [f"{found['code']}: {found['message']}" for found in self.findings if found["severity"] == "error"]

    @property
    def source(self) -> dict[str, Any]:
        """The one source that is declared."""
        (source,) = self.body["validation"]["sources"]
        return dict(source)

    @property
    def sql(self) -> str:
        """The SQL of the one source; empty where it is not pushed."""
        return "" if self.source["blocked"] else str(self.source["payload"]["sql"])

    @property
    def selected(self) -> list[str]:
        """The columns that the SQL of the one source selects, without quotes."""
        lines = self.sql.split("\nFROM", 1)[0].splitlines()[1:]
        return [line.strip().rstrip(",").strip('"`') for line in lines]

    @property
    def changes(self) -> list[str]:
        """The planned action of each object."""
        return [change["action"] for change in self.body["plan"]["changes"]]


class Case(Struct, frozen=True, kw_only=True):
    """A copy of a case's folder that a check may change."""

    folder: Path
    console: Running
    patch: pytest.MonkeyPatch

    def command(self, *arguments: str, **environ: str) -> Answer:
        """One command of the command line, in the folder, answered in JSON."""
        for name in [name for name in os.environ if name.startswith(("DBT_", "STATSIG_", "NO_COLOR"))]:
            self.patch.delenv(name)
        more = {"DBT_STATSIG_BASE_URL": self.console.url, "STATSIG_CONSOLE_API_KEY": KEY, **environ}
        for name, value in more.items():
            self.patch.setenv(name, value)
        self.patch.chdir(self.folder)
        manifest = [] if {"--manifest", "--project-dir"} & {*arguments} else self._manifest()
        stdout, stderr = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
        with redirect_stdout(stdout), redirect_stderr(stderr):
            code = run([*arguments, *manifest, "--no-cache", "--output", "json"])
        out, err = map(_text, (stdout, stderr))
        assert "internal error" not in err, err
        return Answer(code=code, body=json.loads(out or "null"), stderr=err)

    def validate(self, *arguments: str) -> Answer:
        """`dbt-statsig validate`."""
        return self.command("validate", *arguments)

    def plan(self, *arguments: str, **environ: str) -> Answer:
        """`dbt-statsig plan`."""
        return self.command("plan", *arguments, **environ)

    def columns(self, node: str, *arguments: str) -> dict[str, Any]:
        """What `dbt-statsig columns` says of one node."""
        (listed,) = self.command("columns", "-s", node, *arguments).body
        return dict(listed)

    def names(self, node: str) -> list[str]:
        """The columns of one node."""
        return [column["name"] for column in self.columns(node)["columns"]]

    def _manifest(self) -> list[str]:
        return ["--manifest", "manifest.json"] if (self.folder / "manifest.json").exists() else []


def _text(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()


CHECKS: dict[str, Callable[[Case], None]] = {}


def case(name: str) -> Callable[[Callable[[Case], None]], Callable[[Case], None]]:
    """Registers a function as the check of the case in that folder."""

    def register(check: Callable[[Case], None]) -> Callable[[Case], None]:
        CHECKS[name] = check
        return check

    return register

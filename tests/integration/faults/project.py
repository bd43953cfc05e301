"""A small dbt project as files: what it declares is changed with a call, and its commands are run in a process."""

from __future__ import annotations

import copy
import json
import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from tests.integration.cli_process import COMMAND, KEY, UNPACED, environment, run
from tests.unit.project.artifacts.build import manifest_bytes, node

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dbt_statsig.emulator import Running

COLUMNS = {"ts": "timestamp", "user_id": "varchar", "experiment": "varchar", "variant": "varchar", "amount": "double"}
NEEDED: dict[str, dict[str, Any]] = {
    "assignment_source": {"experiment_id_column": "experiment", "group_id_column": "variant"},
    "qualifying_event": {},
    "entity_property_source": {},
    "metric_source": {},
}


def block(name: str, kind: str = "metric_source", **keys: Any) -> dict[str, Any]:
    """The meta of a model that is one source."""
    required = {"name": name, "timestamp_column": "ts", "id_type_mapping": {"userID": "user_id"}, **NEEDED[kind]}
    return {"statsig": {kind: {**required, **keys}}}


def model(unique_name: str, meta: dict[str, Any]) -> dict[str, Any]:
    """A model with an enforced contract, which proves its columns."""
    return node(
        f"model.shop.{unique_name}",
        relation_name=f'"db"."main"."{unique_name}"',
        database="db",
        schema="main",
        alias=unique_name,
        language="sql",
        compiled_code="select 1",
        contract={"enforced": True},
        config={"enabled": True, "materialized": "table", "meta": meta, "contract": {"enforced": True}},
        meta=meta,
        columns={name: {"name": name, "data_type": kind} for name, kind in COLUMNS.items()},
    )


class Done(Struct, frozen=True, kw_only=True):
    """How one command ended."""

    code: int
    answer: dict[str, Any]
    stdout: str
    stderr: str

    @property
    def statuses(self) -> dict[str, str]:
        """Status by name."""
        return {entry["name"]: entry["status"] for entry in self.answer.get("outcome", {}).get("objects", [])}

    @property
    def actions(self) -> dict[str, str]:
        """Planned action by name."""
        return {change["name"]: change["action"] for change in self.answer.get("plan", {}).get("changes", [])}

    def entry(self, name: str) -> dict[str, Any]:
        """What became of one object."""
        return next(entry for entry in self.answer["outcome"]["objects"] if entry["name"] == name)


class Project:
    """The project `shop` in a folder, and the console that it is pushed to."""

    def __init__(self, folder: Path, url: str, *, key: str = KEY) -> None:
        self.folder = folder
        self.url = url
        self.key = key
        self.models: dict[str, dict[str, Any]] = {}
        (folder / "target").mkdir(parents=True, exist_ok=True)
        (folder / "dbt_project.yml").write_text("name: shop\n", encoding="utf-8")

    def declare(self, unique_name: str, name: str | None = None, kind: str = "metric_source", **keys: Any) -> None:
        """Let a model be a source."""
        self.models[unique_name] = model(unique_name, block(name or unique_name, kind, **keys))
        self.write()

    def forget(self, unique_name: str) -> None:
        """Remove a model."""
        del self.models[unique_name]
        self.write()

    def declare_again(self, unique_name: str, **keys: Any) -> None:
        """Add keys to the one metric source of a model, and keep all else of the model."""
        meta = self.models[unique_name]["config"]["meta"]
        meta["statsig"]["metric_source"].update(keys)
        self.write()

    def unmark(self, *unique_names: str) -> None:
        """Keep the models, and take their blocks away."""
        for unique_name in unique_names:
            self.models[unique_name] = model(unique_name, {})
        self.write()

    def declare_many(self, count: int, **keys: Any) -> None:
        """So many sources: S00 of model m00, and so on."""
        for number in range(count):
            self.models[f"m{number:02}"] = model(f"m{number:02}", block(f"S{number:02}", **keys))
        self.write()

    def write(self) -> None:
        """Write the manifest; a plain model is always in it."""
        plain = model("plain", {})
        data = manifest_bytes(plain, *self.models.values())
        (self.folder / "target" / "manifest.json").write_bytes(data)

    def settings(self, **values: Any) -> None:
        """Write dbt_statsig.yml."""
        lines = [f"{key}: {json.dumps(value)}" for key, value in values.items()]
        (self.folder / "dbt_statsig.yml").write_text("\n".join(lines), encoding="utf-8")

    @property
    def environ(self) -> dict[str, str]:
        """What the commands find in their environment."""
        return {"DBT_STATSIG_BASE_URL": self.url, "STATSIG_CONSOLE_API_KEY": self.key, **UNPACED}

    def command(self, *arguments: str | Path, **env: str) -> Done:
        """Run one command to its end, with JSON as its answer."""
        done = run(*arguments, "--output", "json", cwd=self.folder, **{**self.environ, **env})
        answer = json.loads(done.stdout) if done.stdout.startswith("{") else {}
        assert self.key not in done.stdout + done.stderr
        return Done(code=done.returncode, answer=answer, stdout=done.stdout, stderr=done.stderr)

    def text(self, *arguments: str | Path, **env: str) -> Done:
        """Run one command to its end, with text as its answer."""
        done = run(*arguments, cwd=self.folder, **{**self.environ, **env})
        assert self.key not in done.stdout + done.stderr
        return Done(code=done.returncode, answer={}, stdout=done.stdout, stderr=done.stderr)

    def sync(self, *arguments: str | Path, **env: str) -> Done:
        """`dbt-statsig sync`."""
        return self.command("sync", *arguments, **env)

    def plan(self, *arguments: str | Path, **env: str) -> Done:
        """`dbt-statsig plan`."""
        return self.command("plan", *arguments, **env)

    def start(self, *arguments: str | Path, **env: str) -> subprocess.Popen[str]:
        """Begin a command; the caller ends it."""
        return subprocess.Popen(
            [COMMAND, *arguments],
            cwd=self.folder,
            env=environment(**{**self.environ, **env}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def settled(self) -> bool:
        """Whether planning finds nothing to do."""
        done = self.plan("--check")
        return done.code == 0 and set(done.actions.values()) <= {"unchanged"}


def names(server: Running, collection: str = "metric_sources") -> list[str]:
    """The names that the console holds."""
    return sorted(server.state.sources[collection])


def held(server: Running, collection: str = "metric_sources") -> dict[str, dict[str, Any]]:
    """What the console holds of a kind, as it is now."""
    return copy.deepcopy(server.state.sources[collection])


def calls(server: Running, *, since: int = 0) -> list[str]:
    """Method and status of each request."""
    return [f"{one.method} {one.status}" for one in server.requests[since:]]


def writes(server: Running, *, since: int = 0) -> list[str]:
    """Method and last part of the path of each request that is no read."""
    return [f"{one.method} {one.path.rsplit('/', 1)[-1]}" for one in server.requests[since:] if one.method != "GET"]


def wait_for(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Return when it holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.01)


def kill(process: subprocess.Popen[str]) -> None:
    """SIGKILL."""
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()

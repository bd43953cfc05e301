"""A project of a few models that dbt has built, and a console with experiments that read them."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from tests.integration.faults.inprocess import call
from tests.integration.faults.project import Project, model
from tests.unit.project.artifacts.build import manifest_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from dbt_statsig.emulator import Running
    from tests.integration.faults.project import Done

INVOCATION = "build-1"
START = "POST /console/v1/experiments/{}/load_pulse"
EARLIER = datetime.now(timezone.utc) - timedelta(minutes=10)
"""When dbt built: before all that a test does, and after what it puts an hour back."""


class Built(Project):
    """The project `shop`, which remembers what the dbt command before did."""

    def __init__(self, folder: Path, server: Running) -> None:
        super().__init__(folder, server.url)
        self.server = server
        self.nodes: dict[str, dict[str, Any]] = {}

    def node(self, name: str, *above: str, materialized: str = "table", **config: Any) -> None:
        """A model that is no source, or (called again for a declared one) its place in the graph."""
        found = self.models.get(name) or model(name, {})
        found["depends_on"] = {"nodes": [one if "." in one else f"model.shop.{one}" for one in above]}
        found["config"] |= {"materialized": materialized, **config}
        self.models[name] = found
        self.write()

    def write(self) -> None:
        """Write the manifest, as of this dbt command."""
        data = json.loads(manifest_bytes(model("plain", {}), *self.models.values()))
        data["metadata"]["invocation_id"] = INVOCATION
        (self.folder / "target" / "manifest.json").write_text(json.dumps(data), encoding="utf-8")

    def built(self, *names: str, at: datetime = EARLIER, args: dict[str, Any] | None = None, **statuses: str) -> Path:
        """Write the run results of a dbt command that built these, and ended so with others."""
        ended = dict.fromkeys(names, "success") | statuses
        results = [
            {
                "unique_id": name if "." in name else f"model.shop.{name}",
                "status": status,
                "timing": [{"name": "execute", "completed_at": at.isoformat()}],
            }
            for name, status in ended.items()
        ]
        path = self.folder / "target" / "run_results.json"
        metadata = {
            "dbt_schema_version": "https://schemas.getdbt.com/dbt/run-results/v6.json",
            "invocation_id": INVOCATION,
            "generated_at": at.isoformat(),
        }
        content = {"metadata": metadata, "args": {"which": "build", **(args or {})}, "results": results}
        path.write_text(json.dumps(content), encoding="utf-8")
        return path

    def experiment(self, name: str, **fields: Any) -> None:
        """Let the console have an active experiment."""
        made = {"name": name, "status": "active", "idType": "userID", "turboMode": False, **fields}
        self.server.emulator.api.experiments.edited("POST", name.casefold(), made)

    def metric(self, name: str, *sources: str, **fields: Any) -> None:
        """Let the console have a metric that counts rows of these metric sources."""
        native = {
            "aggregation": "count",
            "metricSources": [{"metricSourceName": one, "criteria": []} for one in sources],
        }
        made = {"id": f"{name}::user_warehouse", "name": name, "type": "user_warehouse", "tags": []}
        self.server.state.lists["metrics"].append({**made, "warehouseNative": native, **fields})

    def reload(self, *arguments: str | Path, **env: str) -> Done:
        """`dbt-statsig reload --output json`."""
        return call(self, "reload", *arguments, "--output", "json", **env)

    @property
    def loads(self) -> list[dict[str, Any]]:
        """All loads that the console has, oldest first."""
        return self.server.state.lists["pulse_loads"]


def states(done: Done) -> dict[str, str]:
    """What became of each experiment, by name."""
    return {one["name"]: one["state"] for one in done.answer["reload"]["experiments"]}


def entry(done: Done, name: str) -> dict[str, Any]:
    """One experiment of the answer."""
    return next(one for one in done.answer["reload"]["experiments"] if one["name"] == name)


def sent(shop: Built) -> list[str]:
    """The requests so far."""
    return [f"{one.method} {one.path}" for one in shop.server.requests]


def starts(shop: Built) -> dict[str, Any]:
    """The body of each load that was asked for, by experiment."""
    found = (one for one in shop.server.requests if one.path.endswith("/load_pulse"))
    return {one.path.split("/")[-2]: one.body for one in found}


def later(shop: Built, *identifiers: str, **load: Any) -> None:
    """Let the console have a load of these that began just now."""
    for one in identifiers:
        shop.server.emulator.api.pulse.begin(one, load)


def fault(shop: Built, path: str, action: str = "status", **more: Any) -> None:
    """Let the console fail where a path and query match."""
    shop.server.inject({"action": action, "match": {"path": path}, **more})

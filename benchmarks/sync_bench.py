"""What a sync costs, as ratios within one run: `python benchmarks/sync_bench.py [unchanged] [limited] [memory]`.

The console is the emulator in a process of its own, with and without a network's latency. Nothing here is a statement
about Statsig's servers; the ratios say what this program adds to what the API asks for anyhow.
"""

from __future__ import annotations

import heapq
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import httpx
import msgspec

import dbt_statsig as program
from dbt_statsig.project.request import Request
from dbt_statsig.vocabulary.kinds import SPECS
from dbt_statsig.vocabulary.results import Status
from dbt_statsig.vocabulary.sources import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "console-emulator"
COLUMNS = {"ts": "timestamp", "user_id": "varchar", "amount": "double", "country": "varchar"}
LIST_PATH = SPECS[Kind.METRIC_SOURCE].list_path
INCUMBENT_SAMPLE = 50
WINDOW = 10.0
LIMITS = {"published": 30, "older": 100}
ROUNDS = 5


def write_project(folder: Path, count: int) -> Path:
    """A project of so many models with contracts, each one metric source, as its manifest."""
    nodes = {}
    for number in range(count):
        meta = {
            "statsig": {
                "metric_source": {
                    "name": f"Source {number:05}",
                    "timestamp_column": "ts",
                    "id_type_mapping": {"userID": "user_id"},
                }
            }
        }
        unique_id = f"model.bench.m{number:05}"
        nodes[unique_id] = {
            "unique_id": unique_id,
            "name": f"m{number:05}",
            "resource_type": "model",
            "package_name": "bench",
            "fqn": ["bench", f"m{number:05}"],
            "original_file_path": f"models/m{number:05}.sql",
            "database": "db",
            "schema": "main",
            "alias": f"m{number:05}",
            "relation_name": f'"db"."main"."m{number:05}"',
            "language": "sql",
            "compiled_code": "select ts, user_id, amount, country from db.main.raw",
            "contract": {"enforced": True},
            "config": {"enabled": True, "materialized": "table", "meta": meta, "contract": {"enforced": True}},
            "meta": meta,
            "tags": [],
            "depends_on": {"macros": [], "nodes": []},
            "columns": {name: {"name": name, "data_type": kind} for name, kind in COLUMNS.items()},
        }
    metadata = {
        "dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json",
        "dbt_version": "1.11.0",
        "adapter_type": "duckdb",
        "project_name": "bench",
        "generated_at": "2026-01-02T03:04:05Z",
    }
    (folder / "target").mkdir(parents=True, exist_ok=True)
    (folder / "dbt_project.yml").write_text("name: bench\n")
    (folder / "target" / "manifest.json").write_text(json.dumps({"metadata": metadata, "nodes": nodes, "sources": {}}))
    return folder


def write_seed(project: Path) -> Path:
    """The console that already holds all that the project declares."""
    validation = program.validate(Request(project_dir=project, environ={}))
    payloads = [msgspec.to_builtins(source.payload) for source in validation.sources]
    path = project / "seed.json"
    path.write_text(json.dumps({"metric_sources": payloads}))
    return path


@contextmanager
def emulator(*options: str) -> Iterator[str]:
    """The URL of an emulator in a process of its own."""
    command: list[str | Path] = [Path(sys.executable).with_name("dbt-statsig"), "emulator", "--quiet", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None  # noqa: S101 - it was asked for
        url = next(word for word in process.stdout.readline().split() if word.startswith("http"))
        try:
            yield url
        finally:
            process.terminate()


def environ(url: str, **more: str) -> dict[str, str]:
    """What a run finds in its environment."""
    return {"DBT_STATSIG_BASE_URL": url, "STATSIG_CONSOLE_API_KEY": KEY, **more}


def timed(work: Any) -> tuple[float, Any]:
    """Seconds, and what the work gave."""
    begun = time.perf_counter()
    result = work()
    return time.perf_counter() - begun, result


def bare_paging(url: str) -> int:
    """All pages of the list, read by one httpx client and decoded; the number of requests."""
    with httpx.Client(base_url=url, headers={"STATSIG-API-KEY": KEY}) as client:
        page = 0
        more = True
        while more:
            page += 1
            answer = client.get(f"{LIST_PATH}?limit=100&page={page}").json()
            more = bool(answer["pagination"]["nextPage"])
        return page


def incumbent(url: str, names: list[str]) -> int:
    """The way of Statsig's template: for every file list again, then write; the number of requests."""
    headers = {"STATSIG-API-KEY": KEY}
    for name in names:
        with httpx.Client(base_url=url, headers=headers) as client:
            data = client.get(f"{LIST_PATH}?limit=100&page=1").json()["data"]
            body = {**data[0], "name": name}
            del body["name"]
            client.post(f"{SPECS[Kind.METRIC_SOURCE].object_path(name)}", json=body)
    return 2 * len(names)


def unchanged(folder: Path) -> None:
    """A sync of 2,000 objects in which nothing has changed, in turn with the bare paging of the same list."""
    count = 2000
    project = write_project(folder / "unchanged", count)
    seed = write_seed(project)
    for latency in ("0", "0.025", "0.1"):
        with emulator("--seed", str(seed), "--latency", latency) as url:
            request = Request(project_dir=project, environ=environ(url))
            bare_paging(url)
            pairs = []
            for _ in range(ROUNDS):
                bare, pages = timed(lambda url=url: bare_paging(url))
                whole, synced = timed(lambda request=request: program.sync(request))
                pairs.append((bare, whole))
                assert synced.outcome.objects == ()  # noqa: S101 - else the figures mean nothing
                assert synced.planned.requests == pages  # noqa: S101 - the figure that is promised
            offline = median(timed(lambda request=request: program.validate(request))[0] for _ in range(ROUNDS))
            names = [f"Source {number:05}" for number in range(INCUMBENT_SAMPLE)]
            old, _ = timed(lambda url=url, names=names: incumbent(url, names))
        bare, whole = (median(column) for column in zip(*pairs, strict=True))
        ratios = sorted(whole / bare for bare, whole in pairs)
        scaled = old * count / INCUMBENT_SAMPLE
        print(f"no change, {count} objects, latency {latency} s: {pages} requests for {pages} list pages")
        print(f"  bare paging by one httpx client      {bare:8.2f} s   1.00")
        print(f"  whole sync                           {whole:8.2f} s   {median(ratios):.2f}  (median of {ROUNDS},")
        print(f"                                                       {ratios[0]:.2f} to {ratios[-1]:.2f})")
        print(f"    its offline part alone (validate)  {offline:8.2f} s   {offline / bare:.2f}")
        print(f"  list again for every file, then write{scaled:8.2f} s   {scaled / bare:.2f}  ({2 * count} requests)")
        print(f"    (measured on {INCUMBENT_SAMPLE} files, no rate limit, times {count // INCUMBENT_SAMPLE})")


def ideal(count: int, *, most: int, concurrency: int, latency: float) -> float:
    """Seconds of a client that knows the limit, and sends each write in the moment that it and its threads allow."""
    free = [0.0] * concurrency
    sent: list[float] = []
    for number in range(count):
        at = heapq.heappop(free)
        if number >= most:
            at = max(at, sent[number - most] + WINDOW)
        sent.append(at)
        heapq.heappush(free, at + latency)
    return max(free)


def limited(folder: Path) -> None:
    """Creations under the limits that Statsig publishes, newest and older, which the client does not know."""
    for limits, count, latency, concurrency in (
        ("published", 90, 0.1, 8),
        ("older", 90, 0.1, 8),
        ("older", 300, 0.1, 8),
        ("older", 300, 2.0, 8),
        ("older", 300, 2.0, 32),
    ):
        most = LIMITS[limits]
        project = write_project(folder / f"limited{count}", count)
        with emulator("--latency", str(latency), "--rate-limit", limits) as url:
            request = Request(project_dir=project, environ=environ(url, DBT_STATSIG_CONCURRENCY=str(concurrency)))
            seconds, synced = timed(lambda request=request: program.sync(request))
            with urllib.request.urlopen(f"{url}/__emulator/requests") as answer:  # noqa: S310 - our own emulator
                log = json.load(answer)["requests"]
        done = sum(entry.status is Status.DONE for entry in synced.outcome.objects)
        refused = sum(entry["status"] == 429 for entry in log)  # noqa: PLR2004 - a status says more as a number
        attempts = sum(entry["method"] != "GET" for entry in log)
        average = count * WINDOW / most
        best = latency + ideal(count, most=most, concurrency=concurrency, latency=latency)
        print(f"{count} creations, {most} allowed in {WINDOW:g} s, latency {latency:g} s, {concurrency} at once:")
        print(f"  {done} done in {seconds:.1f} s, {attempts} attempts, {refused} of them refused")
        print(f"  = {seconds / average:.2f} x the {average:.0f} s that the limit takes for so many")
        print(
            f"  = {seconds / best:.2f} x the {best:.0f} s of an ideal client that knows the limit: one list, each write"
        )
        print("    in the first moment that the limit, the latency and its threads allow")


def memory(folder: Path) -> None:
    """The most memory that a plan of so many declared sources takes."""
    for count in (1, 200, 2000, 20_000):
        project = write_project(folder / f"memory{count}", count)
        seed = write_seed(project)
        size = (project / "target" / "manifest.json").stat().st_size / 2**20
        with emulator("--seed", str(seed)) as url:
            code = f"import benchmarks.sync_bench as b; b.peak({str(project)!r}, {url!r})"
            shown = subprocess.run(
                [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1]
            ).stdout
        seconds, peak = shown.split()
        print(f"plan of {count:6} sources: {float(peak):6.0f} MB at most, {seconds} s (manifest {size:.1f} MB)")


def peak(project: str, url: str) -> None:
    """Print the seconds and the megabytes that one plan takes in this process.

    The kernel counts in ru_maxrss what the process that started this one held at that moment; not so in VmHWM.
    """
    seconds, _ = timed(lambda: program.plan(Request(project_dir=Path(project), environ=environ(url))))
    status = Path("/proc/self/status").read_text()
    kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    print(f"{seconds:.2f}", int(kilobytes) / 1024)


if __name__ == "__main__":
    chosen = sys.argv[1:] or ["unchanged", "limited", "memory"]
    with tempfile.TemporaryDirectory() as scratch:
        for part in (unchanged, limited, memory):
            if part.__name__ in chosen:
                part(Path(scratch))

"""dbt's run_results.json: what a dbt command did to each node.

Facts: dbt's run-results schemas v1 to v6.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from msgspec import Struct, structs

from dbt_statsig.project.artifacts.reading import MAX_MB, RUN_RESULTS, Metadata, as_time, decode, read_bytes
from dbt_statsig.project.dbt_command import dbt_line

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SUCCESS = "success"
TEST_FAILED = frozenset({"fail", "error", "runtime error"})
FAILED = frozenset({"error", "fail", "skipped", "partial success", "runtime error"})


class _Result(Struct, frozen=True, kw_only=True):
    unique_id: str | None = None
    status: str | None = None
    timing: Any = None

    @property
    def completed(self) -> datetime | None:
        """When dbt was done with it; None where it does not say."""
        steps = self.timing if isinstance(self.timing, list) else []
        times = [as_time(one.get("completed_at")) for one in steps if isinstance(one, dict)]
        return max((time for time in times if time is not None), default=None)


class _File(Struct, frozen=True, kw_only=True):
    metadata: Metadata = Metadata()
    args: dict[str, Any] | None = None
    results: list[_Result] | None = None


class RunResults(Struct, frozen=True, kw_only=True):
    """One dbt command's results: statuses by unique_id.

    `target` is there only when it was named on the command line, and never from dbt 2.x; `which` is the command,
    `empty` whether it built tables without rows (`--empty`), `full_refresh` whether it built incremental models anew,
    `is_retry` whether it was `dbt retry`, whose results lack what the command before it built.
    `completed` is when dbt was done with a node, where it says so.
    """

    generated_at: datetime | None = None
    invocation_id: str = ""
    target: str = ""
    which: str = ""
    empty: bool = False
    full_refresh: bool = False
    is_retry: bool = False
    completed: dict[str, datetime] = {}
    results: dict[str, str] = {}

    @classmethod
    def from_bytes(cls, data: bytes, path: Path | None = None) -> RunResults:
        """The results in `data`, plain or gzip; raises ArtifactError where there are none that can be read."""
        file = decode(data, _File, kind=RUN_RESULTS, where=str(path or RUN_RESULTS.label))
        args = file.args or {}
        words = _words(args.get("invocation_command"))
        return cls(
            generated_at=file.metadata.written_at,
            invocation_id=file.metadata.invocation_id or "",
            target=str(args.get("target") or ""),
            which=str(args.get("which") or ""),
            empty=args.get("empty") is True,
            full_refresh=args.get("full_refresh") is True or not {"--full-refresh", "-f"}.isdisjoint(words),
            is_retry=dbt_line(words[1:]).command == "retry",
            completed={
                one.unique_id: time
                for one in file.results or []
                if one.unique_id and (time := one.completed) is not None
            },
            results={result.unique_id: result.status or "" for result in file.results or [] if result.unique_id},
        )

    def succeeded(self) -> frozenset[str]:
        """The unique_ids of what was built without error."""
        return succeeded(self.results)


def _words(command: object) -> list[str]:
    """The words of a dbt command line as dbt records it: some versions record options there alone."""
    return command.split() if isinstance(command, str) else []


def failed_tests(results: Mapping[str, str]) -> frozenset[str]:
    """The unique_ids of the data tests that failed or could not be run; one that only warns is none of them."""
    return frozenset(
        unique_id for unique_id, status in results.items() if unique_id.startswith("test.") and status in TEST_FAILED
    )


def unpassed_tests(results: Mapping[str, str]) -> frozenset[str]:
    """The same with those that were skipped."""
    return frozenset(one for one, status in results.items() if one.startswith("test.") and status in FAILED)


def of_tests_alone(results: Mapping[str, str]) -> bool:
    """Whether it was a command that only tests, as `dbt test`."""
    return bool(results) and all(unique_id.startswith(("test.", "unit_test.")) for unique_id in results)


def succeeded(results: Mapping[str, str]) -> frozenset[str]:
    """The unique_ids whose status says that they were built without error."""
    return frozenset(unique_id for unique_id, status in results.items() if status == SUCCESS)


def failed(results: Mapping[str, str]) -> bool:
    """Whether any node or test failed, or was skipped."""
    return not FAILED.isdisjoint(results.values())


def load_run_results(path: Path, *, max_mb: int = MAX_MB) -> RunResults:
    """The run results at `path`, plain or gzip; raises ArtifactError where there are none that can be read.

    A time that is still to come is of a clock that goes wrong: the file was written before it, so its own time counts.
    """
    found = RunResults.from_bytes(read_bytes(path, RUN_RESULTS, max_mb=max_mb), path)
    now = datetime.now(timezone.utc)
    if all(time <= now for time in (*found.completed.values(), found.generated_at or now)):
        return found
    last = min(now, datetime.fromtimestamp(path.stat().st_mtime, timezone.utc))
    return structs.replace(
        found,
        generated_at=min(found.generated_at or last, last),
        completed={unique_id: min(time, last) for unique_id, time in found.completed.items()},
    )

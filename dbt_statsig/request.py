"""What every door (command line, macro, hook, Python) hands to the conductor."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from dbt_statsig.sources import Kind


def _environment() -> Mapping[str, str]:
    return os.environ


class Request(Struct, frozen=True, kw_only=True):
    """One run's input. Paths that are not given are found from `project_dir` as dbt finds them.

    `kinds` empty means all four. `flags` are settings given on the command line (`{"base_url": …}`); they win over
    the environment, which wins over dbt_statsig.yml. `adopt` names console objects that may become this project's.
    """

    project_dir: Path
    manifest: Path | None = None
    target_path: Path | None = None
    catalog: Path | None = None
    target: str | None = None
    select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    kinds: frozenset[Kind] = frozenset()
    strict: bool = False
    flags: Mapping[str, Any] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=_environment)
    adopt: frozenset[str] = frozenset()
    prune: bool = False
    dry_run: bool = False

    def __repr__(self) -> str:
        """Without the environment: it holds the key."""
        return f"Request(project_dir={self.project_dir!r})"

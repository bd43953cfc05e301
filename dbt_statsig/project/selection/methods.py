"""What each selection method matches, as dbt-core 1.11 defines it.

Only `path:` differs in its means: dbt looks at the disk, this looks at the paths that the project's own nodes have.
"""

from __future__ import annotations

import os
from fnmatch import fnmatch, fnmatchcase
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import msgspec

from dbt_statsig.errors import ArtifactError, UsageError
from dbt_statsig.vocabulary.findings import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from dbt_statsig.project.artifacts import NodeSummary

RESOURCE_TYPES = (
    "analysis",
    "exposure",
    "function",
    "metric",
    "model",
    "operation",
    "saved_query",
    "seed",
    "semantic_model",
    "snapshot",
    "source",
    "test",
    "unit_test",
)
CONFIGURABLE_TYPES = frozenset({"analysis", "model", "operation", "seed", "snapshot", "source", "test"})
SOURCE_PARTS = 3
_MISSING = object()


class Scope:
    """The nodes that a method chooses from."""

    def __init__(self, summaries: Mapping[str, NodeSummary], *, project_name: str) -> None:
        """`project_name` may be empty where the manifest does not say."""
        self.summaries = summaries
        self.project_name = project_name

    def own_paths(self) -> set[PurePosixPath]:
        """The files of the root project's nodes, and the folders above them."""
        paths: set[PurePosixPath] = set()
        for summary in self.summaries.values():
            if self.project_name in ("", summary.package_name):
                for file in (summary.path, summary.patch_path):
                    paths |= {PurePosixPath(file), *PurePosixPath(file).parents} if file else set()
        return paths


def by_name(scope: Scope, value: str, _: Sequence[str]) -> set[str]:
    """Nodes other than sources whose name, or qualified name with or without the package, is or begins with `value`."""
    return {
        unique_id
        for unique_id, summary in scope.summaries.items()
        if summary.resource_type != "source"
        and any(
            _is_named(fqn, value, versioned=summary.is_versioned)
            for fqn in (list(summary.fqn), list(summary.fqn[1:]))
            if fqn
        )
    }


def by_tag(scope: Scope, value: str, _: Sequence[str]) -> set[str]:
    """Nodes with such a tag."""
    return {
        unique_id for unique_id, summary in scope.summaries.items() if any(fnmatch(tag, value) for tag in summary.tags)
    }


def by_path(scope: Scope, value: str, _: Sequence[str]) -> set[str]:
    """Nodes that are defined or documented in such a file, or defined below such a folder."""
    segments = PurePosixPath(value.replace(os.sep, "/")).parts
    pattern = [part for at, part in enumerate(segments) if part != "**" or segments[at - 1 : at] != ("**",)]
    chosen = {path for path in scope.own_paths() if _glob(path.parts, pattern)}
    found = set()
    for unique_id, summary in scope.summaries.items():
        path = PurePosixPath(summary.path)
        if not chosen.isdisjoint((path, *path.parents)) or (
            summary.patch_path and PurePosixPath(summary.patch_path) in chosen
        ):
            found.add(unique_id)
    return found


def by_file(scope: Scope, value: str, _: Sequence[str]) -> set[str]:
    """Nodes whose file has such a name, with or without its ending."""
    return {
        unique_id
        for unique_id, summary in scope.summaries.items()
        if fnmatch(PurePosixPath(summary.path).name, value) or fnmatch(PurePosixPath(summary.path).stem, value)
    }


def by_package(scope: Scope, value: str, _: Sequence[str]) -> set[str]:
    """Nodes of such a package; `this` is the root project."""
    package = scope.project_name if value == "this" and scope.project_name else value
    return {unique_id for unique_id, summary in scope.summaries.items() if fnmatch(summary.package_name, package)}


def by_config(scope: Scope, value: str, keys: Sequence[str]) -> set[str]:
    """Nodes whose config has `value` under `keys`, or a list that holds it."""
    return {
        unique_id
        for unique_id, summary in scope.summaries.items()
        if summary.resource_type in CONFIGURABLE_TYPES and _config_says(_descend(summary, keys), value)
    }


def by_resource_type(scope: Scope, value: str, _: Sequence[str]) -> set[str]:
    """Nodes of that type; raises UsageError where dbt has no such type."""
    if value not in RESOURCE_TYPES:
        raise UsageError(
            f'Unknown resource type "{value}".',
            fix=did_you_mean(value, RESOURCE_TYPES) or f"Choose one of: {', '.join(RESOURCE_TYPES)}.",
        )
    return {unique_id for unique_id, summary in scope.summaries.items() if summary.resource_type == value}


def by_source(scope: Scope, value: str, _: Sequence[str]) -> set[str]:
    """Source tables by `source`, `source.table` or `package.source.table`; raises UsageError for more parts."""
    parts = value.split(".")
    if len(parts) > SOURCE_PARTS:
        raise UsageError(
            f'"source:{value}" has too many parts.', fix="Write source:<source>, <source>.<table> or <package>.…"
        )
    package = parts.pop(0) if len(parts) == SOURCE_PARTS else "*"
    source, table = (*parts, "*")[:2]
    return {
        unique_id
        for unique_id, summary in scope.summaries.items()
        if summary.resource_type == "source"
        and fnmatch(summary.package_name, package)
        and fnmatch(summary.source_name, source)
        and fnmatch(summary.name, table)
    }


METHODS: dict[str, Callable[[Scope, str, Sequence[str]], set[str]]] = {
    "fqn": by_name,
    "tag": by_tag,
    "path": by_path,
    "file": by_file,
    "package": by_package,
    "config": by_config,
    "resource_type": by_resource_type,
    "source": by_source,
}


def _is_named(fqn: Sequence[str], value: str, *, versioned: bool) -> bool:
    """Whether a qualified name is `value`, begins with it, or matches its wildcards."""
    parts = value.split(".")
    leaf = fqn[-2:-1] or fqn if versioned else fqn[-1:]
    if leaf[0] == value or (versioned and "_".join(fqn[-2:]) == "_".join(parts[-2:])):
        return True
    flat = [item for segment in fqn for item in segment.split(".")]
    if len(flat) < len(parts):
        return False
    for position, part in enumerate(parts):
        if any(wildcard in part for wildcard in "*?[]"):
            rest = ".".join(flat[position:])
            return fnmatch(rest, ".".join(parts[position:])) or ("." not in value and fnmatch(leaf[0], value))
        if flat[position] != part:
            return False
    return True


def _glob(path: Sequence[str], pattern: Sequence[str]) -> bool:
    """Whether the path's segments match; `**` is any number of them."""
    if not pattern or not path:
        return not path and all(part == "**" for part in pattern)
    if pattern[0] == "**":
        return _glob(path, pattern[1:]) or _glob(path[1:], pattern)
    return fnmatchcase(path[0], pattern[0]) and _glob(path[1:], pattern[1:])


def _descend(summary: NodeSummary, keys: Iterable[str]) -> Any:
    try:
        value: Any = msgspec.json.decode(summary.config)
    except ValueError as error:
        raise ArtifactError(
            f"The config of {summary.unique_id} in the manifest cannot be decoded: {error}.",
            fix="Run dbt to write the file again.",
        ) from None
    for key in keys:
        value = value.get(key, _MISSING) if isinstance(value, dict) else _MISSING
    return value


def _config_says(actual: Any, value: str) -> bool:
    """As dbt compares: text as it is, true and false in any case, nothing else (no numbers)."""
    values = actual if isinstance(actual, list) else [actual]
    flag = {"true": True, "false": False}.get(value.casefold())
    return any(item == value or (flag is not None and item is flag) for item in values)

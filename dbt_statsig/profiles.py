"""Where each dbt target builds, as far as profiles.yml says so in plain words. What cannot be read is not known."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from dbt_statsig.yaml_nodes import YamlError, load

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FILE_NAME = "profiles.yml"
_LARGEST = 1_000_000
_SCHEMA = ("schema", "dataset")
_DATABASE = ("database", "dbname", "project", "catalog")
_VARIABLE = re.compile(
    r"""\{\{\s*env_var\(\s*(?P<a>['"])(?P<name>\w+)(?P=a)\s*(?:,\s*(?P<b>['"])(?P<default>[^'"]*)(?P=b)\s*)?\)\s*\}\}"""
)
_SECRET = "DBT_ENV_SECRET"  # noqa: S105 - the beginning of such variables' names  # pragma: allowlist secret


class Place(Struct, frozen=True, kw_only=True):
    """The database and the schema of a target or of a relation; empty where not known."""

    database: str = ""
    schema: str = ""

    def __str__(self) -> str:
        """Both, as SQL joins them."""
        return ".".join(part for part in (self.database, self.schema) if part)


def target_places(folders: Iterable[Path], profile: str, environ: Mapping[str, str]) -> dict[str, Place]:
    """Target name to place, from the first of these folders with a profiles.yml; empty where it cannot be read."""
    path = next((folder / FILE_NAME for folder in folders if (folder / FILE_NAME).is_file()), None)
    try:
        if path is None or path.stat().st_size > _LARGEST:
            return {}
        profiles: Any = load(path.read_bytes().decode("utf-8-sig")).value
        outputs = profiles[profile]["outputs"].items()
    except (OSError, UnicodeDecodeError, YamlError, KeyError, TypeError, AttributeError):
        return {}
    return {str(name): _place(output, environ) for name, output in outputs if isinstance(output, dict)}


def _place(output: dict[Any, Any], environ: Mapping[str, str]) -> Place:
    def known(keys: tuple[str, ...]) -> str:
        return next((_rendered(output[key], environ) for key in keys if output.get(key)), "")

    database = known(_DATABASE)
    path = _rendered(output.get("path"), environ)
    if output.get("type") == "duckdb" and not database and re.fullmatch(r"[\w./\\-]+\.(duckdb|db)", path):
        database = Path(path).stem
    return Place(database=database, schema=known(_SCHEMA))


def _rendered(value: object, environ: Mapping[str, str]) -> str:
    """A text with its env_var() calls replaced; empty where another Jinja expression or an unset variable remains."""

    def replaced(match: re.Match[str]) -> str:
        found = None if match["name"].startswith(_SECRET) else environ.get(match["name"], match["default"])
        return match[0] if found is None else found

    text = _VARIABLE.sub(replaced, value) if isinstance(value, str) else ""
    return "" if "{" in text else text.strip()

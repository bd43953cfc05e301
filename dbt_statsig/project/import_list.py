"""The objects that an import wrote blocks for, which `--adopt-imported` takes over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import DecodeError, Struct, json

from dbt_statsig.errors import UsageError
from dbt_statsig.support.files import read_regular
from dbt_statsig.vocabulary.sources import Kind

if TYPE_CHECKING:
    from pathlib import Path

LIST_FILE = "statsig_import.json"
_FIX = "Run `dbt-statsig import --write` first, or name the objects with --adopt."


class ListedObject(Struct, frozen=True, kw_only=True):
    """An imported object: its name in Statsig, the node whose YAML has its block, and how exact the block is."""

    kind: Kind
    name: str
    unique_id: str = ""
    exactness: str = ""


def read_list(path: Path) -> tuple[ListedObject, ...]:
    """The listed objects. Raises UsageError where there is no list, or a damaged one."""
    try:
        return tuple(json.decode(read_regular(path), type=list[ListedObject]))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.", fix=_FIX) from None
    except (DecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not a list of imported objects: {error}.", fix=_FIX) from None

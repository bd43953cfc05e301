"""The initial state: a mapping, or a JSON file of it.

Its keys, each a list and each optional: `assignment_sources`, `entity_property_sources`, `qualifying_events`,
`metric_sources` (objects with a `name`, as the API gives them), `tags` and `unit_id_types` (names, or objects with
`name` and `description`), `experiments` (objects with an `id` or a `name`, completed with what every answer holds),
`metrics` and `teams` (objects, listed as they are), `pulse_loads` (see `pulse.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from dbt_statsig.emulator.experiment_contract import FIELDS, experiment_faults
from dbt_statsig.emulator.experiments import completed
from dbt_statsig.emulator.failures import CannotStart
from dbt_statsig.emulator.kinds import KINDS
from dbt_statsig.emulator.state import LISTS
from dbt_statsig.emulator.validation import type_faults

if TYPE_CHECKING:
    from dbt_statsig.emulator.replies import Fault

__all__ = ["load", "read_json"]

_KEYS = (*KINDS, *LISTS)
_NAMED = ("tags", "unit_id_types")


def load(seed: Mapping[str, Any] | Path | None) -> dict[str, list[dict[str, Any]]]:
    """Every collection, complete. Raises `CannotStart` with all faults of the seed, a line each."""
    content = read_json(seed, "seed") if isinstance(seed, Path) else (seed or {})
    if not isinstance(content, Mapping):
        raise CannotStart(f"The seed must be an object with some of the keys {', '.join(_KEYS)}.")
    faults = [_unknown(key) for key in content if key not in _KEYS]
    loaded: dict[str, list[dict[str, Any]]] = {}
    for key in _KEYS:
        items = content.get(key, [])
        if not isinstance(items, list):
            faults.append(f"{key}: must be a list")
            continue
        loaded[key] = [_shaped(key, item) for item in items]
        faults += _faults(key, loaded[key])
    if faults:
        where = f" {seed}" if isinstance(seed, Path) else ""
        raise CannotStart(f"The seed{where} is not valid:\n" + "\n".join(f"  {fault}" for fault in faults))
    for key in KINDS:
        loaded[key] = [{"description": "", "tags": [], **item} for item in loaded[key]]
    return loaded


def read_json(path: Path, what: str) -> Any:
    """The content of a JSON file. Raises `CannotStart` that names the file and the fault."""
    try:
        # Opening a pipe would wait for a writer, and reading one may never end.
        if path.exists() and not path.is_file():
            raise CannotStart(f"Cannot read the {what} file {path}: it is not a regular file.")
        return msgspec.json.decode(path.read_bytes())
    except OSError as fault:
        raise CannotStart(f"Cannot read the {what} file {path}: {fault.strerror}.") from fault
    except msgspec.DecodeError as fault:
        raise CannotStart(f"The {what} file {path} is not JSON: {fault}.") from fault


def _unknown(key: object) -> str:
    close = get_close_matches(str(key), _KEYS, 1)
    return f"{key}: unknown key" + (f", did you mean {close[0]}?" if close else f"; known keys: {', '.join(_KEYS)}")


def _near(fault: Fault) -> str:
    """The fault of an experiment, with the published field that is like an unknown one."""
    keys = [word for word in fault.message.split("'")[1::2] if fault.message.startswith("Unrecognized")]
    near = [close[0] for key in keys if (close := get_close_matches(key, FIELDS, 1))]
    text = f"{fault.property}: {fault.message}" if fault.property else fault.message
    return f"{text}{f', did you mean {near[0]}?' if near else ''}"


def _shaped(key: str, item: Any) -> Any:
    if key == "experiments" and isinstance(item, Mapping):
        return completed(item)
    return {"name": item, "description": ""} if key in _NAMED and isinstance(item, str) else item


def _faults(key: str, items: list[Any]) -> list[str]:
    faults: list[str] = []
    seen: set[str] = set()
    for index, item in enumerate(items):
        place = f"{key}[{index}]"
        if not isinstance(item, Mapping):
            faults.append(f"{place}: must be an object")
            continue
        if key not in KINDS and key not in (*_NAMED, "experiments"):
            continue
        field = "id" if key == "experiments" else "name"
        name = item.get(field)
        if not isinstance(name, str) or not name:
            faults.append(f"{place}.{field}: is required, a string that is not empty")
        elif name in seen:
            faults.append(f"{place}.{field}: {name!r} is there twice")
        else:
            seen.add(name)
        if key == "experiments":
            faults += [f"{place}.{_near(fault)}" for fault in experiment_faults({"id": "-", **item})]
        if key in KINDS:
            rest = {field: value for field, value in item.items() if field != "name"}
            faults += [f"{place}.{fault.property}: {fault.message}" for fault in type_faults(KINDS[key], rest)]
    return faults

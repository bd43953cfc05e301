"""Keys from the settings, a node's inherited defaults, its column marks and the block itself, nearest last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import Struct

from dbt_statsig.project.conversion import INVALID, Fault, convert, field_types, show, unknown_key
from dbt_statsig.vocabulary.findings import nearest
from dbt_statsig.vocabulary.kinds import BLOCK_KINDS, SPECS
from dbt_statsig.vocabulary.sources import Kind, Role, fields_with

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import msgspec.inspect as types

    from dbt_statsig.project.declarations.places import KeyPath

T = TypeVar("T")

KINDS = tuple(kind.value for kind in BLOCK_KINDS)
# As defaults they would name several objects alike.
NOT_DEFAULTS = frozenset({"name", "adopt", "metrics"})


class Layer(Struct, frozen=True, kw_only=True):
    """Typed values, where each came from, the keys whose values could not be used, and the faults in them.

    A fault's path is complete: it begins at the node's meta, or with the settings file.
    """

    values: dict[str, Any] = {}
    origins: dict[str, tuple[str | int, ...]] = {}
    faulty: frozenset[str] = frozenset()
    faults: tuple[Fault, ...] = ()


def fields_of(kind: Kind) -> dict[str, types.Type]:
    """The keys that a block of a kind may hold."""
    return field_types(SPECS[kind].block)


def read_layer(raw: Mapping[Any, Any], known: Mapping[str, types.Type], prefix: KeyPath) -> Layer:
    """The typed values of a mapping, key by key, so that one fault hides no other."""
    values: dict[str, Any] = {}
    faulty: set[str] = set()
    faults: list[Fault] = []
    for key, value in raw.items():
        expected = known.get(key) if isinstance(key, str) else None
        if expected is None:
            faults.append(moved(_unknown_key(key, tuple(known)), prefix))
            # What was meant is not missing as well.
            faulty |= {nearest(key, known) or ""} if isinstance(key, str) else set()
            continue
        converted, found = convert(value, expected, lenient=True)
        faults.extend(moved(fault, (*prefix, key)) for fault in found)
        if converted is INVALID:
            faulty.add(key)
        else:
            values[key] = converted
    origins = {key: (*prefix, key) for key in values}
    return Layer(values=values, origins=origins, faulty=frozenset(faulty), faults=tuple(faults))


def moved(fault: Fault, prefix: KeyPath) -> Fault:
    """The same fault, its path begun further up."""
    return Fault(path=(*prefix, *fault.path), code=fault.code, message=fault.message, fix=fault.fix)


def merged(layers: Iterable[Layer]) -> Layer:
    """All keys of all layers; of a key that several hold, the last one's value counts as a whole."""
    values: dict[str, Any] = {}
    origins: dict[str, tuple[str | int, ...]] = {}
    faulty: set[str] = set()
    faults: list[Fault] = []
    for layer in layers:
        for key in layer.values:
            for old in [old for old in origins if old == key or old.startswith(f"{key}.")]:
                del origins[old]
        values.update(layer.values)
        origins.update(layer.origins)
        faulty |= layer.faulty
        faults.extend(layer.faults)
    return Layer(values=values, origins=origins, faulty=frozenset(faulty), faults=tuple(faults))


class Defaults(Struct, frozen=True, kw_only=True):
    """Defaults for every block, and those for the blocks of one kind."""

    common: Layer = Layer()
    by_kind: dict[Kind, Layer] = {}
    faults: tuple[Fault, ...] = ()

    def layers(self, kind: Kind) -> tuple[Layer, Layer]:
        """What applies to a kind: the common keys that it has, then its own.

        Of a metric, `where` and the like mean something else than of the sources that the common keys are for.
        """
        known = fields_of(kind)
        if SPECS[kind].within is not None:
            known = {key: known[key] for key in known if key not in fields_with(SPECS[kind].block, Role.OURS)}
        common = Layer(
            values={key: value for key, value in self.common.values.items() if key in known},
            origins={key: path for key, path in self.common.origins.items() if key in known},
            faulty=self.common.faulty & known.keys(),
        )
        own = self.by_kind.get(kind, Layer())
        return common, Layer(values=own.values, origins=own.origins, faulty=own.faulty)


def read_defaults(raw: object, prefix: KeyPath) -> Defaults:
    """Defaults as they are written: keys of any kind, and kinds that hold keys of their own."""
    if not isinstance(raw, dict):
        fault = Fault(path=prefix, code="wrong-type", message=f"takes a mapping, not {show(raw)}.")
        return Defaults(faults=(fault,))
    anywhere = {key: expected for kind in reversed(BLOCK_KINDS) for key, expected in fields_of(kind).items()}
    kinds = {kind.value for kind in Kind}
    common_raw = {key: value for key, value in without_names(raw).items() if key not in kinds}
    common = read_layer(common_raw, without_names(anywhere), prefix)
    faults = [*common.faults, *_names_in(raw, prefix)]
    by_kind = {}
    for kind in Kind:
        if kind.value not in raw:
            continue
        own, path = raw[kind.value], (*prefix, kind.value)
        if not isinstance(own, dict):
            faults.append(Fault(path=path, code="wrong-type", message=f"takes a mapping, not {show(own)}."))
            continue
        layer = by_kind[kind] = read_layer(without_names(own), without_names(fields_of(kind)), path)
        faults.extend([*layer.faults, *_names_in(own, path)])
    return Defaults(common=common, by_kind=by_kind, faults=tuple(faults))


def without_names(known: Mapping[Any, T]) -> dict[Any, T]:
    """The keys of a block that defaults may give."""
    return {key: expected for key, expected in known.items() if key not in NOT_DEFAULTS}


def _names_in(raw: Mapping[Any, Any], prefix: KeyPath) -> list[Fault]:
    message = "cannot be a default: several objects would have it."
    return [
        Fault(path=(*prefix, key), code="key-not-allowed", message=message, fix="Give each block its own.")
        for key in raw
        if key in NOT_DEFAULTS
    ]


def _unknown_key(key: object, known: tuple[str, ...]) -> Fault:
    """An unknown key; where another kind has it, the message says which."""
    having = [kind.label for kind in Kind if isinstance(key, str) and key in fields_of(kind)]
    if not having:
        return unknown_key(key, known)
    message = f"is only a key of {' and '.join(f'{label}s' for label in having)}."
    return Fault(path=(str(key),), code="unknown-key", message=message, fix="Remove it.")

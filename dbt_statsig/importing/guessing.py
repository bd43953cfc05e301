"""The first block of a node, guessed from its columns: their names, types and tests. Pure.

Only columns that are proven are used, and each guess says its reason. What is not clear is not guessed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from dbt_statsig.vocabulary.imports import Guess
from dbt_statsig.vocabulary.kinds import SPECS
from dbt_statsig.vocabulary.sources import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_EXPERIMENT = (
    *("experiment_id", "experiment_key", "experiment_name", "experiment", "experiment_slug", "ab_test_id"),
    *("ab_test", "feature_flag", "flag_key", "gate_name"),
)
_GROUP = (
    *("group_id", "variant_id", "variation_id", "variant", "variation", "experiment_group", "treatment_group"),
    *("bucket", "arm", "group_name", "variant_name", "variation_name"),
)
_GROUP_NAME = ("group_name", "variant_name", "variation_name")
_EXPOSED = (
    *("exposed_at", "first_exposed_at", "exposure_at", "exposure_time", "exposure_timestamp", "first_exposure_at"),
    *("assigned_at", "assignment_time", "enrolled_at", "bucketed_at"),
)
_OCCURRED = ("occurred_at", "event_at", "event_time", "event_timestamp", "event_ts", "happened_at", "timestamp", "ts")
_TIME_ENDING = re.compile(r".*_(at|ts|time|timestamp)")
_UNITS = {
    "userID": ("user_id", "userid", "customer_id", "member_id", "account_holder_id"),
    "stableID": ("stable_id", "stableid", "device_id", "anonymous_id", "visitor_id"),
}
_EXACT = {"user_id", "userid", "stable_id", "stableid"}
_PEOPLE = re.compile(r"(?:.*_)?(?:users?|customers?|members?|visitors?|devices?)(?:_.*)?")
_PREFIX = re.compile(r"(?:fct|fact|dim|stg|int|mart|rpt|base)_+")


class Fact(Struct, frozen=True, kw_only=True):
    """A column that a node has: `is_time` is None where its type is not known, `refers_to` what its test names."""

    name: str
    data_type: str = ""
    is_time: bool | None = None
    tests: frozenset[str] = frozenset()
    refers_to: str = ""

    @property
    def word(self) -> str:
        """The name as it is compared."""
        return self.name.casefold()


class Subject(Struct, frozen=True, kw_only=True):
    """A node as far as guessing needs it; `event_time` is dbt's own setting."""

    name: str
    columns: tuple[Fact, ...]
    event_time: str = ""


def guess(subject: Subject, kind: Kind | None = None) -> Guess | None:
    """The block of the kind that the node looks like, or of the one given; None where it looks like none."""
    units = _units(subject)
    experiment, group = _first(subject.columns, _EXPERIMENT), _first(subject.columns, _GROUP)
    time, _ = _time(subject, _OCCURRED)
    chosen, why = kind, "as asked"
    if kind is None and experiment is not None and group is not None:
        chosen, why = Kind.ASSIGNMENT_SOURCE, f"has columns `{experiment.name}` and `{group.name}`"
    elif kind is None:
        chosen, why = _kind_of(subject, units, time)
    if chosen is None:
        return None
    block: dict[str, Any] = {"name": _title(subject.name)}
    reasons = {"name": "from the model's name; change it as you like"}
    missing: dict[str, str] = {}
    required = SPECS[chosen].required
    if "timestamp_column" in required:
        _add_time(subject, chosen, block, reasons, missing)
    if chosen is Kind.ASSIGNMENT_SOURCE:
        for key, found in (("experiment_id_column", experiment), ("group_id_column", group)):
            _add(key, found, block, reasons, missing)
        name = _first(subject.columns, _GROUP_NAME)
        if name is not None and name != group:
            _add("group_name_column", name, block, reasons, missing)
    if units:
        block["id_type_mapping"] = {unit: fact.name for unit, (fact, _) in units.items()}
        reasons |= {f"id_type_mapping.{unit}": reason for unit, (_, reason) in units.items()}
    else:
        missing["id_type_mapping"] = _listed(one.name for one in subject.columns if one.word.endswith("id"))
    return Guess(kind=chosen, why=why, block=block, reasons=reasons, missing=missing)


def _kind_of(subject: Subject, units: dict[str, tuple[Fact, str]], time: Fact | None) -> tuple[Kind | None, str]:
    """Events, or what is known of users."""
    keys = [fact for fact, _ in units.values() if "unique" in fact.tests]
    if keys:
        return Kind.ENTITY_PROPERTY_SOURCE, f"one row for each `{keys[0].name}` (unique test)"
    if units and _PEOPLE.fullmatch(_PREFIX.sub("", subject.name.casefold())):
        return Kind.ENTITY_PROPERTY_SOURCE, f"is named `{subject.name}` and has `{next(iter(units.values()))[0].name}`"
    if units and time is not None:
        return Kind.METRIC_SOURCE, f"has `{next(iter(units.values()))[0].name}` and the time `{time.name}`"
    return None, ""


def _add(key: str, fact: Fact | None, block: dict[str, Any], reasons: dict[str, str], missing: dict[str, str]) -> None:
    if fact is None:
        missing[key] = ""
    else:
        block[key], reasons[key] = fact.name, "by its name"


def _add_time(
    subject: Subject, kind: Kind, block: dict[str, Any], reasons: dict[str, str], missing: dict[str, str]
) -> None:
    names = (*_EXPOSED, *_OCCURRED) if kind is Kind.ASSIGNMENT_SOURCE else _OCCURRED
    found, why = _time(subject, names)
    if found is None:
        missing["timestamp_column"] = why
    else:
        block["timestamp_column"], reasons["timestamp_column"] = found.name, why


def _time(subject: Subject, names: Sequence[str]) -> tuple[Fact | None, str]:
    """The column with the row's time and why; else what it might be."""
    possible = [one for one in subject.columns if one.is_time is not False]
    if subject.event_time and (found := _first(subject.columns, (subject.event_time.casefold(),))) is not None:
        return found, "the model's event_time"
    if (found := _first(possible, names)) is not None:
        return found, f"by its name and type ({found.data_type})" if found.is_time else "by its name"
    typed = [one for one in possible if one.is_time]
    if len(typed) == 1:
        return typed[0], f"its only {typed[0].data_type}"
    ending = [one for one in possible if _TIME_ENDING.fullmatch(one.word)]
    if len(ending) == 1 and not typed:
        return ending[0], "by its name"
    return None, _listed(one.name for one in typed or ending)


def _units(subject: Subject) -> dict[str, tuple[Fact, str]]:
    """Unit ID to its column and the reason."""
    found: dict[str, tuple[Fact, str]] = {}
    for unit, names in _UNITS.items():
        fact = _first(subject.columns, names)
        if fact is not None:
            why = "by its name" if fact.word in _EXACT else f"a guess: the name resembles {unit}"
            found[unit] = (
                fact,
                why + "".join(f", {test} test" for test in sorted(fact.tests & {"not_null", "unique"})),
            )
    if "userID" not in found:
        people = [one for one in subject.columns if one.refers_to and _PEOPLE.fullmatch(one.refers_to)]
        if len(people) == 1:
            found["userID"] = (people[0], f"relationships test to {people[0].refers_to}")
    return found


def _first(columns: Iterable[Fact], names: Sequence[str]) -> Fact | None:
    """The column whose name comes first in a list of names."""
    by_word = {one.word: one for one in columns}
    return next((by_word[name] for name in names if name in by_word), None)


def _title(name: str) -> str:
    words = _PREFIX.sub("", name.casefold()).replace("_", " ").strip() or name
    return words[0].upper() + words[1:]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)

"""The published contract, field by field: what each write of each kind takes, and zod's words for what it refuses.

The tables repeat the published description, not the emulator's own: R required, o optional, x known and refused,
- not known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from dbt_statsig.emulator.core import Emulator
from dbt_statsig.emulator.options import Options
from dbt_statsig.emulator.replies import Call
from tests.integration.emulator.samples import BODIES, CREATES, ITEMS, PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dbt_statsig.emulator.replies import Reply

OPERATIONS = ("create", "update", "patch")
VALUES: dict[str, Any] = {
    "string": "a text",
    "boolean": True,
    "strings": ["core"],
    "units": [{"statsigUnitID": "userID", "column": "user_id"}],
    "formulas": [{"key": "net", "formula": "amount - tax"}],
    "hour": 5,
    "owner": {"ownerID": "a", "ownerType": "USER"},
    "nullable": None,
    "enum": "query",
}
TABLE: dict[str, tuple[str, str]] = {
    "name": ("string", "Rx"),
    "description": ("string", "oo"),
    "tags": ("strings", "oo"),
    "sql": ("string", "RR"),
    "timestampColumn": ("string", "RR"),
    "timestampAsDay": ("boolean", "oo"),
    "idTypeMapping": ("units", "RR"),
    "isReadOnly": ("boolean", "oo"),
    "isVerified": ("boolean", "oo"),
    "disableCURE": ("boolean", "oo"),
    "sourceType": ("enum", "oo"),
    "tableName": ("string", "oo"),
    "datePartitionColumn": ("string", "oo"),
    "customFieldMapping": ("formulas", "oo"),
    "owner": ("owner", "oo"),
    "team": ("nullable", "oo"),
    "teamID": ("nullable", "oo"),
    "dryRun": ("boolean", "oo"),
    "skip_validation": ("boolean", "oo"),
    "all_columns": ("strings", "oo"),
    "column_types": ("strings", "oo"),
    "experimentIDColumn": ("string", "--"),
    "groupIDColumn": ("string", "--"),
    "groupNameColumn": ("string", "--"),
    "scheduledReloadHour": ("hour", "--"),
    "status": ("string", "--"),
}
CONTRACT: dict[str, dict[str, tuple[str, str]]] = {
    "assignment_sources": {
        "name": ("string", "Roo"),
        "description": ("string", "ooo"),
        "tags": ("strings", "ooo"),
        "sql": ("string", "RRx"),
        "timestampColumn": ("string", "RRo"),
        "experimentIDColumn": ("string", "RRo"),
        "groupIDColumn": ("string", "RRo"),
        "groupNameColumn": ("string", "ooo"),
        "idTypeMapping": ("units", "RRo"),
        "isVerified": ("boolean", "ooo"),
        "isReadOnly": ("boolean", "ooo"),
        "owner": ("owner", "ooo"),
        "team": ("nullable", "ooo"),
        "teamID": ("nullable", "ooo"),
        "scheduledReloadHour": ("hour", "ooo"),
        "dryRun": ("boolean", "ooo"),
        "timestampAsDay": ("boolean", "---"),
        "disableCURE": ("boolean", "---"),
        "sourceType": ("enum", "---"),
        "tableName": ("string", "---"),
        "customFieldMapping": ("formulas", "---"),
        "skip_validation": ("boolean", "---"),
        "id": ("string", "---"),
    },
    "entity_property_sources": {
        "name": ("string", "Roo"),
        "description": ("string", "ooo"),
        "tags": ("strings", "ooo"),
        "sql": ("string", "RRx"),
        "timestampColumn": ("string", "ooo"),
        "timestampAsDay": ("boolean", "ooo"),
        "idTypeMapping": ("units", "RRo"),
        "isReadOnly": ("boolean", "ooo"),
        "team": ("nullable", "ooo"),
        "teamID": ("nullable", "ooo"),
        "dryRun": ("boolean", "ooo"),
        "owner": ("owner", "---"),
        "isVerified": ("boolean", "---"),
        "sourceType": ("enum", "---"),
        "skip_validation": ("boolean", "---"),
        "scheduledReloadHour": ("hour", "---"),
    },
    "qualifying_events": TABLE,
    "metric_sources": TABLE,
}
JSON_TYPES: dict[str, Any] = {
    "null": None,
    "boolean": True,
    "number": 7,
    "string": "seven",
    "array": [7],
    "object": {"a": 7},
}
EXPECTED = {
    "string": ("string", ("string",)),
    "boolean": ("boolean", ("boolean",)),
    "strings": ("array", ()),
    "units": ("array", ()),
    "formulas": ("array", ()),
    "hour": ("number", ("number", "null")),
    "owner": ("object", ("null",)),
    "nullable": ("string", ("string", "null")),
    "enum": ("'table' | 'query'", ()),
}


def cells() -> Iterator[Any]:
    """Each operation of each kind, with each field."""
    for collection, fields in CONTRACT.items():
        for field, (field_type, marks) in fields.items():
            for operation, mark in zip(OPERATIONS, marks, strict=False):  # two kinds have no patch
                yield pytest.param(
                    collection, operation, field, field_type, mark, id=f"{collection}-{operation}-{field}"
                )


def minimal(collection: str, operation: str) -> dict[str, Any]:
    """The smallest body that the write takes."""
    required = [name for name, (_, marks) in CONTRACT[collection].items() if mark_of(marks, operation) == "R"]
    return {name: BODIES[collection][name] for name in required}


def mark_of(marks: str, operation: str) -> str:
    """What the contract says of a field in one operation."""
    place = OPERATIONS.index(operation)
    return marks[place] if place < len(marks) else "-"


def sent(collection: str, operation: str, body: dict[str, Any]) -> Reply:
    """The answer to one write of an emulator that holds one object of the kind."""
    seed = {} if operation == "create" else {collection: [BODIES[collection]]}
    emulator = Emulator(Options(seed=seed))
    item = f"{ITEMS[collection]}/{BODIES[collection]['name'].replace(' ', '%20')}"
    reply = emulator.api.answer(
        Call(
            method="PATCH" if operation == "patch" else "POST",
            path=CREATES[collection] if operation == "create" else item,
            headers={"statsig-api-key": emulator.options.key},
            body=msgspec.json.encode(body),
        )
    )
    if reply.status >= 400:
        assert emulator.state.as_seed() == Emulator(Options(seed=seed)).state.as_seed()
    return reply


def faults(reply: Reply) -> list[tuple[str, str]]:
    """What a refusal says, by property; none for a success."""
    errors = reply.payload.get("errors", [])
    assert (reply.status == 400) is bool(errors), reply
    return [(one["property"], one["errorMessage"]) for one in errors]


@pytest.mark.parametrize(("collection", "operation", "field", "field_type", "mark"), list(cells()))
def test_fields(collection: str, operation: str, field: str, field_type: str, mark: str) -> None:
    """A field is taken, required, refused or unknown as the published contract says, and nothing else is at fault."""
    body = minimal(collection, operation)
    value = BODIES[collection].get(field, VALUES[field_type])
    if field == "skip_validation":
        body |= {"all_columns": ["a"], "column_types": ["text"]} if mark == "o" else {}
    found = faults(sent(collection, operation, {**body, field: value}))
    assert found == {
        "x": [(field, "Invalid literal value, expected undefined")],
        "-": [("", f"Unrecognized key(s) in object: '{field}'")],
    }.get(mark, [])
    if mark == "R":
        del body[field]
        assert faults(sent(collection, operation, body)) == [(field, "Required")]


@pytest.mark.parametrize(("collection", "operation", "field", "field_type", "mark"), list(cells()))
def test_types(collection: str, operation: str, field: str, field_type: str, mark: str) -> None:
    """Each value of a wrong type is refused in zod's words, each nullable field takes null."""
    if mark not in "Ro":
        return
    expected, fitting = EXPECTED[field_type]
    for received, value in JSON_TYPES.items():
        if received in fitting or (received == expected and field_type != "owner"):
            continue
        found = faults(sent(collection, operation, {**minimal(collection, operation), field: value}))
        if field_type == "enum" and received == "string":
            assert found == [(field, "Invalid enum value. Expected 'table' | 'query', received 'seven'")]
        elif field_type == "owner" and received == "object":
            assert found == [("owner", "Unrecognized key(s) in object: 'a'")]
        else:
            assert found == [(field, f"Expected {expected}, received {received}")]


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("tags", ["core", 1, None], [("tags[1]", "number"), ("tags[2]", "null")]),
        ("owner", {"ownerID": 1}, [("owner.ownerID", "number")]),
    ],
)
def test_parts_of_values(field: str, value: Any, expected: list[tuple[str, str]]) -> None:
    """Each part of a wrong type is named by its place."""
    found = faults(sent("metric_sources", "create", {**BODIES["metric_sources"], field: value}))
    assert found == [(place, f"Expected string, received {received}") for place, received in expected]


@pytest.mark.parametrize("field", ["idTypeMapping", "customFieldMapping"])
def test_entries(field: str) -> None:
    """Entries of both mappings need both keys, as texts, and have no others."""
    first, second = {
        "idTypeMapping": ("statsigUnitID", "column"),
        "customFieldMapping": ("key", "formula"),
    }[field]
    entries = [7, {first: "a"}, {first: "a", second: 1}, {first: "a", second: "b", "more": 1, "yet": 2}]
    assert faults(sent("metric_sources", "create", {**BODIES["metric_sources"], field: entries})) == [
        (f"{field}[0]", "Expected object, received number"),
        (f"{field}[1].{second}", "Required"),
        (f"{field}[2].{second}", "Expected string, received number"),
        (f"{field}[3]", "Unrecognized key(s) in object: 'more', 'yet'"),
    ]


@pytest.mark.parametrize(
    ("hour", "expected"),
    [
        (0, ""),
        (23, ""),
        (5.0, ""),
        (24, "Number must be less than or equal to 23"),
        (-1, "Number must be greater than or equal to 0"),
        (5.5, "Expected integer, received float"),
    ],
)
def test_hours(hour: float, expected: str) -> None:
    """A reload hour is a whole number of 0 to 23."""
    found = faults(sent("assignment_sources", "patch", {"scheduledReloadHour": hour}))
    assert found == ([("scheduledReloadHour", expected)] if expected else [])


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"name": "core", "description": ""}, []),
        ({}, [("name", "Required"), ("description", "Required")]),
        ({"name": "", "description": ""}, [("name", "String must contain at least 1 character(s)")]),
        ({"name": "x" * 101, "description": ""}, [("name", "String must contain at most 100 character(s)")]),
        ({"name": 1, "description": None, "color": "red"}, [
            ("name", "Expected string, received number"),
            ("description", "Expected string, received null"),
            ("", "Unrecognized key(s) in object: 'color'"),
        ]),
    ],
)  # fmt: skip
def test_tags(body: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    """A tag has a name of 1 to 100 characters and a description, and nothing else."""
    emulator = Emulator(Options())
    headers = {"statsig-api-key": emulator.options.key}
    call = Call(method="POST", path=f"{PREFIX}/tags", headers=headers, body=msgspec.json.encode(body))
    assert faults(emulator.api.answer(call)) == expected


def test_an_empty_name_is_refused() -> None:
    """A name that would address the collection is no name."""
    found = faults(sent("metric_sources", "create", {**BODIES["metric_sources"], "name": ""}))
    assert found == [("name", "String must contain at least 1 character(s)")]

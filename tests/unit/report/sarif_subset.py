"""What our logs use of SARIF 2.1.0, as a strict JSON Schema written from the OASIS standard."""

from __future__ import annotations

from typing import Any


def _object(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "required": list(required),
        "additionalProperties": False,
        "properties": properties,
    }


_TEXT = {"type": "string"}
_MESSAGE = _object(("text",), text={"type": "string", "minLength": 1})
_LEVEL = {"enum": ["none", "note", "warning", "error"]}
_NUMBER = {"type": "integer", "minimum": 1}
_LOCATION = _object(
    physicalLocation=_object(
        artifactLocation=_object(
            uri={"type": "string", "pattern": r"^[A-Za-z0-9/._~%-]*$"}, uriBaseId={"const": "%SRCROOT%"}
        ),
        region=_object(("startLine",), startLine=_NUMBER, startColumn=_NUMBER),
    ),
    logicalLocations={
        "type": "array",
        "items": _object(name=_TEXT, fullyQualifiedName=_TEXT, kind={"const": "resource"}),
    },
)
_RULE = _object(
    ("id",),
    id=_TEXT,
    name=_TEXT,
    shortDescription=_MESSAGE,
    fullDescription=_MESSAGE,
    help=_object(("text", "markdown"), text={"type": "string", "minLength": 1}, markdown={"type": "string"}),
    helpUri={"type": "string", "pattern": "^https://"},
    defaultConfiguration=_object(level=_LEVEL),
)
_RESULT = _object(
    ("message",),
    ruleId=_TEXT,
    ruleIndex={"type": "integer", "minimum": 0},
    level=_LEVEL,
    message=_MESSAGE,
    locations={"type": "array", "items": _LOCATION},
    partialFingerprints={"type": "object", "additionalProperties": _TEXT},
)
_NOTIFICATION = _object(("message",), message=_MESSAGE, level=_LEVEL, locations={"type": "array", "items": _LOCATION})
_RUN = _object(
    ("tool",),
    tool=_object(
        ("driver",),
        driver=_object(
            ("name",),
            name=_TEXT,
            informationUri={"type": "string", "pattern": "^https://"},
            version=_TEXT,
            semanticVersion={"type": "string", "pattern": r"^\d+\.\d+\.\d+"},
            rules={"type": "array", "uniqueItems": True, "items": _RULE},
        ),
    ),
    automationDetails=_object(id=_TEXT),
    columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
    originalUriBaseIds={"type": "object", "additionalProperties": _object(description=_MESSAGE)},
    invocations={
        "type": "array",
        "items": _object(
            ("executionSuccessful",),
            executionSuccessful={"type": "boolean"},
            exitCode={"type": "integer"},
            toolExecutionNotifications={"type": "array", "items": _NOTIFICATION},
        ),
    },
    results={"type": "array", "items": _RESULT},
)
SUBSET: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    **_object(
        ("version", "runs"),
        **{"$schema": {"type": "string"}, "version": {"const": "2.1.0"}, "runs": {"type": "array", "items": _RUN}},
    ),
}

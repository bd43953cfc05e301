"""Values of a source in one line, as YAML writes them."""

from __future__ import annotations

import json
import re
from typing import Any

from msgspec import UNSET, Struct, structs

from dbt_statsig.vocabulary.sources import CustomField, IdType, Owner

NOT_SET = "not set"
_UNQUOTED = re.compile(r"[A-Za-z_][\w./-]*(?: [\w./-]+)*", re.ASCII)
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
_WITHOUT_POINT = re.compile(r"\A(-?\d+)e")
_LONGEST, _BEFORE = 80, 20
_SUPPLEMENTARY = 0x10000


def in_yaml(value: Any) -> str:
    """The value in YAML's flow style, such as `true`, `[core, growth]` or `{userID: user_id}`."""
    return NOT_SET if value is None or value is UNSET else _flow(_builtins(value))


def two_in_yaml(one: Any, other: Any) -> tuple[str, str]:
    """Both values; of long texts the part where they begin to differ."""
    if not (isinstance(one, str) and isinstance(other, str) and max(len(one), len(other)) > _LONGEST):
        return in_yaml(one), in_yaml(other)
    pairs = enumerate(zip(one, other, strict=False))
    common = next((place for place, (left, right) in pairs if left != right), min(len(one), len(other)))
    start = max(common - _BEFORE, 0)
    return _part(one, start), _part(other, start)


def _part(text: str, start: int) -> str:
    end = start + _LONGEST
    return _quoted(f"{'…' if start else ''}{text[start:end]}{'…' if len(text) > end else ''}")


def _builtins(value: Any) -> Any:
    """The value as texts, lists and mappings."""
    if isinstance(value, Owner):
        return {name: part for name, part in structs.asdict(value).items() if part is not UNSET}
    if isinstance(value, IdType | CustomField):
        return tuple(structs.asdict(value).values())
    if isinstance(value, Struct):
        return {name: _builtins(part) for name, part in structs.asdict(value).items() if part not in (UNSET, None, ())}
    if not isinstance(value, list | tuple):
        return value
    is_mapping = value and all(isinstance(entry, IdType | CustomField) for entry in value)
    return dict(map(_builtins, value)) if is_mapping else [_builtins(entry) for entry in value]


def _flow(value: Any) -> str:
    if isinstance(value, str):
        return value if _UNQUOTED.fullmatch(value) and value.lower() not in _WORDS else _quoted(value)
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_flow(key)}: {_flow(entry)}' for key, entry in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    # In YAML 1.1 a number with an exponent has a point; dbt reads `1e+20` as a text.
    return _WITHOUT_POINT.sub(r"\1.0e", json.dumps(value))


def _quoted(text: str) -> str:
    """In double quotes, with escapes for all that does not print."""
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(char if char.isprintable() else _escaped(ord(char)) for char in quoted)


def _escaped(code: int) -> str:
    return f"\\u{code:04x}" if code < _SUPPLEMENTARY else f"\\U{code:08x}"

"""Values as lines of YAML, in the indentation of the file that they go into."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import yaml
from msgspec import Struct

from dbt_statsig.vocabulary.yaml_text import in_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_LONGEST = 80
# dbt renders the texts of a property file.
_JINJA = re.compile(r"\{[{%#]")


class Style(Struct, frozen=True, kw_only=True):
    """How a file is indented: a mapping below its key, a list below its key, and an item behind its list's margin."""

    step: int = 2
    list_step: int = 2
    item: int = 2


class Noted(Struct, frozen=True):
    """A value with a comment behind it."""

    value: Any
    comment: str


def style_of(root: yaml.Node | None) -> Style:
    """The indentation that is the most frequent in a file."""
    steps: Counter[int] = Counter()
    lists: Counter[int] = Counter()
    items: Counter[int] = Counter()
    for key, value in _pairs(root, set()):
        if not value.value or value.flow_style or value.start_mark.index < key.start_mark.index:
            continue
        first = value.value[0]
        if isinstance(value, yaml.MappingNode):
            steps[first[0].start_mark.column - key.start_mark.column] += 1
        else:
            lists[value.start_mark.column - key.start_mark.column] += 1
            items[first.start_mark.column - value.start_mark.column] += 1
    list_step = _usual(lists, 0, 2)
    return Style(step=_usual(steps, 1, list_step or 2), list_step=list_step, item=_usual(items, 2, 2))


def _usual(counted: Counter[int], least: int, default: int) -> int:
    return next((found for found, _ in counted.most_common() if found >= least), default)


def _pairs(node: yaml.Node | None, seen: set[int]) -> Iterator[tuple[yaml.Node, yaml.CollectionNode]]:
    """Each key at or below a node whose value is a mapping or a list."""
    if not isinstance(node, yaml.CollectionNode) or id(node) in seen:
        return
    seen.add(id(node))
    for child in node.value:
        key, value = child if isinstance(child, tuple) else (None, child)
        if key is not None and isinstance(value, yaml.CollectionNode):
            yield key, value
        yield from _pairs(value, seen)


def mapping_lines(value: Mapping[str, Any], style: Style) -> list[str]:
    """A mapping, a line or more for each key."""
    lines: list[str] = []
    for key, item in value.items():
        noted = item if isinstance(item, Noted) else Noted(item, "")
        first, *rest = _pair_lines(key, noted.value, style)
        lines += [f"{first}  # {noted.comment}" if noted.comment else first, *rest]
    return lines


def lines_below(value: Any, style: Style) -> list[str]:
    """A mapping or list as the lines below its key."""
    if isinstance(value, dict):
        return indented(mapping_lines(value, style), style.step)
    return indented([line for item in value for line in item_lines(item, style)], style.list_step)


def item_lines(item: Any, style: Style, dash: str = "") -> list[str]:
    """An item of a list behind its dash."""
    dash = dash or "-".ljust(style.item)
    first, *rest = mapping_lines(item, style) if isinstance(item, dict) and item else [_scalar(item)]
    return [dash + first, *indented(rest, len(dash))]


def indented(lines: list[str], columns: int) -> list[str]:
    """The lines, moved to the right; empty ones stay empty."""
    return [" " * columns + line if line else line for line in lines]


def plain(value: Any) -> Any:
    """The value as YAML has it: no comments, enums or tuples."""
    if isinstance(value, Noted):
        return plain(value.value)
    if isinstance(value, dict):
        return {str.__str__(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return str.__str__(value) if isinstance(value, str) else value


def jinja_in(value: Any) -> str:
    """The first mark of Jinja in any text of a value; empty where there is none."""
    value = plain(value)
    if isinstance(value, str):
        found = _JINJA.search(value)
        return found[0] if found else ""
    parts = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []
    return next(filter(None, map(jinja_in, parts)), "")


def _pair_lines(key: str, value: Any, style: Style) -> list[str]:
    name = in_yaml(str.__str__(key))
    if isinstance(value, str) and _can_be_literal(value):
        header = "|" if value.endswith("\n") else "|-"
        return [f"{name}: {header}", *indented(value.removesuffix("\n").split("\n"), style.step)]
    flow = f"{name}: {_scalar(plain(value))}"
    if not isinstance(value, dict | list | tuple) or not value or (_is_flat(value) and len(flow) <= _LONGEST):
        return [flow]
    return [f"{name}:", *lines_below(value, style)]


def _is_flat(value: Any) -> bool:
    """Whether it may stand on one line: a list of words, or a mapping of names to columns."""
    items = value.values() if isinstance(value, dict) else value
    return all(isinstance(item, str | int | float) for item in items) and not ("name" in value or "config" in value)


def _scalar(value: Any) -> str:
    return "null" if value is None else in_yaml(plain(value))


def _can_be_literal(text: str) -> bool:
    """Whether `|` can hold it: several lines, the first and last not blank, all of what prints."""
    lines = text.removesuffix("\n").split("\n")
    prints = all(line.replace("\t", " ").isprintable() for line in lines)
    return len(lines) > 1 and prints and bool(lines[0][:1].strip() and lines[-1].strip())

"""Values of property files beside those that dbt wrote for them, as far as that can be known without dbt."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any

from dbt_statsig.project.yaml_nodes import lookup, plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    import yaml

JINJA = re.compile(r"\{[{%#]|[#}%]\}")
NOTHING = object()


def items_of(node: yaml.Node | None, key: str) -> list[yaml.Node]:
    """The items of a list, without those of a mapping."""
    pair = lookup(node, key)
    items = getattr(pair[1], "value", None) if pair else None
    return [item for item in items if not isinstance(item, tuple)] if isinstance(items, list) else []


def text_of(node: yaml.Node, key: str) -> str:
    """A text, or an empty one."""
    pair = lookup(node, key)
    value = getattr(pair[1], "value", "") if pair else ""
    return value if isinstance(value, str) else ""


def values_of(owners: Iterable[yaml.Node], key: str) -> list[Any]:
    """What the owners' meta says under this key, in each of the places where it may stand."""
    found = []
    for owner in owners:
        config = lookup(owner, "config")
        metas = [lookup(holder, "meta") for holder in (config[1] if config else None, owner)]
        pairs = [lookup(meta[1], key) for meta in metas if meta]
        found += [plain(pair[1]) for pair in pairs if pair]
    return found


def is_among(has: Any, declared: list[Any]) -> bool:
    """Whether what dbt wrote is one of the declared values, or nothing where none is declared."""
    return any(same(one, has) for one in declared) if declared else has is NOTHING


def same(declared: Any, has: Any) -> bool:
    """Whether a value of YAML is what dbt wrote for it, as far as that can be known without dbt."""
    if isinstance(declared, str) and JINJA.search(declared):
        return True
    if isinstance(declared, dict) and isinstance(has, dict):
        named = {str(key): value for key, value in declared.items()}
        return named.keys() == has.keys() and all(same(value, has[key]) for key, value in named.items())
    if isinstance(declared, list) and isinstance(has, list):
        return len(declared) == len(has) and all(map(same, declared, has))
    if isinstance(declared, str) and isinstance(has, str):
        return declared.strip() == has.strip()
    # A date, a time or a number may have another form in JSON.
    is_other = isinstance(declared, (date, bytes))
    return is_other or bool(declared == has) or str(declared).casefold() == str(has).casefold()

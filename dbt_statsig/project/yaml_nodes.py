"""YAML with its places: composed, never constructed into objects, and bounded.

PyYAML's `compose` keeps the line of each node and expands no alias; what is built from the nodes is counted.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeAlias

import yaml
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator

Path: TypeAlias = tuple[str | int, ...]

MAX_NODES = 100_000
MAX_DEPTH = 60
# libyaml's composer recurses in C and overflows the stack (a crash, no exception) from some 100,000 levels on.
MAX_COMPOSED_DEPTH = 400
_MAY_BE_DEEP = re.compile(r"^[ \-?:]{200}", re.MULTILINE)
_MANY_BRACKETS = 2_000
_LOADER: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# dbt's JSON gives `on` and `yes` back as "true".
_BOOLEANS = {"true": frozenset({"true", "yes", "on"}), "false": frozenset({"false", "no", "off"})}
_NONE: frozenset[str] = frozenset()


class YamlError(Exception):
    """Text that is no YAML, or too much of it; line and column counted from 1, 0 where not known."""

    def __init__(self, message: str, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


class Duplicate(Struct, frozen=True, kw_only=True):
    """A key that a mapping holds twice: the path of the key, and the places of both."""

    path: Path
    first: tuple[int, int]
    again: tuple[int, int]


class Loaded(Struct, frozen=True, kw_only=True):
    """Plain values, the place of each key and item, and the keys that occur twice."""

    value: Any
    places: dict[Path, tuple[int, int]]
    duplicates: tuple[Duplicate, ...]


class _Untyped(_LOADER):  # type: ignore[misc] # a class that is chosen at run time
    """Leaves every scalar a text: telling numbers from dates is a third of the time, and places need neither."""

    def descend_resolver(self, *_: object) -> None:
        """Nothing to descend into."""

    def ascend_resolver(self) -> None:
        """Nothing to come back from."""

    def resolve(self, kind: type[yaml.Node], _value: object, _implicit: object) -> str:
        """The tag of a text, list or mapping."""
        return _TAGS[kind]


_TAGS = {
    yaml.ScalarNode: "tag:yaml.org,2002:str",
    yaml.SequenceNode: "tag:yaml.org,2002:seq",
    yaml.MappingNode: "tag:yaml.org,2002:map",
}


def compose(text: str, *, typed: bool = False) -> yaml.Node | None:
    """The root node of one YAML document, None for an empty one. Raises YamlError.

    Only with `typed` do the tags of scalars distinguish numbers, dates and truth values.
    """
    try:
        _refuse_depth(text)
        return _single_node((_LOADER if typed else _Untyped)(text))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = error.problem or error.context or "it cannot be parsed"
        raise YamlError(problem, *(place(mark) if mark else ())) from None
    except yaml.YAMLError:
        raise YamlError("it contains a character that YAML does not allow") from None
    except RecursionError:
        raise YamlError("it is nested too deeply") from None


def _single_node(loader: Any) -> yaml.Node | None:
    try:
        node: yaml.Node | None = loader.get_single_node()
    finally:
        loader.dispose()
    return node


def _refuse_depth(text: str) -> None:
    """Count the levels of a text that may have very many, before anything recurses into them."""
    if text.count("[") + text.count("{") < _MANY_BRACKETS and not _MAY_BE_DEEP.search(text):
        return
    depth = 0
    for event in yaml.parse(text, _LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_COMPOSED_DEPTH:
            raise YamlError("it is nested too deeply")


def place(mark: yaml.Mark) -> tuple[int, int]:
    """Line and column of a mark, counted from 1."""
    return mark.line + 1, mark.column + 1


def entries(node: yaml.Node | None) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    """The key and value nodes of a mapping, those merged in by `<<` last; nothing for any other node."""
    if not isinstance(node, yaml.MappingNode):
        return
    merged: list[yaml.Node] = []
    for key, value in node.value:
        if _is_merge(key):
            merged.extend(value.value if isinstance(value, yaml.SequenceNode) else [value])
        else:
            yield key, value
    for other in merged:
        if isinstance(other, yaml.MappingNode):
            yield from ((key, value) for key, value in other.value if not _is_merge(key))


def lookup(node: yaml.Node | None, name: str) -> tuple[yaml.Node, yaml.Node] | None:
    """The key and value nodes of a key in a mapping: the last of that name, which is the one that counts."""
    if not isinstance(node, yaml.MappingNode):
        return None
    alike = _BOOLEANS.get(name.lower(), _NONE)
    if not alike and not any([pair[0].value in (name, "<<") for pair in node.value]):  # noqa: C419 - a list is faster here
        return None
    own = [pair for pair in node.value if _is_named(pair[0], name, alike)]
    return own[-1] if own else next((pair for pair in entries(node) if _is_named(pair[0], name, alike)), None)


def _is_named(key: yaml.Node, name: str, alike: frozenset[str]) -> bool:
    return key.value == name or (isinstance(key, yaml.ScalarNode) and not key.style and key.value.lower() in alike)


def _is_merge(key: yaml.Node) -> bool:
    return isinstance(key, yaml.ScalarNode) and key.value == "<<" and not key.style


def duplicates(node: yaml.Node, path: Path = ()) -> tuple[Duplicate, ...]:
    """Every key that a mapping at or below a node holds twice. Raises YamlError where there is too much of it."""
    return tuple(
        Duplicate(path=below, first=first, again=again)
        for below, _, again, first in _walk(node, path)
        if first is not None
    )


def load(text: str) -> Loaded:
    """The plain values of one document: mappings, lists and scalars. Raises YamlError for anything else."""
    node = compose(text, typed=True)
    if node is None:
        return Loaded(value=None, places={}, duplicates=())
    steps = list(_walk(node, ()))
    places: dict[Path, tuple[int, int]] = {(str(_key(key)),): place(key.start_mark) for key, _ in entries(node)}
    return Loaded(
        value=_value_of(node),
        places=places | {path: where for path, _, where, _ in steps},
        duplicates=tuple(
            Duplicate(path=path, first=first, again=where) for path, _, where, first in steps if first is not None
        ),
    )


def plain(node: yaml.Node) -> Any:
    """The plain value of a node that was composed `typed`. Raises YamlError as `load` does."""
    for _ in _walk(node, ()):
        pass
    return _value_of(node)


def _walk(root: yaml.Node, start: Path) -> Iterator[tuple[Path, yaml.Node, tuple[int, int], tuple[int, int] | None]]:
    """Each key and item below a node: path, value node, place, and the place of an earlier equal key."""
    stack: list[tuple[Path, yaml.Node]] = [(start, root)]
    count = 0
    while stack:
        path, node = stack.pop()
        seen: dict[str, tuple[int, int]] = {}
        for position, child in enumerate(node.value if isinstance(node, yaml.CollectionNode) else ()):
            count += 1
            if count > MAX_NODES or len(path) - len(start) > MAX_DEPTH:
                raise YamlError("it is nested too deeply, or its aliases expand to too much", *place(root.start_mark))
            key, value = child if isinstance(child, tuple) else (None, child)
            name = position if key is None else str(key.value) if isinstance(key, yaml.ScalarNode) else "?"
            where = place((key or value).start_mark)
            yield (*path, name), value, where, seen.get(name) if isinstance(name, str) and name != "<<" else None
            if isinstance(name, str):
                seen[name] = where
            stack.append(((*path, name), value))


def _value_of(node: yaml.Node) -> Any:
    if isinstance(node, yaml.SequenceNode) and node.tag == "tag:yaml.org,2002:seq":
        return [_value_of(item) for item in node.value]
    if isinstance(node, yaml.MappingNode) and node.tag == "tag:yaml.org,2002:map":
        return {_key(key): _value_of(value) for key, value in node.value}
    if not isinstance(node, yaml.ScalarNode):
        raise YamlError(f"the tag {node.tag!r} is not allowed", *place(node.start_mark))
    return _scalar(node)


def _key(node: yaml.Node) -> Any:
    if _is_merge(node) or not isinstance(node, yaml.ScalarNode):
        raise YamlError("only plain keys are allowed, neither `<<` nor a list or mapping", *place(node.start_mark))
    return _scalar(node)


def _scalar(node: yaml.ScalarNode) -> Any:
    try:
        return yaml.constructor.SafeConstructor().construct_object(node)
    except yaml.YAMLError:
        raise YamlError(f"the tag {node.tag!r} is not allowed", *place(node.start_mark)) from None
    except (ValueError, OverflowError, KeyError, IndexError):
        raise YamlError("a value that looks like a number or a date but is not one", *place(node.start_mark)) from None

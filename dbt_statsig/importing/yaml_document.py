"""One YAML file to which keys and items are added as lines of their own, so that all other lines stay as they are.

Positions come from the composed nodes. Every addition is made twice, in the text and in the nodes; the new text is then
composed again and must give those nodes. (A round trip by ruamel.yaml keeps comments, but neither the indentation of
lists nor long lines.)
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import yaml

from dbt_statsig.importing.yaml_lines import indented, item_lines, jinja_in, lines_below, plain, style_of
from dbt_statsig.project.yaml_nodes import YamlError, compose, entries, lookup
from dbt_statsig.vocabulary.yaml_text import in_yaml

if TYPE_CHECKING:
    from collections.abc import Sequence

_DASH = re.compile(r"( *)(- +)")
_IDLE = re.compile(r"[ \t]*(?:#.*)?\r?\n?")
_SPACED = re.compile(r"(?:^|\n)[ \t]*\r?\n(?:[ \t]*#.*\n)*$")
_BLOCK_SCALARS = {"|", ">"}


class CannotEdit(Exception):
    """Why an addition cannot be made, and its line (0: not known)."""

    def __init__(self, reason: str, line: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line


class Document:
    """The text of a file, without its byte order mark, and what is added to it."""

    def __init__(self, text: str) -> None:
        """Raises CannotEdit for text that is no YAML mapping."""
        self._eol = "\r\n" if "\r\n" in text else "\n"
        self._ends = text.endswith("\n")
        self._text = text if self._ends else text + self._eol
        root = _composed(text)
        if not isinstance(root, yaml.MappingNode):
            raise CannotEdit("is not a mapping with keys such as `models:`")
        self.root = root
        self.style = style_of(root)
        self._shared = _shared(root)
        self._names: dict[tuple[int, str], dict[str, list[yaml.MappingNode]]] = {}
        # Where lines go, and the same for nodes: what is added before which child.
        self._lines: list[tuple[int, list[str]]] = []
        self._nodes: list[tuple[yaml.CollectionNode, int, Any]] = []

    def get(self, mapping: yaml.MappingNode, key: str) -> yaml.Node | None:
        """The value of a key. Raises CannotEdit where it is there twice, or not in this mapping's own lines."""
        own: list[tuple[yaml.Node, yaml.Node]] = [pair for pair in mapping.value if pair[0].value == key]
        if len(own) > 1:
            lines = " and ".join(str(_line(name)) for name, _ in own[:2])
            raise CannotEdit(f"has the key `{key}` twice (lines {lines}); remove one", _line(own[1][0]))
        pair = next((pair for pair in [*own, *entries(mapping)] if pair[0].value == key), None)
        if pair is None:
            return None
        if not own or pair[1].start_mark.index < pair[0].start_mark.index or id(pair[1]) in self._shared:
            raise CannotEdit(f"has `{key}` from a YAML anchor, which other entries use too", _line(mapping))
        return pair[1]

    def items(self, mapping: yaml.MappingNode, key: str) -> list[yaml.MappingNode]:
        """The mappings of a list."""
        value = self.get(mapping, key)
        listed = value.value if isinstance(value, yaml.SequenceNode) else []
        return [item for item in listed if isinstance(item, yaml.MappingNode)]

    def named(self, mapping: yaml.MappingNode, key: str, name: str) -> list[yaml.MappingNode]:
        """Those mappings of a list that have a name."""
        if (id(mapping), key) not in self._names:
            names = self._names[id(mapping), key] = defaultdict(list)
            for item in self.items(mapping, key):
                pair = lookup(item, "name")
                if pair is not None and isinstance(pair[1].value, str):
                    names[pair[1].value].append(item)
        return self._names[id(mapping), key].get(name, [])

    def add_key(
        self,
        mapping: yaml.MappingNode,
        key: str,
        value: dict[str, Any] | list[Any],
        *,
        late: Sequence[str] = (),
        spaced: bool = False,
    ) -> None:
        """Add a key that the mapping lacks, or has without a value: before the `late` ones, else at the end."""
        _refuse_jinja(value)
        self._check(mapping)
        keys = [name.value for name, _ in mapping.value]
        lines = lines_below(value, self.style)
        if key in keys:
            # Its line stays.
            place = keys.index(key) + 1
            self._nodes += [(mapping, place - 1, None), (mapping, place, (_node(key), _node(value)))]
        else:
            place = next((index for index, name in enumerate(keys) if index and name in late), len(keys))
            self._nodes.append((mapping, place, (_node(key), _node(value))))
            lines = [*([""] if spaced else []), f"{in_yaml(plain(key))}:", *lines]
        following = mapping.value[place][0].start_mark if place < len(keys) else mapping.end_mark
        name, held = mapping.value[place - 1]
        end = self._end_of(name, held, following.index)
        self._lines.append((end, indented(lines, mapping.value[0][0].start_mark.column)))

    def add_item(self, sequence: yaml.SequenceNode, item: Any, *, spaced: bool = False) -> None:
        """Add an item to a list that has some; `spaced`: after an empty line where the last one is so."""
        _refuse_jinja(item)
        self._check(sequence)
        last = sequence.value[-1]
        start = self._text.rfind("\n", 0, last.start_mark.index) + 1
        dash = _DASH.fullmatch(self._text, start, last.start_mark.index)
        if dash is None:
            raise CannotEdit("has a list whose items do not each begin on a line of their own", _line(sequence))
        lines = indented(item_lines(item, self.style, dash[2]), len(dash[1]))
        is_spaced = spaced and len(sequence.value) > 1 and _SPACED.search(self._text[:start])
        end = self._end_of(sequence, last, sequence.end_mark.index)
        # Comments that are further in than the dash belong to the last item.
        comments = re.compile(rf"(?:(?:[ \t]*\r?\n)* {{{len(dash[1]) + 1},}}#.*\n)*").match(self._text, end)
        end = comments.end() if comments else end
        self._lines.append((end, ["", *lines] if is_spaced else lines))
        self._nodes.append((sequence, len(sequence.value), _node(item)))

    def edited(self) -> str:
        """The text with all that was added. Raises CannotEdit where it would not say exactly that."""
        parts, done = [], 0
        for offset, lines in sorted(self._lines, key=lambda added: added[0]):
            parts += [self._text[done:offset], *(line + self._eol for line in lines)]
            done = offset
        text = "".join([*parts, self._text[done:]])
        text = text if self._ends else text.removesuffix(self._eol)
        again = _composed(text)
        self._add_nodes()
        forms: dict[Any, int] = {}
        if again is None or _form(again, forms, {}) != _form(self.root, forms, {}):
            raise CannotEdit("cannot take these lines without a change of what other lines say")
        return text

    def _add_nodes(self) -> None:
        changed = {id(node): node for node, _, _ in self._nodes}
        added: dict[tuple[int, int], list[Any]] = defaultdict(list)
        for node, place, child in self._nodes:
            added[id(node), place].append(child)
        for node in changed.values():
            children: list[Any] = []
            for place in range(len(node.value) + 1):
                here = added.get((id(node), place), [])
                children += [child for child in here if child is not None]
                children += [] if None in here else node.value[place : place + 1]
            node.value = children
        self._nodes = []

    def _check(self, node: yaml.CollectionNode) -> None:
        if id(node) in self._shared:
            raise CannotEdit("is used by several entries through a YAML anchor", _line(node))
        if node.flow_style or not node.value:
            bracket = "{…}" if isinstance(node, yaml.MappingNode) else "[…]"
            raise CannotEdit(f"is written in flow style ({bracket}); write it on lines of its own first", _line(node))

    def _end_of(self, owner: yaml.Node, node: yaml.Node, following: int) -> int:
        """Where the line after a key's or list's value begins; what comes next in the file begins at `following`."""
        while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.start_mark.index >= _start(owner):
            last = node.value[-1]
            owner, node = last if isinstance(last, tuple) else (node, last)
        start, end = node.start_mark.index, node.end_mark.index
        if start < _start(owner):
            # An alias: its node is elsewhere, and it takes one line.
            end = self._text.rfind("\n", 0, following) + 1
            return self._without(_IDLE, end, _start(owner))
        if getattr(node, "style", None) not in _BLOCK_SCALARS:
            return self._text.index("\n", end) + 1
        start_of_line = self._text.rfind("\n", 0, end) + 1
        if self._text[start_of_line:end].strip():
            return self._text.index("\n", end) + 1
        header = self._text[start : self._text.index("\n", start)].split("#")[0]
        return start_of_line if "+" in header else self._without(re.compile(r"[ \t]*\r?\n"), start_of_line, start)

    def _without(self, idle: re.Pattern[str], end: int, after: int) -> int:
        """The end of the last line before `end` that is not of these."""
        while end > after and idle.fullmatch(self._text, start := self._text.rfind("\n", 0, end - 1) + 1, end):
            end = start
        return end


def _composed(text: str) -> yaml.Node | None:
    try:
        root: yaml.Node | None = compose(text, typed=True)
    except YamlError as error:
        line = "".join(text.split("\n")[error.line - 1 : error.line])
        hint = " (a tab: indent with spaces)" if re.match(r" *\t", line) else ""
        hint = " (Jinja outside of quotes)" if jinja_in(line) else hint
        raise CannotEdit(f"is not valid YAML: {error.message}{hint}", error.line) from None
    return root


def _start(node: yaml.Node) -> int:
    return int(node.start_mark.index)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _refuse_jinja(value: Any) -> None:
    """Raise CannotEdit where dbt would read something else."""
    if mark := jinja_in(value):
        raise CannotEdit(f"cannot hold a text with `{mark}`: dbt would render it as Jinja")


def _node(value: Any) -> yaml.Node:
    return yaml.representer.SafeRepresenter(sort_keys=False).represent_data(plain(value))


def _shared(root: yaml.Node) -> set[int]:
    """The collections that are reached more than once, and all below them."""
    seen: set[int] = set()
    shared: set[int] = set()
    stack = [(root, False)]
    while stack:
        node, below = stack.pop()
        if not isinstance(node, yaml.CollectionNode) or id(node) in shared:
            continue
        below = below or id(node) in seen
        seen.add(id(node))
        if below:
            shared.add(id(node))
        for child in node.value:
            stack += [(part, below) for part in (child if isinstance(child, tuple) else (child,))]
    return shared


def _form(node: yaml.Node, forms: dict[Any, int], seen: dict[int, int]) -> int:
    """A number that is equal for nodes that say the same."""
    if id(node) not in seen:
        form: Any = (node.tag, node.value)
        if isinstance(node, yaml.MappingNode):
            form = (node.tag, *((_form(key, forms, seen), _form(value, forms, seen)) for key, value in node.value))
        elif isinstance(node, yaml.SequenceNode):
            form = (node.tag, "list", *(_form(item, forms, seen) for item in node.value))
        seen[id(node)] = forms.setdefault(form, len(forms))
    return seen[id(node)]

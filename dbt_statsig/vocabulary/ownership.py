"""The ownership line: the last line of a description, which says whose object it is.

It is the only state there is. `Managed by dbt: <project>[@<namespace>]/<unique_id>`

Where Statsig keeps other values than it was sent, the line ends with a note: `(kept tags=1a2b3c4d5e6f)`, each field
with a digest of both values (see `kept.py`). After the retirement of a metric it ends with `(archived)`: no answer of
the API says so.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping

_PREFIX = "Managed by dbt: "
_LINK = "dbt docs: "
_KEPT = "The text above was kept as it was in Statsig."
_LINE = re.compile(r"Managed by dbt: (?P<project>[^/\s@]+)(?:@(?P<namespace>[^/\s@]+))?/(?P<unique_id>\S+)")
_CHANGED_LINE = re.compile(rf"(?:\A|.*\s){_LINE.pattern}\Z", re.IGNORECASE | re.DOTALL)
_NOTE = re.compile(r" \(kept(?P<notes>(?: [a-z_]+=[0-9a-f]{12})+)\)\Z")
_ARCHIVED = " (archived)"
_LINK_AT_END = re.compile(rf"(?:^|\s){_LINK}\S+\Z", re.IGNORECASE)


class Ownership(Struct, frozen=True):
    """The dbt project, node and namespace that a console object belongs to. Another namespace is another owner."""

    project: str
    unique_id: str
    namespace: str = ""

    @property
    def owner(self) -> str:
        """The owner as the line names it: `shop`, or `shop@dev`."""
        return owner_name(self.project, self.namespace)


def owner_name(project: str, namespace: str = "") -> str:
    """An owner as the ownership line names it."""
    return f"{project}@{namespace}" if namespace else project


def owner_of(description: object) -> Ownership | None:
    """Whose object it is by its description; None where the last line does not say."""
    if not isinstance(description, str):
        return None
    lines = _bare(description).splitlines()
    match = _LINE.fullmatch(lines[-1].strip()) if lines else None
    return Ownership(match["project"], match["unique_id"], match["namespace"] or "") if match else None


def likely_owner(description: object) -> Ownership | None:
    """Whose object it seems to be, also where Statsig changed the line's case or put it behind the text."""
    if (line := owner_of(description)) is not None or not isinstance(description, str):
        return line
    match = _CHANGED_LINE.match(_bare(description))
    return Ownership(match["project"], match["unique_id"], match["namespace"] or "") if match else None


def is_of(description: object, owner: Ownership) -> bool:
    """Whether the description ends with this owner's line, even in another case, or on the line of the text above."""
    if not isinstance(description, str):
        return False
    line = owner_of(description)
    return line == owner if line is not None else _above(description, owner) is not None


def plain(description: str) -> str:
    """The description without a note at its end."""
    return _NOTE.sub("", description.strip())


def _bare(description: str) -> str:
    """The same also without the mark of what was archived."""
    return plain(description).removesuffix(_ARCHIVED)


def is_archived(description: object) -> bool:
    """Whether this program has archived the object."""
    return isinstance(description, str) and owner_of(description) is not None and plain(description).endswith(_ARCHIVED)


def archived(description: str) -> str:
    """The description, which ends with an ownership line, with the mark that the object was archived."""
    return f"{_bare(description)}{_ARCHIVED}"


def notes_of(description: object) -> dict[str, str]:
    """The note at the end of the description: the digest of each field that Statsig keeps otherwise."""
    found = _NOTE.search(description.strip()) if isinstance(description, str) else None
    return dict(one.split("=") for one in found["notes"].split()) if found else {}


def noting(description: str, notes: Mapping[str, str]) -> str:
    """The description with this note in place of the one at its end."""
    text = plain(description)
    listed = "".join(f" {field}={digest}" for field, digest in notes.items())
    return f"{text} (kept{listed})" if listed else text


def claim(description: str, owner: Ownership, *, link: str = "") -> str:
    """The description with a link (if any) and the ownership line below it.

    Lines of the text that look like an ownership line are kept; only the last line counts.
    """
    below = "\n".join(part for part in (link, _line(owner)) if part)
    text = description.strip()
    return f"{text}\n\n{below}" if text else below


def docs_link(url: str) -> str:
    """The line above the ownership line, where dbt's docs are published."""
    return f"{_LINK}{url}"


def keeping(live: object, desired: str, project: str) -> str:
    """The desired description, with the console's text in place of a text that no block declares.

    A text that this project wrote itself is no text of the console's: only one that is marked as kept, or that nobody
    or another project owned, is.
    """
    owner, line, (text, is_kept), (default, _) = owner_of(desired), owner_of(live), _parts(live), _parts(desired)
    if line is None and owner is not None and isinstance(live, str) and (above := _above(live, owner)) is not None:
        line, (text, is_kept) = owner, _changed_parts(above)
    ours = line is not None and line.project == project and not is_kept
    if ours or not text or text == default:
        return desired
    below = desired.strip()[len(default) :].strip()
    return f"{text}\n\n{_KEPT}\n{below}"


def text_above(description: object) -> str:
    """The text above the ownership line, the line of dbt's docs and the mark of a text that was kept."""
    return _parts(description)[0]


def released_text(description: object) -> str:
    """The description without an ownership line, and without what was written with it."""
    owner = likely_owner(description)
    above = None if owner is None or not isinstance(description, str) else _above(description, owner)
    return str(description or "") if above is None else _changed_parts(above)[0]


def _line(owner: Ownership) -> str:
    return f"{_PREFIX}{owner.owner}/{owner.unique_id}"


def _above(description: str, owner: Ownership) -> str | None:
    """What stands before this owner's line at the end, whatever its case; None where that line is not there."""
    text, line = _bare(description), _line(owner)
    before, last = text[: -len(line)], text[-len(line) :]
    is_there = last.casefold() == line.casefold() and (not before or before[-1].isspace())
    return before.rstrip() if is_there else None


def _changed_parts(above: str) -> tuple[str, bool]:
    """As `_parts`, of a text whose case or lines Statsig has changed."""
    text = _LINK_AT_END.sub("", above).rstrip()
    is_kept = text[-len(_KEPT) :].casefold() == _KEPT.casefold()
    return (text[: -len(_KEPT)].rstrip() if is_kept else text), is_kept


def _parts(description: object) -> tuple[str, bool]:
    """The text above the ownership line, whoever owns it, and whether the text is marked as kept."""
    text = description.strip() if isinstance(description, str) else ""
    if owner_of(text) is None:
        return text, False
    lines = text.splitlines(keepends=True)[:-1]
    if lines and lines[-1].startswith(_LINK):
        lines.pop()
    is_kept = bool(lines) and lines[-1].strip() == _KEPT
    return "".join(lines[: len(lines) - is_kept]).strip(), is_kept

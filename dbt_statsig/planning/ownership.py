"""The ownership line: the last line of a description, which says whose object it is.

It is the only state there is. `Managed by dbt: <project>[@<namespace>]/<unique_id>`
"""

from __future__ import annotations

import re

from msgspec import Struct

_PREFIX = "Managed by dbt: "
_LINK = "dbt docs: "
_KEPT = "The text above was kept as it was in Statsig."
_LINE = re.compile(r"Managed by dbt: (?P<project>[^/\s@]+)(?:@(?P<namespace>[^/\s@]+))?/(?P<unique_id>\S+)")


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
    lines = description.strip().splitlines()
    match = _LINE.fullmatch(lines[-1].strip()) if lines else None
    return Ownership(match["project"], match["unique_id"], match["namespace"] or "") if match else None


def claim(description: str, owner: Ownership, *, link: str = "") -> str:
    """The description with a link (if any) and the ownership line below it.

    Lines of the text that look like an ownership line are kept; only the last line counts.
    """
    below = "\n".join(part for part in (link, f"{_PREFIX}{owner.owner}/{owner.unique_id}") if part)
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
    line, (text, is_kept), (default, _) = owner_of(live), _parts(live), _parts(desired)
    ours = line is not None and line.project == project and not is_kept
    if ours or not text or text == default:
        return desired
    below = desired.strip()[len(default) :].strip()
    return f"{text}\n\n{_KEPT}\n{below}"


def _parts(description: object) -> tuple[str, bool]:
    """The text above the ownership line, whoever's that is, and whether the text is marked as kept."""
    text = description.strip() if isinstance(description, str) else ""
    if owner_of(text) is None:
        return text, False
    lines = text.splitlines(keepends=True)[:-1]
    if lines and lines[-1].startswith(_LINK):
        lines.pop()
    is_kept = bool(lines) and lines[-1].strip() == _KEPT
    return "".join(lines[: len(lines) - is_kept]).strip(), is_kept

"""The ownership line: the last line of a description, which says whose object it is.

It is the only state there is. `Managed by dbt: <project>[@<namespace>]/<unique_id>`
"""

from __future__ import annotations

import re

from msgspec import Struct

_PREFIX = "Managed by dbt: "
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

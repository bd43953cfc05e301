"""The ownership line: the last line of a description, which says whose object it is.

It is the only state there is. `Managed by dbt: <project>/<unique_id>`
"""

from __future__ import annotations

import re

from msgspec import Struct

_PREFIX = "Managed by dbt: "
_LINE = re.compile(r"Managed by dbt: (?P<project>[^/\s]+)/(?P<unique_id>\S+)")


class Ownership(Struct, frozen=True):
    """The dbt project and node that a console object belongs to."""

    project: str
    unique_id: str


def owner_of(description: object) -> Ownership | None:
    """Whose object it is by its description; None where the last line does not say."""
    if not isinstance(description, str):
        return None
    lines = description.strip().splitlines()
    match = _LINE.fullmatch(lines[-1].strip()) if lines else None
    return Ownership(match["project"], match["unique_id"]) if match else None


def claim(description: str, owner: Ownership, *, link: str = "") -> str:
    """The description with a link (if any) and the ownership line below it.

    Lines of the text that look like an ownership line are kept; only the last line counts.
    """
    below = "\n".join(part for part in (link, f"{_PREFIX}{owner.project}/{owner.unique_id}") if part)
    text = description.strip()
    return f"{text}\n\n{below}" if text else below

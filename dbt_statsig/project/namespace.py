"""Whose objects a run writes: the namespace beside the dbt project's name in the ownership line."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from dbt_statsig.errors import SettingsError
from dbt_statsig.project.settings import NAMESPACE, TARGET

if TYPE_CHECKING:
    from dbt_statsig.project.settings import Settings

_OTHER = re.compile(r"[^A-Za-z0-9._-]+")
_DIGITS = 8


def prefix_of(settings: Settings, target: str) -> str:
    """What the names of this dbt target's sources begin with."""
    return settings.name_prefix.get(target, "")


def namespace_of(settings: Settings, target: str) -> str:
    """The namespace of this dbt target; empty where it has none.

    A prefix without a namespace of its own implies one, so that two targets never own the same objects. Raises
    SettingsError where the target's name makes one that cannot stand in the ownership line.
    """
    given = settings.namespace
    template = given.get(target) if isinstance(given, dict) else given
    if template is None or (TARGET in template and not target):
        return _implied(prefix_of(settings, target))
    found = template.replace(TARGET, target)
    if re.search(NAMESPACE, found) is None:
        raise SettingsError(
            f'`namespace` gives "{found}" for the dbt target "{target}", which an ownership line cannot contain.',
            fix="Give this target a namespace of its own: `namespace: {TARGET: NAMESPACE}`.",
        )
    return found


def other_prefixes(settings: Settings, target: str) -> dict[str, str]:
    """The prefixes of all other targets, each with its target."""
    return {prefix: other for other, prefix in settings.name_prefix.items() if prefix and other != target}


def needs_target(settings: Settings) -> str:
    """The setting that cannot be applied without knowing the dbt target; empty where there is none."""
    given = settings.namespace
    if (isinstance(given, dict) and given) or TARGET in given:
        return "namespace"
    return "name_prefix" if any(settings.name_prefix.values()) else ""


def _implied(prefix: str) -> str:
    """A namespace for a prefix, the same in every run: `dev` for "dev ", with a digest where that is not all of it."""
    if not prefix:
        return ""
    readable = _OTHER.sub("-", prefix.strip()).strip("-")
    if readable and readable == prefix.rstrip(" "):
        return readable
    digest = hashlib.sha256(prefix.encode(errors="backslashreplace")).hexdigest()[:_DIGITS]
    return "-".join(part for part in (readable, digest) if part)

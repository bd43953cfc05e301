"""One comment for each key of a pull request: found again, updated, and tried again after an outage."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dbt_statsig.comments.api import Api, Unanswered
from dbt_statsig.comments.azure import AzureRepos
from dbt_statsig.comments.github import GitHub
from dbt_statsig.comments.gitlab import GitLab
from dbt_statsig.console.wire import Wire
from dbt_statsig.support.hosts import is_this_machine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dbt_statsig.comments.place import Place, Wanted
    from dbt_statsig.console.key import ApiKey
    from dbt_statsig.console.waiting import Clock

_ATTEMPTS = 4
_FIRST_PAUSE, _LONGEST_PAUSE = 2.0, 60.0
_SYSTEMS = (("GITHUB_ACTIONS", GitHub), ("GITLAB_CI", GitLab), ("TF_BUILD", AzureRepos))
"""The variable that only this CI system sets, and where its comments go."""


def place_of(environ: Mapping[str, str]) -> Place | str | None:
    """The pull request of this job, in words why there is none, or None outside of these CI systems."""
    found = next((one for mark, one in _SYSTEMS if environ.get(mark)), None)
    return None if found is None else found.of(environ)


def is_safe(place: Place) -> bool:
    """Whether its token may be sent to its address: by https, or without leaving this machine."""
    try:
        parts = urlsplit(place.address)
    except ValueError:
        return False
    host = parts.hostname or ""
    return (parts.scheme == "https" and bool(host)) or (parts.scheme == "http" and is_this_machine(host))


def keep(place: Place, wanted: Wanted, *, marks: int, key: ApiKey, clock: Clock) -> str:
    """What was done to the comment that begins with the same lines, `marks` of them: created, updated, or unchanged.

    Each attempt looks first, as the one before may have been carried out. Raises Unanswered after the last one,
    SettingsError for a proxy or certificates that cannot be used, and Refused.
    """
    wire = Wire(key, place.address.rstrip("/"), service=place.service)
    try:
        api = Api(wire, key, clock)
        for attempt in range(1, _ATTEMPTS):
            try:
                return _keep(place, wanted, marks, api)
            except Unanswered as error:
                if not error.is_passing:
                    raise
                pause = _FIRST_PAUSE * 2 ** (attempt - 1) if error.wait is None else error.wait
            clock.sleep(min(pause, _LONGEST_PAUSE), threading.Event())
        return _keep(place, wanted, marks, api)
    finally:
        wire.close()


def _keep(place: Place, wanted: Wanted, marks: int, api: Api) -> str:
    head = wanted.text.splitlines()[:marks]
    comment = next((one for one in place.own(api) if one.text.splitlines()[:marks] == head), None)
    if comment is None:
        place.create(api, wanted)
        return "created"
    return "updated" if place.update(api, comment, wanted) else "unchanged"

"""Where a report comes from: the run that made it, and the version of the code that it is about."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote

from msgspec import Struct

_SHORT = 9


class Run(Struct, frozen=True, kw_only=True):
    """What is known of a run; a text that is not known is empty.

    `command` is the command line, `selection` its options that choose sources. `commit` is that of the branch, not of
    a merge that a CI system makes of it; with `is_dirty`, files have changed since. The rest are web addresses:
    `commit_url`, `blob` (of a file at that commit, with `{path}` and `{line}`), `job` of the CI system, and `page`
    where the HTML report will be.
    """

    at: datetime | None = None
    command: str = ""
    selection: str = ""
    commit: str = ""
    branch: str = ""
    is_dirty: bool = False
    commit_url: str = ""
    blob: str = ""
    job: str = ""
    page: str = ""

    @property
    def short_commit(self) -> str:
        """The commit as people quote it."""
        return self.commit[:_SHORT]

    def file_url(self, path: str, line: int = 0) -> str:
        """The web address of a file of the repository, empty where it is not known."""
        if not (self.blob and path):
            return ""
        return self.blob.replace("{line}", str(line or 1)).replace("{path}", quote(path, errors="replace"))

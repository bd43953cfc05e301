"""Where what is remembered from run to run is kept; nothing is imported for it that takes time to load."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def cache_folder(environ: Mapping[str, str]) -> str:
    """Our folder in the user's folder for caches; empty where the environment does not tell of one."""
    home = environ.get("HOME") or environ.get("USERPROFILE")
    parts = ("Library", "Caches") if sys.platform == "darwin" else (".cache",)
    caches = environ.get("XDG_CACHE_HOME") or environ.get("LOCALAPPDATA")
    if not (caches or home):
        return ""
    return os.path.join(caches or os.path.join(home or "", *parts), "dbt-statsig")  # noqa: PTH118 - pathlib is slow

"""The header of a seed's CSV file, of the very file that the manifest was made from.

Facts: dbt hashes the file's text without the white space around it, up to 1 MB; a larger file's "hash" is its path
(dbt-core's reading of files). It reads the file as UTF-8, with or without a byte order mark, and takes the names of
the first row as they are.
"""

from __future__ import annotations

import csv
import io
from hashlib import sha256
from typing import TYPE_CHECKING

from dbt_statsig.support.files import read_regular

if TYPE_CHECKING:
    from pathlib import Path

    from dbt_statsig.project.artifacts.nodes import Node

PACKAGES = "dbt_packages"


class SeedHeaders:
    """The headers of the seeds of a project and its packages."""

    def __init__(self, project_dir: Path, project: str) -> None:
        self._project_dir = project_dir
        self._project = project

    def names(self, node: Node) -> tuple[str, ...] | str:
        """The names in the file's first row; where they cannot be known the reason, as what follows "a seed"."""
        folder = self._project_dir
        if node.package_name != self._project:
            folder = folder / PACKAGES / node.package_name
        if not node.path or not node.file_hash:
            return "without an entry in the catalog"
        try:
            text = read_regular(folder / node.path).decode("utf-8").strip()
        except (OSError, ValueError):
            return "without an entry in the catalog, whose file cannot be read here"
        if sha256(text.encode()).hexdigest() != node.file_hash:
            return "without an entry in the catalog, whose file is not that of the manifest"
        delimiter = node.config.get("delimiter") or ","
        try:
            names = next(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=delimiter), [])
        except (csv.Error, TypeError):
            names = []
        # dbt renames what has no name or one that another has.
        folded = {name.casefold() for name in names}
        if not names or len(folded) < len(names) or any(name != name.strip() or not name for name in names):
            return "without an entry in the catalog, whose first row does not name its columns"
        return tuple(names)

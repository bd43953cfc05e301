"""How well columns are proven on real projects: `python benchmarks/proof_accuracy.py FOLDER` prints one table.

Below FOLDER, each folder with a manifest.json and a catalog.json (plain or gzip) is one project. Its catalog says what
the warehouse had. Judged are its SQL models that are in the catalog, three times:

- `withheld`: the catalog's entries of models are taken away, and the list of columns is compared with them.
- `false absent`: real columns that are called absent, with the catalog, without its models, and without any catalog.
- `found`: misspelled names that are called absent, with the catalog (a name that the list cannot hold).

The exit code is 1 where a real column was called absent with the catalog, or a project could not be read.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import NamedTuple

from dbt_statsig.columns.prover import Prover
from dbt_statsig.errors import DbtStatsigError
from dbt_statsig.project.artifacts import load_catalog, load_manifest
from dbt_statsig.vocabulary.verdicts import Presence

WRONG = "no_such_column_"


class Score(NamedTuple):
    """What one project adds to the sums."""

    models: int = 0
    exact: int = 0
    open: int = 0
    columns: int = 0
    absent_with_catalog: int = 0
    absent_withheld: int = 0
    absent_without: int = 0
    found: int = 0

    def plus(self, other: Score) -> Score:
        """Both together."""
        return Score(*map(sum, zip(self, other, strict=True)))

    def row(self, name: str) -> str:
        """One line of the table."""
        exact = f"{self.exact / self.models:7.2%}" if self.models else "      -"
        absent = f"{self.absent_with_catalog:>5} {self.absent_withheld:>5} {self.absent_without:>5}"
        return f"{name[:52]:52} {self.models:>6} {exact} {self.open:>5} {self.columns:>7}   {absent} {self.found:>7}"


def artifact(folder: Path, name: str) -> Path | None:
    """The file, plain or gzip; None where there is none."""
    return next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)


def score(manifest_path: Path, catalog_path: Path, *, details: bool) -> Score:
    """The score of one project. Raises DbtStatsigError for artifacts that cannot be read."""
    manifest, catalog = load_manifest(manifest_path), load_catalog(catalog_path)
    whole = Prover(manifest, catalog)
    withheld = Prover(manifest, catalog, use_catalog_of_models=False)
    bare = Prover(manifest, None)
    # BigQuery's catalog lists each field of a struct as a column of its own; the table has the first part.
    nested = whole.adapter.name == "bigquery"
    total = Score()
    for unique_id in manifest.heads():
        node = manifest.node(unique_id) if unique_id.startswith("model.") else None
        if node is None or not node.compiled_code or node.language != "sql":
            continue
        held = [column.name for column in catalog.columns(unique_id) or ()]
        names = list(dict.fromkeys(name.partition(".")[0] if nested else name for name in held))
        if not names:
            continue
        found = withheld.columns(node)
        key = whole.adapter.key
        exact = {key(column.name) for column in found.columns} == {key(name) for name in names}
        absent = [
            [name for name in names if prover.verdict(node, name).presence is Presence.ABSENT]
            for prover in (whole, withheld, bare)
        ]
        if details and (any(absent) or not exact):
            print(f"  {unique_id}: absent {absent}, list {[column.name for column in found.columns]} {found.reasons}")
        total = total.plus(
            Score(
                models=1,
                exact=exact,
                open=not found.is_complete,
                columns=len(names),
                absent_with_catalog=len(absent[0]),
                absent_withheld=len(absent[1]),
                absent_without=len(absent[2]),
                found=whole.verdict(node, WRONG + names[0].lower()).presence is Presence.ABSENT,
            )
        )
    return total


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--details", action="store_true", help="name each model whose list is not exact")
    arguments = parser.parse_args()
    total, projects, failed = Score(), 0, 0
    print(f"{'project':52} models   exact  open columns   false absent *     found")
    for folder in sorted({path.parent for path in arguments.folder.rglob("manifest.json*")}):
        manifest, catalog = artifact(folder, "manifest.json"), artifact(folder, "catalog.json")
        if manifest is None or catalog is None:
            continue
        projects += 1
        name = str(folder.relative_to(arguments.folder))
        try:
            one = score(manifest, catalog, details=arguments.details)
        except DbtStatsigError as error:
            failed += 1
            print(f"{name[:52]:52} {error}")
            continue
        total = total.plus(one)
        print(one.row(name))
    print(total.row(f"all {projects}"))
    print("* with the catalog, without its models, without any catalog")
    return 1 if failed or total.absent_with_catalog else 0


if __name__ == "__main__":
    sys.exit(main())

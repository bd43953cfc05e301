"""The catalogue of findings: each code's weight, what it means and how to mend it."""

from __future__ import annotations

from enum import IntEnum

from msgspec import Struct


class Severity(IntEnum):
    """How much a finding weighs; with `--strict` a warning counts as an error."""

    NOTE = 1
    WARNING = 2
    ERROR = 3

    @property
    def label(self) -> str:
        """The word that outputs show."""
        return self.name.lower()


class Code(Struct, frozen=True):
    """One entry of the catalogue; `meaning` says why it matters, `remedy` how to mend it."""

    severity: Severity
    meaning: str
    remedy: str


_E, _W, _N = Severity.ERROR, Severity.WARNING, Severity.NOTE

CODES: dict[str, Code] = {
    # The declaration itself
    "unknown-key": Code(
        _E,
        "A key that no source of this kind has; it would be ignored in silence.",
        "Correct the spelling or remove the key.",
    ),
    "wrong-type": Code(
        _E, "A value of another type than the key takes.", "Write the value in the form that the message names."
    ),
    "missing-key": Code(
        _E, "A key that this kind of source cannot do without.", "Add the key, or mark the column with its role."
    ),
    "bad-name": Code(
        _E, "A name that is empty, padded with blanks, over-long, or reserved by the API.", "Choose another name."
    ),
    "duplicate-name": Code(
        _E, "Two sources of one kind bear the same name (compared without case).", "Rename one of them."
    ),
    "duplicate-key": Code(
        _E, "YAML keeps only the last of two equal keys; the other is lost in silence.", "Remove or merge one of them."
    ),
    "contradiction": Code(
        _E, "A column mark and the model's own block say different things.", "Remove one of the two."
    ),
    "unrendered-jinja": Code(
        _E, "A value still holds {{ or {%: dbt did not render it.", "Quote the whole value in YAML, or write it out."
    ),
    "not-a-relation": Code(
        _E,
        "The node has no table or view: it is ephemeral or disabled.",
        "Materialise it as a table or view, enable it, or remove the mark.",
    ),
    "unsupported-node": Code(
        _E, "Only models, snapshots, seeds and source tables can be Statsig sources.", "Move the block to one of these."
    ),
    "key-not-allowed": Code(_E, "A key that another key of the same source rules out.", "Remove one of the two."),
    "unknown-macro": Code(
        _E,
        "A {statsig_…} macro that does not exist, or that this kind of source cannot use.",
        "Use one of the macros that the message lists.",
    ),
    "bad-sql": Code(
        _E,
        "A predicate, formula or query that does not parse in the warehouse's dialect.",
        "Correct the SQL at the place that the message names.",
    ),
    "hidden-columns-open": Code(
        _E,
        "Columns tagged as hidden cannot be left out while the full list of columns is unknown.",
        "Name the columns to select with `columns`.",
    ),
    "stale-location": Code(
        _N, "The YAML file changed after dbt wrote the manifest; places may be off.", "Run `dbt parse` again."
    ),
    # Columns
    "column-absent": Code(
        _E, "A named column does not exist in the model.", "Correct the name, or add the column to the model."
    ),
    "column-unknown": Code(
        _W,
        "Nothing proves that a named column exists, nor that it does not.",
        "Run `dbt compile` and `dbt docs generate`, or enforce a contract.",
    ),
    "column-documented-only": Code(
        _N,
        "A named column is documented in YAML but not proven.",
        "Run `dbt compile` and `dbt docs generate`, or enforce a contract.",
    ),
    "column-case": Code(
        _W,
        "A column exists only in another spelling (upper and lower case), which this warehouse tells apart.",
        "Write the name as the warehouse stores it.",
    ),
    "column-not-built": Code(
        _E,
        "The model's SQL has the column, but the table in the warehouse does not have it yet.",
        "Build the model, then run `dbt docs generate`.",
    ),
    "column-going": Code(
        _W,
        "The table has the column, but the model's SQL no longer gives it: it goes at the next build.",
        "Keep the column in the model, or map another one.",
    ),
    "catalog-stale": Code(
        _W,
        "The catalog is older than the manifest and disagrees with the model's SQL.",
        "Run `dbt docs generate` again.",
    ),
    "not-compiled": Code(
        _N,
        "The manifest holds no compiled SQL for some models, so columns cannot be inferred from it.",
        "Run `dbt compile` before.",
    ),
    "adapter-unknown": Code(
        _W,
        "The adapter's SQL dialect is not known; columns are not inferred.",
        "Use the catalog as evidence: `dbt docs generate`.",
    ),
    # Payload
    "skip-validation-unproven": Code(
        _W,
        "skip_validation needs every column and its type, and not all of them are proven.",
        "Run `dbt docs generate`, or drop skip_validation.",
    ),
    "no-columns": Code(_E, "No column is left to select.", "Name the columns with `columns`."),
    "partition-type-unknown": Code(
        _N,
        "The partition column's type is not known, so it is cast to a day, which some warehouses cannot prune by.",
        "Run `dbt docs generate`, or enforce a contract.",
    ),
    "partition-type": Code(
        _W,
        "The partition column is no date, timestamp or integer; the cast to a day may fail in the warehouse.",
        "Partition by a date, or write the filter yourself with `where` or `sql`.",
    ),
    "hidden-columns-shown": Code(
        _W,
        "A table source shows every column of its table in Statsig, tagged as hidden or not.",
        "Drop `source_type: table`, so that the SQL leaves them out.",
    ),
    # The project
    "nothing-declared": Code(
        _W, "No node of this manifest is marked for Statsig.", "Add a `config.meta.statsig` block to a model."
    ),
    "yaml-unreadable": Code(
        _W,
        "A property file could not be read, so places in it are not known.",
        "Correct the YAML at the place that the message names.",
    ),
    "unknown-unit-id": Code(
        _W,
        "A unit ID that the Statsig project does not list (built-in ones may be missing there).",
        "Compare with Settings > Unit IDs in Statsig; unit IDs are case-sensitive.",
    ),
}

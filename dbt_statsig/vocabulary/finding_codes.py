"""The catalogue of findings: each code's weight, what it means and how to fix it."""

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
    """One entry of the catalogue; `meaning` says why it matters, `remedy` how to fix it.

    `example` shows YAML that has the fault, or that mends it, where words alone are hard to follow.
    """

    severity: Severity
    meaning: str
    remedy: str
    example: str = ""


_E, _W, _N = Severity.ERROR, Severity.WARNING, Severity.NOTE

CODES: dict[str, Code] = {
    # The declaration itself
    "unknown-key": Code(
        _E,
        "A key that no source of this kind has; it would be ignored in silence.",
        "Correct the spelling or remove the key.",
        example="timestamp_colum: created_at    # meant: timestamp_column",
    ),
    "wrong-type": Code(
        _E,
        "A value of another type than the key takes.",
        "Write the value in the form that the message names.",
        example="tags: core            # one text\ntags: [core, growth]  # a list, as the key takes it",
    ),
    "missing-key": Code(
        _E,
        "A key that this kind of source cannot do without.",
        "Add the key, or mark the column with its role.",
        example="assignment_source:\n  name: Checkout exposures\n  timestamp_column: exposed_at\n"
        "  experiment_id_column: experiment_key\n  group_id_column: variant\n  id_type_mapping: {userID: user_id}",
    ),
    "bad-name": Code(
        _E, "A name that is empty, padded with blanks, over-long, or reserved by the API.", "Choose another name."
    ),
    "duplicate-name": Code(
        _E, "Two sources of one kind have the same name (compared without case).", "Rename one of them."
    ),
    "duplicate-key": Code(
        _E,
        "YAML keeps only the last of two equal keys; the other is lost in silence.",
        "Remove or merge one of them.",
        example="metric_source: {name: Orders}\nmetric_source: {name: Refunds}  # only this one is left",
    ),
    "contradiction": Code(
        _E,
        "A column mark and the model's own block say different things.",
        "Remove one of the two.",
        example="timestamp_column: created_at\n...\ncolumns:\n"
        "  - name: ordered_at\n    config: {meta: {statsig: {role: timestamp}}}",
    ),
    "unrendered-jinja": Code(
        _E,
        "A value still holds {{ or {%: dbt did not render it.",
        "Quote the whole value in YAML, or write it out.",
        example="name: {{ var('name') }}    # YAML sees a mapping\nname: \"{{ var('name') }}\"  # dbt renders it",
    ),
    "not-a-relation": Code(
        _E,
        "The node has no table or view: it is ephemeral, or its relation_name is no name of one.",
        "Materialise it as a table or view, or remove the mark.",
    ),
    "node-disabled": Code(
        _N,
        "A node with a block is disabled in this target, so that dbt builds no table for it. Its block is left out; "
        "what it owns in Statsig stays as it is.",
        "Nothing to do, unless the node should be enabled in this target.",
    ),
    "not-latest-version": Code(
        _N,
        "A block on a version of a model that is not the latest is left out.",
        "Move the block to the latest version, or to the model itself, above its versions.",
    ),
    "unsupported-node": Code(
        _E, "Only models, snapshots, seeds and source tables can be Statsig sources.", "Move the block to one of these."
    ),
    "key-not-allowed": Code(_E, "A key that another key of the same source rules out.", "Remove one of the two."),
    "unknown-macro": Code(
        _E,
        "A {statsig_…} macro that does not exist, or that this kind of source cannot use.",
        "Use one of the macros that the message lists.",
        example="where: day >= {statsig_start_date}",
    ),
    "bad-sql": Code(
        _E,
        "A predicate, formula or query that does not parse in the warehouse's dialect.",
        "Correct the SQL at the place that the message names.",
    ),
    "hidden-columns-open": Code(
        _E,
        "Columns tagged as hidden cannot be left out while the full list of columns is unknown.",
        "Run `dbt compile` or `dbt docs generate` so that they are known, or name those to select with `columns`.",
        example="columns: [user_id, ordered_at, amount]",
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
        example="timestamp_column: ORDERED_AT  # as Snowflake stores an unquoted ordered_at",
    ),
    "column-not-built": Code(
        _E,
        "The model's SQL has the column, but the table in the warehouse does not have it yet.",
        "Build the model, then run `dbt docs generate`.",
        example="dbt build --select fct_orders\ndbt docs generate",
    ),
    "column-going": Code(
        _W,
        "The catalog has the column, but the model's SQL no longer gives it: the next build removes it from the table.",
        "Keep the column in the model, or map another one.",
    ),
    "column-not-filled": Code(
        _W,
        "The model's SQL does not give the column. The table of an incremental model or a snapshot keeps old columns, "
        "and new rows have NULL there.",
        "Keep the column in the model, or map another one.",
    ),
    "column-pseudo": Code(
        _N,
        "A pseudo column of the warehouse, as BigQuery's _PARTITIONTIME: no catalog lists it, so it is not proven.",
        "Use it only on a table that has it; a view does not pass it on.",
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
    "unit-id-spelling": Code(
        _W,
        "A unit ID differs from one of Statsig's own only in case or underscores. Statsig tells them apart: "
        "experiments on the built-in one would find no rows.",
        "Write the unit ID as Statsig does; ignore this if your project has a unit ID of that very name.",
        example="id_type_mapping:\n  userID: user_id  # not userId",
    ),
    "unit-id-unlisted": Code(
        _W,
        "Statsig does not list this custom unit ID. Only `plan` asks; a list that is empty or that cannot be read "
        "proves nothing.",
        "Add it in Statsig (Settings > Unit IDs), or write it as Statsig does; upper and lower case count.",
        example="id_type_mapping:\n  companyID: company_id  # as Settings > Unit IDs lists it",
    ),
    "not-kept": Code(
        _W,
        "Statsig keeps another value of this field than the one that is sent. The ownership line has a note of it, and "
        "no sync writes for it until either value changes.",
        "Declare what Statsig keeps, or find out why it keeps another value.",
        example="tags: [core, from-api]  # as Statsig keeps them",
    ),
    "partition-type-unknown": Code(
        _E,
        "Nothing proves whether the partition column is a date, a timestamp or an integer, and the date filter depends "
        "on it: a wrong cast fails, or drops every row in silence. A warning while the model is not compiled.",
        "Set `partition_type` to date, timestamp or integer; or run `dbt docs generate`, or enforce a contract.",
        example="partition_column: ds\npartition_type: date",
    ),
    "partition-type": Code(
        _W,
        "The partition column is not a date, timestamp or integer. Text is cast to a day, which may fail in the "
        "warehouse; for other types no filter can be built, which is an error.",
        "Partition by a date, set `partition_type: integer` for a day such as 20240110, or write the filter yourself "
        "with `where` or `sql`.",
    ),
    "owner-not-sent": Code(
        _W,
        "Statsig's API refuses the owner of an entity property source, so it is sent in no write.",
        "Remove the key, and set the owner in Statsig.",
    ),
    "fields-lost": Code(
        _W,
        "Statsig holds values of this object that its published API takes in no write. Metric sources and qualifying "
        "events are always updated as a whole, the other kinds where their SQL changes, and a whole update may drop "
        "these values. Only `plan` and `sync` look.",
        "Write the values down, and set them again in Statsig where they are gone after the sync.",
    ),
    "hidden-columns-shown": Code(
        _W,
        "A table source shows every column of its table in Statsig, tagged as hidden or not.",
        "Drop `source_type: table`, so that the SQL leaves them out.",
    ),
    # Roles
    "timestamp-type": Code(
        _W,
        "The timestamp column is of a type that is no time; Statsig compares it with the time of exposure.",
        "Map a date or timestamp column, or cast it in the model.",
    ),
    "timestamp-as-day": Code(
        _W,
        "A DATE is read as midnight unless `timestamp_as_day` says that it is a day, and rows before the exposure do "
        "not count; of a TIMESTAMP that key drops the time of day.",
        "Set `timestamp_as_day: true` for a DATE; leave it out for a TIMESTAMP.",
    ),
    "not-null-untested": Code(
        _N,
        "A unit ID, experiment or group that is empty takes its row out of every result, and no test would tell.",
        "Add dbt's `not_null` test to the column.",
    ),
    "no-properties": Code(
        _W,
        "An entity property source whose SQL gives no property.",
        "Add the columns that describe the unit, or name them with `columns`.",
    ),
    "slow-view": Code(
        _N,
        "Statsig's guides advise against heavy joins and for materialised tables: a source is flagged as slow when "
        "100 sample rows take over 30 s. Told only with the setting `guides`.",
        "Materialise the model as a table or incrementally.",
    ),
    "unfiltered-scan": Code(
        _N,
        "Statsig's guides advise to filter by the partition column with the date macros, so that a scan reads the "
        "days that it needs. Told only with the setting `guides`.",
        "Add `partition_column: <date column>`.",
    ),
    # The project
    "nothing-declared": Code(
        _W, "No node of this manifest is marked for Statsig.", "Add a `config.meta.statsig` block to a model."
    ),
    "nothing-selected": Code(
        _W,
        "A part of the selection matches no node, so that less may be checked and pushed than was meant.",
        "Correct the name; `dbt ls --select …` shows what dbt selects.",
    ),
    "manifest-outdated": Code(
        _W,
        "A YAML file was changed after dbt wrote the manifest, and its Statsig blocks are not those of the manifest: "
        "what is checked and pushed is the state before.",
        "Run `dbt compile`.",
    ),
    "yaml-unreadable": Code(
        _W,
        "A property file could not be read, so places in it are not known.",
        "Correct the YAML at the place that the message names.",
    ),
    "server-refused": Code(
        _E,
        "Statsig itself refuses this source when it is asked with dryRun (--server-check).",
        "Correct what Statsig's message names.",
    ),
    # What a change does, against the artifacts of another branch (--state)
    "impact-column-dropped": Code(
        _W,
        "This change takes a column away that a source maps: experiments that read it would fail or lose data.",
        "Keep the column, or map another one in the same change.",
    ),
    "impact-selected-column-dropped": Code(
        _W,
        "This change takes a column out of a source's SQL: metrics and filters built on it in Statsig would fail.",
        "Keep the column until nothing in Statsig uses it.",
    ),
    "impact-source-changed": Code(
        _N,
        "This change maps another column in one of a source's roles, or gives it other rows, another query or another "
        "formula: results before and after may not compare.",
        "Make sure that both mean the same, or tell those who run experiments on it.",
    ),
    "impact-sql-changed": Code(
        _N,
        "The SQL of a source's model, or of a model, macro or seed above it, changed: the same columns may hold other "
        "values.",
        "Compare the rows before and after, above all the columns that hold groups, units and values.",
    ),
    "impact-column-type-changed": Code(
        _W,
        "The model's contract gives another type to a column that a source maps or selects.",
        "Make sure that Statsig can use the new type in that role, and that values still compare.",
    ),
    "impact-source-removed": Code(
        _W,
        "This change no longer declares a source; Statsig keeps the object, and it reads the same table as before.",
        "Delete it with --prune when nothing uses it, or declare it again.",
    ),
    "impact-source-renamed": Code(
        _N,
        "This change gives a source another name; assignment and entity property sources are renamed in Statsig, "
        "of the other kinds a second object is created.",
        "Tell those who look for the old name.",
    ),
    "impact-model-renamed": Code(
        _W,
        "This change renames or replaces the model that a source reads; until the next build and sync, Statsig reads "
        "the old table, which no longer gets new rows.",
        "Build and sync right after the merge, and drop the old table only then.",
    ),
    "impact-table-renamed": Code(
        _W,
        "This change gives the model's table another name; until the next build and sync, Statsig reads the old one.",
        "Build and sync right after the merge, and drop the old table only then.",
    ),
    "impact-upstream-column-dropped": Code(
        _N,
        "A model that stands above a source loses a column; the source's own columns may still be there, with other "
        "values.",
        "Look whether the source's rows still mean the same.",
    ),
    "impact-upstream-gone": Code(
        _N,
        "A model that stood above a source is gone or has another name.",
        "Look whether the source's rows still mean the same.",
    ),
    "impact-unknown": Code(
        _N,
        "The columns of some models could not be compared, because one side does not tell them all.",
        "Run `dbt compile` for both sides.",
    ),
    "impact-experiment": Code(
        _W,
        "A running experiment uses a source that this change touches.",
        "Agree on it with the experiment's owner before the merge.",
    ),
}

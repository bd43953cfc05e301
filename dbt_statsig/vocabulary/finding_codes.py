"""The catalogue of findings: each code's weight, what it means and how to fix it."""

from __future__ import annotations

from dbt_statsig.vocabulary.code import Code, Severity

__all__ = ["CODES", "Code", "Severity"]

_E, _W, _N = Severity.ERROR, Severity.WARNING, Severity.NOTE

CODES: dict[str, Code] = {
    # The declaration itself
    "unknown-key": Code(
        _E,
        "No source of this kind has this key. Without this error it would be silently ignored.",
        "Correct the spelling or remove the key.",
    ),
    "wrong-type": Code(
        _E,
        "The value has a type that the key does not take.",
        "Write the value in the form that the message gives.",
    ),
    "missing-key": Code(
        _E,
        "A required key is missing.",
        "Add the key, or mark the column with its role.",
    ),
    "bad-name": Code(
        _E, "The name is empty, too long, reserved by the API, or begins or ends with a blank.", "Choose another name."
    ),
    "duplicate-name": Code(
        _E, "Two sources of one kind have the same name (compared without case).", "Rename one of them."
    ),
    "duplicate-key": Code(
        _E,
        "A key is given twice. YAML silently keeps only the last one.",
        "Remove or merge one of them.",
    ),
    "contradiction": Code(
        _E,
        "A column mark and the model's own block contradict each other.",
        "Remove one of the two.",
    ),
    "unrendered-jinja": Code(
        _E,
        "A value still contains {{ or {%: dbt did not render it.",
        "Quote the whole value in YAML, or write it out.",
    ),
    "not-a-relation": Code(
        _E,
        "The node has no table or view: it is ephemeral, or its relation_name does not name one.",
        "Materialise it as a table or view, or remove the mark.",
    ),
    "node-disabled": Code(
        _N,
        "A node with a block is disabled in this target, so dbt builds no table for it. Its block is ignored, and its "
        "objects in Statsig do not change.",
        "Do nothing, unless the node should be enabled in this target.",
    ),
    "not-latest-version": Code(
        _N,
        "A block on a model version that is not the latest is ignored.",
        "Move the block to the latest version, or to the model itself.",
    ),
    "unsupported-node": Code(
        _E, "Only models, snapshots, seeds and source tables can be Statsig sources.", "Move the block to one of these."
    ),
    "metric-not-mapped": Code(
        _W,
        "A metric of dbt's semantic layer computes what no metric in Statsig does, so it is not sent. The message says "
        "what it is.",
        "Write the metric under `metrics` of the model's `metric_source`, or exclude it.",
    ),
    "unknown-metric": Code(
        _W,
        "The setting `semantic_layer.exclude` names a metric or semantic model that the project does not have.",
        "Correct or remove the name.",
    ),
    "key-not-allowed": Code(
        _E, "The key cannot be combined with another key of the same source.", "Remove one of the two."
    ),
    "unknown-macro": Code(
        _E,
        "A {statsig_…} macro does not exist, or this kind of source cannot use it.",
        "Use one of the macros that the message lists.",
    ),
    "bad-sql": Code(
        _E,
        "A predicate, formula or query does not parse in the warehouse's dialect.",
        "Correct the SQL at the position in the message.",
    ),
    "hidden-columns-open": Code(
        _E,
        "Columns tagged as hidden cannot be excluded while the full list of columns is unknown.",
        "Run `dbt compile` or `dbt docs generate`, or list the columns to select in `columns`.",
    ),
    # Columns
    "column-absent": Code(
        _E, "A named column does not exist in the model.", "Correct the name, or add the column to the model."
    ),
    "column-unknown": Code(
        _W,
        "There is no proof that a named column exists or does not exist.",
        "Run `dbt compile` and `dbt docs generate`, or enforce a contract.",
    ),
    "column-documented-only": Code(
        _N,
        "A named column is documented in YAML but not proven.",
        "Run `dbt compile` and `dbt docs generate`, or enforce a contract.",
    ),
    "column-case": Code(
        _W,
        "The column exists only with other upper or lower case, and this warehouse is case-sensitive.",
        "Write the name as the warehouse stores it.",
    ),
    "column-not-built": Code(
        _E,
        "The model's SQL has the column, but the table in the warehouse does not have it yet.",
        "Build the model, then run `dbt docs generate`.",
    ),
    "column-going": Code(
        _W,
        "The catalog has the column, but the model's SQL no longer selects it. The next build removes it from the "
        "table.",
        "Keep the column in the model, or map another one.",
    ),
    "column-not-filled": Code(
        _W,
        "The model's SQL does not select the column. The table of an incremental model or snapshot keeps old columns, "
        "and new rows have NULL there.",
        "Keep the column in the model, or map another one.",
    ),
    "column-pseudo": Code(
        _N,
        "A pseudo column of the warehouse, such as BigQuery's _PARTITIONTIME. No catalog lists it, so it is not "
        "proven.",
        "Use it only on a table that has it. A view does not have it.",
    ),
    "catalog-stale": Code(
        _W,
        "The catalog is older than the manifest and disagrees with the model's SQL.",
        "Run `dbt docs generate` again.",
    ),
    "not-compiled": Code(
        _N,
        "The manifest has no compiled SQL for some models, so their columns cannot be inferred.",
        "Run `dbt compile` first.",
    ),
    "adapter-unknown": Code(
        _W,
        "The adapter's SQL dialect is not known, so columns are not inferred.",
        "Run `dbt docs generate`: the catalog is evidence too.",
    ),
    "warehouse-refused": Code(
        _E,
        "The warehouse refuses SQL of a source: its query, `where`, a formula or a metric's filter. Only "
        "`validate --warehouse` checks this.",
        "Correct the SQL. Where a table is missing, build the model in this target.",
    ),
    # Payload
    "skip-validation-unproven": Code(
        _W,
        "`skip_validation` needs proof of every column and its type, and some are not proven.",
        "Run `dbt docs generate`, or remove `skip_validation`.",
    ),
    "unit-id-spelling": Code(
        _W,
        "A unit ID differs from a built-in one of Statsig only in case or underscores. Unit IDs are case-sensitive: "
        "experiments on the built-in one would find no rows.",
        "Write the unit ID as Statsig does. Ignore this if your Statsig project has a unit ID of exactly this name.",
    ),
    "unit-id-twice": Code(
        _W,
        "Two unit IDs of one source read the same column. Experiments on one of them then count other units than they "
        "mean, or join exposures and metrics by the wrong ID.",
        "Give each unit ID its own column. Ignore this if both IDs are the same by design.",
    ),
    "unit-id-unlisted": Code(
        _W,
        "Statsig does not list this custom unit ID. Only `plan` checks this, and only where Statsig's list can be "
        "read and is not empty.",
        "Add it in Statsig (Settings > Unit IDs), or write it as Statsig does. Unit IDs are case-sensitive.",
    ),
    "not-kept": Code(
        _W,
        "Statsig keeps another value of this field than the one sent. The ownership line notes it, and no sync writes "
        "because of it until either value changes.",
        "Declare the value that Statsig keeps, or find out why it keeps another one; `sync --force` sends it again.",
    ),
    "partition-type-unknown": Code(
        _E,
        "There is no proof that the partition column is a date, a timestamp or an integer. The date filter depends on "
        "it: a wrong cast fails, or silently drops every row. Only a warning while the model is not compiled.",
        "Set `partition_type` to date, timestamp or integer; or run `dbt docs generate`, or enforce a contract.",
    ),
    "partition-type": Code(
        _W,
        "The partition column is not a date, timestamp or integer. Text is cast to a day, which may fail in the "
        "warehouse. For other types no filter can be built, which is an error.",
        "Partition by a date, set `partition_type: integer` for a day such as 20240110, or write the filter yourself "
        "with `where` or `sql`.",
    ),
    "owner-not-sent": Code(
        _W,
        "Statsig's API refuses the owner of an entity property source, so it is never sent.",
        "Remove the key, and set the owner in Statsig.",
    ),
    "fields-lost": Code(
        _W,
        "Statsig has values of this object that its published API accepts in no write. An update of the whole object "
        "may remove them: every update of a metric source or qualifying event, and an update of the SQL of the other "
        "kinds. Only `plan` and `sync` check this.",
        "Note the values, and set them again in Statsig if they are missing after the sync.",
    ),
    "hidden-columns-shown": Code(
        _W,
        "A table source shows every column of its table in Statsig, tagged as hidden or not.",
        "Remove `source_type: table`; the SQL then excludes them.",
    ),
    # Metrics
    "metric-name": Code(
        _E,
        "Statsig wants 4 to 200 letters without accents, digits, blanks and `_ . - ( ) / % :`.",
        "Use the name that the message proposes.",
    ),
    "metric-description": Code(_E, "With the ownership line it has more than 1,000 characters.", "Shorten it."),
    "metric-source-undeclared": Code(
        _W,
        "The metric reads a metric source that this project does not declare: nothing of it is checked. Where Statsig "
        "does not have it either, the metric is not pushed.",
        "Correct the name, or declare the source.",
    ),
    "metric-column-type": Code(
        _W, "The aggregation needs numbers.", "Name a column of numbers, cast it in the model, or count instead."
    ),
    "metric-unit": Code(_E, "Each source of a metric must have its unit IDs.", "Name or map a unit ID of the source."),
    # Roles
    "timestamp-type": Code(
        _W,
        "The timestamp column is not a date or timestamp. Statsig compares it with the time of exposure.",
        "Map a date or timestamp column, or cast it in the model.",
    ),
    "timestamp-as-day": Code(
        _W,
        "A DATE is read as midnight unless `timestamp_as_day` is true, and rows before the exposure do not count. For "
        "a TIMESTAMP, that key ignores the time of day.",
        "Set `timestamp_as_day: true` for a DATE, and remove it for a TIMESTAMP.",
    ),
    "not-null-untested": Code(
        _N,
        "No `not_null` test covers a unit ID, experiment or group column. Rows where it is NULL are missing from "
        "every result.",
        "Add dbt's `not_null` test to the column.",
    ),
    "no-properties": Code(
        _W,
        "The SQL of an entity property source selects no property.",
        "Add the columns that describe the unit, or list them in `columns`.",
    ),
    "slow-view": Code(
        _N,
        "Statsig's guides recommend materialised tables over heavy joins: a source is flagged as slow when 100 sample "
        "rows take over 30 s. Reported only when `guides` is on.",
        "Materialise the model as a table or incrementally.",
    ),
    "unfiltered-scan": Code(
        _N,
        "Statsig's guides recommend a filter on the partition column with the date macros, so that a scan reads only "
        "the days it needs. Reported only when `guides` is on.",
        "Add `partition_column: <date column>`.",
    ),
    "rows-untested": Code(
        _N,
        "The project has the dbt package, and no test of it looks at the rows of this node: units in two groups, empty "
        "unit IDs or local time would show up in Statsig only. Reported only when `guides` is on.",
        "Run `dbt-statsig tests --write`, or add `dbt_statsig.fit_for_statsig` to the node's `data_tests`.",
    ),
    # The project
    "nothing-declared": Code(
        _W,
        "No node of this manifest is marked for Statsig.",
        "Run `dbt-statsig init` to see which models look like sources, and `dbt-statsig init MODEL --write` for a "
        "model's first block.",
    ),
    "nothing-selected": Code(
        _W,
        "A part of the selection matches no node, so less than intended may be checked and pushed.",
        "Correct the name; `dbt ls --select …` shows what dbt selects.",
    ),
    "manifest-outdated": Code(
        _W,
        "A YAML file changed after dbt wrote the manifest, and its Statsig blocks, or the metrics of dbt's semantic "
        "layer that are taken, differ from the manifest's. The older state is checked and pushed.",
        "Run `dbt compile`.",
    ),
    "yaml-unreadable": Code(
        _W,
        "A property file cannot be read, so findings have no line in it.",
        "Correct the YAML at the position in the message.",
    ),
    "server-refused": Code(
        _E,
        "Statsig refuses this source in a dry run (`--server-check`).",
        "Correct what Statsig's message says.",
    ),
    # What a change does, against the artifacts of another branch (--state)
    "impact-column-dropped": Code(
        _W,
        "This change removes a column that a source maps. Experiments that read it would fail or lose data.",
        "Keep the column, or map another one in the same change.",
    ),
    "impact-selected-column-dropped": Code(
        _W,
        "This change removes a column from a source's SQL. Metrics and filters built on it in Statsig would fail.",
        "Keep the column until nothing in Statsig uses it.",
    ),
    "impact-source-changed": Code(
        _N,
        "This change maps another column, or changes a source's rows, query or formulas. Results before and after may "
        "not be comparable.",
        "Make sure that both mean the same, or inform those who run experiments on it.",
    ),
    "impact-sql-changed": Code(
        _N,
        "The SQL of a source's model, or of a model, macro or seed upstream, changed. The same columns may have other "
        "values.",
        "Compare the rows before and after, above all the columns that hold groups, units and values.",
    ),
    "impact-column-type-changed": Code(
        _W,
        "The model's contract changes the type of a column that a source maps or selects.",
        "Make sure that Statsig can use the new type, and that values are still comparable.",
    ),
    "impact-source-removed": Code(
        _W,
        "This change no longer declares a source. The object stays in Statsig and reads the same table.",
        "When nothing uses it, run `sync --prune`, which deletes sources and archives metrics. Or declare it again.",
    ),
    "impact-source-renamed": Code(
        _N,
        "This change renames a source. Assignment and entity property sources are renamed in Statsig; for the other "
        "kinds a second object is created.",
        "Inform those who use the old name.",
    ),
    "impact-model-renamed": Code(
        _W,
        "This change renames or replaces the model that a source reads. Until the next build and sync, Statsig reads "
        "the old table, which gets no new rows.",
        "Build and sync right after the merge, and drop the old table after that.",
    ),
    "impact-table-renamed": Code(
        _W,
        "This change renames the model's table. Until the next build and sync, Statsig reads the old one.",
        "Build and sync right after the merge, and drop the old table after that.",
    ),
    "impact-upstream-column-dropped": Code(
        _N,
        "An upstream model of a source loses a column. The source's own columns may still exist, with other values.",
        "Check that the source's rows still mean the same.",
    ),
    "impact-upstream-gone": Code(
        _N,
        "An upstream model of a source was removed or renamed.",
        "Check that the source's rows still mean the same.",
    ),
    "impact-unknown": Code(
        _N,
        "The columns of some models could not be compared, because they are not all known on one side.",
        "Run `dbt compile` for both sides.",
    ),
    "impact-experiment": Code(
        _W,
        "Running experiments use a source or a metric that this change touches.",
        "Ask the experiments' owners before the merge.",
    ),
    "impact-experiments-unchecked": Code(
        _N,
        "It is not known, or not in full, which experiments a touched source reaches: Statsig was not asked, a list "
        "was refused or incomplete, or Statsig does not publish it.",
        "Run `plan --state` with a Console API key that may read experiments and metrics.",
    ),
}

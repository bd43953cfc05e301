"""Makes a dbt project of any size, as dbt leaves it after `dbt compile`: manifest.json and the property files.

Keys and proportions are those of manifests that dbt 1.11 writes: about 13 kB a model, more than half of it tests,
documentation and the keys that are always there; SQL in layers, most of it ending in `select * from final`.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime, timezone
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = "made"
DOMAIN = 10
"""Models of one folder: two of staging, three in between, four marts, one table of exposures."""

MEASURES = [f"measure_{number}" for number in range(1, 13)]
FLAGS = [f"is_flag_{number}" for number in range(1, 5)]
COLUMNS = ["row_id", "user_id", "device_id", "status", "happened_at", *MEASURES, *FLAGS]
TEXT = (
    "What this column holds, where it comes from, and what is special about it: filled by the nightly load, empty "
    "for rows that were written before the migration."
)
MACROS = 550

Node = dict[str, Any]


def make(folder: Path, *, models: int, marked: int) -> Path:
    """Write the project and give the path of its manifest; the marked models are spread over the whole project."""
    nodes: dict[str, Node] = {}
    sources: dict[str, Node] = {}
    domains = models // DOMAIN
    chosen = {place * domains // marked for place in range(marked)} if marked else set()
    (folder / "models").mkdir(parents=True, exist_ok=True)
    (folder / "target").mkdir(exist_ok=True)
    (folder / "dbt_project.yml").write_text(f"name: {PROJECT}\nversion: '1.0'\nprofile: made\n", encoding="utf-8")
    for number in range(domains):
        made = list(_domain(number, statsig=number in chosen))
        for node in made:
            (sources if node["resource_type"] == "source" else nodes)[node["unique_id"]] = node
        _write_properties(folder, number, made)
    path = folder / "target" / "manifest.json"
    path.write_text(json.dumps(_manifest(nodes, sources)), encoding="utf-8")
    return path


def _domain(number: int, *, statsig: bool) -> Iterator[Node]:
    """The nodes of one folder."""
    raw = [f"d{number}_raw_{kind}" for kind in ("events", "users")]
    for name in raw:
        yield _source(number, name)
    staged = [f"d{number}_stg_{kind}" for kind in ("events", "users")]
    for name, source in zip(staged, raw, strict=True):
        yield _model(number, name, _staging_sql(source), [f"source.{PROJECT}.raw_d{number}.{source}"])
    between = [f"d{number}_int_{kind}" for kind in ("joined", "daily", "ranked")]
    yield _model(number, between[0], _joined_sql(*staged), _ids(*staged))
    yield _model(number, between[1], _daily_sql(between[0]), _ids(between[0]))
    yield _model(number, between[2], _ranked_sql(between[0]), _ids(between[0]))
    for place in range(4):
        parents = between[1:] if place % 2 else [between[0], between[2]]
        yield _model(number, f"d{number}_mart_{place}", _mart_sql(place, *parents), _ids(*parents))
    name = f"d{number}_fct_exposures"
    yield _model(number, name, _exposures_sql(between[0]), _ids(between[0]), _block(number) if statsig else None)
    for model in (*staged, *between, name):
        yield _test(number, model, "row_id", "not_null")
        yield _test(number, model, "row_id", "unique")


def _ids(*names: str) -> list[str]:
    return [f"model.{PROJECT}.{name}" for name in names]


def _block(number: int) -> Node:
    return {
        "assignment_source": {
            "name": f"Exposures {number}",
            "timestamp_column": "happened_at",
            "experiment_id_column": "experiment_key",
            "group_id_column": "group_key",
            "id_type_mapping": {"userID": "user_id", "stableID": "device_id"},
        }
    }


def _relation(name: str, schema: str = "main") -> str:
    return f'"made"."{schema}"."{name}"'


def _lines(*parts: str) -> str:
    return ",\n        ".join(parts)


def _staging_sql(source: str) -> str:
    renamed = [f"cast(raw_{name} as numeric(38, 6)) as {name}" for name in MEASURES]
    renamed += [f"coalesce(raw_{name}, false) as {name}" for name in FLAGS]
    keys = ["id as row_id", "user_ref as user_id", "device_ref as device_id"]
    keys += ["lower(trim(state)) as status", "cast(created as timestamp) as happened_at"]
    return f"""with source as (
    select * from {_relation(source, "raw")}
),
renamed as (
    select
        {_lines(*keys, *renamed)}
    from source
    where not coalesce(is_deleted, false)
)
select * from renamed"""


def _joined_sql(events: str, users: str) -> str:
    summed = [f"events.{name} + coalesce(users.{name}, 0) as {name}" for name in MEASURES]
    flags = [f"case when events.{name} or users.{name} then true else false end as {name}" for name in FLAGS]
    return f"""with events as (
    select * from {_relation(events)}
),
users as (
    select * from {_relation(users)}
),
joined as (
    select
        {_lines("events.row_id", "events.user_id", "events.device_id", "users.status", "events.happened_at")},
        {_lines(*summed, *flags)}
    from events
    left join users
        on events.user_id = users.user_id
        and events.happened_at between users.happened_at and users.happened_at + interval '30 days'
)
select * from joined"""


def _daily_sql(parent: str) -> str:
    sums = [f"sum(case when status = 'done' then {name} else 0 end) as {name}" for name in MEASURES]
    return f"""with base as (
    select * from {_relation(parent)}
),
final as (
    select
        min(row_id) as row_id,
        user_id,
        date_trunc('day', happened_at) as happened_on,
        count(*) as row_count,
        count(distinct device_id) as device_count,
        {_lines(*sums)}
    from base
    group by user_id, date_trunc('day', happened_at)
)
select * from final"""


def _ranked_sql(parent: str) -> str:
    return f"""with base as (
    select * from {_relation(parent)}
),
ranked as (
    select
        base.*,
        row_number() over (partition by user_id order by happened_at desc) as recency,
        lag(happened_at) over (partition by user_id order by happened_at) as previous_at,
        sum(measure_1) over (partition by user_id order by happened_at rows unbounded preceding) as running
    from base
)
select * from ranked where recency <= 100"""


def _mart_sql(place: int, left: str, right: str) -> str:
    ratios = [f"l.{name} / nullif(r.{name}, 0) as {name}_ratio" for name in MEASURES]
    return f"""with l as (
    select * from {_relation(left)}
),
r as (
    select * from {_relation(right)}
),
combined as (
    select
        l.*,
        {_lines(*ratios)},
        coalesce(r.row_id, l.row_id) as any_row_id
    from l
    inner join r on l.user_id = r.user_id
    where l.measure_{place + 1} > 0
),
final as (
    select
        *,
        case
            when measure_1 > 100 then 'high'
            when measure_1 > 10 then 'middle'
            else 'low'
        end as band
    from combined
)
select * from final"""


def _exposures_sql(parent: str) -> str:
    return f"""with base as (
    select * from {_relation(parent)}
),
assigned as (
    select
        base.*,
        'experiment_' || cast(mod(row_id, 20) as varchar) as experiment_key,
        case when mod(row_id, 2) = 0 then 'control' else 'test' end as group_key
    from base
    where is_flag_1
)
select * from assigned"""


def _column(name: str) -> Node:
    return {
        "name": name, "description": TEXT, "meta": {}, "data_type": None, "constraints": [], "quote": None,
        "config": {"meta": {}, "tags": []}, "tags": [], "granularity": None, "doc_blocks": [],
    }  # fmt: skip


def _config(materialized: str, meta: Node) -> Node:
    return {
        "enabled": True, "alias": None, "schema": None, "database": None, "tags": [], "meta": meta, "group": None,
        "materialized": materialized, "incremental_strategy": None, "batch_size": None, "lookback": 1, "begin": None,
        "persist_docs": {}, "post-hook": [], "pre-hook": [], "quoting": {}, "column_types": {}, "full_refresh": None,
        "unique_key": None, "on_schema_change": "ignore", "on_configuration_change": "apply", "grants": {},
        "packages": [], "docs": {"show": True, "node_color": None},
        "contract": {"enforced": False, "alias_types": True}, "event_time": None, "concurrent_batches": None,
        "access": "protected", "freshness": None, "static_analysis": None,
    }  # fmt: skip


def _model(number: int, name: str, sql: str, parents: list[str], statsig: Node | None = None) -> Node:
    meta: Node = {"owner": "data", "statsig": statsig} if statsig else {"owner": "data"}
    return {
        "database": "made", "schema": "main", "name": name, "resource_type": "model", "package_name": PROJECT,
        "path": f"d{number}/{name}.sql", "original_file_path": f"models/d{number}/{name}.sql",
        "unique_id": f"model.{PROJECT}.{name}", "fqn": [PROJECT, f"d{number}", name], "alias": name,
        "checksum": {"name": "sha256", "checksum": sha256(sql.encode()).hexdigest()},
        "config": _config("table", meta), "tags": [], "description": TEXT,
        "columns": {column: _column(column) for column in COLUMNS[:14]}, "meta": meta, "group": None,
        "docs": {"show": True, "node_color": None}, "patch_path": f"{PROJECT}://models/d{number}/_models.yml",
        "build_path": None, "unrendered_config": {"materialized": "table", "meta": meta}, "created_at": 1.7e9,
        "relation_name": _relation(name), "raw_code": sql.replace('"made"."main".', "ref "), "doc_blocks": [],
        "language": "sql", "refs": [{"name": parent, "package": None, "version": None} for parent in parents],
        "sources": [], "metrics": [], "functions": [],
        "depends_on": {"macros": [f"macro.dbt.macro_{place}" for place in range(2)], "nodes": parents},
        "compiled_path": f"target/compiled/{PROJECT}/models/d{number}/{name}.sql", "compiled": True,
        "compiled_code": sql, "extra_ctes_injected": True, "extra_ctes": [],
        "contract": {"enforced": False, "alias_types": True, "checksum": None}, "access": "protected",
        "constraints": [], "version": None, "latest_version": None, "deprecation_date": None, "primary_key": [],
        "time_spine": None,
    }  # fmt: skip


def _test(number: int, model: str, column: str, kind: str) -> Node:
    name = f"{kind}_{model}_{column}"
    unique_id = f"test.{PROJECT}.{name}.{sha256(name.encode()).hexdigest()[:10]}"
    sql = f"select {column}\nfrom {_relation(model)}\nwhere {column} is null"
    return {
        "test_metadata": {
            "name": kind,
            "kwargs": {"column_name": column, "model": f"{{{{ get_where_subquery(ref('{model}')) }}}}"},
            "namespace": None,
        },
        "database": "made", "schema": "main_dbt_test__audit", "name": name, "resource_type": "test",
        "package_name": PROJECT, "path": f"{name}.sql", "original_file_path": f"models/d{number}/_models.yml",
        "unique_id": unique_id, "fqn": [PROJECT, f"d{number}", name], "alias": name,
        "checksum": {"name": "none", "checksum": ""},
        "config": {
            "enabled": True, "alias": None, "schema": "dbt_test__audit", "database": None, "tags": [], "meta": {},
            "group": None, "materialized": "test", "severity": "ERROR", "store_failures": None,
            "store_failures_as": None, "where": None, "limit": None, "fail_calc": "count(*)", "warn_if": "!= 0",
            "error_if": "!= 0",
        },
        "tags": [], "description": "", "columns": {}, "meta": {}, "group": None,
        "docs": {"show": True, "node_color": None}, "patch_path": None, "build_path": None, "unrendered_config": {},
        "created_at": 1.7e9, "relation_name": None, "raw_code": "{{ test_" + kind + "(**_dbt_generic_test_kwargs) }}",
        "doc_blocks": [], "language": "sql", "refs": [{"name": model, "package": None, "version": None}],
        "sources": [], "metrics": [], "functions": [],
        "depends_on": {"macros": [f"macro.dbt.test_{kind}"], "nodes": _ids(model)},
        "compiled_path": f"target/compiled/{PROJECT}/models/d{number}/_models.yml/{name}.sql", "compiled": True,
        "compiled_code": sql, "extra_ctes_injected": True, "extra_ctes": [],
        "contract": {"enforced": False, "alias_types": True, "checksum": None}, "column_name": column,
        "file_key_name": f"models.{model}", "attached_node": f"model.{PROJECT}.{model}",
    }  # fmt: skip


def _source(number: int, name: str) -> Node:
    schema = f"raw_d{number}"
    path = f"models/d{number}/_sources.yml"
    return {
        "database": "made", "schema": "raw", "name": name, "resource_type": "source", "package_name": PROJECT,
        "path": path, "original_file_path": path, "unique_id": f"source.{PROJECT}.{schema}.{name}",
        "fqn": [PROJECT, f"d{number}", schema, name], "source_name": schema, "source_description": TEXT, "loader": "",
        "identifier": name, "quoting": {"database": None, "schema": None, "identifier": None, "column": None},
        "loaded_at_field": None, "loaded_at_query": None, "freshness": None, "external": None, "description": TEXT,
        "columns": {column: _column(column) for column in ("id", "user_ref", "created")}, "meta": {},
        "source_meta": {}, "tags": [], "config": {"enabled": True, "event_time": None, "meta": {}, "tags": []},
        "patch_path": None, "unrendered_config": {}, "relation_name": _relation(name, "raw"), "created_at": 1.7e9,
        "unrendered_database": None, "unrendered_schema": None, "doc_blocks": [],
    }  # fmt: skip


def _macros() -> dict[str, Node]:
    body = "{% macro made(x) %}\n" + "  {% set y = x | map(attribute='name') | list %}\n" * 12 + "{% endmacro %}"
    return {
        f"macro.dbt.macro_{place}": {
            "name": f"macro_{place}", "resource_type": "macro", "package_name": "dbt", "path": "macros/made.sql",
            "original_file_path": "macros/made.sql", "unique_id": f"macro.dbt.macro_{place}", "macro_sql": body,
            "depends_on": {"macros": []}, "description": "", "meta": {}, "docs": {"show": True, "node_color": None},
            "config": {"meta": {}, "docs": {"show": True, "node_color": None}}, "patch_path": None, "arguments": [],
            "created_at": 1.7e9, "supported_languages": None,
        }
        for place in range(MACROS)
    }  # fmt: skip


def _manifest(nodes: dict[str, Node], sources: dict[str, Node]) -> Node:
    every = {**nodes, **sources}
    parents = {name: node.get("depends_on", {}).get("nodes", []) for name, node in every.items()}
    children: dict[str, list[str]] = {name: [] for name in every}
    for name, above in parents.items():
        for parent in above:
            children[parent].append(name)
    return {
        "metadata": {
            "dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json", "dbt_version": "1.11.2",
            "generated_at": f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%S.%fZ}",
            "invocation_id": "00000000-0000-4000-8000-000000000000",
            "env": {}, "project_name": PROJECT, "project_id": "0" * 32, "user_id": None,
            "send_anonymous_usage_stats": False, "adapter_type": "postgres",
            "quoting": {"database": True, "schema": True, "identifier": True, "column": None},
        },
        "nodes": nodes, "sources": sources, "macros": _macros(), "docs": {}, "exposures": {}, "metrics": {},
        "groups": {}, "selectors": {}, "disabled": {}, "parent_map": parents, "child_map": children, "group_map": {},
        "saved_queries": {}, "semantic_models": {}, "unit_tests": {}, "functions": {},
    }  # fmt: skip


def _write_properties(folder: Path, number: int, nodes: list[Node]) -> None:
    """The property file of one folder, its blocks as the manifest has them."""
    lines = ["version: 2", "", "models:"]
    for node in nodes:
        if node["resource_type"] != "model":
            continue
        lines += [f"  - name: {node['name']}", f"    description: {json.dumps(node['description'])}"]
        lines += ["    config:", "      meta:", "        owner: data"]
        for kind, block in (node["meta"].get("statsig") or {}).items():
            lines += ["        statsig:", f"          {kind}:"]
            lines += [f"            {key}: {json.dumps(value)}" for key, value in block.items()]
        lines += ["    columns:"]
        for name in node["columns"]:
            lines += [f"      - name: {name}", f"        description: {json.dumps(TEXT)}"]
    (folder / "models" / f"d{number}").mkdir(exist_ok=True)
    (folder / "models" / f"d{number}" / "_models.yml").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    make(Path(sys.argv[1]), models=int(sys.argv[2]), marked=int(sys.argv[3]))

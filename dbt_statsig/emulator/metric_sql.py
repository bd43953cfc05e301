"""The SQL of a metric that a warehouse can run: its value for each unit, and over all units.

Only what a plain aggregate can say: count, sum, mean, count_distinct and ratios of these. Windows, caps and exposures
do not count here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["overall_sql", "unit_sql"]

_AGGREGATES = {"count": "COUNT({0})", "sum": "SUM({0})", "mean": "AVG({0})", "count_distinct": "COUNT(DISTINCT {0})"}
_COMPARED = ("=", ">", "<", ">=", "<=")
_PATTERNS = {
    "contains": ("LIKE", "%{}%"),
    "not_contains": ("NOT LIKE", "%{}%"),
    "starts_with": ("LIKE", "{}%"),
    "ends_with": ("LIKE", "%{}"),
}
_TESTS = {"is_null": "IS NULL", "non_null": "IS NOT NULL", "is_true": "IS TRUE", "is_false": "IS FALSE"}


def unit_sql(native: Mapping[str, Any], sources: Mapping[str, Mapping[str, Any]], unit: str) -> str:
    """The metric's value for each unit of a type; empty where it cannot be said."""
    rows = _rows(native, sources, unit)
    return (
        f"SELECT unit_id, {_value(native)} AS value\nFROM (\n{rows}\n) AS metric_rows\nGROUP BY unit_id" if rows else ""
    )


def overall_sql(native: Mapping[str, Any], sources: Mapping[str, Mapping[str, Any]]) -> str:
    """The metric's value over all rows; empty where it cannot be said."""
    rows = _rows(native, sources, "")
    return f"SELECT {_value(native)} AS value\nFROM (\n{rows}\n) AS metric_rows" if rows else ""


def _sides(native: Mapping[str, Any]) -> tuple[str, str]:
    """The aggregations of the numerator and, of a ratio, of the denominator."""
    aggregation = native.get("aggregation", "")
    if aggregation != "ratio":
        return aggregation, ""
    return native.get("numeratorAggregation", ""), native.get("denominatorAggregation", "")


def _value(native: Mapping[str, Any]) -> str:
    above, below = _sides(native)
    value = _AGGREGATES[above].format("n")
    return f"{value} * 1.0 / NULLIF({_AGGREGATES[below].format('d')}, 0)" if below else value


def _rows(native: Mapping[str, Any], sources: Mapping[str, Mapping[str, Any]], unit: str) -> str:
    above, below = _sides(native)
    if above not in _AGGREGATES or (native.get("aggregation") == "ratio" and below not in _AGGREGATES):
        return ""
    parts = [(one, above, "n") for one in native.get("metricSources") or []]
    if below:
        denominator = {
            "metricSourceName": native.get("denominatorMetricSourceName"),
            "valueColumn": native.get("denominatorValueColumn"),
            "criteria": native.get("denominatorCriteria"),
        }
        parts.append((denominator, below, "d"))
    texts = []
    for part, aggregation, side in parts:
        source = sources.get(part.get("metricSourceName", ""))
        if source is None:
            return ""
        units = {one["statsigUnitID"]: one["column"] for one in source["idTypeMapping"]}
        if unit and unit not in units:
            return ""
        value = "1" if aggregation == "count" else _column(source, part.get("valueColumn") or "")
        columns = {"n": "NULL", "d": "NULL", side: value}
        table = source.get("tableName") if source.get("sourceType") == "table" else ""
        sql = f"SELECT * FROM {table}" if table else source["sql"]  # noqa: S608
        where = " AND ".join(_predicates(source, part.get("criteria") or []))
        texts.append(
            f"SELECT {_quoted(units[unit]) if unit else 'NULL'} AS unit_id, {columns['n']} AS n, {columns['d']} AS d\n"
            f"FROM (\n{sql}\n) AS metric_source{f' WHERE {where}' if where else ''}"
        )
    return "\nUNION ALL\n".join(texts)


def _column(source: Mapping[str, Any], name: str) -> str:
    formulas = {one["key"]: one["formula"] for one in source.get("customFieldMapping") or []}
    return f"({formulas[name]})" if name in formulas else _quoted(name)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(value: str) -> str:
    try:
        float(value)
    except ValueError:
        return "'" + value.replace("'", "''") + "'"
    return value


def _predicates(source: Mapping[str, Any], criteria: list[Mapping[str, Any]]) -> Iterator[str]:
    for one in criteria:
        condition, values = one["condition"], one.get("values") or []
        column = _column(source, one.get("column") or "")
        text = f"CAST({column} AS VARCHAR)"
        if condition == "sql_filter":
            yield " AND ".join(f"(\n{value}\n)" for value in values) or "TRUE"
        elif condition in _TESTS:
            yield f"{column} {_TESTS[condition]}"
        elif condition in _COMPARED:
            yield " OR ".join(f"{column} {condition} {_literal(value)}" for value in values[:1]) or "TRUE"
        elif condition in {"in", "not_in"}:
            listed = ", ".join("'" + value.replace("'", "''") + "'" for value in values)
            yield f"{text} {'IN' if condition == 'in' else 'NOT IN'} ({listed})"
        elif condition in _PATTERNS:
            verb, pattern = _PATTERNS[condition]
            joined = (f"{text} {verb} '{pattern.format(value.replace(chr(39), chr(39) * 2))}'" for value in values)
            yield f"({(' AND ' if 'NOT' in verb else ' OR ').join(joined)})"

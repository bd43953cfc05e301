"""The findings about metrics."""

from __future__ import annotations

from dbt_statsig.vocabulary.code import Code, Severity

_E, _W = Severity.ERROR, Severity.WARNING

METRIC_CODES: dict[str, Code] = {
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
}

"""What a change means for running experiments, down to the column: the words, and the weight."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from dbt_statsig.console.experiments import read_experiment, read_metric
from dbt_statsig.impact.experiments import with_experiments
from dbt_statsig.impact.reach import Touched, weighed
from dbt_statsig.vocabulary.adapters import adapter_for
from dbt_statsig.vocabulary.changes import Plan
from dbt_statsig.vocabulary.findings import Severity, finding
from dbt_statsig.vocabulary.progress import Silent
from dbt_statsig.vocabulary.results import Planned
from dbt_statsig.vocabulary.sources import Kind
from dbt_statsig.vocabulary.uses import Uses
from tests.made_console import seed
from tests.unit.console.service import Opened, page
from tests.unit.impact.two_states import COLUMNS, EXPOSURES, changed, marked, staging

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dbt_statsig.vocabulary.findings import Finding
    from dbt_statsig.vocabulary.results import Validation

EXPERIMENTS: list[dict[str, Any]] = [
    {"id": "one", "status": "active", "idType": "userID", "assignmentSourceName": "Exposures"},
    {
        "id": "two",
        "status": "assignment_stopped",
        "idType": "deviceID",
        "assignmentSourceName": "Exposures",
        "assignmentSourceFilters": [
            {"column": "COUNTRY", "condition": "non_null"},
            {"condition": "sql_filter", "values": ["upper(country) = 'DE'", "country >< 'x'"]},
        ],
        "preComputedUserDimensions": [{"name": "country"}],
        "primaryMetrics": [{"name": "revenue", "type": "user_warehouse"}],
    },
    {"id": "over", "status": "decision_made", "idType": "userID", "assignmentSourceName": "Exposures"},
    {
        "id": "three",
        "status": "active",
        "idType": "userID",
        "identityResolutionSource": "Users",
        "preComputedUserDimensions": [{"propertySource": "Users", "name": "country"}],
        "stratifiedSampling": {"entityPropertySource": {"propertySourceName": "Users", "column": "country"}},
        "primaryMetrics": [{"name": "revenue", "type": "user_warehouse"}],
    },
]
METRICS: list[dict[str, Any]] = [
    {
        "name": "revenue",
        "type": "user_warehouse",
        "warehouseNative": {
            "metricSources": [
                {"metricSourceName": "Orders", "valueColumn": "net", "criteria": [{"column": "country"}]},
            ],
            "metricDimensionColumns": ["country"],
        },
    },
    {
        "name": "unwatched",
        "type": "user_warehouse",
        "warehouseNative": {
            "metricSources": [
                {
                    "metricSourceName": "Orders",
                    "valueColumn": "extra",
                    "criteria": [{"condition": "sql_filter", "values": ["country in ('DE')"]}],
                }
            ]
        },
    },
]
UNITS = {"userID": "user_id"}
KINDS: dict[str, dict[str, Any]] = {
    "assignment_source": EXPOSURES["assignment_source"],
    "entity_property_source": {"name": "Users", "id_type_mapping": UNITS},
    "metric_source": {"name": "Orders", "timestamp_column": "exposed_at", "id_type_mapping": UNITS},
}


def planned(validation: Validation, *, strict: bool = False) -> Planned:
    """A plan without changes of this validation, with the experiments of the console."""
    opened = Opened(page(*EXPERIMENTS, total=4), page(*METRICS, total=2))
    plan = Planned(validation=validation, plan=Plan(project="shop", changes=()), requests=0)
    return with_experiments(plan, opened.client, Silent(), strict=strict)


def told(result: Planned, code: str) -> list[Finding]:
    """The effects of one code, which stand among the findings too."""
    assert result.validation.impact is not None
    found = [one for one in result.validation.impact.effects if one.code == code]
    assert all(any(one is other for other in result.validation.findings) for one in found)
    return found


def compare(tmp_path: Path, kind: str, old: dict[str, Any], new: dict[str, Any], **more: Any) -> Validation:
    """A comparison of two blocks of one kind over the same columns."""
    wide = f"{COLUMNS}, extra"
    base, now = (
        [staging(), marked("fct", more.pop(side, wide), statsig={kind: {**KINDS[kind], **block}})]
        for side, block in (("was", old), ("now", new))
    )
    return changed(tmp_path, base, now)


def test_another_unit_id_reaches_those_who_assign_by_it(tmp_path: Path) -> None:
    """A changed unit ID names the running experiments of that unit; others of the source have another unit."""
    validation = compare(tmp_path, "assignment_source", {}, {"id_type_mapping": {"userID": "extra"}})
    (effect,) = told(planned(validation), "impact-source-changed")
    assert effect.message == (
        'The assignment source "Exposures" now reads id_type_mapping.userID from "extra" (was "user_id"); '
        "1 running experiment assigns by it."
    )
    assert effect.severity is Severity.WARNING
    (effect,) = told(planned(validation, strict=True), "impact-source-changed")
    assert effect.severity is Severity.ERROR


@pytest.mark.parametrize(
    ("new", "clause"),
    [
        ({"timestamp_column": "extra"}, "2 running experiments use this source."),
        ({"experiment_id_column": "extra"}, "2 running experiments use this source."),
        ({"group_id_column": "extra"}, "2 running experiments use this source."),
        ({"where": "country = 'DE'"}, "2 running experiments use this source."),
        ({"sql": f"select {COLUMNS} from fct"}, "2 running experiments use this source."),
    ],
)
@pytest.mark.parametrize("strict", [False, True])
def test_what_breaks_results_weighs(tmp_path: Path, new: dict[str, Any], clause: str, *, strict: bool) -> None:
    """Another time, experiment or group column, and another assignment SQL, is a warning, and an error if strict."""
    validation = compare(tmp_path, "assignment_source", {}, new)
    result = planned(validation, strict=strict)
    (effect,) = told(result, "impact-source-changed")
    assert effect.message.endswith(f"; {clause}")
    assert effect.severity is (Severity.ERROR if strict else Severity.WARNING)
    assert result.exit_code == int(strict)


def test_another_table_of_exposures_weighs(tmp_path: Path) -> None:
    """An assignment source that reads another table has another SQL: with --strict that fails; other kinds do not."""
    for kind, weight in (("assignment_source", Severity.ERROR), ("metric_source", Severity.WARNING)):
        base, now = (
            [staging(), marked("fct", statsig={kind: KINDS[kind]}, alias=alias)]
            for alias in ("exposures", "exposures_v2")
        )
        (effect,) = told(planned(changed(tmp_path, base, now), strict=True), "impact-table-renamed")
        assert effect.message.endswith("; 2 running experiments use this source.")
        assert effect.severity is weight


def test_what_no_running_experiment_uses_keeps_its_weight(tmp_path: Path) -> None:
    """A source that only experiments which are over use is as the comparison has it, with --strict too."""
    validation = compare(
        tmp_path, "assignment_source", {"name": "Other"}, {"name": "Other", "group_id_column": "extra"}
    )
    (effect,) = told(planned(validation, strict=True), "impact-source-changed")
    assert effect.severity is Severity.NOTE
    assert effect.message.endswith('(was "variant").')


def test_a_dropped_column_of_exposures(tmp_path: Path) -> None:
    """A column that the exposures lose names the experiments that filter by it, or break results down by it."""
    validation = compare(tmp_path, "assignment_source", {}, {}, now="exposed_at, experiment, variant, user_id, extra")
    (effect,) = told(planned(validation), "impact-selected-column-dropped")
    assert effect.message == (
        'The assignment source "Exposures" no longer selects the column "country"; 1 running experiment filters its '
        "exposures by it; 1 running experiment breaks results down by it."
    )
    (effect,) = told(planned(validation, strict=True), "impact-selected-column-dropped")
    assert effect.severity is Severity.ERROR


def test_a_dropped_column_of_metrics(tmp_path: Path) -> None:
    """A column that a metric source loses names the metrics and what they read it for, also one nobody watches."""
    validation = compare(tmp_path, "metric_source", {}, {}, now="exposed_at, user_id, extra")
    (effect,) = told(planned(validation), "impact-selected-column-dropped")
    assert effect.message.endswith(
        '"country"; the metrics "revenue" (dimension, filter), "unwatched" (filter) read some of them, and 2 running '
        "experiments watch them."
    )
    validation = compare(tmp_path, "metric_source", {}, {}, now=COLUMNS)
    (effect,) = told(planned(validation, strict=True), "impact-selected-column-dropped")
    assert effect.message.endswith(
        '"extra"; the metric "unwatched" (value column) reads it, and no running experiment watches that metric.'
    )
    assert effect.severity is Severity.WARNING


def test_another_formula_reaches_the_metrics_of_its_field(tmp_path: Path) -> None:
    """A changed custom field names the metrics that read the field, not all of the source."""
    old, new = ({"custom_field_mapping": {"net": formula}} for formula in ("extra", "extra * 0.81"))
    (effect,) = told(planned(compare(tmp_path, "metric_source", old, new)), "impact-source-changed")
    assert effect.message.endswith(
        '; the metric "revenue" (value column) reads it, and 2 running experiments watch that metric.'
    )
    assert effect.severity is Severity.WARNING


def test_entity_properties_in_use(tmp_path: Path) -> None:
    """A dropped property names those who break down or stratify by it, a changed unit ID those who join by it."""
    validation = compare(tmp_path, "entity_property_source", {}, {}, now="user_id, extra")
    (effect,) = told(planned(validation), "impact-selected-column-dropped")
    assert effect.message.endswith(
        "; 1 running experiment breaks results down by it; 1 running experiment uses it for stratified sampling."
    )
    validation = compare(tmp_path, "entity_property_source", {}, {"id_type_mapping": {"userID": "extra"}})
    (effect,) = told(planned(validation), "impact-source-changed")
    assert effect.message.endswith("; 1 running experiment joins its units by it.")


def test_other_types_of_columns_in_use(tmp_path: Path) -> None:
    """A retyped column that an experiment filters by is a warning, though the source only selects it."""

    def typed(kind: str) -> list[dict[str, Any]]:
        node = marked("fct")
        columns = {name: {"name": name, "data_type": "text"} for name in COLUMNS.split(", ")}
        columns["country"]["data_type"] = kind
        contract = {"enforced": True}
        config = {**node["config"], "contract": contract}
        return [staging(), {**node, "columns": columns, "contract": contract, "config": config}]

    (effect,) = told(planned(changed(tmp_path, typed("text"), typed("int"))), "impact-column-type-changed")
    assert effect.message.endswith("; 1 running experiment filters its exposures by it; 1 running experiment breaks "
                                   "results down by it.")  # fmt: skip
    assert effect.severity is Severity.WARNING


def test_other_sql_of_the_model_stays_a_note(tmp_path: Path) -> None:
    """The SQL of a model changes with every pull request: it says who uses the source, and fails nothing."""
    swapped = "exposed_at, experiment, case when variant = 'a' then 'b' else 'a' end as variant, user_id, country"
    validation = compare(tmp_path, "assignment_source", {}, {}, was=COLUMNS, now=swapped)
    (effect,) = told(planned(validation, strict=True), "impact-sql-changed")
    assert effect.message.endswith("; 2 running experiments use this source.")
    assert effect.severity is Severity.NOTE


def test_a_table_that_loses_a_column(tmp_path: Path) -> None:
    """A source that is a whole table has each column of it: one that goes is named with the metrics that read it."""
    table = {"source_type": "table"}
    validation = compare(tmp_path, "metric_source", table, table, was=f"{COLUMNS}, extra", now=COLUMNS)
    (effect,) = told(planned(validation), "impact-selected-column-dropped")
    assert '"Orders" no longer selects the column "extra"; the metric "unwatched"' in effect.message


def test_a_source_that_gets_another_name(tmp_path: Path) -> None:
    """Where a new object is made for a new name, the experiments on the old one are found: they go on with it."""
    result = planned(compare(tmp_path, "metric_source", {}, {"name": "Paid orders"}))
    (effect,) = told(result, "impact-source-renamed")
    assert effect.message.endswith("created as a new object; the old one stays; 2 running experiments use this source.")
    assert result.validation.impact is not None
    assert [(one.name, one.live_name) for one in result.validation.impact.reached] == [("Paid orders", "Orders")]


def calls(act: Callable[[], object]) -> int:
    """How many functions an act calls, however long each takes."""
    count = 0

    def note(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(note)
    try:
        act()
    finally:
        sys.setprofile(None)
    return count


def test_the_work_grows_with_the_console_and_no_faster() -> None:
    """Twice the sources, experiments and metrics take twice the calls to index and to follow, not four times."""

    def follow(size: int) -> int:
        content = seed(experiments=5 * size, metrics=15 * size, sources=2 * size)
        experiments = [read_experiment(one, "")[1] for one in content["experiments"]]
        metrics = [read_metric(one, "")[1] for one in content["metrics"]]
        names = [
            (kind, one["name"])
            for kind, collection in (
                (Kind.ASSIGNMENT_SOURCE, "assignment_sources"),
                (Kind.ENTITY_PROPERTY_SOURCE, "entity_property_sources"),
                (Kind.METRIC_SOURCE, "metric_sources"),
            )
            for one in content[collection]
        ]
        effect = finding("impact-selected-column-dropped", "Gone.", kind="metric_source", source="Orders")

        def act() -> None:
            uses = Uses(experiments, metrics)
            for key in names:
                touched = Touched(uses=tuple(uses.of(*key)), readers=tuple(uses.readers(*key)))
                weighed(effect, ("country",), touched, adapter_for("duckdb"), strict=False)

        return calls(act)

    assert follow(40) < 2.2 * follow(20)

"""Structs, repeated records, wildcard tables and ingestion time on BigQuery, with its own analyzer as the judge."""

from __future__ import annotations

import pytest

from dbt_statsig.columns.prover import Prover
from dbt_statsig.emulator.warehouse import resolved
from dbt_statsig.payloads.building import Built, Context, build_payload
from dbt_statsig.project.declarations import declare
from dbt_statsig.project.settings import Settings
from dbt_statsig.vocabulary.kinds import MetricSource
from dbt_statsig.vocabulary.verdicts import MACROS
from tests.integration.sql_engines import ga4
from tests.integration.sql_engines.zetasql import ZetaSQL, zetasql

STATES = {"fresh catalog": (), "catalog of sources": tuple(ga4.SQL), "view not in it": (ga4.PASSED_ON,)}
EXPRESSIONS = (
    *(
        "device.category = 'x'",
        "DEVICE.Category = 'x'",
        "`device`.`web_info`.browser = 'x'",
        "base_events.geo.city = 'x'",
    ),
    *("device.categry = 'x'", "device.web_info.brwser = 'x'", "devise.category = 'x'", "geo.country.code = 'x'"),
    "base_events.geo.town = 'x'",
    "exists (select 1 from unnest(event_params) as p where p.key = 'x' and p.value.int_value > 1)",
    "(select value.string_value from unnest(event_params) where key = 'x') = 'x'",
    "event_params[safe_offset(0)].value.string_value = 'x'",
    "items[offset(0)].item_params[safe_offset(0)].value.int_value = 1",
    "(select count(*) from unnest(items) as i, unnest(i.item_params) as p where p.key = 'x') > 0",
    "array_length(items) > 0 and ecommerce.total_item_quantity > 1",
    "to_json_string(device) like '%x%' and struct(device.category as c).c = 'x'",
    "(select as struct device.category, geo.city).city = 'x'",
    "occurred_on between {statsig_start_date} and {statsig_end_date}",
)
WRONG = {"categry", "brwser", "devise", "town"}


# Starting Spark, or BigQuery's analyzer, takes minutes where the machine has other things to do.
pytestmark = pytest.mark.timeout(1800)


@pytest.fixture(scope="module")
def judge() -> tuple[ZetaSQL, object]:
    """BigQuery's analyzer, and a catalog of the project's tables."""
    zeta = zetasql()
    catalog = zeta.catalog()
    for unique_id, columns in ga4.COLUMNS.items():
        parts = ga4.RELATIONS[unique_id].strip("`").split("`.`")
        table = zeta.api.TableBuilder(parts[-1])
        for name, kind in (columns | ga4.PSEUDO.get(unique_id, {})).items():
            table.add_column(name, zeta.type_of(kind))
        built = table.build()
        for column in built.column:
            column.is_pseudo_column = column.name.startswith("_")
        below = catalog
        for part in parts[:-1]:
            inner = next((one for one in below.catalog if one.name == part), None)
            if inner is None:
                inner = zeta.types.SimpleCatalog(name=part, table=[], catalog=[])
                below.catalog.append(inner)
            below = inner
        below.table.append(built)
    return zeta, catalog


@pytest.fixture(params=STATES)
def proof(request: pytest.FixtureRequest) -> Prover:
    """What is proven with all of dbt's catalog, or with a part of it."""
    return Prover(ga4.manifest(), ga4.catalog(*STATES[request.param]))


def payloads(proof: Prover) -> dict[str, Built]:
    """What every block becomes, by its name."""
    declared = declare(ga4.manifest(), settings=Settings(), project_dir=None)
    assert [found.message for found in declared.findings] == []
    return {one.name: build_payload(one, proof, Context(project="ga")) for one in declared.declarations}


def test_no_finding_but_of_pseudo_columns(proof: Prover) -> None:
    """A right project has no error, and no warning but that no catalog lists pseudo columns."""
    found = {(one.code, one.key.rpartition(".")[2]) for built in payloads(proof).values() for one in built.findings}
    assert found <= {("column-pseudo", "partition_column"), ("column-pseudo", "where")}


@pytest.mark.parametrize("unique_id", ga4.COLUMNS)
def test_the_columns(proof: Prover, unique_id: str) -> None:
    """Columns are those of the table, each struct once, whether a catalog tells them or compiled SQL."""
    node = ga4.manifest().node(unique_id)
    assert node is not None
    columns = proof.columns(node)
    assert [column.name for column in columns.columns] == list(ga4.COLUMNS[unique_id])
    assert columns.closed


@pytest.mark.parametrize("unique_id", ga4.SQL)
def test_the_project_is_what_bigquery_makes_of_it(judge: tuple[ZetaSQL, object], unique_id: str) -> None:
    """The made project is right: BigQuery gives the columns of each model as its catalog lists them."""
    zeta, catalog = judge
    columns = [name for name in zeta.columns(catalog, ga4.SQL[unique_id]) if (unique_id, name) != (ga4.INGESTED, "day")]
    assert columns == list(ga4.COLUMNS[unique_id])


def test_the_sql_is_valid(judge: tuple[ZetaSQL, object], proof: Prover) -> None:
    """BigQuery takes the SQL of each source and each of its formulas, and gives the columns that were proven."""
    zeta, catalog = judge
    for name, built in payloads(proof).items():
        assert built.payload is not None, name
        query = resolved(f"SELECT * FROM (\n{built.payload.sql}\n) AS statsig_source")
        columns = zeta.columns(catalog, query)
        assert columns == list(built.selected), name
        assert {use.verdict.stored for use in built.uses if use.role != "partition_column"} <= set(columns), name
        formulas = built.payload.custom_field_mapping or () if isinstance(built.payload, MetricSource) else ()
        for field in formulas:
            assert zeta.fault(catalog, query.replace("*", field.formula, 1)) == ""


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_paths_below_a_column(judge: tuple[ZetaSQL, object], proof: Prover, expression: str) -> None:
    """What BigQuery takes is no finding, and every wrong field of a listed struct is one."""
    zeta, catalog = judge
    node = ga4.manifest().node(ga4.BASE)
    assert node is not None
    found = proof.check_predicate(node, expression, macros=MACROS).problems
    fault = zeta.fault(catalog, resolved(f"select 1 from {ga4.RELATIONS[ga4.BASE]} where {expression}"))
    if not fault:
        assert found == ()
    # Without an entry of its own in the catalog, the fields of what a model passes on are not known.
    wrong = (
        {word for word in WRONG if word in expression} if proof.facts(node).catalog else {"devise"} & {expression[:6]}
    )
    assert [problem.code for problem in found] == ["column-absent"] * len(wrong)

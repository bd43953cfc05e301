"""Columns with awkward names: the model that makes them, its manifest and catalog, and the payloads of every kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from dbt_statsig.columns.prover import Prover
from dbt_statsig.payloads.building import Context, build_payload
from dbt_statsig.project.artifacts import Catalog, Manifest
from dbt_statsig.project.declarations import declare
from dbt_statsig.project.settings import Settings
from tests.unit.project.artifacts.build import catalog_bytes, manifest_bytes, node

if TYPE_CHECKING:
    from collections.abc import Callable

    from dbt_statsig.payloads.building import Built

MODEL = "model.shop.awkward"
RESERVED = ("select", "Order", "GROUP", "user", "end", "true", "null", "date", "timestamp", "from", "table", "case")
NAMES = (
    *RESERVED,
    *("a.b", "a.b.c", ".", "two words", "two  words", "semi;colon", "dash-ed", "sl/ash", "1st", "123", "*", "(", "a,b"),
    *("it's", 'say "hi"', '"', '""', "back`tick", "`", "``", "[box]", "]", "]]", "'", "back\\slash", "\\", "tail\\"),
    *("\\`", '\\"', "\\n", "-- note", "/* note */", "#hash", "per%cent", "%s", "%(x)s", "$1", "$$", "a$b", "?", ":x"),
    *("@at", "@@at", "{braces}", "{statsig}", "a & b = c", "<b>", "a|b", "~^!", "lower", "UPPER", "MiXed", "_under"),
    *(
        "ünïcode",
        "ÜNÏ ODE",
        "straße",
        "strasse",
        "äö",
        "ÄÖ",
        "日本語",
        "кириллица",
        "עברית",
        "e\u0301",
        "non\u00a0breaking",
    ),
    *("tea 🫖", "İı", "x" * 63, "é" * 31 + "x", "日" * 21, "userid", "userId", "USERID"),
)
# One column or three, as the warehouse compares names.
ONE_OF_THREE = frozenset({"userId", "USERID"})
# What a block cannot name, as YAML would not keep it, but a table may have.
ONLY_SELECTED = (" lead", "trail ", "new\nline", "tab\there", " ", "carriage\rreturn")
# As they stand in the SQL, without quotes.
PLAIN = ("plain_one", "MixedTwo", "LOUD3", "n$4")
TIME, DAY, NUMBER = "at noon", "day of week", "select day"
# The first two are of the days that Statsig asks for, from their first to their last moment.
MOMENTS = ("'2024-01-01 00:00:00'", "'2024-01-31 23:59:59'", "'2023-12-31 23:59:59'", "'2024-02-01 00:00:00'", "null")


class Answer(NamedTuple):
    """What an engine gives for a query."""

    names: list[str]
    rows: list[tuple[Any, ...]]


class Engine(NamedTuple):
    """One engine: dbt's name for it, how it is asked, and how its SQL is written without this program's help.

    `listed` gives a table's columns with their types, as dbt's catalog does. `unfit` are names that it does not take,
    or that mean something else there.
    """

    adapter: str
    relation: str
    run: Callable[[str], Answer]
    listed: Callable[[], list[tuple[str, str]]]
    quote: Callable[[str], str]
    create: str = "create table {relation} as {query}"
    timestamp: str = "timestamp"
    date: str = "date"
    plain: tuple[str, ...] = PLAIN
    unfit: frozenset[str] = frozenset()

    @property
    def names(self) -> tuple[str, ...]:
        """The names that a block can name."""
        return tuple(name for name in NAMES if name not in self.unfit)

    @property
    def quoted(self) -> tuple[str, ...]:
        """All names that are written with quotes."""
        return (*self.names, *(name for name in ONLY_SELECTED if name not in self.unfit))

    def model(self) -> str:
        """The model's compiled SQL: five rows, in which the value of each text tells which column it is."""
        texts = [f"'v{at}' as {self.quote(name)}" for at, name in enumerate(self.quoted)]
        texts += [f"'p{at}' as {name}" for at, name in enumerate(self.plain)]
        dates = f"moment as {self.quote(TIME)}, day as {self.quote(DAY)}, whole as {self.quote(NUMBER)}"
        rows = " union all ".join(self._row(number, moment) for number, moment in enumerate(MOMENTS))
        return f"select nr, {dates},\n{', '.join(texts)}\nfrom ({rows}) as days"

    def _row(self, number: int, moment: str) -> str:
        day, whole = ("null", "null") if moment == "null" else (f"{moment[:11]}'", moment[1:11].replace("-", ""))
        return (
            f"select {number} as nr, cast({moment} as {self.timestamp}) as moment, cast({day} as {self.date}) as day, "
            f"cast({whole} as {self.integer}) as whole"
        )

    @property
    def integer(self) -> str:
        """The type of whole numbers, one that takes NULL where types do not by themselves."""
        return {"clickhouse": "Nullable(Int32)", "bigquery": "int64"}.get(self.adapter, "bigint")


def blocks(engine: Engine) -> dict[str, Any]:
    """One block of each kind, with every name in every place that takes one."""
    names = (*engine.names, *engine.plain)
    units = {f"unit{at}": name for at, name in enumerate(names)}
    some = {"userID": names[0]}
    formulas = {f"f{at}": f"concat({engine.quote(name)}, '!')" for at, name in enumerate(engine.names)}
    filled = " and ".join(f"{engine.quote(name)} <> ''" for name in engine.names)
    return {
        "assignment_source": {
            "name": "A",
            "timestamp_column": TIME,
            "partition_column": DAY,
            "id_type_mapping": units,
            "experiment_id_column": names[1],
            "group_id_column": names[-7],
            "group_name_column": "two words",
        },
        "qualifying_event": {
            "name": "Q",
            "timestamp_column": TIME,
            "partition_column": NUMBER,
            "id_type_mapping": some,
            "columns": ["nr", *names],
        },
        "entity_property_source": {
            "name": "E",
            "timestamp_column": TIME,
            "id_type_mapping": units,
            "exclude_columns": [DAY, NUMBER],
        },
        "metric_source": [
            {
                "name": "M",
                "timestamp_column": TIME,
                "partition_column": TIME,
                "id_type_mapping": some,
                "where": filled,
                "custom_field_mapping": formulas,
            },
            {"name": "T", "source_type": "table", "timestamp_column": TIME, "id_type_mapping": units},
        ],
    }


def manifest(engine: Engine) -> Manifest:
    """The project: one model with a block of each kind."""
    meta = {"statsig": blocks(engine)}
    model = node(
        MODEL,
        relation_name=engine.relation,
        compiled_code=engine.model(),
        config={"materialized": "table", "enabled": True, "meta": meta},
    )
    return Manifest.from_bytes(manifest_bytes(model, metadata={"adapter_type": engine.adapter}))


def catalog(engine: Engine) -> Catalog:
    """What the engine says of the table, as dbt's catalog."""
    columns = {name: {"name": name, "type": kind, "index": at} for at, (name, kind) in enumerate(engine.listed(), 1)}
    return Catalog.from_bytes(catalog_bytes({MODEL: columns}))


def payloads(engine: Engine, *, with_catalog: bool) -> dict[str, Built]:
    """What every block becomes, by its name."""
    project = manifest(engine)
    declared = declare(project, settings=Settings(), project_dir=None)
    assert [found.message for found in declared.findings] == []
    prover = Prover(project, catalog(engine) if with_catalog else None)
    return {one.name: build_payload(one, prover, Context(project="shop")) for one in declared.declarations}

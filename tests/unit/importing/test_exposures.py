"""Experiments as dbt exposures: which nodes, which names, and a text that is always the same."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dbt_statsig.importing.exposures import MARK, Nodes, Tables, exposures_of, exposures_yaml, nodes_of, tables_yaml
from dbt_statsig.project.artifacts.nodes import Node
from dbt_statsig.vocabulary.experiments import Experiment, Metric, MetricRef, Person, SourceRead, TagRef
from dbt_statsig.vocabulary.sources import Kind
from dbt_statsig.vocabulary.uses import Uses

if TYPE_CHECKING:
    from dbt_statsig.vocabulary.exposures import Exposure

ASSIGNMENT, METRIC_SOURCE, ENTITY = Kind.ASSIGNMENT_SOURCE, Kind.METRIC_SOURCE, Kind.ENTITY_PROPERTY_SOURCE


def node(unique_id: str, **more: Any) -> Node:
    """A node by its unique_id."""
    kind, package, *rest = unique_id.split(".")
    return Node(**{"unique_id": unique_id, "name": rest[-1], "resource_type": kind, "package_name": package, **more})


NODES = {
    one.unique_id: one
    for one in (
        node("model.shop.exposures"),
        node("model.shop.orders.v2", name="orders", version=2),
        node("snapshot.other.users"),
        node("source.shop.raw.visits", source_name="raw", name="visits"),
        node("model.shop.private", config={"access": "private"}),
        node("model.shop.off", enabled=False),
    )
}
OWNED = {
    (ASSIGNMENT, "Exposures"): "model.shop.exposures",
    (METRIC_SOURCE, "Orders"): "model.shop.orders.v2",
    (ENTITY, "Users"): "snapshot.other.users",
    (METRIC_SOURCE, "Visits"): "source.shop.raw.visits",
    (METRIC_SOURCE, "Private"): "model.shop.private",
    (METRIC_SOURCE, "Off"): "model.shop.off",
    (METRIC_SOURCE, "Gone"): "model.shop.gone",
}


def known() -> Nodes:
    """The nodes of the project `shop`."""
    return nodes_of(OWNED, NODES.get, "shop")


def reads(kind: Kind, name: str) -> SourceRead:
    """A read of one source."""
    return SourceRead(kind=kind, name=name, use="rows")


def experiment(identifier: str = "a", assignment: str = "Exposures", **more: Any) -> Experiment:
    """An active experiment."""
    first = (reads(ASSIGNMENT, assignment),) if assignment else ()
    return Experiment(**{"id": identifier, "status": "active", "reads": first, **more})


def metric(name: str, *sources: str, **more: Any) -> Metric:
    """A metric that reads these metric sources."""
    return Metric(name=name, id=f"{name}::x", reads=tuple(reads(METRIC_SOURCE, one) for one in sources), **more)


def made(*experiments: Experiment, metrics: tuple[Metric, ...] = (), of_metrics: bool = False) -> tuple[Exposure, ...]:
    """The exposures."""
    return exposures_of(Uses(experiments, metrics), known(), metrics=of_metrics)[0]


def warned(*experiments: Experiment, metrics: tuple[Metric, ...] = ()) -> list[str]:
    """The warnings."""
    return exposures_of(Uses(experiments, metrics), known(), metrics=False)[1]


def test_the_nodes_of_all_that_it_reads() -> None:
    """Its own sources, those of its metrics by name, by tag and as parts of others, each node once, sorted."""
    parts = metric("All", components=(MetricRef(name="Part"),))
    tagged = metric("Tagged", "Visits", tags=("core",))
    one = experiment(
        reads=(reads(ASSIGNMENT, "Exposures"), reads(ENTITY, "Users")),
        metrics=(MetricRef(name="All"),),
        metric_tags=(TagRef(name="core"),),
    )
    (found,) = made(one, metrics=(parts, metric("Part", "Orders", "Orders"), tagged))
    assert found.refs == (
        "ref('exposures')",
        "ref('orders', v=2)",
        "ref('other', 'users')",
        "source('raw', 'visits')",
    )
    assert found.nodes == tuple(sorted(set(NODES) - {"model.shop.private", "model.shop.off"}))


def test_active_experiments_alone() -> None:
    """One that is over, or not begun, has none; one that only analyses has, and counts as less mature."""
    statuses = ("active", "setup", "decision_made", "assignment_stopped", "archived", "experiment_stopped")
    found = made(*(experiment(status, status=status) for status in statuses))
    assert [(one.id, one.maturity) for one in found] == [("active", "high"), ("assignment_stopped", "medium")]


def test_names() -> None:
    """Letters, digits and underscores; two that would be alike, in any case, end with a digest of the ID."""
    names = {one.id: one.name for one in made(*map(experiment, ("a-b", "A_B", "a c", "ü", "é", "x")))}
    assert (names["a c"], names["x"]) == ("statsig_a_c", "statsig_x")
    assert re.fullmatch(r"statsig_a_b_[0-9a-f]{8}", names["a-b"])
    assert re.fullmatch(r"statsig_A_B_[0-9a-f]{8}", names["A_B"])
    assert len({name.casefold() for name in names.values()}) == len(names)
    again = {one.id: one.name for one in made(*map(experiment, ("x", "é", "ü", "a c", "A_B", "a-b")))}
    assert again == names


def test_owners() -> None:
    """The owner, else the team, else Statsig; name and address where there are both."""
    people = [Person(name="Ada", email="ada@x"), Person(email="ada@x"), Person()]
    found = made(*(experiment(str(number), owner=one) for number, one in enumerate(people)), experiment("t", team="T"))
    owners = [one["owner"] for one in yaml.safe_load(exposures_yaml(found, tags_in_config=True))["exposures"]]
    assert owners == [{"name": "Ada", "email": "ada@x"}, {"email": "ada@x"}, {"name": "Statsig"}, {"name": "T"}]


def test_metrics_on_request() -> None:
    """With metrics, each that reads a node by itself or through its parts has an exposure after the experiments."""
    metrics = (
        metric("Paid", "Orders", tags=("core",)),
        metric("All", components=(MetricRef(name="Paid"),)),
        metric("Elsewhere", "Unknown"),
    )
    found = made(experiment("z"), metrics=metrics, of_metrics=True)
    assert [(one.of, one.name, one.refs) for one in found] == [
        ("experiment", "statsig_z", ("ref('exposures')",)),
        ("metric", "statsig_metric_All", ("ref('orders', v=2)",)),
        ("metric", "statsig_metric_Paid", ("ref('orders', v=2)",)),
    ]
    assert len(made(experiment("z"), metrics=metrics)) == 1


def test_what_is_left_out_is_said() -> None:
    """Experiments of no source of ours, sources and metrics that nobody knows, nodes that cannot be named."""
    watched = (MetricRef(name="Many"), MetricRef(name="Nope"))
    found = warned(
        experiment("ours", metrics=watched),
        experiment("theirs", "Other exposures", name="Theirs"),
        experiment("bare", "", metrics=(MetricRef(name="Paid"),)),
        metrics=(metric("Many", "Private", "Off", "Gone", "Unknown"), metric("Paid", "Orders")),
    )
    assert found == [
        "No exposure, as they use no source of this project: Theirs.",
        "Experiments without an assignment source in Statsig: bare.",
        'Not managed by this project, so not among the nodes: metric source "Unknown".',
        "model.shop.gone is not in the manifest, so no exposure names it.",
        "model.shop.off is disabled, so no exposure names it.",
        "model.shop.private is a private model, so no exposure names it.",
        "Statsig lists no such metrics, so their sources are not known: Nope.",
    ]
    assert warned(experiment()) == []


@pytest.mark.parametrize(
    ("permalink", "is_written"),
    [(f"https://x/{'long' * 100}", True), ("https://x/{{ y }}", False), ("https://x/{%y", False), ("file:///x", False)],
)
def test_an_address_is_written_whole_or_not_at_all(permalink: str, is_written: bool) -> None:  # noqa: FBT001
    """A part of it, or one with a space against Jinja, would lead elsewhere."""
    (one,) = yaml.safe_load(exposures_yaml(made(experiment(permalink=permalink)), tags_in_config=True))["exposures"]
    assert one.get("url") == (permalink if is_written else None)


def test_the_file() -> None:
    """Our mark first; tags in `config` or, for an older dbt, beside it; only a web address is a URL."""
    found = made(experiment(tags=("core", "b", "core"), permalink="https://x/y"), experiment("b", permalink="x y"))
    text = exposures_yaml(found, tags_in_config=True)
    assert text.startswith(f"{MARK}\nversion: 2\n")
    first, second = yaml.safe_load(text)["exposures"]
    assert first["config"] == {"tags": ["statsig", "b", "core"]}
    assert (first["url"], "url" in second) == ("https://x/y", False)
    assert (
        yaml.safe_load(exposures_yaml(found, tags_in_config=False))["exposures"][0]["tags"] == first["config"]["tags"]
    )
    assert yaml.safe_load(exposures_yaml((), tags_in_config=True))["exposures"] == []


TEXT = st.text(max_size=12) | st.sampled_from(
    ["{{ x }}", "{% raw %}", "{{{", "yes", "0o14", "~", "a: b #", "'\"\n\t", "\ud800"]
)


@given(label=TEXT, identifier=TEXT, name=TEXT, tag=TEXT)
def test_any_text_stays_one_without_jinja(label: str, identifier: str, name: str, tag: str) -> None:
    """Whatever Statsig holds, the file is YAML of texts, valid in its names, and dbt finds no Jinja in it."""
    one = experiment(identifier, name=label, owner=Person(name=name), tags=(tag,), permalink=f"https://x/{label}")
    text = exposures_yaml(made(one), tags_in_config=True)
    assert not re.search(r"\{[{%#]", text)
    text.encode()
    (entry,) = yaml.safe_load(text)["exposures"]
    assert re.fullmatch(r"[A-Za-z0-9_]+", entry["name"])
    texts = [entry["label"], entry["description"], *entry["owner"].values(), *entry["config"]["tags"]]
    assert all(isinstance(value, str) for value in texts)


@pytest.mark.parametrize("database", ["", "analytics"])
def test_the_tables_that_statsig_writes(database: str) -> None:
    """Their places and columns, the built-in and the custom unit IDs, and tests of what no row may lack."""
    units = ("userID", "companyID", "odd id")
    text = tables_yaml(Tables(schema="exp", database=database, exposures="e", events="v", units=units))
    assert text.startswith(MARK)
    (source,) = yaml.safe_load(text)["sources"]
    assert (source["name"], source["schema"], source.get("database", "")) == ("statsig", "exp", database)
    exposures, events = source["tables"]
    assert [(one["name"], one["identifier"]) for one in (exposures, events)] == [("exposures", "e"), ("events", "v")]
    columns = [one["name"] for one in exposures["columns"]]
    assert columns == [
        *("experiment_id", "group_id", "group_name", "user_id", "stable_id", "companyID", "odd id"),
        *("timestamp", "user_dimensions"),
    ]
    tested = [one["name"] for table in source["tables"] for one in table["columns"] if "data_tests" in one]
    assert tested == ["experiment_id", "group_id", "timestamp", "timestamp", "event_name"]

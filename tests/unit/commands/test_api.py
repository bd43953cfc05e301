"""The request of the public Python API: one form for each value, and one error for each wrong one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dbt_statsig
from dbt_statsig import Kind, Request, UsageError
from tests.unit.project.artifacts.build import manifest_bytes, node

if TYPE_CHECKING:
    from collections.abc import Callable

NIGHTLY = bool(os.environ.get("DBT_STATSIG_NIGHTLY"))
FIELDS = tuple(name for name in Request.__struct_fields__ if name != "environ")
PATHS = ("project_dir", "manifest", "target_path", "catalog", "state", "run_results", "saved_plan")


def marked(name: str) -> dict[str, Any]:
    """A model that is a metric source of its own name."""
    meta = {"statsig": {"metric_source": {"name": name, "timestamp_column": "ts", "id_type_mapping": {"userID": "u"}}}}
    config = {"enabled": True, "materialized": "table", "meta": meta}
    return node(f"model.shop.{name}", compiled_code="select 1 as ts, 2 as u", config=config, meta=meta)


@pytest.fixture
def project(tmp_path: Path) -> str:
    """The folder of a project with two sources, as a text."""
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "manifest.json").write_bytes(manifest_bytes(marked("orders"), marked("visits")))
    return str(tmp_path)


@pytest.mark.parametrize(
    ("choice", "names"),
    [
        ({"select": "orders"}, ["orders"]),
        ({"select": "orders visits"}, ["orders", "visits"]),
        ({"select": ["orders"], "kinds": Kind.METRIC_SOURCE}, ["orders"]),
        ({"exclude": "orders"}, ["visits"]),
        ({"kinds": "metric_source", "exclude": iter(["orders"])}, ["visits"]),
        ({"kinds": ["assignment_source"]}, []),
        ({"environ": {}, "flags": {"cache": False}}, ["orders", "visits"]),
    ],
)
def test_a_text_is_a_selection(project: str, choice: dict[str, Any], names: list[str]) -> None:
    """One text selects what a list of one text selects; kinds are given as Kind or as text."""
    validation = dbt_statsig.validate(Request(project_dir=project, **choice))
    assert ([source.name for source in validation.sources], validation.unmatched) == (names, ())


def test_paths_are_texts_or_paths(project: str) -> None:
    """Every path is taken as a text and as a Path, and is a Path from then on."""
    for form in (str, Path):
        request = Request(project_dir=form(project), manifest=form(Path(project, "target", "manifest.json")))
        assert len(dbt_statsig.validate(request).sources) == 2
        assert (request.project_dir, request.manifest) == (Path(project), Path(project, "target", "manifest.json"))
    for name in PATHS:
        values: dict[str, Any] = {"project_dir": ".", name: "x"}
        assert getattr(Request(**values), name) == Path("x")


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("project_dir", None, "`project_dir` takes a path (string or Path), not NoneType."),
        ("manifest", b"manifest.json", "`manifest` takes a path (string or Path), not bytes."),
        ("state", "", "`state` is an empty string."),
        ("select", 7, "`select` takes a string or a list of strings, not int."),
        ("select", ["orders", 7], "`select` contains 7, which is not a string."),
        ("exclude", None, "`exclude` takes a string or a list of strings, not NoneType."),
        ("adopt", {"Orders": "Sales"}, "`adopt` takes a string or a list of strings, not dict."),
        ("kinds", "metric_sources", '`kinds`: "metric_sources" is not a kind of source.'),
        ("target", ["prod"], "`target` takes a string, not list."),
        ("strict", "no", "`strict` takes True or False, not str."),
        ("flags", ["cache"], "`flags` takes a mapping with string keys, not list."),
        ("environ", {"STATSIG_CONSOLE_API_KEY": None}, "`environ` contains a value that is not a string."),
    ],
)
def test_a_wrong_type_names_the_field(field: str, value: object, message: str) -> None:
    """A value of a wrong type is a UsageError with the field, what belongs there, and the next step."""
    values: dict[str, Any] = {"project_dir": ".", field: value}
    with pytest.raises(UsageError) as raised:
        Request(**values)
    assert raised.value.message == message
    assert raised.value.fix


@settings(max_examples=5_000 if NIGHTLY else 25, deadline=None)
@given(
    st.sampled_from(FIELDS), st.recursive(st.none() | st.booleans() | st.integers() | st.binary() | st.text(), st.lists)
)
def test_any_value_is_taken_or_refused(field: str, value: object) -> None:
    """Whatever is given for a field, the request is made or a UsageError names the field."""
    values: dict[str, Any] = {"project_dir": ".", field: value}
    message = ""
    try:
        Request(**values)
    except UsageError as error:
        message = error.message
    assert message == "" or f"`{field}`" in message


def test_a_wrong_kind_gets_the_nearest_name() -> None:
    """A kind with a spelling mistake gets the nearest kind, another word all kinds."""
    for word, fix in (("metric_sorce", 'Did you mean "metric_source"?'), ("x", "The kinds are: assignment_source, ")):
        with pytest.raises(UsageError) as raised:
            Request(project_dir=".", kinds=word)
        assert raised.value.fix.startswith(fix)


@pytest.mark.parametrize("function", ["validate", "plan", "sync", "debug", "list_columns"])
def test_only_a_request_is_taken(function: str) -> None:
    """A function that gets something else than a Request shows how to make one."""
    call: Callable[[object], object] = getattr(dbt_statsig, function)
    with pytest.raises(UsageError, match=r"takes a Request, not str\. .*Request\(project_dir="):
        call("shop")


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        ("plan", {"progress": print}, "`progress` takes an object with the methods `say` and `done`, not"),
        ("sync", {"progress": "loud"}, "`progress` takes an object with the methods `say` and `done`, not str."),
        ("sync", {"confirm": True}, "`confirm` takes a function that takes a Planned, not bool."),
        ("release", {"names": "Orders", "confirm": "yes"}, "`confirm` takes a function that takes a Planned, not str."),
        ("list_columns", {"jobs": "2"}, "`jobs` takes a whole number from 1, not str."),
        ("list_columns", {"jobs": 0}, "`jobs` takes a whole number from 1, not int."),
    ],
)
def test_a_wrong_argument_is_named_before_anything_is_read(
    function: str, arguments: dict[str, object], message: str
) -> None:
    """An argument beside the request that cannot be used is a UsageError, before files or Statsig are read."""
    call: Callable[..., object] = getattr(dbt_statsig, function)
    with pytest.raises(UsageError) as raised:
        call(Request(project_dir="no/such/project"), **arguments)
    assert raised.value.message.startswith(message)
    assert raised.value.fix == f"Correct the argument `{message.split('`')[1]}`."


def test_the_repr_shows_what_was_given() -> None:
    """The repr has every given field, and never the environment: it holds the key."""
    request = Request(project_dir="shop", select="orders", environ={"STATSIG_CONSOLE_API_KEY": "console-secret"})
    assert repr(request) == f"Request(project_dir={Path('shop')!r}, select=('orders',))"

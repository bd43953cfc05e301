"""Tests of the JSON Schemas: committed as generated, and of one mind with the checks."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from dbt_statsig.errors import SettingsError
from dbt_statsig.project.artifacts.nodes import NodeColumn
from dbt_statsig.project.declarations import declare
from dbt_statsig.project.declarations.layers import KINDS, fields_of
from dbt_statsig.project.schema import meta_schema, render, settings_schema
from dbt_statsig.project.settings import SETTING_NAMES, Settings, resolve
from dbt_statsig.vocabulary.kinds import BLOCK_KINDS
from tests.unit.project.declarations.project import OneNode

NIGHTLY = bool(os.environ.get("DBT_STATSIG_NIGHTLY"))
DOCS = Path(__file__).resolve().parents[3] / "docs" / "schema"
META: Any = Draft202012Validator(meta_schema())
SETTINGS: Any = Draft202012Validator(settings_schema())
MARK: Any = Draft202012Validator({**meta_schema(), "properties": {}, "$ref": "#/$defs/column_mark"})
# What several keys together, other files or the lines of YAML give is beyond a schema.
BEYOND = {"missing-key", "key-not-allowed", "contradiction", "duplicate-name", "not-a-relation", "duplicate-key"}


@pytest.mark.parametrize("name", ["meta", "settings"])
def test_the_committed_schema_is_the_generated_one(name: str) -> None:
    """docs/schema holds what `dbt-statsig schema` prints."""
    schema = meta_schema() if name == "meta" else settings_schema()
    Draft202012Validator.check_schema(schema)
    assert (DOCS / f"{name}.schema.json").read_text(encoding="utf-8") == render(schema)


def test_every_key_is_described() -> None:
    """Each key of each kind, and each setting, has a description for the editor."""
    schema = meta_schema()
    for kind in BLOCK_KINDS:
        properties = schema["$defs"][kind.value]["properties"]
        assert set(properties) == set(fields_of(kind))
        assert all(shape["description"] for shape in properties.values())
    assert set(settings_schema()["properties"]) == set(SETTING_NAMES)
    assert all(shape["description"] for shape in settings_schema()["properties"].values())


def _accepted(meta: dict[str, Any], mark: object = None) -> bool:
    """Whether the checks find nothing that a schema could find."""
    columns = {"a": NodeColumn(name="a", meta={} if mark is None else {"statsig": mark})}
    found = declare(OneNode(meta=meta, columns=columns), settings=Settings(), project_dir=None)
    frame = [one for one in found.findings if one.code == "missing-key" and one.key == "statsig"]
    unnamed = [one for one in found.findings if one.key.endswith(".name")]
    return not frame and not unnamed and all(one.code in BEYOND for one in found.findings)


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("statsig: {assignment_source: {name: A}}", True),
        ("statsig: {assignment_source: A, metric_source: [B, {name: C, tags: [x]}]}", True),
        ("statsig: {metric_source: {name: A, is_verified: 'True', enabled: FALSE}}", True),
        ("statsig: {assignment_source: {name: A, scheduled_reload_hour: null, owner: null, team: null}}", True),
        ("statsig: {assignment_source: {name: A, scheduled_reload_hour: '23'}}", True),
        ("statsig: {entity_property_source: {name: A, timestamp_column: null}}", True),
        ("statsig: {metric_source: {name: A, custom_field_mapping: {k: a + b}, owner: {owner_id: x}}}", True),
        ("statsig: {entity_property_source: list}", True),
        ("statsig: {metric_source: A}\nstatsig_defaults: {tags: [a], assignment_source: {team: null}}", True),
        ("statsig: {metric_source: A}\nowner: someone", True),
        ("statsig: {}", False),
        ("statsig: null", False),
        ("statsig: {metric_sourc: A}", False),
        ("statsig: {metric_source: []}", False),
        ("statsig: {metric_source: {}}", False),
        ("statsig: {metric_source: {tags: [a]}}", False),
        ("statsig: {metric_source: {name: List}}", False),
        ("statsig: {metric_source: {name: ..}}", False),
        ("statsig: {metric_source: {name: ' a'}}", False),
        ('statsig: {metric_source: {name: "a\\n"}}', False),
        ("statsig: {metric_source: {name: A, group_id_column: x}}", False),
        ("statsig: {metric_source: {name: A, tags: a}}", False),
        ("statsig: {metric_source: {name: A, tags: [a, a]}}", True),
        ("statsig: {metric_source: A}\nstatsig_defaults: {tags: [a, a]}", True),
        ("statsig: {metric_source: {name: A, columns: [a, a]}}", False),
        ("statsig: {metric_source: {name: A, exclude_columns: [a, a]}}", False),
        ("statsig: {metric_source: {name: A, source_type: view}}", False),
        ("statsig: {metric_source: {name: A, where: ' '}}", False),
        ("statsig: {metric_source: {name: A, id_type_mapping: {}}}", False),
        ("statsig: {metric_source: {name: A, id_type_mapping: {' u': a}}}", False),
        ("statsig: {metric_source: {name: A, owner: {owner: x}}}", False),
        ("statsig: {assignment_source: {name: A, scheduled_reload_hour: 3.0}}", True),
        ("statsig: {assignment_source: {name: A, scheduled_reload_hour: 24}}", False),
        ("statsig: {assignment_source: {name: A, scheduled_reload_hour: 3.5}}", False),
        ("statsig: {assignment_source: {name: A, scheduled_reload_hour: '24'}}", False),
        ("statsig: {metric_source: A}\nstatsigs: 1", False),
        ("statsig: {metric_source: A}\nstatsig_defaults: {name: A}", False),
        ("statsig: {metric_source: A}\nstatsig_defaults: {assignment_source: {nam: A}}", False),
    ],
)
def test_schema_and_checks_agree(text: str, *, good: bool) -> None:
    """What the editor accepts, `validate` accepts, and the reverse."""
    meta = yaml.safe_load(text)
    assert META.is_valid(meta) is good
    assert _accepted(meta) is good


@pytest.mark.parametrize(
    ("mark", "good"),
    [
        ({"unit_id": "userID"}, True),
        ({"unit_id": ["userID", "b"], "role": ["timestamp", "group_id"]}, True),
        ({"role": "timestamp"}, True),
        ({"role": "timestmp"}, False),
        ({"unit_id": ""}, False),
        ({"unit": "x"}, False),
        ("userID", False),
        ({"unit_id": ["a", "a"]}, False),
    ],
)
def test_schema_and_checks_agree_on_marks(mark: object, *, good: bool) -> None:
    """The same for a column's mark."""
    assert MARK.is_valid(mark) is good
    assert _accepted({"statsig": {"assignment_source": "A"}}, mark) is good


@pytest.mark.parametrize("text", ["'{{ target.name == \"prod\" }}'", "'{% if x %}true{% endif %}'"])
def test_jinja_in_the_file(text: str) -> None:
    """The editor sees what dbt has not rendered yet, and lets it stand."""
    for key in ("enabled", "is_verified", "source_type", "name"):
        assert META.is_valid(yaml.safe_load(f"statsig: {{metric_source: {{name: A, {key}: {text}}}}}")), key


TEXTS = st.sampled_from(["a", "b c", "", " ", "a ", "true", "False", "12", "table", "list", ".", "\n", "é"])
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 30) | st.sampled_from([1.5, 0.0]) | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)
KEYS = sorted({name for kind in BLOCK_KINDS for name in fields_of(kind)} | {"nam", "owner_id"})


@settings(max_examples=1_500 if NIGHTLY else 300, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    kind=st.sampled_from(KINDS), keys=st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=3), named=st.booleans()
)
def test_schema_and_checks_agree_on_any_block(kind: str, keys: dict[str, Any], *, named: bool) -> None:
    """Whatever keys and values a block holds, the schema and the checks refuse the same ones."""
    block = {"name": "A", **keys} if named else keys
    meta = {"statsig": {kind: block}}
    if str(block.get("enabled")).strip().lower() != "false":
        assert META.is_valid(meta) is _accepted(meta)


@settings(max_examples=500 if NIGHTLY else 150, deadline=None, suppress_health_check=list(HealthCheck))
@example(keys={"prune_threshold_objects": 0.0})
@given(keys=st.dictionaries(st.sampled_from([*SETTING_NAMES, "base"]), VALUES, max_size=3))
def test_schema_and_settings_agree(tmp_path: Path, keys: dict[str, Any]) -> None:
    """The settings' schema and the reader refuse the same files (defaults are judged with the declarations)."""
    keys.pop("defaults", None)
    (tmp_path / "dbt_statsig.yml").write_text(yaml.safe_dump(keys), encoding="utf-8")
    try:
        resolve(tmp_path, {}, {})
    except SettingsError:
        assert not SETTINGS.is_valid(keys)
    else:
        assert SETTINGS.is_valid(keys)


@pytest.mark.parametrize(("defaults", "good"), [({"tags": ["a"]}, True), ({"metric_source": {"nam": 1}}, False)])
def test_defaults_in_the_settings(defaults: object, *, good: bool) -> None:
    """The settings' schema knows the keys of the defaults."""
    assert SETTINGS.is_valid({"defaults": defaults}) is good

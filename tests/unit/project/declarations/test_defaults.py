"""Tests of defaults: which layer wins, and what may not be a default."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec import UNSET

from dbt_statsig.project.settings import Settings
from dbt_statsig.vocabulary.findings import Location
from tests.unit.project.declarations.project import FILE, one_model

if TYPE_CHECKING:
    from pathlib import Path

BLOCK = "{metric_source: {name: A, timestamp_column: at, id_type_mapping: {userID: id}%s}}"


def _settings(**defaults: Any) -> Settings:
    return Settings(defaults=defaults)


@pytest.mark.parametrize("layers", range(6))
def test_the_nearest_wins(tmp_path: Path, layers: int) -> None:
    """Settings, settings of the kind, inherited defaults, those of the kind, the block: each outranks those before."""
    settings: dict[str, Any] = {}
    inherited: dict[str, Any] = {}
    block = ""
    if layers >= 1:
        settings["team"] = "1"
    if layers >= 2:
        settings["metric_source"] = {"team": "2"}
    if layers >= 3:
        inherited["team"] = "3"
    if layers >= 4:
        inherited["metric_source"] = {"team": "4"}
    if layers >= 5:
        block = ", team: '5'"
    meta = f"statsig_defaults: {inherited}\nstatsig: {BLOCK % block}"
    found = one_model(meta, tmp_path, settings=_settings(**settings))
    assert found.findings == ()
    assert found.declarations[0].meta.team == (str(layers) if layers else UNSET)


def test_lists_replace(tmp_path: Path) -> None:
    """Tags of a block replace those of the defaults; they do not add up."""
    meta = f"statsig_defaults: {{tags: [a, b]}}\nstatsig: {BLOCK % ', tags: [c]'}"
    assert one_model(meta, tmp_path).declarations[0].meta.tags == ("c",)


def test_a_default_of_another_kind(tmp_path: Path) -> None:
    """A default that this kind does not have is left aside; one that no kind has is a fault of the project."""
    found = one_model(f"statsig: {BLOCK % ''}", tmp_path, settings=_settings(scheduled_reload_hour=3, is_readonly=True))
    (fault,) = found.findings
    assert (fault.code, fault.unique_id, fault.key) == ("unknown-key", "", "defaults.is_readonly")
    assert fault.fix == 'Did you mean "is_read_only"?'
    assert not hasattr(found.declarations[0].meta, "scheduled_reload_hour")


def test_places_of_settings(tmp_path: Path) -> None:
    """A fault in the settings' defaults stands at its line there; so does a key that came from them."""
    text = "strict: true\ndefaults:\n  team: growth\n  metric_source:\n    tags: x\n"
    (tmp_path / "dbt_statsig.yml").write_text(text, encoding="utf-8")
    settings = _settings(team="growth", metric_source={"tags": "x"})
    found = one_model(f"statsig: {BLOCK % ''}", tmp_path, settings=settings)
    (fault,) = found.findings
    assert fault.location == Location("dbt_statsig.yml", 5, 5)
    assert fault.message == '`defaults.metric_source.tags` takes a list, each entry a tag, not "x".'
    assert found.declarations[0].locate("team") == Location("dbt_statsig.yml", 3, 3)


@pytest.mark.parametrize(
    ("defaults", "code", "key"),
    [
        ("3", "wrong-type", "statsig_defaults"),
        ("{name: X}", "key-not-allowed", "statsig_defaults.name"),
        ("{metric_source: {name: X}}", "key-not-allowed", "statsig_defaults.metric_source.name"),
        ("{metric_source: 3}", "wrong-type", "statsig_defaults.metric_source"),
        ("{metric_source: {group_id_column: x}}", "unknown-key", "statsig_defaults.metric_source.group_id_column"),
        ("{tags: 3}", "wrong-type", "statsig_defaults.tags"),
        ("{where: '{{ x }}'}", "unrendered-jinja", "statsig_defaults.where"),
    ],
)
def test_wrong_defaults(tmp_path: Path, defaults: str, code: str, key: str) -> None:
    """A fault in inherited defaults concerns the whole node."""
    found = one_model(f"statsig_defaults: {defaults}\nstatsig: {BLOCK % ''}", tmp_path)
    (fault,) = found.findings
    assert (fault.code, fault.key, fault.kind, fault.unique_id) == (code, key, "", "model.shop.fct_orders")
    assert fault.location is not None
    assert (fault.location.path, fault.location.line) == (FILE, 5)


def test_event_time(tmp_path: Path) -> None:
    """The node's own event_time is the farthest default of the timestamp."""
    fields = {"fct_orders": {"config": {"event_time": "ordered_at"}}}
    meta = "statsig: {metric_source: {name: A, id_type_mapping: {userID: id}}}"
    (block,) = one_model(meta, tmp_path, fields=fields).declarations
    assert getattr(block.meta, "timestamp_column", UNSET) == "ordered_at"
    assert block.locate("timestamp_column") == Location(FILE, 2, 5)
    (block,) = one_model(meta, tmp_path, fields=fields, settings=_settings(timestamp_column="at")).declarations
    assert getattr(block.meta, "timestamp_column", UNSET) == "at"


def test_a_whole_folder_switched_off(tmp_path: Path) -> None:
    """`enabled` may be a default, which a block may take back."""
    meta = f"statsig_defaults: {{enabled: 'false'}}\nstatsig: {BLOCK % ''}"
    assert one_model(meta, tmp_path).declarations == ()
    meta = f"statsig_defaults: {{enabled: false}}\nstatsig: {BLOCK % ', enabled: true'}"
    assert len(one_model(meta, tmp_path).declarations) == 1

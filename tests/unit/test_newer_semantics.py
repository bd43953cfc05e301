"""YAML of dbt's semantic layer that was changed after the manifest: named where that is certain, and nowhere else."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from dbt_statsig.project.artifacts import Manifest
from dbt_statsig.project.newer_yaml import newer_yaml
from dbt_statsig.project.settings import SemanticLayerSettings
from tests.semantic import HERE, MANIFESTS, PROJECT, form

if TYPE_CHECKING:
    from pathlib import Path

VERSIONS = [path.stem for path in MANIFESTS]
OLDER, NEWER = "1.11", "1.12"
ALL, MARKED = SemanticLayerSettings(metrics="all"), SemanticLayerSettings()
META = "config: {meta: {statsig: {metric: {directionality: increase}}}}"


def found(
    folder: Path,
    version: str,
    *edits: tuple[str, str],
    more: str = "",
    settings: SemanticLayerSettings = ALL,
    project: str = "name: tea_stall\n",
    **sections: Any,
) -> list[str]:
    """The files that are named, where the YAML was edited after this version of dbt had read it."""
    text = (PROJECT / "yaml" / form(version)).read_text(encoding="utf-8")
    for before, after in edits:
        assert before in text
        text = text.replace(before, after)
    (folder / "models").mkdir(exist_ok=True)
    (folder / "dbt_project.yml").write_text(project, encoding="utf-8")
    (folder / "models" / form(version)).write_text(text + more, encoding="utf-8")
    path = folder / "manifest.json"
    content = json.loads((HERE / "manifests" / f"{version}.json").read_text(encoding="utf-8"))
    content["metadata"]["generated_at"] = "2020-01-01T00:00:00Z"
    for section, edit in sections.items():
        content[section] = edit(content[section])
    path.write_text(json.dumps(content), encoding="utf-8")
    manifest = Manifest.from_bytes(path.read_bytes(), path)
    return [one.fault or one.path for one in newer_yaml(manifest, path, folder, settings)]


@pytest.mark.parametrize("settings", [ALL, MARKED, SemanticLayerSettings(metrics="all", exclude=("revenue",))])
@pytest.mark.parametrize("version", VERSIONS)
def test_the_yaml_that_dbt_has_read(tmp_path: Path, version: str, settings: SemanticLayerSettings) -> None:
    """No version's manifest differs from the YAML that it was made of."""
    assert found(tmp_path, version, settings=settings) == []


EDITS = [
    ("upper(country)", "lower(country)"),
    ("'NL' and", "'BE' and"),
    ("name: region", "name: area"),
    ("type: categorical", "type: time"),
    ("agg: average", "agg: median"),
    ("amount - discount", "amount - 2 * discount"),
    (META, META.replace("increase", "decrease")),
    ("agg_time_dimension: ordered_at", "agg_time_dimension: paid_at"),
    ("numerator: revenue", "numerator: net_revenue"),
    ("{{ Dimension('order__is_gift') }}\"", "not {{ Dimension('order__is_gift') }}\""),
    ("expr: revenue - given", "expr: revenue + given"),
    ("alias: given", "alias: gave"),
    ("name: growth, label: Growth, type: derived", "name: grown, label: Growth, type: derived"),
    ("entity: user, calculation: conversion_rate", "entity: user, calculation: conversions"),
    ("type: foreign, name: user", "type: unique, name: user"),
    ("percentile: 0.9", "percentile: 0.8"),
    ("name: stall_visits", "name: visits_of_stalls"),
    ("base_metric: visits_made", "base_metric: revenue"),
    ("base_measure: visits_made", "base_measure: revenue"),
    ("type_params: {measure: revenue}, config", "type_params: {measure: net_revenue}, config"),
]


IN_FORM = [
    (version, edit)
    for version in VERSIONS
    for edit in EDITS
    if edit[0] in (PROJECT / "yaml" / form(version)).read_text(encoding="utf-8")
]


@pytest.mark.parametrize(("version", "edit"), IN_FORM)
def test_what_changes_a_metric(tmp_path: Path, version: str, edit: tuple[str, str]) -> None:
    """A filter, expression, aggregation, type, name or block that is another one is found in both forms."""
    assert found(tmp_path, version, edit) == [f"models/{form(version)}"]


@pytest.mark.parametrize(
    "edits",
    [
        [("label: Revenue,", "label: All revenue,")],
        [("What was paid.", "What was paid at last.")],
        [("expr: amount - discount", 'expr: "amount  -  discount"')],
        [("expr: amount - discount", "expr: \"{{ var('net') }}\"")],
        [("= 'NL' and", "= '{{ var('country') }}' and")],
        [("name: region", "name: \"{{ var('region') }}\"")],
        [("expr: upper(country)", "expr: true")],
        [("1 week", "2 weeks"), ("7 days", "9 days")],
        [("- name: days\n", "- name: days  # a comment\n")],
    ],
)
@pytest.mark.parametrize("version", [OLDER, NEWER])
def test_what_is_the_same_or_cannot_be_known(tmp_path: Path, version: str, edits: list[tuple[str, str]]) -> None:
    """Labels, white space, comments, windows and Jinja that only dbt can read are no reason to name a file."""
    assert found(tmp_path, version, *edits) == []


NEW = {
    OLDER: "  - {name: more, label: More, type: simple, type_params: {measure: revenue}%s}\n",
    NEWER: "  - {name: more, label: More, type: ratio, numerator: revenue, denominator: revenue%s}\n",
}


@pytest.mark.parametrize("version", [OLDER, NEWER])
def test_a_new_metric(tmp_path: Path, version: str) -> None:
    """A new metric counts where it is for Statsig, and where dbt reads its form."""
    plain, marked = NEW[version] % "", NEW[version] % f", {META}"
    other = {OLDER: NEWER, NEWER: OLDER}[version]
    assert found(tmp_path, version, more=plain) == [f"models/{form(version)}"]
    assert found(tmp_path, version, more=marked, settings=MARKED) == [f"models/{form(version)}"]
    assert found(tmp_path, version, more=plain, settings=MARKED) == []
    assert found(tmp_path, version, more=plain, settings=SemanticLayerSettings(metrics="all", exclude=("more",))) == []
    assert found(tmp_path, version, more=NEW[other] % "") == []
    assert found(tmp_path, version, more=NEW[version] % ", config: {enabled: false}") == []
    assert found(tmp_path, version, more=plain, project="name: tea_stall\nmetrics: {+enabled: false}\n") == []
    assert found(tmp_path, version, more="  - nothing\n  - {label: no name}\n") == []


@pytest.mark.parametrize("version", [OLDER, NEWER])
def test_a_metric_that_is_gone(tmp_path: Path, version: str) -> None:
    """A metric that is taken and no longer in its file is found; one that a measure creates is in no file."""
    text = (PROJECT / "yaml" / form(version)).read_text(encoding="utf-8")
    (line,) = re.findall(r"\n *- \{name: growth,[^\n]*", text)
    assert found(tmp_path, version, (line, "")) == [f"models/{form(version)}"]
    assert found(tmp_path, version, (line, ""), settings=MARKED) == []
    if version == OLDER:
        (line,) = re.findall(r"\n *- \{name: gifts, label[^\n]*", text)
        assert found(tmp_path, version, (line, "")) == ["models/older.yml"]
        created = ("agg: sum_boolean, expr: is_gift", "agg: sum_boolean, expr: is_gift, create_metric: true")
        assert found(tmp_path, version, (line, ""), created) == []


@pytest.mark.parametrize("version", [OLDER, NEWER])
def test_only_what_is_taken_counts(tmp_path: Path, version: str) -> None:
    """With marks, an edit of what no marked metric is made of does not matter; that of its inputs does."""
    for edit in (("agg: average", "agg: median"), ("name: region", "name: area"), ("expr: revenue - given", "expr: 1")):
        assert found(tmp_path, version, edit, settings=MARKED) == []
    assert found(tmp_path, version, ("expr: revenue - given", "expr: revenue + given"), settings=MARKED) == []
    mark = ("label: Paid,", f"label: Paid, {META},")

    def marked(metrics: dict[str, Any]) -> dict[str, Any]:
        metrics["metric.tea_stall.paid"]["config"] = {"meta": {"statsig": {"metric": {"directionality": "increase"}}}}
        return metrics

    assert found(tmp_path, version, mark, settings=MARKED, metrics=marked) == []
    net = ("name: net_revenue, agg: sum, expr: amount - discount", "name: net_revenue, agg: max, expr: amount")
    newer = ("label: Net revenue, type: simple, agg: sum", "label: Net revenue, type: simple, agg: max")
    edit = net if version == OLDER else newer
    assert found(tmp_path, version, mark, edit, settings=MARKED, metrics=marked) == [f"models/{form(version)}"]


def test_a_file_that_is_no_yaml(tmp_path: Path) -> None:
    """The fault of a file with metrics is named, with its line."""
    (fault,) = found(tmp_path, NEWER, more="  - {name: [\n")
    assert "expected" in fault


def test_a_block_that_dbt_project_yml_sets(tmp_path: Path) -> None:
    """Where dbt_project.yml speaks of statsig, a metric whose YAML has no block may have that."""
    edit = (f", {META}", "")
    assert found(tmp_path, NEWER, edit) == ["models/newer.yml"]
    assert found(tmp_path, NEWER, edit, project="name: tea_stall\nmodels: {+meta: {statsig: {}}}\n") == []


def test_metrics_of_metrics_that_name_each_other(tmp_path: Path) -> None:
    """A circle of metrics, which dbt refuses, ends nothing."""

    def circle(metrics: dict[str, Any]) -> dict[str, Any]:
        metrics["metric.tea_stall.paid"]["type_params"]["metrics"] = [{"name": "paid"}]
        return metrics

    assert found(tmp_path, OLDER, metrics=circle) == ["models/older.yml"]


def test_the_usual_file_has_no_semantic_layer(tmp_path: Path) -> None:
    """Without metrics in the manifest nothing of them is compared: dbt 2 reads no older YAML."""
    assert found(tmp_path, "2.0", ("agg: average", "agg: median"), metrics=lambda _: {}) == []

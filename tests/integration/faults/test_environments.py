"""Fault 47: dev, CI and prod, two regions, or two projects of one name, in one console. Each touches its own only."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.faults.inprocess import call, plan, sync
from tests.integration.faults.project import Project, block, model

if TYPE_CHECKING:
    from pathlib import Path

    from dbt_statsig.emulator import Running

SOURCES = (("exposures", "Exposures", "assignment_source"), ("orders", "Orders", "metric_source"))
LEGACY = "Managed by dbt: shop/model.shop.orders"


def deployment(folder: Path, server: Running, schema: str, **settings: Any) -> Project:
    """The project as one environment builds it: the same models, in a schema of its own."""
    project = Project(folder, server.url)
    for node, name, kind in SOURCES:
        project.models[node] = model(node, block(name, kind)) | {"relation_name": f'"db"."{schema}"."{node}"'}
    project.write()
    project.settings(**settings)
    return project


def held(server: Running) -> dict[str, dict[str, Any]]:
    """All sources of the console by name, as they are now."""
    return copy.deepcopy({name: one for kind in server.state.sources.values() for name, one in kind.items()})


def lines(server: Running) -> dict[str, str]:
    """The ownership line of each object."""
    return {name: str(one["description"]).splitlines()[-1] for name, one in held(server).items()}


PREFIX = {"name_prefix": {"dev": "dev "}}
MAPPED = {"name_prefix": {"dev": "dev "}, "namespace": {"dev": "mine"}}


@pytest.mark.parametrize(("settings", "namespace"), [(PREFIX, "dev"), (MAPPED, "mine")], ids=["prefix", "mapping"])
def test_a_developer_never_touches_production(
    tmp_path: Path, server: Running, settings: dict[str, Any], namespace: str
) -> None:
    """Under a prefix, a developer's sync and prune make, change and delete objects of their own namespace only."""
    prod = deployment(tmp_path / "prod", server, "main", **settings)
    dev = deployment(tmp_path / "dev", server, "dev_ada", **settings)
    assert sync(prod, "--target", "prod").code == 0
    before = held(server)
    for options in ((), ("--prune",), ("--prune", "--force")):
        assert sync(dev, "--target", "dev", *options).code == 0
        assert {name: one for name, one in held(server).items() if name in before} == before
    assert lines(server)["dev Orders"] == f"Managed by dbt: shop@{namespace}/model.shop.orders"
    assert set(plan(dev, "--target", "dev").actions.values()) == {"unchanged"}
    ours = held(server)
    done = sync(prod, "--target", "prod", "--prune", "--force")
    assert (done.code, set(done.actions.values())) == (0, {"unchanged"})
    dev.models.clear()
    dev.declare("other", "Other")
    assert sync(dev, "--target", "dev", "--prune", "--force").code == 0
    assert held(server).keys() == {*before, "dev Other"}
    assert {name: ours[name] for name in before} == before


def test_a_name_of_another_namespace_is_foreign(tmp_path: Path, server: Running) -> None:
    """The same name in another namespace is refused, with whose it is; --adopt takes it over, --adopt-all does not."""
    prod = deployment(tmp_path / "prod", server, "main")
    dev = deployment(tmp_path / "dev", server, "dev_ada", namespace={"dev": "dev"})
    assert sync(prod, "--target", "prod").code == 0
    before = held(server)
    done = sync(dev, "--target", "dev", "--prune", "--force", "--adopt-all", "--yes")
    assert (done.code, set(done.actions.values())) == (1, {"foreign"})
    assert held(server) == before
    shown = call(dev, "plan", "--target", "dev").stdout
    assert 'belongs to dbt project "shop" without a namespace' in shown
    assert "shop@dev (duckdb" in call(dev, "validate", "--target", "dev").stdout
    assert sync(dev, "--target", "dev", "--adopt", "Orders").statuses == {"Orders": "done"}
    assert lines(server)["Orders"] == "Managed by dbt: shop@dev/model.shop.orders"
    shown = " ".join(call(prod, "plan", "--target", "prod").stdout.split())
    assert 'belongs to dbt project "shop" in the namespace "dev"' in shown


def test_two_regions(tmp_path: Path, server: Running) -> None:
    """One project, deployed twice with names of its own each: neither renames, updates or deletes the other's."""
    eu = deployment(tmp_path / "eu", server, "eu", namespace="{target}", name_prefix={"eu": "EU ", "us": "US "})
    us = deployment(tmp_path / "us", server, "us", namespace="{target}", name_prefix={"eu": "EU ", "us": "US "})
    assert sync(eu, "--target", "eu").code == 0
    first = held(server)
    assert sync(us, "--target", "us", "--prune", "--force").code == 0
    assert sync(eu, "--target", "eu", "--prune", "--force").code == 0
    assert {name: one for name, one in held(server).items() if name in first} == first
    assert sorted(lines(server).values()) == [
        f"Managed by dbt: shop@{region}/model.shop.{node}" for region in ("eu", "us") for node, *_ in SOURCES
    ]


def test_the_namespace_of_a_deployment_from_its_environment(tmp_path: Path, server: Running) -> None:
    """A plain text in the environment is the namespace of every target, known or not."""
    project = deployment(tmp_path / "eu", server, "eu")
    assert sync(project, DBT_STATSIG_NAMESPACE="eu").code == 0
    assert set(plan(project, DBT_STATSIG_NAMESPACE="eu").actions.values()) == {"unchanged"}
    assert set(plan(project).actions.values()) == {"foreign"}


@pytest.mark.parametrize("settings", [PREFIX, {"namespace": "{target}"}], ids=["prefix", "template"])
def test_an_unknown_target_pushes_nothing(tmp_path: Path, server: Running, settings: dict[str, Any]) -> None:
    """Where names or the namespace depend on the target and nobody says which it is, nothing is written."""
    project = deployment(tmp_path / "shop", server, "main", **settings)
    done = call(project, "sync")
    assert (done.code, held(server)) == (1, {})
    assert f"the dbt target is not known, and `{next(iter(settings))}` depends on it" in done.stderr
    assert "A sync would be refused." in call(project, "plan").stderr


def test_a_saved_plan_is_for_one_namespace(tmp_path: Path, server: Running) -> None:
    """A plan that was saved for one namespace is not applied in another."""
    project = deployment(tmp_path / "shop", server, "main")
    assert call(project, "plan", "--out", str(tmp_path / "plan"), DBT_STATSIG_NAMESPACE="eu").code == 0
    done = call(project, "sync", "--plan", str(tmp_path / "plan"), DBT_STATSIG_NAMESPACE="us")
    assert (done.code, held(server)) == (2, {})
    assert 'made for the namespace "eu", and this is "us"' in done.stderr


def as_before(server: Running) -> None:
    """Let the developer's objects bear the line that a version without namespaces gave them."""
    for kind in server.state.sources.values():
        for name, one in kind.items():
            if name.startswith("dev "):
                one["description"] = str(one["description"]).replace("shop@dev/", "shop/")


def test_objects_of_a_version_without_namespaces(tmp_path: Path, server: Running) -> None:
    """Production neither renames nor deletes a developer's older objects; the developer takes them over at once."""
    prod = deployment(tmp_path / "prod", server, "main", **PREFIX)
    dev = deployment(tmp_path / "dev", server, "dev_ada", **PREFIX)
    assert sync(dev, "--target", "dev").code == 0
    as_before(server)
    theirs = held(server)
    done = sync(prod, "--target", "prod", "--prune", "--force")
    assert done.actions == {
        "Exposures": "create",
        "Orders": "create",
        "dev Exposures": "orphan",
        "dev Orders": "orphan",
    }
    assert {name: one for name, one in held(server).items() if name in theirs} == theirs
    shown = call(prod, "plan", "--target", "prod").stdout
    assert 'Its name has the prefix of the dbt target "dev"' in shown
    assert 'sync --target dev --adopt "dev Orders"' in " ".join(shown.split())
    ours = {name: one for name, one in held(server).items() if name not in theirs}
    assert set(plan(dev, "--target", "dev").actions.values()) == {"foreign"}
    assert sync(dev, "--target", "dev", "--adopt-all", "--yes").statuses == dict.fromkeys(theirs, "done")
    assert {name: one for name, one in held(server).items() if name in ours} == ours
    assert set(plan(prod, "--target", "prod").actions.values()) == {"unchanged"}

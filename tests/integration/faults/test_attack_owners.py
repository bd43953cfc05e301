"""An attack from outside, second part: whose an object is, when its line, the namespace or the project changes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.faults.inprocess import call, plan, sync
from tests.integration.faults.project import Project, held

if TYPE_CHECKING:
    from pathlib import Path

    from dbt_statsig.emulator import Running

LINE = "Managed by dbt: shop/model.shop.orders"

OURS = {
    "blanks behind": f"Text.\n\n{LINE}   ",
    "blanks before": f"Text.\n\n   {LINE}",
    "CRLF": f"Text.\r\n\r\n{LINE}\r\n",
    "line separator": f"Text.\u2028{LINE}",
    "two lines, ours last": f"Managed by dbt: other/model.other.x\n{LINE}",
    "zero width behind": f"Text.\n\n{LINE}\u200b",
    "another node": "Managed by dbt: shop/model.shop.other",
    "no node of this project": "Managed by dbt: shop/x",
}
NOT_OURS = {
    "two lines, theirs last": f"{LINE}\nManaged by dbt: other/model.other.x",
    "in the middle": f"{LINE}\n\nSee the wiki.",
    "escaped": LINE.replace("/", "&#x2F;"),
    "zero width in the project": LINE.replace("shop/", "shop\u200b/"),
    "zero width before": f"\u200b{LINE}",
    "no-break space": LINE.replace(": ", ":\u00a0"),
    "wide colon": LINE.replace(":", "\uff1a"),
    "bold": f"**{LINE}**",
    "a full stop behind": f"{LINE} .",
    "empty namespace": LINE.replace("shop/", "shop@/"),
    "two namespaces": LINE.replace("shop/", "shop@a@b/"),
    "other namespace": LINE.replace("shop/", "shop@a/"),
    "project in capitals": LINE.replace("shop/", "Shop/"),
    "no text": "",
    "null": None,
    "a number": 7,
    "1,000 lines": "Managed by dbt: other/x\n" * 1000,
}

CHANGED = {"lower case": LINE.lower(), "behind the text": f"> {LINE}"}


@pytest.mark.parametrize("text", CHANGED.values(), ids=CHANGED)
def test_a_changed_line_counts_where_it_is_declared(project: Project, server: Running, text: str) -> None:
    """Undeclared, the object is not found and stays; declared, it is put right."""
    project.declare("still", "Still")
    assert sync(project).code == 0
    server.state.sources["metric_sources"]["Orders"]["description"] = text
    before = held(server)
    project.unmark("orders")
    assert sync(project, "--prune", "--force").code == 0
    assert held(server) == before
    project.declare("orders", "Orders")
    assert sync(project, "--prune").statuses == {"Orders": "done"}
    assert server.state.sources["metric_sources"]["Orders"]["description"].endswith(LINE)
    assert held(server).keys() == before.keys()


@pytest.mark.parametrize("text", NOT_OURS.values(), ids=NOT_OURS)
def test_an_edited_line_that_is_not_ours(project: Project, server: Running, text: Any) -> None:
    """The object is neither changed nor deleted, declared or not, with --prune and --force."""
    project.declare("still", "Still")
    assert sync(project).code == 0
    server.state.sources["metric_sources"]["Orders"]["description"] = text
    before = held(server)
    done = sync(project, "--prune", "--force")
    assert (done.code, done.statuses) == (1, {})
    project.unmark("orders")
    assert sync(project, "--prune", "--force").code == 0
    assert held(server) == before


@pytest.mark.parametrize("text", OURS.values(), ids=OURS)
def test_an_edited_line_that_is_ours(project: Project, server: Running, text: str) -> None:
    """The object is put right once, without a second one, and the line is whole afterwards."""
    project.declare("still", "Still")
    assert sync(project).code == 0
    server.state.sources["metric_sources"]["Orders"]["description"] = text
    assert sync(project, "--prune").code == 0
    assert held(server).keys() == {"Orders", "Still"}
    assert set(plan(project).actions.values()) == {"unchanged"}


def test_namespaces_that_swap_their_prefixes(tmp_path: Path, server: Running) -> None:
    """Neither takes the other's names: all that is held by the other is refused, and stays."""
    shop = Project(tmp_path / "shop", server.url)
    shop.declare("orders", "Orders")
    named = {"eu": "eu", "us": "us"}
    shop.settings(namespace=named, name_prefix={"eu": "E ", "us": "U "})
    assert [sync(shop, "--target", target).code for target in ("eu", "us")] == [0, 0]
    before = held(server)
    shop.settings(namespace=named, name_prefix={"eu": "U ", "us": "E "})
    assert [sync(shop, "--target", target, "--prune", "--force").code for target in ("eu", "us")] == [1, 1]
    assert held(server) == before


def test_a_namespace_that_is_removed_or_a_project_that_is_renamed(project: Project, server: Running) -> None:
    """What was pushed is another owner's now: refused with that owner's name, kept, and taken over by name only."""
    assert sync(project, DBT_STATSIG_NAMESPACE="eu").code == 0
    before = held(server)
    done = call(project, "sync", "--prune", "--force", "--adopt-all", "--yes")
    assert (done.code, held(server)) == (1, before)
    assert '--adopt "Orders"' in done.stdout
    content = json.loads((project.folder / "target" / "manifest.json").read_text())
    content["metadata"]["project_name"] = "store"
    (project.folder / "target" / "manifest.json").write_text(json.dumps(content))
    (project.folder / "dbt_project.yml").write_text("name: store\n")
    done = call(project, "sync", "--prune", "--force", "--adopt-all", "--yes", DBT_STATSIG_NAMESPACE="eu")
    assert (done.code, held(server)) == (1, before)
    assert 'dbt project "shop" in the namespace "eu"' in " ".join(done.stdout.split())
    assert sync(project, "--adopt", "Orders").statuses == {"Orders": "done"}


def test_a_prefix_that_changes(tmp_path: Path, server: Running) -> None:
    """A new prefix is a new namespace where none is named; a named one renames or replaces. Nothing is lost."""
    shop = Project(tmp_path / "shop", server.url)
    shop.declare("orders", "Orders")
    for prefix in ("a ", "b "):
        shop.settings(name_prefix={"dev": prefix})
        assert sync(shop, "--target", "dev", "--prune", "--force").code == 0
    assert held(server).keys() == {"a Orders", "b Orders"}
    shop.settings(name_prefix={"dev": "c "}, namespace={"dev": "b"})
    assert sync(shop, "--target", "dev", "--prune").code == 0
    assert held(server).keys() == {"a Orders", "c Orders"}

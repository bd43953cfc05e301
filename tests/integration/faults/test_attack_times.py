"""An attack from outside, third part: time, settings, files."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tests.integration.faults.inprocess import call, plan, sync
from tests.integration.faults.liar import Ask, Liar, raw
from tests.integration.faults.project import Project, block, held, model
from tests.integration.faults.thirty import THEIRS
from tests.unit.project.artifacts.build import manifest_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from dbt_statsig.emulator import Running


@pytest.mark.parametrize("refused", [False, True])
def test_a_block_that_changes_its_kind(project: Project, server: Running, *, refused: bool) -> None:
    """The old object is deleted only where the new one, of another kind, is there."""
    project.declare("still", "Still")
    assert sync(project).code == 0
    for number in range(4):
        project.declare(f"more{number}", f"More {number}")
    assert sync(project).code == 0
    project.declare("orders", "Orders", "qualifying_event")
    if refused:
        server.inject({"match": {"method": "POST", "path": "qualifying"}, "action": "status", "status": 400})
    done = sync(project, "--prune")
    assert done.code == (1 if refused else 0)
    assert ("Orders" in held(server)) is refused
    assert ("Orders" in held(server, "qualifying_events")) is not refused


@pytest.mark.parametrize("saved", [False, True])
def test_a_block_of_another_kind_that_cannot_be_written(
    project: Project, server: Running, tmp_path: Path, *, saved: bool
) -> None:
    """Blocked by a finding, or by what the console holds since the plan was saved: the old object stays."""
    for name in ("Still", "More", "Most"):
        project.declare(name.lower(), name)
    assert sync(project).code == 0
    project.declare("orders", "Orders", "qualifying_event")
    if saved:
        assert plan(project, "--prune", "--out", tmp_path / "plan").code == 0
        server.state.sources["qualifying_events"]["Orders"] = {**THEIRS, "name": "Orders"}
        done = sync(project, "--plan", tmp_path / "plan")
    else:
        project.declare("orders", "Orders", "qualifying_event", timestamp_column="nowhere")
        done = sync(project, "--prune")
    assert done.code == 1
    assert "Orders" in held(server)
    assert 'See qualifying event \\"Orders\\".' in done.stdout


@pytest.mark.parametrize("kind", ["metric_source", "assignment_source"])
@pytest.mark.parametrize("unique_id", ["model.pkg.orders", "model.shop.orders.v2", "snapshot.shop.orders"])
def test_a_node_that_moves(project: Project, server: Running, unique_id: str, kind: str) -> None:
    """A model in a package, in another version, or a snapshot now: its object is kept, under its new node."""
    project.declare("orders", "Orders", kind)
    project.declare("still", "Still", kind)
    assert sync(project).code == 0
    moved = model("orders", block("Orders", kind)) | {"unique_id": unique_id}
    if unique_id.endswith(".v2"):
        moved |= {"version": 2, "latest_version": 2}
    moved |= {"resource_type": unique_id.split(".", 1)[0], "package_name": unique_id.split(".")[1]}
    still = project.models["still"]
    (project.folder / "target" / "manifest.json").write_bytes(manifest_bytes(model("plain", {}), still, moved))
    assert sync(project, "--prune").code == 0
    found = held(server, f"{kind}s")
    assert found.keys() == {"Orders", "Still"}
    assert found["Orders"]["description"].endswith(f"shop/{unique_id}")


def test_a_node_renamed_with_its_source(project: Project, server: Running) -> None:
    """The new one is made; the old one goes only with --force, as its node may just be missing."""
    project.declare_many(8)
    assert sync(project).code == 0
    project.models.pop("orders")
    project.declare("purchases", "Purchases")
    assert sync(project, "--prune").code == 1
    assert {"Orders", "Purchases"} <= held(server).keys()
    assert sync(project, "--prune", "--force").code == 0
    assert "Orders" not in held(server)


def exchange(project: Project, kind: str) -> None:
    """Push two blocks of one node, then let them exchange their names."""
    for names in (("A", "B"), ("B", "A")):
        meta = block("x", kind)["statsig"][kind]
        blocks = [{**meta, "name": name, "where": f"amount > {number}"} for number, name in enumerate(names, 1)]
        project.models["orders"] = model("orders", {"statsig": {kind: blocks}})
        project.write()
        if names[0] == "A":
            assert sync(project).code == 0


def test_two_metric_sources_of_a_node_that_exchange_their_names(project: Project, server: Running) -> None:
    """Each name keeps its object, with the other's content, as no rename is possible; nothing goes, even pruned."""
    exchange(project, "metric_source")
    assert sync(project, "--prune", "--force").code == 0
    found = held(server, "metric_sources")
    assert ("amount > 2" in found["A"]["sql"], "amount > 1" in found["B"]["sql"]) == (True, True)


def test_two_sources_of_a_node_that_exchange_their_names(project: Project, server: Running) -> None:
    """Whether names or contents were to be exchanged nobody says, so neither history gets the other's rows."""
    exchange(project, "assignment_source")
    before = held(server, "assignment_sources")
    done = sync(project, "--prune", "--force")
    assert done.code == 1
    assert "exchange their names in a circle" in done.stdout + done.stderr
    assert held(server, "assignment_sources") == before


def test_a_saved_plan_applied_late_and_again(project: Project, server: Running, tmp_path: Path) -> None:
    """After the prefix changed it is refused; after another run pruned, what is gone is no failure; twice is once."""
    file = tmp_path / "plan"
    project.declare_many(8)
    assert sync(project).code == 0
    project.unmark("orders")
    project.declare("fresh", "Fresh")
    assert plan(project, "--prune", "--out", file).code == 0
    project.settings(name_prefix={"dev": "d "})
    assert sync(project, "--plan", file, "--target", "dev").code == 2
    (project.folder / "dbt_statsig.yml").unlink()
    del server.state.sources["metric_sources"]["Orders"]
    assert sync(project, "--plan", file).code == 0
    done = sync(project, "--plan", file)
    assert (done.code, set(done.statuses.values())) == (0, {"done"})
    assert held(server).keys() == {"Fresh", *(f"S{number:02}" for number in range(8))}


def test_an_object_that_two_projects_adopt(tmp_path: Path, server: Running) -> None:
    """Of two saved plans that adopt one object, the second is refused: it is the first one's by then."""
    server.state.sources["metric_sources"]["By hand"] = dict(THEIRS)
    projects: list[Project] = []
    for name in ("one", "two"):
        each = Project(tmp_path / name, server.url)
        each.declare("orders", "By hand", where=f"amount > {len(projects)}")
        each.settings(namespace=name)
        assert plan(each, "--adopt", "By hand", "--out", tmp_path / f"{name}.plan").code == 0
        projects.append(each)
    assert sync(projects[0], "--plan", tmp_path / "one.plan").code == 0
    first = held(server)
    done = sync(projects[1], "--plan", tmp_path / "two.plan")
    assert (done.code, held(server)) == (1, first)


@pytest.mark.parametrize("length", [900, 1000, 1024, 4096, 65_535])
def test_a_description_that_is_cut(tmp_path: Path, server: Running, liar: Liar, length: int) -> None:
    """Where the service cuts the ownership line off, that is reported; the next run writes nothing and says why."""
    shop = Project(tmp_path / "shop", liar.url)
    shop.declare("orders", "Orders", description="x" * length)

    def cut(ask: Ask) -> None:
        if ask.method == "POST" and b'"description"' in ask.body:
            content = json.loads(ask.body)
            content["description"] = content["description"][:length]
            ask.body = json.dumps(content).encode()

    with liar.lies(cut):
        done = call(shop, "sync")
        assert "other values than are declared" in " ".join(done.stdout.split())
        before = held(server)
        again = call(shop, "sync", "--prune", "--force")
    assert again.code == 1
    assert "without an ownership line" in " ".join(again.stdout.split()) or "it has no ownership line" in again.stdout
    assert held(server) == before


FILES = ["target/manifest.json", "dbt_project.yml", "dbt_statsig.yml", "target/plan"]


@pytest.mark.parametrize("place", FILES[:3])
@pytest.mark.parametrize("option", ["--out", "--report"])
def test_an_output_over_an_input(project: Project, server: Running, option: str, place: str) -> None:
    """An answer is never written over a file of the project that the run reads."""
    project.settings(strict=False)
    server.reset()
    before = (project.folder / place).read_bytes()
    path = str(project.folder / place)
    done = call(project, "plan", option, path if option == "--out" else f"json:{path}")
    assert (project.folder / place).read_bytes() == before
    assert done.code == 2
    assert server.requests == []


def test_a_report_over_the_saved_plan(project: Project, server: Running) -> None:
    """A report at the saved plan's place is refused before anything is done, in both commands."""
    path = project.folder / "plan"
    assert call(project, "plan", "--out", path, "--report", f"json:{path}").code == 2
    assert plan(project, "--out", path).code == 0
    before = path.read_bytes()
    assert call(project, "sync", "--plan", path, "--report", f"json:{path}").code == 2
    assert (path.read_bytes(), held(server)) == (before, {})


def test_a_folder_that_disappears(project: Project, server: Running, tmp_path: Path) -> None:
    """A saved plan whose folder is gone, is a folder, or is empty: exit 2, one message, nothing sent."""
    (tmp_path / "empty").write_text("")
    for path in (tmp_path / "gone" / "plan", tmp_path, tmp_path / "empty"):
        done = call(project, "sync", "--plan", path)
        assert (done.code, done.stdout, server.requests) == (2, "", [])
        assert str(path) in done.stderr
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "gone" / "plan", tmp_path / "pipe"):
        assert call(project, "plan", "--out", path).code == 2
    assert server.requests == []


def test_a_manifest_that_is_replaced_in_mid_run(tmp_path: Path, server: Running, liar: Liar) -> None:
    """The run goes by the manifest that it read; a torn one written meanwhile does not matter to it."""
    shop = Project(tmp_path / "shop", liar.url)
    shop.declare_many(4)

    def tear(ask: Ask) -> None:
        if ask.method == "GET":
            (shop.folder / "target" / "manifest.json").write_text('{"metadata": {')

    with liar.lies(tear):
        assert sync(shop, "--prune").code == 0
    assert len(held(server)) == 4
    assert call(shop, "sync", "--prune", "--force").code == 2
    assert len(held(server)) == 4


def test_a_clock_that_is_set_back(project: Project, server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wall clock of 1970, or of 2100, changes nothing of a run."""
    for wall in (0.0, 4_102_444_800.0):
        monkeypatch.setattr(time, "time", lambda wall=wall: wall)
        assert sync(project).code == 0
    assert len([one for one in server.requests if one.method == "POST"]) == 1


@pytest.mark.parametrize("where", ["/tags", "assignment_source/", "429"])
def test_an_interrupt_at_an_odd_moment(tmp_path: Path, server: Running, liar: Liar, where: str) -> None:
    """While tags are made, between two renames, in a long pause: what is done is reported, the rest is not started."""
    shop = Project(tmp_path / "shop", liar.url)
    for number in range(4):
        shop.declare(f"m{number}", f"A{number}", "assignment_source")
    assert sync(shop).code == 0
    for number in range(4):
        shop.declare(f"m{number}", f"B{number}", "assignment_source", tags=["new"])
    begun = threading.Event()

    def interrupt(ask: Ask) -> bytes | None:
        if ask.method == "GET" or begun.is_set() or not (where == "429" or where in ask.path):
            return None
        begun.set()
        if where == "429":
            threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
            return raw("429 Slow", b"{}", retry_after="60")
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.3)
        return None

    with liar.lies(interrupt):
        done = sync(shop)
    found = held(server, "assignment_sources")
    assert done.code in {2, 130}
    assert "not_started" in done.statuses.values()
    assert {name for name, status in done.statuses.items() if status == "done"} == {n for n in found if n[0] == "B"}
    assert len(found) == 4
    assert sync(shop).code == 0
    assert held(server, "assignment_sources").keys() == {"B0", "B1", "B2", "B3"}


ODD = {
    "WRITE_TIMEOUT": ["-1", "0", "nan", "inf", "1e999", "1s"],
    "WAIT_BUDGET": ["-1", "nan", "inf", "1_0_"],
    "CONCURRENCY": ["0", "-1", "65", "8.5", "true", "1e2"],
    "PRUNE_THRESHOLD_PERCENT": ["nan", "101", "-0.1", "30%"],
    "PRUNE_THRESHOLD_OBJECTS": ["-1", "3.5", "three"],
    "RESPECT_REVIEW_SETTINGS": ["2", "y", "null", "[]"],
    "NAME_PREFIX": ["[]", "{", '{"dev": 1}', '{"": "x"}', "null"],
    "NAMESPACE": ["a b", "a/b", "a@b", "{target", '{"dev": ""}', "a\nb", "x" * 101],
    "ON_FAILURE": ["warn,fail", "FAIL!"],
    "BASE_URL": ["http://127.0.0.1:0x50/", "//x", "http://[::1", "http://127.0.0.1:99999"],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in ODD.items() for value in values])
def test_an_odd_setting(project: Project, server: Running, name: str, value: str) -> None:
    """It is refused with the variable's name and exit 2, before any request."""
    done = call(project, "sync", **{f"DBT_STATSIG_{name}": value})
    assert (done.code, server.requests) == (2, [])
    assert name in done.stderr or name.lower() in done.stderr


@pytest.mark.parametrize("key", ["allowed_targets", "allowed_schemas", "allowed_databases"])
def test_an_empty_list_allows_nothing(project: Project, server: Running, key: str) -> None:
    """A lock with an empty list is shut, not open."""
    project.settings(**{key: []})
    done = call(project, "sync", "--target", "dev")
    assert done.code != 0
    assert held(server) == {}


@pytest.mark.parametrize("percent", ["0", "0.0", "1e-9"])
def test_a_share_of_nothing(project: Project, server: Running, percent: str) -> None:
    """A limit of zero lets nothing of ours change at once, and new sources are still made."""
    project.declare_many(10)
    assert sync(project).code == 0
    project.declare("orders", "Orders", where="amount > 1")
    before = held(server)
    assert sync(project, DBT_STATSIG_PRUNE_THRESHOLD_PERCENT=percent).code == 1
    assert held(server) == before


@pytest.mark.parametrize("name", ["list", ".", "a/b", " ", "Orders ", "ORDERS", "\u200bOrders", "x" * 5000])
def test_a_neighbour_with_an_odd_name(project: Project, server: Running, name: str) -> None:
    """Somebody's object with a name that is hard to address stays, and does not keep ours from being right."""
    server.state.sources["metric_sources"][name] = {**THEIRS, "name": name}
    sync(project, "--prune", "--force")
    assert held(server)[name] == {**THEIRS, "name": name}
    assert ("Orders" in held(server)) is (name != "ORDERS")

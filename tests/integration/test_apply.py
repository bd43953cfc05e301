"""Plans written to a real socket: what becomes of each object, and what was sent."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from dbt_statsig.applying.apply import apply_plan
from dbt_statsig.console.client import ConsoleClient
from dbt_statsig.console.key import ApiKey
from dbt_statsig.emulator import running
from dbt_statsig.planning.matching import Desired, Live, Plan, Scope, build_plan
from dbt_statsig.vocabulary.changes import Action
from dbt_statsig.vocabulary.kinds import BLOCK_KINDS, SPECS
from dbt_statsig.vocabulary.ownership import Ownership, claim
from dbt_statsig.vocabulary.results import Outcome, Status
from dbt_statsig.vocabulary.sources import IdType, Kind, Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dbt_statsig.emulator import Running

USER = IdType(statsig_unit_id="userID", column="user_id")


def declared(name: str, node: str = "a", *, kind: Kind = Kind.ASSIGNMENT_SOURCE, **fields: Any) -> Desired:
    """A declaration with everything that its kind requires."""
    values: dict[str, Any] = {
        "description": claim("", Ownership("shop", f"model.shop.{node}")),
        "sql": "SELECT 1",
        "timestamp_column": "ts",
        "id_type_mapping": (USER,),
    }
    if kind is Kind.ASSIGNMENT_SOURCE:
        values |= {"experiment_id_column": "experiment", "group_id_column": "variant"}
    payload = SPECS[kind].payload(name=name, **(values | fields))
    return Desired(kind=kind, name=name, unique_id=f"model.shop.{node}", payload=payload)


@pytest.fixture
def emulator() -> Iterator[Running]:
    """A console that forgets what a full update leaves out: the harsher reading of the API."""
    with running(full_update_resets=True, normalise=True) as server:
        yield server


@pytest.fixture
def client(emulator: Running) -> Iterator[ConsoleClient]:
    """A client whose read-backs do not wait long."""
    with ConsoleClient(ApiKey(emulator.key, origin="test"), base_url=emulator.url, budget=5, delays=(0.0, 0.1)) as one:
        yield one


def make_plan(client: ConsoleClient, desired: Sequence[Desired], **scope: Any) -> Plan:
    """The plan against what the console holds now."""
    kinds = {item.kind for item in desired} | ({Kind.ASSIGNMENT_SOURCE} if scope.get("prune") else set())
    live = {kind: Live(items=client.list(kind).items) for kind in kinds}
    return build_plan(desired, live, Scope(project="shop", **scope))


def sync(client: ConsoleClient, desired: Sequence[Desired], **scope: Any) -> Outcome:
    """Plan and apply."""
    return apply_plan(client, make_plan(client, desired, **scope))


def statuses(outcome: Outcome) -> dict[str, Status]:
    """Status by name."""
    return {entry.change.name: entry.status for entry in outcome.objects}


def writes(emulator: Running) -> list[tuple[str, str]]:
    """Method and last segment of each request that was no read."""
    return [(one.method, one.path.rsplit("/", 1)[-1]) for one in emulator.requests if one.method != "GET"]


@pytest.mark.parametrize("kind", list(BLOCK_KINDS))
def test_a_second_run_finds_nothing_to_do(emulator: Running, client: ConsoleClient, kind: Kind) -> None:
    """What was created is found unchanged, and the second run asks for the list and nothing else."""
    wanted = [declared("A", kind=kind, tags=("dbt", "core"), sql="SELECT  1\nFROM t"), declared("B", "b", kind=kind)]
    first = sync(client, wanted)
    assert statuses(first) == {"A": Status.DONE, "B": Status.DONE}
    assert [entry.echo for entry in first.objects] == [(), ()]
    before = len(emulator.requests)
    assert sync(client, wanted).objects == ()
    assert [(one.method, one.path) for one in emulator.requests[before:]] == [("GET", SPECS[kind].list_path)]


def test_tags_are_made_sure_of_once(emulator: Running, client: ConsoleClient) -> None:
    """Missing tags are created before the sources that bear them, each once."""
    sync(client, [declared("A", tags=("dbt", "core")), declared("B", "b", tags=("dbt",))])
    assert sorted(writes(emulator)[:2]) == [("POST", "tags"), ("POST", "tags")]
    assert len([write for write in writes(emulator) if write == ("POST", "tags")]) == 2


def test_undeclared_fields_survive_a_full_update(emulator: Running, client: ConsoleClient) -> None:
    """A team that was set in the console is still there after the SQL was updated in full."""
    sync(client, [declared("A")])
    edited: Source = SPECS[Kind.ASSIGNMENT_SOURCE].payload(name="A", team="growth")
    client.patch(Kind.ASSIGNMENT_SOURCE, "A", edited, fields=frozenset({"team"}))
    sync(client, [declared("A", sql="SELECT 2")])
    live = client.get(Kind.ASSIGNMENT_SOURCE, "A")
    assert live is not None
    assert (live.sql, live.team) == ("SELECT 2", "growth")


def test_a_small_change_is_a_small_request(emulator: Running, client: ConsoleClient) -> None:
    """Where the kind can be patched and the SQL stays, only the changed field is sent."""
    sync(client, [declared("A", timestamp_column="ts")])
    sync(client, [declared("A", timestamp_column="exposed_at")])
    last = [one for one in emulator.requests if one.method != "GET"][-1]
    assert (last.method, last.body) == ("PATCH", {"timestampColumn": "exposed_at"})


def test_a_chain_of_renames(emulator: Running, client: ConsoleClient) -> None:
    """Each name is freed before it is taken."""
    sync(client, [declared("A", "a"), declared("B", "b"), declared("C", "c")])
    outcome = sync(client, [declared("B", "a"), declared("C", "b"), declared("D", "c")])
    assert statuses(outcome) == {"B": Status.DONE, "C": Status.DONE, "D": Status.DONE}
    assert make_plan(client, [declared("B", "a"), declared("C", "b"), declared("D", "c")]).changes[0].action is (
        Action.UNCHANGED
    )


def test_prune_deletes_what_is_ours_alone(emulator: Running, client: ConsoleClient) -> None:
    """Only objects of this project go."""
    sync(client, [declared("A"), declared("B", "b")])
    client.create(Kind.ASSIGNMENT_SOURCE, _by_hand("C"))
    outcome = sync(client, [declared("A")], prune=True)
    assert statuses(outcome) == {"B": Status.DONE}
    assert sorted(item.name for item in client.list(Kind.ASSIGNMENT_SOURCE).items) == ["A", "C"]


def _by_hand(name: str) -> Source:
    payload = declared(name).payload
    assert payload is not None
    return type(payload)(**{**{f: getattr(payload, f) for f in payload.__struct_fields__}, "description": "By hand."})


def test_one_refusal_does_not_stop_the_others(emulator: Running, client: ConsoleClient) -> None:
    """An object that the API refuses is reported with the API's reason; the others are written."""
    outcome = sync(client, [declared("A", scheduled_reload_hour=99), declared("B", "b")])
    assert statuses(outcome) == {"A": Status.FAILED, "B": Status.DONE}
    assert "scheduledReloadHour" in outcome.objects[0].message
    assert outcome.stopped == ""


def test_a_refused_key_stops_everything(emulator: Running, client: ConsoleClient) -> None:
    """After a 401 nothing more is started, and every object that was not written says so."""
    plan = make_plan(client, [declared(f"S{number}", f"n{number}") for number in range(30)])
    emulator.inject({"match": {"method": "POST", "path": "assignment_sources"}, "action": "status", "status": 401})
    outcome = apply_plan(client, plan, concurrency=1)
    assert set(statuses(outcome).values()) <= {Status.FAILED, Status.NOT_STARTED}
    assert list(statuses(outcome).values()).count(Status.FAILED) == 1
    assert outcome.stopped


def test_gone_since_the_plan(emulator: Running, client: ConsoleClient) -> None:
    """An object that was deleted after the plan was made is reported, not created again."""
    sync(client, [declared("A")])
    plan = make_plan(client, [declared("A", sql="SELECT 2")])
    client.delete(Kind.ASSIGNMENT_SOURCE, "A")
    outcome = apply_plan(client, plan)
    assert statuses(outcome) == {"A": Status.FAILED}
    assert "Plan again" in outcome.objects[0].fix
    assert client.get(Kind.ASSIGNMENT_SOURCE, "A") is None


def test_an_answer_that_differs_is_reported(emulator: Running, client: ConsoleClient) -> None:
    """Fields that Statsig keeps otherwise than they were sent are named."""
    plan = make_plan(client, [declared("A")])
    emulator.inject({"match": {"method": "POST"}, "action": "keeps_otherwise", "fields": {"sql": "SELECT 9"}})
    (entry,) = apply_plan(client, plan).objects
    assert entry.status is Status.DONE
    assert entry.echo


def test_progress_counts_every_object(emulator: Running, client: ConsoleClient) -> None:
    """The number of ended objects is reported once for each."""
    shown: list[int] = []
    lock = threading.Lock()

    def on_done(count: int) -> None:
        with lock:
            shown.append(count)

    plan = make_plan(client, [declared(f"S{number}", f"n{number}") for number in range(5)])
    apply_plan(client, plan, on_done=on_done)
    assert len(shown) == 5
    assert max(shown) == 5

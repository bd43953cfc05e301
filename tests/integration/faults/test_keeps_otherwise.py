"""A service that keeps another form of what it is sent: noted once, and not written again and again."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from dbt_statsig.applying.apply import apply_plan
from dbt_statsig.console import confirming
from dbt_statsig.emulator.mangling import Way, mangled
from dbt_statsig.planning.matching import Desired
from dbt_statsig.vocabulary.changes import Action
from dbt_statsig.vocabulary.kinds import BLOCK_KINDS
from dbt_statsig.vocabulary.kinds.metric import Metric, MetricPart
from dbt_statsig.vocabulary.ownership import Ownership, claim
from dbt_statsig.vocabulary.results import Status
from dbt_statsig.vocabulary.sources import Kind
from tests.integration.faults.memory import MemoryConsole
from tests.integration.test_apply import declared, make_plan, sync

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    from dbt_statsig.console.client import ConsoleClient
    from dbt_statsig.vocabulary.changes import Change
    from dbt_statsig.vocabulary.results import ObjectOutcome

NIGHTLY = bool(os.environ.get("DBT_STATSIG_NIGHTLY"))
WAYS: tuple[Way, ...] = get_args(Way)
OWNER = Ownership("shop", "model.shop.a")
TEXT = "Orders & <refunds>  of\nthe Shop"


class Keeping(MemoryConsole):
    """A console that keeps each object otherwise than it was sent."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.keep: Callable[[dict[str, Any]], dict[str, Any]] = dict
        self.sent: list[tuple[str, Any]] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """As the console, with another body."""
        body = request.read()
        if body and not request.url.path.endswith("tags"):
            content = msgspec.json.decode(body)
            self.sent.append((request.method, content))
            headers = {**request.headers, "content-length": ""}
            del headers["content-length"]
            changed = msgspec.json.encode(self.keep(content))
            request = type(request)(request.method, request.url, headers=headers, content=changed)
        return super().handle_request(request)


@pytest.fixture
def console() -> Keeping:
    """A console that forgets what a full update leaves out."""
    return Keeping(full_update_resets=True)


@pytest.fixture
def client(console: Keeping, monkeypatch: pytest.MonkeyPatch) -> Iterator[ConsoleClient]:
    """A client of it."""
    monkeypatch.setattr(confirming, "CONFIRMATIONS", (0.0,))
    with console.client() as one:
        yield one


def wanted(kind: Kind, **fields: Any) -> Desired:
    """A declaration in which every way to keep otherwise finds something."""
    values: dict[str, Any] = {
        "description": claim(TEXT, OWNER),
        "sql": "SELECT 'a  b' AS B",
        "tags": ("Core", "dbt"),
        "is_read_only": True,
    }
    return declared("Orders", kind=kind, **(values | fields))


def one_way(way: Way) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """What a service makes of a body."""
    return lambda body: mangled(body, [way], {})


def planned(client: ConsoleClient, item: Desired) -> Change:
    """The one change of a plan."""
    (change,) = make_plan(client, [item]).changes
    return change


def synced(client: ConsoleClient, item: Desired) -> ObjectOutcome:
    """How the one write ended."""
    (entry,) = sync(client, [item]).objects
    return entry


def names(fields: Any) -> set[str]:
    """The names of fields."""
    return {one.field for one in fields}


@pytest.mark.parametrize("kind", list(BLOCK_KINDS))
@pytest.mark.parametrize("way", WAYS)
def test_52_what_is_kept_otherwise_is_written_once(
    console: Keeping, client: ConsoleClient, way: Way, kind: Kind
) -> None:
    """Fault 52: the first sync notes it, the next has nothing to write, and a new declared value is written again."""
    console.keep = one_way(way)
    item = wanted(kind)
    first = synced(client, item)
    assert (first.status, len(console.sent)) == (Status.DONE, 2)
    assert first.echo
    again = planned(client, item)
    assert (again.action, names(again.not_kept)) == (Action.UNCHANGED, names(first.echo))
    assert sync(client, [item]).objects == ()
    changed = wanted(kind, timestamp_column="Placed_At")
    assert names(planned(client, changed).fields) - {"description"} == {"timestamp_column"}
    entry = synced(client, changed)
    writes = 2 if way == "upper_columns" else 1
    assert (entry.status, len(console.sent)) == (Status.DONE, 2 + writes)
    assert planned(client, changed).action is Action.UNCHANGED


def wanted_metric(**fields: Any) -> Desired:
    """A metric in which the ways find something."""
    values: dict[str, Any] = {
        "description": claim(TEXT, OWNER),
        "tags": ("Core", "dbt"),
        "is_verified": True,
        "aggregation": "sum",
        "metric_sources": (MetricPart(metric_source_name="Orders", value_column="net", criteria=()),),
    }
    payload = Metric(name="Revenue", **(values | fields))
    return Desired(kind=Kind.METRIC, name="Revenue", unique_id="model.shop.a", payload=payload)


@pytest.mark.parametrize("way", sorted(set(WAYS) - {"upper_columns"}))
def test_52_a_metric_that_is_kept_otherwise_is_written_once(console: Keeping, client: ConsoleClient, way: Way) -> None:
    """The same for a metric: noted, not written again, and a new declared value is written; --force sends it again."""
    assert synced(client, declared("Orders", kind=Kind.METRIC_SOURCE)).status is Status.DONE
    console.keep, console.sent = one_way(way), []
    first = synced(client, wanted_metric())
    assert (first.status, len(console.sent)) == (Status.DONE, 2), first.message
    again = planned(client, wanted_metric())
    assert (again.action, names(again.not_kept)) == (Action.UNCHANGED, names(first.echo))
    assert names(first.echo)
    changed = wanted_metric(directionality="decrease")
    assert names(planned(client, changed).fields) - {"description"} == {"directionality"}
    assert synced(client, changed).status is Status.DONE
    assert planned(client, changed).action is Action.UNCHANGED
    (change,) = make_plan(client, [changed], force=True).changes
    assert change.action is Action.UPDATE


@pytest.mark.parametrize("kind", list(BLOCK_KINDS))
@pytest.mark.parametrize("way", WAYS)
def test_52_force_sends_it_again(console: Keeping, client: ConsoleClient, way: Way, kind: Kind) -> None:
    """With --force what is noted is sent again: noted once more while Statsig keeps it, and gone once it does not."""
    console.keep = one_way(way)
    item = wanted(kind)
    first = synced(client, item)
    (change,) = make_plan(client, [item], force=True).changes
    assert (change.action, change.not_kept) == (Action.UPDATE, ())
    assert names(change.fields) == names(first.echo) | {"description"}
    (entry,) = sync(client, [item], force=True).objects
    assert (entry.status, names(entry.echo)) == (Status.DONE, names(first.echo))
    assert planned(client, item).action is Action.UNCHANGED
    console.keep = dict
    assert planned(client, item).action is Action.UNCHANGED
    (entry,) = sync(client, [item], force=True).objects
    assert (entry.status, entry.echo) == (Status.DONE, ())
    again = planned(client, item)
    assert (again.action, again.not_kept) == (Action.UNCHANGED, ())
    assert make_plan(client, [item], force=True).changes[0].action is Action.UNCHANGED


@pytest.mark.parametrize("kind", list(BLOCK_KINDS))
def test_52_an_update_of_which_nothing_is_kept(console: Keeping, client: ConsoleClient, kind: Kind) -> None:
    """Fault 52: where the only changed field is never kept, the note shows that the update was taken."""
    synced(client, wanted(kind, is_read_only=False))
    console.keep = one_way("drop_flags")
    entry = synced(client, wanted(kind))
    assert (entry.status, names(entry.echo)) == (Status.DONE, {"is_read_only"})
    assert [("isReadOnly" in body, "description" in body) for _, body in console.sent[2:]] == [(True, True)]
    again = planned(client, wanted(kind))
    assert (again.action, names(again.not_kept)) == (Action.UNCHANGED, {"is_read_only"})


def test_52_an_edit_in_the_console_is_written_again(console: Keeping, client: ConsoleClient) -> None:
    """A value that is neither the noted one nor the declared one is a difference as any other."""
    console.keep = one_way("add_tag")
    item = wanted(Kind.METRIC_SOURCE)
    synced(client, item)
    console.emulator.state.sources["metric_sources"]["Orders"]["tags"] = ["edited"]
    change = planned(client, item)
    assert (change.action, names(change.fields), change.not_kept) == (Action.UPDATE, {"tags", "description"}, ())
    assert synced(client, item).status is Status.DONE
    assert planned(client, item).action is Action.UNCHANGED


def test_52_declaring_what_is_kept_ends_the_note(console: Keeping, client: ConsoleClient) -> None:
    """Where both sides agree again, one write removes the note, so that a later edit is found."""
    console.keep = one_way("add_tag")
    synced(client, wanted(Kind.QUALIFYING_EVENT))
    item = wanted(Kind.QUALIFYING_EVENT, tags=("Core", "dbt", "from-api"))
    assert names(planned(client, item).fields) == {"description"}
    assert synced(client, item).echo == ()
    assert len(console.sent) == 3
    assert planned(client, item).action is Action.UNCHANGED
    assert "(kept" not in console.emulator.state.sources["qualifying_events"]["Orders"]["description"]


@pytest.mark.parametrize(
    ("keep", "writes", "why"),
    [
        (lambda body: {**body, "description": "Gone"}, 1, "the ownership line is not kept either"),
        (
            lambda body: {**body, "tags": ["x"], "description": body["description"].partition(" (kept")[0]},
            2,
            "the note could not be added to the ownership line",
        ),
    ],
    ids=["no line", "no note"],
)
def test_52_what_cannot_be_noted_is_unknown(
    console: Keeping, client: ConsoleClient, keep: Callable[[dict[str, Any]], dict[str, Any]], writes: int, why: str
) -> None:
    """A service that does not keep the line or the note: reported, never claimed, and at most one more write."""
    console.keep = keep
    entry = synced(client, wanted(Kind.METRIC_SOURCE))
    assert (entry.status, len(console.sent)) == (Status.UNKNOWN, writes)
    assert why in entry.message
    assert entry.echo


@pytest.mark.parametrize(("fault", "stopped"), [("400", False), ("drop before", False), ("401", True)])
def test_52_a_note_that_fails(console: Keeping, client: ConsoleClient, fault: str, *, stopped: bool) -> None:
    """Where the note cannot be written, the object is unknown with the reason, and the next run writes it again."""
    console.keep = one_way("drop_flags")
    item = wanted(Kind.METRIC_SOURCE, tags=())
    console.armed = ["", fault, fault]
    outcome = sync(client, [item])
    (entry,) = outcome.objects
    assert (entry.status, bool(outcome.stopped)) == (Status.UNKNOWN, stopped)
    assert "could not be noted: " in entry.message
    console.armed = []
    with console.client() as later:
        assert planned(later, item).action is Action.UPDATE
        assert synced(later, item).status is Status.DONE
        assert planned(later, item).action is Action.UNCHANGED


def test_50_an_update_that_leaves_all_as_it_was(console: Keeping, client: ConsoleClient) -> None:
    """Fault 50: where not even the note shows, the update is unknown; where a review may be pending, none is sent."""
    synced(client, wanted(Kind.METRIC_SOURCE))
    held = dict(console.emulator.state.sources["metric_sources"]["Orders"])
    console.keep = lambda _body: {key: value for key, value in held.items() if key != "name"}
    item = wanted(Kind.METRIC_SOURCE, tags=("new",))
    entry = synced(client, item)
    assert (entry.status, len(console.sent)) == (Status.UNKNOWN, 3)
    assert "Statsig accepted this" in entry.message
    client.respects_reviews = True
    assert synced(client, item).status is Status.UNKNOWN
    assert len(console.sent) == 4


@pytest.mark.parametrize("ways", [(), ("add_tag",)])
@pytest.mark.parametrize("kind", list(BLOCK_KINDS))
def test_52_a_service_that_stops(console: Keeping, client: ConsoleClient, kind: Kind, ways: tuple[Way, ...]) -> None:
    """Where an update shows that Statsig now keeps a field as sent, the note loses it in the same run."""
    console.keep = lambda body: mangled(body, ["add_tag", "drop_flags"], {})
    assert names(synced(client, wanted(kind)).echo) >= {"tags"}
    console.keep = lambda body: mangled(body, ways, {})
    item = wanted(kind, description=claim("New", OWNER), sql="SELECT 2")
    assert synced(client, item).status is Status.DONE
    change = planned(client, item)
    # An update that sends its fields alone leaves the others, with their notes, as they were.
    assert change.action is Action.UNCHANGED
    assert names(change.not_kept) >= ({"tags"} if ways else set())


@pytest.mark.parametrize("fault", ["", "400"])
def test_52_a_value_that_is_kept_at_last(console: Keeping, client: ConsoleClient, fault: str) -> None:
    """What Statsig keeps the second time is not noted as kept otherwise: the note goes at once, or in the next run."""
    console.keep = lambda body: {**body, "tags": []} if len(console.sent) == 1 else body
    console.armed = [*[""] * 4, fault]  # two tags, the object, the note
    item = wanted(Kind.METRIC_SOURCE)
    entry = synced(client, item)
    assert (entry.status, entry.echo, len(console.sent)) == (Status.DONE, (), 3)
    if fault:
        assert names(planned(client, item).fields) == {"description"}
        synced(client, item)
    assert planned(client, item).action is Action.UNCHANGED
    assert "(kept" not in console.emulator.state.sources["metric_sources"]["Orders"]["description"]


@pytest.mark.parametrize("way", ["trim", "escape", "lower"])
def test_52_an_adopted_text_does_not_grow(console: Keeping, client: ConsoleClient, way: Way) -> None:
    """The console's own text, kept on adoption and changed by the service, is not taken for a new one at each run."""
    by_hand = {"name": "Orders", "sql": "select 1", "description": TEXT, "tags": [], "isReadOnly": True}
    console.emulator.state.sources["metric_sources"]["Orders"] = by_hand
    console.keep = one_way(way)
    one = wanted(Kind.METRIC_SOURCE, description=claim("", OWNER), sql="select 1", tags=())
    item = structs.replace(one, default_description=True)
    plan = make_plan(client, [item], adopt=frozenset({"Orders"}))
    (entry,) = apply_plan(client, plan, [item]).objects
    assert entry.status is Status.DONE
    assert "refunds" in str(by_hand["description"])
    for _ in range(2):
        plan = make_plan(client, [item])
        assert [change.action for change in plan.changes] == [Action.UNCHANGED]


@pytest.mark.parametrize("way", WAYS)
def test_52_a_rename_keeps_the_note(console: Keeping, client: ConsoleClient, way: Way) -> None:
    """A rename sends what is new; what is known to be kept otherwise is no change, and stays noted."""
    console.keep = one_way(way)
    synced(client, wanted(Kind.ASSIGNMENT_SOURCE))
    item = wanted(Kind.ASSIGNMENT_SOURCE)
    assert item.payload is not None
    item = structs.replace(item, name="Sales", payload=structs.replace(item.payload, name="Sales"))
    change = planned(client, item)
    assert (change.action, names(change.fields)) == (Action.RENAME, {"name"})
    assert change.not_kept
    assert synced(client, item).status is Status.DONE
    assert len(console.sent) == 3
    assert planned(client, item).action is Action.UNCHANGED


def test_52_a_value_that_never_settles(console: Keeping, client: ConsoleClient) -> None:
    """A service that keeps another value after each write is reported as unknown, after two writes in a run."""
    console.keep = lambda body: {**body, "tags": [f"write {len(console.sent)}"]}
    entry = synced(client, wanted(Kind.METRIC_SOURCE))
    assert (entry.status, len(console.sent)) == (Status.UNKNOWN, 2)
    assert "the note could not be added" in entry.message


def test_50_a_note_that_cannot_be_removed(console: Keeping, client: ConsoleClient) -> None:
    """Fault 50: where only the note should go and the old object is answered, nothing is claimed or sent again."""
    console.keep = one_way("add_tag")
    synced(client, wanted(Kind.METRIC_SOURCE))
    held = dict(console.emulator.state.sources["metric_sources"]["Orders"])
    console.keep = lambda _body: {key: value for key, value in held.items() if key != "name"}
    entry = synced(client, wanted(Kind.METRIC_SOURCE, tags=("Core", "dbt", "from-api")))
    assert (entry.status, len(console.sent)) == (Status.UNKNOWN, 3)


TEXTS = st.text(st.characters(codec="utf-8"), max_size=40)


@settings(max_examples=2_000 if NIGHTLY else 60, deadline=None)
@given(
    kind=st.sampled_from(list(BLOCK_KINDS)),
    ways=st.lists(st.sampled_from(WAYS), unique=True),
    text=TEXTS,
    theirs=st.none() | TEXTS,
    is_default=st.booleans(),
)
def test_52_it_ends_whatever_is_kept(
    kind: Kind, ways: list[Way], text: str, theirs: str | None, *, is_default: bool
) -> None:
    """However an object is kept: what a sync calls done gives no write in the next one, and no sync writes thrice."""
    console = Keeping(full_update_resets=True)
    console.keep = lambda body: mangled(body, ways, {})
    item = structs.replace(wanted(kind, description=claim(text, OWNER)), default_description=is_default)
    if theirs is not None:
        by_hand = {"name": "Orders", "sql": "select 1", "description": theirs, "tags": []}
        console.emulator.state.sources[f"{kind.value}s"]["Orders"] = by_hand
    with console.client() as client:
        plan = make_plan(client, [item], adopt=frozenset({"Orders"}))
        (entry,) = apply_plan(client, plan, [item]).objects
        assert entry.status in {Status.DONE, Status.UNKNOWN}
        assert len(console.sent) <= 2
        again = make_plan(client, [item])
        if entry.status is Status.DONE:
            assert [change.action for change in again.changes] == [Action.UNCHANGED]


@pytest.mark.parametrize("way", ["trim", "lower", "add_tag"])
def test_52_a_lost_creation_that_is_kept_otherwise(console: Keeping, client: ConsoleClient, way: Way) -> None:
    """A lost creation that shows with our line and other values is unknown, not somebody else's; a rerun settles it."""
    console.keep = one_way(way)
    console.armed = ["", "", "drop after"]
    item = wanted(Kind.METRIC_SOURCE)
    entry = synced(client, item)
    assert (entry.status, len(console.sent)) == (Status.UNKNOWN, 1)
    assert "is not what was sent" in entry.message
    again = synced(client, item)
    assert (again.status, names(again.echo) > set()) == (Status.DONE, True)
    assert planned(client, item).action is Action.UNCHANGED

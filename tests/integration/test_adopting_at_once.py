"""Two projects that adopt one object at the same moment: the one that loses it notices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dbt_statsig.applying.apply import apply_plan
from dbt_statsig.console.client import ConsoleClient
from dbt_statsig.console.key import ApiKey
from dbt_statsig.vocabulary.kinds import SPECS
from dbt_statsig.vocabulary.results import Outcome, Status
from dbt_statsig.vocabulary.sources import Kind
from tests.integration.test_apply import declared, make_plan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dbt_statsig.emulator import Running

KIND = Kind.METRIC_SOURCE


@pytest.fixture
def client(server: Running) -> Iterator[ConsoleClient]:
    """A client that looks without waiting."""
    with ConsoleClient(ApiKey(server.key, origin="test"), base_url=server.url, budget=2, delays=(0.0,)) as one:
        yield one


def adopted(client: ConsoleClient, server: Running, *, then: object) -> Outcome:
    """What becomes of two objects that are taken over, where `then` happens after the first write."""
    for name in ("A", "B"):
        client.create(KIND, SPECS[KIND].payload(name=name, sql="SELECT 0", timestamp_column="ts", id_type_mapping=()))
    plan = make_plan(client, [declared("A", "a", kind=KIND), declared("B", "b", kind=KIND)], adopt=frozenset("AB"))

    def done(count: int) -> None:
        if count == 2 and isinstance(then, dict):
            server.inject(then)
        elif count == 2:
            server.state.sources["metric_sources"]["A"]["description"] = then

    return apply_plan(client, plan, on_done=done)


def test_the_other_was_later(server: Running, client: ConsoleClient) -> None:
    """The object that has another project's line in the end is a failure, with its owner; the others are done."""
    outcome = adopted(client, server, then="Managed by dbt: rival@eu/model.rival.a")
    assert {entry.change.name: entry.status for entry in outcome.objects} == {"A": Status.FAILED, "B": Status.DONE}
    assert outcome.objects[0].message == 'The dbt project "rival@eu" took it over at the same time and owns it now.'


def test_nobody_else(server: Running, client: ConsoleClient) -> None:
    """An object with this project's line is done; one without any line, as before, is not known to be."""
    outcome = adopted(client, server, then="Managed by dbt: shop/model.shop.a")
    assert {entry.status for entry in outcome.objects} == {Status.DONE}


def test_a_line_that_is_not_there(server: Running, client: ConsoleClient) -> None:
    """An adopted object that has no line when it is read again is unknown."""
    outcome = adopted(client, server, then="as it was")
    assert {entry.change.name: entry.status for entry in outcome.objects} == {"A": Status.UNKNOWN, "B": Status.DONE}


def test_a_list_that_cannot_be_read(server: Running, client: ConsoleClient) -> None:
    """Where reading again fails, what was written stays done, and a note says that it was not read back."""
    fault = {"match": {"method": "GET"}, "action": "status", "status": 403, "body": {}, "times": 9}
    outcome = adopted(client, server, then=fault)
    assert {entry.status for entry in outcome.objects} == {Status.DONE}
    assert outcome.notes[0].startswith("The metric sources that were written were not read back: ")

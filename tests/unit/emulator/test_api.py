"""The API without sockets: whatever comes, it answers."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from dbt_statsig.emulator.api import PREFIX, Api
from dbt_statsig.emulator.kinds import KINDS
from dbt_statsig.emulator.options import Options
from dbt_statsig.emulator.replies import Call
from dbt_statsig.emulator.seed import load
from dbt_statsig.emulator.state import State

SEED = {
    name: [{"name": "a", "sql": "select 1", "idTypeMapping": []}, {"name": "b", "sql": "select 1", "team": None}]
    for name in KINDS
}
UNIT = st.fixed_dictionaries({}, optional={"statsigUnitID": st.text(max_size=3), "column": st.text(max_size=3)})
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "string": st.text(max_size=4),
    "text_or_null": st.none() | st.text(max_size=4),
    "boolean": st.booleans(),
    "strings": st.lists(st.text(max_size=3), max_size=3),
    "units": st.lists(UNIT, max_size=2),
    "formulas": st.just([{"key": "k", "formula": "1"}]),
    "hour": st.none() | st.integers(-1, 24),
    "owner": st.none() | st.just({"ownerID": "x"}),
    "source_type": st.sampled_from(["table", "query", "view"]),
}
BODIES = st.one_of(
    *[
        st.fixed_dictionaries(
            {},
            optional={
                **{field: VALUES[kind_of] for field, kind_of in kind.fields.items()},
                "name": st.sampled_from(["a", "b", "c", ""]),
            },
        )
        for kind in KINDS.values()
    ]
)
PATHS = st.one_of(
    st.sampled_from([path for kind in KINDS.values() for path in (kind.list_path, kind.create_path)]),
    st.builds(
        lambda kind, name: (*kind.item_path, name),
        st.sampled_from(list(KINDS.values())),
        st.sampled_from(["a", "b", "c", "list", "", "%", "%2F", "%ff"]),
    ),
    st.sampled_from([("tags",), ("experiments",), ("nothing",), ("",)]),
)
CALLS = st.builds(
    lambda method, path, query, body: Call(
        method=method,
        path=f"{PREFIX}/{'/'.join(path)}",
        query=query,
        headers={"statsig-api-key": "console-emulator"},
        body=body,
    ),
    st.sampled_from(["GET", "POST", "PATCH", "DELETE", "PUT"]),
    PATHS,
    st.sampled_from(["", "page=1&limit=10", "page=x"]),
    BODIES.map(msgspec.json.encode) | st.binary(max_size=5),
)


@given(calls=st.lists(CALLS, max_size=8), options=st.fixed_dictionaries({}, optional={
    "normalise": st.booleans(), "full_update_resets": st.booleans(), "sdk_key_owner": st.booleans(),
    "plain_errors": st.booleans(), "refuse_unknown_tags": st.booleans(),
}))  # fmt: skip
def test_every_request_is_answered(calls: list[Call], options: dict[str, Any]) -> None:
    """The status is a documented one, a refusal changes nothing, and what is held stays a valid seed."""
    state = State(load(SEED))
    api = Api(state, Options(**options), lambda _kind, _source: [])
    for call in calls:
        before = state.as_seed()
        tried = api.answer(msgspec.structs.replace(call, persist=False))
        assert state.as_seed() == before
        reply = api.answer(call)
        assert reply.status in (200, 201, 400, 404)
        assert (reply.status, reply.payload) == (tried.status, tried.payload)
        if reply.status >= 400 or call.method == "GET":
            assert state.as_seed() == before
        msgspec.json.decode(reply.encoded())
        for collection, items in state.sources.items():
            assert [item["name"] for item in items.values()] == list(items)
            assert load({collection: list(items.values())})

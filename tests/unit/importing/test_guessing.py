"""The first block that is guessed from a model's columns, and what is not guessed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dbt_statsig.importing.guessing import Fact, Subject, guess
from dbt_statsig.vocabulary.sources import Kind

if TYPE_CHECKING:
    from dbt_statsig.vocabulary.imports import Guess

EXPOSURES = "experiment_id variant exposed_at user_id"


def made(columns: str, *more: Fact, name: str = "fct_orders", kind: Kind | None = None, event_time: str = "") -> Guess:
    """The guess for a model with these columns, of which no type is known, and `more` ones."""
    facts = (*(Fact(name=one) for one in columns.split()), *more)
    found = guess(Subject(name=name, columns=facts, event_time=event_time), kind)
    assert found is not None
    return found


def test_exposures() -> None:
    """An experiment and a group make exposures; every key has a reason."""
    found = made(EXPOSURES + " group_name", name="fct_exposures")
    assert found.kind is Kind.ASSIGNMENT_SOURCE
    assert found.block == {
        "name": "Exposures",
        "timestamp_column": "exposed_at",
        "experiment_id_column": "experiment_id",
        "group_id_column": "variant",
        "group_name_column": "group_name",
        "id_type_mapping": {"userID": "user_id"},
    }
    assert found.missing == {}
    mapped = {f"id_type_mapping.{unit}" for unit in found.block["id_type_mapping"]}
    assert found.reasons.keys() == found.block.keys() - {"id_type_mapping"} | mapped


def test_users_and_events() -> None:
    """One row for each unit ID are users, a unit ID and a time are events, neither is nothing."""
    key = Fact(name="customer_id", tests=frozenset({"unique", "not_null"}))
    assert made("signed_up_at", key).kind is Kind.ENTITY_PROPERTY_SOURCE
    assert made("signed_up_at", key).block["id_type_mapping"] == {"userID": "customer_id"}
    assert made("user_id plan", name="dim_users").kind is Kind.ENTITY_PROPERTY_SOURCE
    assert made("USER_ID occurred_at").kind is Kind.METRIC_SOURCE
    assert guess(Subject(name="dim_products", columns=(Fact(name="product_id"), Fact(name="created_at")))) is None


def test_a_relationships_test_names_the_unit() -> None:
    """A column with a relationships test to the users is the user ID, unless two are."""
    buyer = Fact(name="buyer_id", refers_to="dim_users")
    found = made("occurred_at", buyer)
    assert found.block["id_type_mapping"] == {"userID": "buyer_id"}
    assert found.reasons["id_type_mapping.userID"] == "relationships test to dim_users"
    both = made("occurred_at", buyer, Fact(name="seller_id", refers_to="dim_users"), kind=Kind.METRIC_SOURCE)
    assert both.missing == {"id_type_mapping": "`buyer_id`, `seller_id`"}


@pytest.mark.parametrize(
    ("more", "event_time", "column", "reason"),
    [
        ([], "Day", "day", "the model's event_time"),
        ([Fact(name="ts", is_time=True, data_type="DATE")], "", "ts", "by its name and type (DATE)"),
        ([Fact(name="ts", is_time=False), Fact(name="x", is_time=True, data_type="DATE")], "", "x", "its only DATE"),
        ([Fact(name="paid_at")], "", "paid_at", "by its name"),
    ],
)
def test_the_time(more: list[Fact], event_time: str, column: str, reason: str) -> None:
    """The setting of dbt comes first, then a usual name with a fitting type, then the only column that can be it."""
    found = made("day user_id", *more, kind=Kind.METRIC_SOURCE, event_time=event_time)
    assert (found.block["timestamp_column"], found.reasons["timestamp_column"]) == (column, reason)


@pytest.mark.parametrize(
    ("columns", "missing"),
    [
        ("user_id created_at updated_at", {"timestamp_column": "`created_at`, `updated_at`"}),
        ("user_id", {"timestamp_column": ""}),
        ("occurred_at order_id", {"id_type_mapping": "`order_id`"}),
    ],
)
def test_what_is_not_clear_is_not_guessed(columns: str, missing: dict[str, str]) -> None:
    """A required key that no column is certain for has none, and what it might be is named."""
    assert made(columns, kind=Kind.QUALIFYING_EVENT).missing == missing
    exposures = made(columns, kind=Kind.ASSIGNMENT_SOURCE)
    assert {"experiment_id_column", "group_id_column"} <= exposures.missing.keys()

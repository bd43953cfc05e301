"""The list of columns as text and as JSON."""

from __future__ import annotations

import json

from dbt_statsig.report.text.lists import columns_json, columns_text
from dbt_statsig.report.text.style import Style
from dbt_statsig.vocabulary.inspections import ListedNode, Listing
from dbt_statsig.vocabulary.verdicts import ColumnSet, Evidence, KnownColumn

CLOSED = ListedNode(
    unique_id="model.shop.a",
    columns=ColumnSet(
        columns=(
            KnownColumn(name="id", evidence=Evidence.CATALOG, data_type="INTEGER"),
            KnownColumn(name="created_at", evidence=Evidence.INFERRED),
        ),
        closed=True,
    ),
)
OPEN = ListedNode(
    unique_id="model.shop.b", columns=ColumnSet(columns=(), closed=False, reasons=("it is written in Python",))
)


def test_text() -> None:
    """Each node with its columns and their proof, open lists with the reason, and the sums."""
    assert columns_text(Listing(nodes=(CLOSED, OPEN))) == (
        "✓ model.shop.a  2 columns\n"
        "    id          catalog  INTEGER\n"
        "    created_at  inferred\n"
        "\n"
        "? model.shop.b  0 columns\n"
        "    not complete: it is written in Python\n"
        "\n"
        "2 nodes, 1 of them may be incomplete.\n"
    )


def test_a_table_with_a_history() -> None:
    """A complete list of a table that may have older columns is counted as complete, and the table is named."""
    columns = ColumnSet(columns=(), closed=False, complete=True, reasons=("c is a snapshot",))
    assert columns_text(Listing(nodes=(CLOSED, ListedNode(unique_id="snapshot.shop.c", columns=columns)))).endswith(
        "? snapshot.shop.c  0 columns\n"
        "    the table may have more: c is a snapshot\n"
        "\n"
        "2 nodes, all lists complete; 1 table may have more columns.\n"
    )


def test_sums() -> None:
    """Quiet text holds open lists only; an empty selection says so."""
    assert columns_text(Listing(nodes=(CLOSED,)), Style(quiet=True)) == "1 node, all lists complete.\n"
    assert "model.shop.b" in columns_text(Listing(nodes=(OPEN,)), Style(quiet=True))
    assert columns_text(Listing(nodes=())) == "No node is selected.\n"


def test_json() -> None:
    """The JSON is a plain list of nodes."""
    assert json.loads(columns_json(Listing(nodes=(CLOSED, OPEN)))) == [
        {
            "unique_id": "model.shop.a",
            "closed": True,
            "complete": True,
            "columns": [
                {"name": "id", "evidence": "catalog", "metrics": []},
                {"name": "created_at", "evidence": "inferred", "metrics": []},
            ],
            "reasons": [],
        },
        {
            "unique_id": "model.shop.b",
            "closed": False,
            "complete": False,
            "columns": [],
            "reasons": ["it is written in Python"],
        },
    ]


def test_names_without_a_utf8_form() -> None:
    """Lone surrogates in a name are escaped, so that the answer is JSON all the same."""
    odd = ColumnSet(columns=(KnownColumn(name="\ud800", evidence=Evidence.INFERRED),), closed=True)
    answer = columns_json(Listing(nodes=(ListedNode(unique_id="model.shop.a", columns=odd),)))
    assert json.loads(answer)[0]["columns"][0]["name"] == "\ud800"
    answer.encode()

"""What is above a node, for pictures."""

from __future__ import annotations

import pytest

from dbt_statsig.project.artifacts.manifest import Manifest
from dbt_statsig.project.lineage import upstream
from tests.unit.project.artifacts.build import manifest_bytes, node


def above(unique_id: str, *parents: str) -> dict[str, object]:
    """A node that reads these."""
    return node(unique_id, depends_on={"nodes": list(parents), "macros": []})


MANIFEST = Manifest.from_bytes(
    manifest_bytes(
        above("model.shop.orders", "model.shop.stg", "seed.shop.codes", "model.shop.stg", "model.shop.gone"),
        above("model.shop.stg", "source.shop.raw.orders", "seed.shop.codes"),
        above("model.shop.loop", "model.shop.loop", "model.shop.stg"),
        node("seed.shop.codes"),
        node("source.shop.raw.orders"),
    )
)


def test_nearest_first_with_their_readers() -> None:
    """Each node above is there once, the nearest first, with all its readers; what the graph lacks is left out."""
    lineage = upstream(MANIFEST, "model.shop.orders")
    assert [(one.name, one.resource_type, one.feeds) for one in lineage.nodes] == [
        ("stg", "model", ("model.shop.orders",)),
        ("codes", "seed", ("model.shop.orders", "model.shop.stg")),
        ("raw.orders", "source", ("model.shop.stg",)),
    ]
    assert lineage.more == 0


def test_the_rest_is_counted() -> None:
    """Beyond the limit only the number is reported, and no reader is named that is not shown."""
    lineage = upstream(MANIFEST, "model.shop.orders", most=1)
    assert [one.name for one in lineage.nodes] == ["stg"]
    assert lineage.more == 2


@pytest.mark.parametrize(("unique_id", "count"), [("source.shop.raw.orders", 0), ("model.shop.unknown", 0)])
def test_nothing_above(unique_id: str, count: int) -> None:
    """A source table has nothing above it, nor has a node that the manifest does not know."""
    assert len(upstream(MANIFEST, unique_id).nodes) == count


def test_a_circle_ends() -> None:
    """A graph that leads back to itself, which dbt would refuse, does not keep us."""
    assert [one.name for one in upstream(MANIFEST, "model.shop.loop").nodes][0:2] == ["loop", "stg"]

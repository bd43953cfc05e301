"""Which SQL above a node is not compiled."""

from __future__ import annotations

from dbt_statsig.artifacts import Manifest
from dbt_statsig.lineage import uncompiled
from tests.unit.artifacts.build import manifest_bytes, node


def test_everything_above_is_seen_once() -> None:
    """Uncompiled SQL is found however far above it stands, also where two ways lead to it; other nodes have none."""
    nodes = {
        "model.shop.a": node(
            "model.shop.a", compiled_code="select 1", depends_on={"nodes": ["model.shop.b", "model.shop.c"]}
        ),
        "model.shop.b": node(
            "model.shop.b", compiled_code=None, depends_on={"nodes": ["model.shop.d", "model.gone.x"]}
        ),
        "model.shop.c": node(
            "model.shop.c", compiled_code="select 1", depends_on={"nodes": ["model.shop.d", "seed.shop.s"]}
        ),
        "model.shop.d": node("model.shop.d", compiled_code=None),
        "model.shop.p": node("model.shop.p", compiled_code=None, language="python"),
        "seed.shop.s": node("seed.shop.s", resource_type="seed"),
    }
    manifest = Manifest.from_bytes(manifest_bytes(nodes=nodes))
    assert uncompiled(manifest, ["model.shop.a"]) == ["model.shop.b", "model.shop.d"]
    assert uncompiled(manifest, ["model.shop.p", "seed.shop.s", "model.gone.y"]) == []

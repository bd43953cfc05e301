"""What is above a node, and which SQL of it is not compiled."""

from __future__ import annotations

from dbt_statsig.project.artifacts import Manifest
from dbt_statsig.project.lineage import uncompiled, upstream
from tests.unit.project.artifacts.build import manifest_bytes, node


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


def test_nearest_first() -> None:
    """The nearest nodes come first, each with the nodes shown that read it; the rest of what exists is counted."""
    manifest = Manifest.from_bytes(
        manifest_bytes(
            node("model.shop.a", depends_on={"nodes": ["model.shop.b", "model.shop.c", "model.gone.x"]}),
            node("model.shop.b", depends_on={"nodes": ["source.shop.raw.t", "model.shop.c"]}),
            node("model.shop.c", depends_on={"nodes": ["source.shop.raw.t"]}),
            node("source.shop.raw.t", source_name="raw"),
            node("model.shop.unrelated"),
        )
    )
    found = upstream(manifest, "model.shop.a")
    assert [(one.name, one.feeds) for one in found.nodes] == [
        ("b", ("model.shop.a",)),
        ("c", ("model.shop.a", "model.shop.b")),
        ("raw.t", ("model.shop.b", "model.shop.c")),
    ]
    cut = upstream(manifest, "model.shop.a", most=2)
    assert ([one.name for one in cut.nodes], cut.more) == (["b", "c"], 1)
    assert upstream(manifest, "model.gone.y").nodes == ()


def test_only_what_is_above_is_read() -> None:
    """A lineage reads the nodes above alone, and says the same where all have been read before."""
    broken = {**node("model.shop.broken"), "depends_on": 3}
    members = [node("model.shop.a", depends_on={"nodes": ["model.shop.b"]}), node("model.shop.b")]
    found = upstream(Manifest.from_bytes(manifest_bytes(*members, broken)), "model.shop.a")
    whole = Manifest.from_bytes(manifest_bytes(*members))
    assert set(whole.summaries()) == {"model.shop.a", "model.shop.b"}
    assert upstream(whole, "model.shop.a") == found

"""Property tests: however a property file is formatted, adding a block keeps all of its lines."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dbt_statsig.importing.yaml_files import BlockEdit, DataTestEdit, edit_files
from tests.unit.importing.nodes import node, project

NIGHTLY = bool(os.environ.get("DBT_STATSIG_NIGHTLY"))
EXAMPLES = 20_000 if NIGHTLY else 50
VALUES = st.sampled_from(
    [
        "x",
        "'a # b'",
        '"two\n      # lines"',
        ">-\n       a\n\n       # b",
        "|\n       a\n\n",
        "|+\n       a\n\n",
        "|2\n       a\n",
        "plain\n       more",
        "{a: 1, b: [2,\n   3]}",
        "[]",
        "",
        "~",
        "*one",
        "! x",
        "é 𝄞",
        "'it''s'",
        "2020-01-01",
    ]
)
COMMENTS = st.sampled_from(
    ["", "", "", " # note", "\n", "\n\n", "\n# far left", "\n      # inside", "\n# x\n\n      # y"]
)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=12)
SCALARS = (
    st.booleans()
    | st.integers(-5, 99)
    | st.none()
    | TEXTS
    | st.sampled_from(["on", "1e3", "0x1", "a\nb", "a\n b\n", "- x", "12:30"])
)
BLOCKS = st.dictionaries(
    TEXTS, SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(TEXTS, SCALARS, max_size=2), min_size=1, max_size=4
)


@st.composite
def entries(draw: st.DrawFn, name: str, pad: str) -> str:
    """An entry of a model, in some style: its lines behind `pad`."""
    keys = draw(
        st.lists(st.sampled_from(["description", "docs", "config", "meta", "columns", "tests", "group"]), unique=True)
    )
    keys.insert(draw(st.integers(0, len(keys))), "name")
    step = " " * draw(st.integers(1, 5))
    lines = []
    for key in keys:
        value = draw(VALUES.map(lambda text: text.replace("\n     ", "\n" + pad + step)))
        if key == "name":
            value = draw(st.sampled_from([name, f"'{name}'", f'"{name}"']))
        elif key in {"columns", "tests"}:
            listed = draw(st.sampled_from(["", step]))
            dash = draw(st.sampled_from(["- ", "-   "]))
            below = draw(st.sampled_from(["y", f">\n{pad}{listed}        z"]))
            value = f"\n{pad}{listed}{dash}name: x\n{pad}{listed}{' ' * len(dash)}description: {below}"
        elif key in {"config", "meta"}:
            inner = draw(
                st.sampled_from(
                    ["", "a: 1", "meta:\n{0}{0}b: 2", "statsig:\n{0}{0}metric_source:\n{0}{0}- name: X", "statsig:"]
                )
            )
            value = (
                "\n" + pad + step + inner.replace("\n", "\n" + pad).format(step)
                if inner
                else draw(st.sampled_from(["", "{}", "&c"]))
            )
        if key == "config":
            value = value.replace(
                "statsig:", "meta:\n" + pad + step + step + "q: 1" if "- name" not in value else "statsig:"
            )
        lines.append(f"{key}: {value}{draw(COMMENTS)}".replace(": \n", ":\n"))
    return ("\n" + pad).join(lines)


@st.composite
def files(draw: st.DrawFn) -> str:
    """A property file with models `a` and `b`, in some style."""
    margin, dash = " " * draw(st.integers(0, 4)), draw(st.sampled_from(["- ", "-   "]))
    names = draw(st.sampled_from([("a", "b"), ("b", "a"), ("a",), ("b",)]))
    listed = [f"{margin}{dash}{draw(entries(name, margin + ' ' * len(dash)))}\n{draw(COMMENTS)}\n" for name in names]
    first = draw(st.sampled_from(["", "version: 2\n", "# top\nx: &one 1\n", "---\n", "%YAML 1.1\n---\n"]))
    last = draw(st.sampled_from(["", "sources: []\n", "# end", "...\n", "exposures:\n- name: e\n"]))
    text = f"{first}models:{draw(st.sampled_from(['', ' # ours']))}\n{''.join(listed)}{last}"
    text = text[:-1] if draw(st.booleans()) else text
    return text.replace("\n", draw(st.sampled_from(["\n", "\r\n"])))


def kept(before: bytes, after: bytes) -> bool:
    """Whether the lines of the one are those of the other with some added, of which the last may gain its break."""
    old, new = before.splitlines(keepends=True), iter(after.splitlines(keepends=True))
    last = old[-1:] and old[-1].rstrip(b"\r\n")
    return all(
        any(
            line in {one, one.rstrip(b"\r\n") + b"\n"} or (one == old[-1] and line.rstrip(b"\r\n") == last)
            for line in new
        )
        for one in old
    )


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(files(), BLOCKS, st.booleans(), st.booleans())
def test_every_other_line_stays(text: str, values: dict[str, Any], bom: bool, test: bool) -> None:  # noqa: FBT001
    """The new file has all lines of the old one, in order, says what it did, and the block; or there is a reason."""
    with tempfile.TemporaryDirectory() as name:
        before = (b"\xef\xbb\xbf" if bom else b"") + text.encode()
        folder = project(Path(name), models__schema=before)
        model = node()
        edits = [
            DataTestEdit(node=model, test="t") if test else BlockEdit(node=model, kind="metric_source", block=values)
        ]
        changes, refusals = edit_files(folder, edits)
        assert len(changes) + len(refusals) == 1
        if refusals:
            assert "\n" not in refusals[0].reason
            return
        after = changes[0].after
        assert kept(before, after)
        old, new = (yaml.safe_load(content.decode("utf-8-sig")) for content in (before, after))
        (was,), (now,) = ([one for one in content["models"] if one["name"] == "a"] for content in (old, new))
        assert [one for one in new["models"] if one is not now] == [one for one in old["models"] if one is not was]
        assert {key: new[key] for key in new if key != "models"} == {key: old[key] for key in old if key != "models"}
        if test:
            key = "tests" if "tests" in now else "data_tests"
            assert now.pop(key) == [*(was.pop(key, None) or []), "t"]
        else:
            take_block(now, was, values)
        assert now == was


def take_block(now: dict[str, Any], was: dict[str, Any], values: dict[str, Any]) -> None:
    """Take the block off again, and the mappings that it needed."""
    older = was.get("meta") is not None and (not (was.get("config") or {}).get("meta") or "statsig" in was["meta"])
    path = ("meta",) if older else ("config", "meta")
    old: Any = was
    new: Any = now
    chain = [(new, old)]
    for key in (*path, "statsig"):
        new, old = new[key], (old or {}).get(key)
        chain.append((new, old))
    held = new["metric_source"]
    before = (old or {}).get("metric_source")
    assert held == ([*before, values] if before else values)
    for key, (new, old) in reversed(list(zip((*path, "statsig", "metric_source"), chain, strict=True))):
        if isinstance(old, dict) and key in old:
            new[key] = old[key]
            return
        del new[key]
        if new:
            return

"""Tests of reading YAML with its places."""

from __future__ import annotations

import pytest
import yaml

from dbt_statsig.project import yaml_nodes
from dbt_statsig.project.yaml_nodes import YamlError, compose, duplicates, entries, load, lookup


def test_values_and_places() -> None:
    """Plain values come with the line and column of each key and item."""
    loaded = load("a: 1\nb:\n  - x\n  - {c: null}\n")
    assert loaded.value == {"a": 1, "b": ["x", {"c": None}]}
    assert loaded.places["b",] == (2, 1)
    assert loaded.places["b", 1, "c"] == (4, 6)
    assert loaded.duplicates == ()
    assert load("").value is None
    assert load("- 1").value == [1]


def test_keys_that_yaml_reads_otherwise() -> None:
    """A key such as `on` is known by what YAML makes of it, too."""
    loaded = load("a: 1\non: 2\n")
    assert loaded.value == {"a": 1, True: 2}
    assert loaded.places["True",] == (2, 1)
    found = lookup(compose("on: 1\n'true': 2\n"), "True")
    assert found is not None
    assert found[1].value == "1"
    assert lookup(compose("off: 1\n"), "true") is None


def test_duplicates() -> None:
    """The second of two equal keys is reported, with the place of the first."""
    (found,) = load("a: {b: 1, b: 2}\n").duplicates
    assert (found.path, found.first, found.again) == (("a", "b"), (1, 5), (1, 11))


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("a: [1\n", "did not find expected", 2),
        ("a: *x\n", "found undefined alias", 1),
        ("---\na: 1\n---\nb: 1\n", "but found another document", 3),
        ("a: \x07", "a character that YAML does not allow", 0),
        ("a: !!python/object/apply:os.system [x]\n", "the tag 'tag:yaml.org,2002:python/object/apply:os.system' is", 1),
        ("a: !!python/name:os.system\n", "is not allowed", 1),
        ("a: !!binary x y\n", "is not allowed", 1),
        ("a: 2026-99-99\n", "looks like a number or a date but is not one", 1),
        ("a: !!int x\n", "looks like a number or a date but is not one", 1),
        ("a: 1" + "0" * 5000, "looks like a number or a date but is not one", 1),
        ("x: &x {a: 1}\ny: {<<: *x}\n", "only plain keys are allowed", 2),
        ("? [a]\n: 1\n", "only plain keys are allowed", 1),
        ("a: " + "[" * 100 + "]" * 100, "nested too deeply", 1),
        ("[" * 200_000, "nested too deeply", 0),
        ("- " * 200_000, "nested too deeply", 0),
        ("? " * 200_000, "nested too deeply", 0),
    ],
)
def test_what_is_refused(text: str, message: str, line: int) -> None:
    """Broken, foreign or endless YAML is one error with its line, never a crash."""
    with pytest.raises(YamlError) as caught:
        load(text)
    assert message in caught.value.message
    assert caught.value.line == line


def test_wide_is_not_deep() -> None:
    """Many brackets side by side, or long rules of dashes, are no nesting."""
    assert len(load("\n".join(f"k{number}: [[1], {{a: 1}}]" for number in range(2_000))).value) == 2_000
    assert load("a: |\n  " + "-" * 300 + "\n").value == {"a": "-" * 300 + "\n"}


def test_an_alias_bomb() -> None:
    """Aliases that stand for millions of values are not followed."""
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{number}: &a{number} [{', '.join([f'*a{number - 1}'] * 10)}]" for number in range(1, 9)]
    with pytest.raises(YamlError, match="its aliases expand to too much"):
        load("\n".join(lines))
    root = compose("a: &a [*a]\n")
    assert root is not None
    with pytest.raises(YamlError, match="too deeply"):
        duplicates(root)


def test_merged_keys() -> None:
    """Keys that `<<` merges in are found after a mapping's own."""
    root = compose("m: &m {a: 1, b: 2}\nn: &n {c: 3}\nx: {<<: [*m, *n, 3], a: 9}\ny: {<<: *m}\n")
    own = lookup(root, "x")
    assert own is not None
    assert [(key.value, value.value) for key, value in entries(own[1])] == [
        ("a", "9"),
        ("a", "1"),
        ("b", "2"),
        ("c", "3"),
    ]
    found = lookup(own[1], "c")
    assert found is not None
    assert found[1].value == "3"
    assert list(entries(None)) == []
    assert lookup(None, "a") is None


def test_without_the_c_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyYAML without libyaml refuses the same depth with the same words."""
    monkeypatch.setattr(yaml_nodes, "_LOADER", yaml.SafeLoader)
    monkeypatch.setattr(yaml_nodes, "_Untyped", yaml.SafeLoader)
    assert load("a: [1]").value == {"a": [1]}
    with pytest.raises(YamlError, match="nested too deeply"):
        compose("[" * 1_500)
    with pytest.raises(YamlError, match="nested too deeply"):
        compose("[" * 3_000)

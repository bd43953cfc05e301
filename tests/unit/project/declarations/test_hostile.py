"""Property tests: whatever is in a meta block, declaring gives findings and never an exception."""

from __future__ import annotations

import os
from random import Random
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dbt_statsig.project.artifacts.nodes import NodeColumn
from dbt_statsig.project.declarations import declare
from dbt_statsig.project.declarations.layers import KINDS, fields_of
from dbt_statsig.project.settings import Settings
from dbt_statsig.vocabulary.findings import CODES, Severity
from dbt_statsig.vocabulary.kinds import BLOCK_KINDS, column_roles
from tests.unit.project.declarations.project import OneNode

if TYPE_CHECKING:
    from pathlib import Path

NIGHTLY = bool(os.environ.get("DBT_STATSIG_NIGHTLY"))
FIELDS = sorted({name for kind in BLOCK_KINDS for name in fields_of(kind)})
NEAR = [*FIELDS, *(name.replace("_", "") for name in FIELDS), *(name[:-1] for name in FIELDS), "on", "true", "{{ x }}"]
WORDS = st.sampled_from(
    ["a", "true", "False", "7", "table", "query", "", " ", "x ", "{{ v }}", "{%", "list", "..", "\0"]
)
TEXTS = WORDS | st.text(max_size=8)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | TEXTS
    | st.builds(pow, st.just(10), st.just(4000))
    | st.dates()
)
KEYS: st.SearchStrategy[Any] = st.sampled_from(NEAR) | TEXTS | st.booleans() | st.integers() | st.none()
ANYTHING: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=6
)
LIKELY = st.fixed_dictionaries(
    {},
    optional={
        "name": WORDS,
        "timestamp_column": WORDS,
        "id_type_mapping": st.dictionaries(WORDS, WORDS, max_size=2),
        "tags": st.lists(WORDS, max_size=3),
        "enabled": st.booleans() | WORDS,
        "source_type": WORDS,
    },
)
BLOCK: st.SearchStrategy[Any] = LIKELY | st.dictionaries(KEYS, ANYTHING, max_size=4) | ANYTHING
BLOCKS = st.dictionaries(
    st.sampled_from([*KINDS, "metric_sourc", "assignment-source"]) | KEYS,
    BLOCK | st.lists(BLOCK, max_size=3),
    max_size=3,
)
DEFAULTS = st.dictionaries(st.sampled_from([*KINDS, *NEAR]) | KEYS, ANYTHING, max_size=3)
MARK = (
    st.fixed_dictionaries(
        {}, optional={"unit_id": WORDS | st.lists(WORDS), "role": st.sampled_from(list(column_roles())) | ANYTHING}
    )
    | ANYTHING
)
META = st.dictionaries(KEYS | st.sampled_from(["statsigs", "statsig_default"]), ANYTHING, max_size=2).flatmap(
    lambda other: st.fixed_dictionaries(
        {"statsig": BLOCKS | ANYTHING}, optional={"statsig_defaults": DEFAULTS | ANYTHING}
    ).map(lambda own: {**other, **own})
)


@settings(max_examples=5_000 if NIGHTLY else 200, deadline=None, suppress_health_check=list(HealthCheck))
@given(meta=META, mark=MARK, defaults=DEFAULTS)
def test_no_meta_block_raises(meta: dict[str, Any], mark: object, defaults: dict[str, Any]) -> None:
    """Blocks, marks and defaults of any shape: each gives declarations, findings, or both."""
    assert_survives(meta, mark, defaults)


@settings(max_examples=10_000 if NIGHTLY else 1_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**63))
def test_thousands_of_meta_blocks(seed: int) -> None:
    """The same for many more, each grown from one drawn number: drawing every part of so many takes minutes.

    As above, `assert_survives` asserts what reading one gives.
    """
    grown = Grown(seed)
    meta = {"statsig": grown.blocks(), "statsig_defaults": grown.defaults()} | grown.mapping(1)
    assert_survives(meta, grown.mark(), grown.defaults())


class Grown:
    """Values grown from a number: near to what is right, with anything in between."""

    def __init__(self, seed: int) -> None:
        """The same number gives the same values."""
        self.random = Random(seed)  # noqa: S311 - test data, no secret

    def scalar(self) -> object:
        """Text, a number, a truth value, nothing."""
        values = ["a", "b c", "true", "FALSE", "7", "table", "", " x", "{{ v }}", "list", "..", "\0", "é\u202e", "\n"]
        return self.random.choice([*values, None, True, False, 0, -1, 24, 1.5, float("nan"), 10**4000])

    def anything(self, depth: int = 3) -> object:
        """A scalar, a list or a mapping."""
        shape = self.random.random() if depth else 0
        if shape < 0.6:
            return self.scalar()
        return [self.anything(depth - 1) for _ in range(2)] if shape < 0.8 else self.mapping(depth - 1)

    def mapping(self, depth: int) -> dict[Any, Any]:
        """Up to three keys, right, near or wrong."""
        keys = [*NEAR, *KINDS, "statsigs", 1, None, True, "", "unit_id", "role", "userID"]
        return {self.random.choice(keys): self.anything(depth) for _ in range(self.random.randrange(4))}

    def block(self) -> object:
        """A block that is right but for some of its keys."""
        if self.random.random() < 0.1:
            return self.anything()
        right = {"name": "A", "timestamp_column": "at", "id_type_mapping": {"userID": "id"}, "tags": ["a"]}
        right |= {"experiment_id_column": "e", "group_id_column": "g"} if self.random.random() < 0.3 else {}
        for key in self.random.sample(sorted(right), self.random.randrange(3)):
            right[key] = self.anything()  # type: ignore[assignment] # wrong on purpose
        return {**right, **self.mapping(2)} if self.random.random() < 0.5 else right

    def blocks(self) -> object:
        """Some kinds, each with a block or several."""
        if self.random.random() < 0.05:
            return self.anything()
        kinds = self.random.sample([*KINDS, "metric_sourc", "Assignment_Source"], 2)
        return {kind: self.block() if self.random.random() < 0.7 else [self.block(), self.block()] for kind in kinds}

    def defaults(self) -> dict[Any, Any]:
        """Defaults, mostly few."""
        return self.mapping(2) if self.random.random() < 0.3 else {}

    def mark(self) -> object:
        """A column's mark."""
        role = self.random.choice([*column_roles(), "timestmp", ["timestamp"], 3])
        return self.random.choice([self.anything(), {"unit_id": self.anything(1)}, {"role": role}])


def assert_survives(meta: dict[Any, Any], mark: object, defaults: dict[Any, Any]) -> None:
    """Declarations that are sound, and findings that can be shown."""
    columns = {"a": NodeColumn(name="a", meta={"statsig": mark}), "b": NodeColumn(name="b")}
    found = declare(OneNode(meta=meta, columns=columns), settings=Settings(defaults=defaults), project_dir=None)
    for one in found.findings:
        assert one.code in CODES
        assert one.message.isprintable()
        assert len(one.message) < 2_000
        assert one.fix
    clean = not any(one.severity is Severity.ERROR for one in found.findings)
    for declaration in found.declarations:
        assert declaration.name == declaration.meta.name
        assert declaration.name.strip() == declaration.name != ""
        if clean:
            assert declaration.meta.id_type_mapping


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=st.text(alphabet=" -:{}[]&*!|>#\n'\"ab", max_size=120))
def test_no_property_file_raises(text: str, tmp_path: Path) -> None:
    """Whatever the property file holds by now, the findings come, with or without lines."""
    (tmp_path / "_a.yml").write_text("models:\n  - name: a\n    meta:\n" + text, encoding="utf-8")
    project = OneNode(patch_path="_a.yml", meta={"statsig": {"metric_source": {"name": "A"}}})
    found = declare(project, settings=Settings(), project_dir=tmp_path)
    assert [one.code for one in found.findings if one.kind].count("missing-key") == 2

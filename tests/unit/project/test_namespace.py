"""Whose objects a dbt target writes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_statsig.errors import SettingsError
from dbt_statsig.project.namespace import namespace_of, needs_target, other_prefixes, prefix_of
from dbt_statsig.project.settings import NAMESPACE, Settings

BOTH = Settings(name_prefix={"dev": "dev ", "ci": "CI: "}, namespace={"dev": "mine"})


@pytest.mark.parametrize(
    ("settings", "target", "expected"),
    [
        (Settings(), "prod", ""),
        (Settings(namespace={"dev": "d"}), "prod", ""),
        (Settings(namespace={"dev": "d"}), "dev", "d"),
        (Settings(namespace="eu"), "prod", "eu"),
        (Settings(namespace="eu"), "", "eu"),
        (Settings(namespace="eu-{target}"), "prod", "eu-prod"),
        (Settings(namespace="eu-{target}"), "", ""),
        (Settings(namespace={"dev": "{target}"}), "dev", "dev"),
        (Settings(name_prefix={"dev": "dev "}), "dev", "dev"),
        (Settings(name_prefix={"dev": "dev "}), "prod", ""),
        (Settings(name_prefix={"dev": ""}), "dev", ""),
        (Settings(name_prefix={"dev": " "}), "dev", "36a9e7f1"),
        (BOTH, "dev", "mine"),
    ],
)
def test_namespaces(settings: Settings, target: str, expected: str) -> None:
    """A mapping or a text says it; a prefix without one implies its own; else there is none."""
    assert namespace_of(settings, target) == expected


@given(st.lists(st.text(min_size=1), unique=True, min_size=2, max_size=5))
def test_every_prefix_has_a_namespace_of_its_own(prefixes: list[str]) -> None:
    """Whatever the prefixes are, their namespaces can be in a line, are stable, and differ as the prefixes do."""
    settings = Settings(name_prefix={str(number): prefix for number, prefix in enumerate(prefixes)})
    found = [namespace_of(settings, target) for target in settings.name_prefix]
    assert all(re.search(NAMESPACE, one) for one in found)
    assert found == [namespace_of(settings, target) for target in settings.name_prefix]
    assert len(set(found)) == len({prefix.rstrip(" ") or prefix for prefix in prefixes})


def test_a_target_whose_name_makes_no_namespace() -> None:
    """A target's name that cannot be in the line is a settings error that names the way out."""
    with pytest.raises(SettingsError, match='`namespace` gives "a b" for the dbt target "a b"') as caught:
        namespace_of(Settings(namespace="{target}"), "a b")
    assert "namespace of its own" in caught.value.fix


def test_prefixes() -> None:
    """Each target has its prefix, and knows those of the others."""
    assert [prefix_of(BOTH, target) for target in ("dev", "prod")] == ["dev ", ""]
    assert other_prefixes(BOTH, "dev") == {"CI: ": "ci"}
    assert other_prefixes(BOTH, "prod") == {"dev ": "dev", "CI: ": "ci"}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (Settings(), ""),
        (Settings(namespace="eu"), ""),
        (Settings(name_prefix={"dev": ""}), ""),
        (Settings(namespace="{target}"), "namespace"),
        (BOTH, "namespace"),
        (Settings(name_prefix={"dev": "dev "}), "name_prefix"),
    ],
)
def test_what_depends_on_the_target(settings: Settings, expected: str) -> None:
    """The setting that needs a known target is named."""
    assert needs_target(settings) == expected

"""Tests of cutting one entry out of a property file."""

from __future__ import annotations

import pytest

from dbt_statsig.project.declarations.places import EntryIndex

TEXT = """\
version: 2
# models: none
models: # all
  # - name: a
  - name: a
    columns:
      - name: id

  - name: 'b c'
    description: |
      - name: a

      text
# a remark
  - name: "d"  # last
    x: 1
seeds:
- name: e
  x: 1
- x: 1
  name: f
"""


@pytest.mark.parametrize(
    ("section", "name", "lines"),
    [
        ("models", "b c", (9, 14)),
        ("models", "d", (15, 16)),
        ("seeds", "e", (18, 19)),
        ("models", "a", None),
        ("models", "id", None),
        ("models", "e", None),
        ("seeds", "d", None),
        ("seeds", "f", None),
        ("models", "none", None),
    ],
)
def test_the_lines_of_an_entry(section: str, name: str, lines: tuple[int, int] | None) -> None:
    """One item of a name directly below its section is cut out; anything less certain is not."""
    cut = EntryIndex(TEXT).lines_of(section, name)
    if lines is None:
        assert cut is None
    else:
        assert cut is not None
        assert TEXT[cut] == "".join(line + "\n" for line in TEXT.split("\n")[lines[0] - 1 : lines[1]])


def test_an_item_above_all_sections() -> None:
    """An item without a section above it is nobody's entry; nor is one below a line that only looks like one."""
    assert EntryIndex("- name: a\n").lines_of("models", "a") is None
    assert EntryIndex("models:\n  x\n    - name: a\n").lines_of("models", "b") is None

"""Blocks in property files: where they go, what stays, and what is refused."""

from __future__ import annotations

import os
import pathlib
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from dbt_statsig.errors import DbtStatsigError
from dbt_statsig.importing.yaml_files import DataTestEdit, Edit, Noted, edit_files, write_files
from tests.unit.importing.nodes import BLOCK, FILE, block, node, project

if TYPE_CHECKING:
    from pathlib import Path

    from dbt_statsig.importing.entries import BlockEdit

PLAIN = "version: 2\nmodels:\n  - name: a\n    columns:\n      - name: user_id\n"


def added(folder: Path, *edits: Edit) -> str:
    """The lines that the edits add to the one file that changes, as the diff shows them; none may go."""
    (change,), refusals = edit_files(folder, edits)
    assert refusals == []
    lines = change.diff().splitlines()[2:]
    assert [line for line in lines if line.startswith("-")] == []
    return "\n".join(line[1:] for line in lines if line.startswith("+")) + "\n"


def refused(folder: Path, *edits: Edit) -> str:
    """Why the edits are not made."""
    changes, refusals = edit_files(folder, edits)
    assert changes == []
    return "\n".join(refusal.reason for refusal in refusals)


def test_a_block_goes_before_the_columns(tmp_path: Path) -> None:
    """The block comes after the entry's short keys, in its own order, and nothing else changes."""
    folder = project(tmp_path, models__schema=PLAIN)
    assert added(folder, block()) == dedent("""\
        |    config:
        |      meta:
        |        statsig:
        |          metric_source:
        |            name: Signups
        |            timestamp_column: ts
        |            id_type_mapping: {userID: user_id}
        """).replace("|", "")


ENTRIES = {
    "config": ("config:\n      materialized: table", ["config", "meta"]),
    "config without a value": ("config:  # later", ["config", "meta"]),
    "config.meta": ("config:\n      meta:\n        owner: me", ["config", "meta"]),
    "older meta": ("meta:\n      owner: me", ["meta"]),
    "older meta beside config": ("config:\n      tags: [x]\n    meta:\n      owner: me", ["meta"]),
    "another kind": (
        "config:\n      meta:\n        statsig:\n          qualifying_event: {name: X}",
        ["config", "meta"],
    ),
    "older meta with a block": ("meta:\n      statsig:\n        qualifying_event:\n          name: X", ["meta"]),
    "an empty statsig": ("config:\n      meta:\n        statsig:\n      tags: []", ["config", "meta"]),
    "an empty kind": ("meta:\n      statsig:\n        metric_source:", ["meta"]),
    "a comment at the end": ("description: x\n    # to do", ["config", "meta"]),
    "a long text": ("description: >\n      one\n\n      # two\n\n\n    docs: {show: true}", ["config", "meta"]),
    "a text with its empty lines": ("description: |+\n      one\n\n\n", ["config", "meta"]),
    "tests first": ("tests:\n      - unique", ["config", "meta"]),
}


@pytest.mark.parametrize(("entry", "where"), ENTRIES.values(), ids=list(ENTRIES))
def test_the_place_that_the_entry_has(tmp_path: Path, entry: str, where: list[str]) -> None:
    """The block goes where the entry has its meta: dbt refuses an entry that has both `meta` and `config.meta`."""
    text = f"models:\n  - name: a\n    {entry}\n\n  # the next\n  - name: b\n"
    folder = project(tmp_path, models__schema=text)
    added(folder, block())
    (change,), _ = edit_files(folder, [block()])
    before, after = yaml.safe_load(text), yaml.safe_load(change.after)
    held: Any = after["models"][0]
    for key in where:
        held = held[key]
    assert held["statsig"].pop("metric_source") == BLOCK
    assert after["models"][1:] == before["models"][1:]


def test_a_list_takes_one_more(tmp_path: Path) -> None:
    """A list of blocks gets another item, behind a dash like the others'."""
    text = "models:\n- name: a\n  meta:\n    statsig:\n      metric_source:\n      -   name: X\n"
    folder = project(tmp_path, models__schema=text)
    assert added(folder, block(id_type_mapping={"u": "v"})).startswith(
        "      -   name: Signups\n          timestamp_column"
    )


def test_several_blocks_at_once(tmp_path: Path) -> None:
    """Blocks of one kind become a list, and other kinds keys beside it."""
    folder = project(tmp_path, models__schema=PLAIN)
    changes, _ = edit_files(folder, [block(), block(name="Other"), block(kind="qualifying_event")])
    statsig = yaml.safe_load(changes[0].after)["models"][0]["config"]["meta"]["statsig"]
    assert [one["name"] for one in statsig["metric_source"]] == ["Signups", "Other"]
    assert statsig["qualifying_event"] == BLOCK


def test_texts_are_written_as_they_are(tmp_path: Path) -> None:
    """SQL of several lines is a literal, other texts are quoted where they need it, and comments stand behind."""
    folder = project(tmp_path, models__schema=PLAIN)
    sql = "select *  -- all\n\tfrom x\n  where y: 1"
    edit = block(
        sql=sql, where=Noted("a = 'x'", "as asked"), description="on", tags=["12", "yes", "é", "a b"], team=None
    )
    shown = added(folder, edit)
    assert "where: \"a = 'x'\"  # as asked\n" in shown
    assert "sql: |-\n              select *  -- all\n              \tfrom x\n" in shown
    (change,), _ = edit_files(folder, [edit])
    held = yaml.safe_load(change.after)["models"][0]["config"]["meta"]["statsig"]["metric_source"]
    assert held == {
        **BLOCK,
        "sql": sql,
        "where": "a = 'x'",
        "description": "on",
        "tags": ["12", "yes", "é", "a b"],
        "team": None,
    }


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("eol", ["\n", "\r\n"])
@pytest.mark.parametrize("end", ["", "\n", "\n\n# end"])
def test_ends_of_lines_and_of_the_file_stay(tmp_path: Path, bom: bytes, eol: str, end: str) -> None:
    """CRLF, a byte order mark and a missing line break at the end stay as they are."""
    text = ("models:\n  - name: a\n    description: é" + end).replace("\n", eol)
    folder = project(tmp_path, models__schema=bom + text.encode())
    (change,), _ = edit_files(folder, [block()])
    assert change.after.startswith(bom)
    assert change.after.count(b"\n") == change.after.count(eol.encode())
    assert change.after.endswith(eol.encode()) == text.endswith(eol)
    rest = change.after.decode().split(eol)
    assert [line for line in rest if line in text.split(eol)] or not bom
    assert yaml.safe_load(change.after)["models"][0]["config"]["meta"]["statsig"]["metric_source"] == BLOCK


def test_source_tables_seeds_and_snapshots(tmp_path: Path) -> None:
    """A source's table, a seed and a snapshot have their blocks in their own sections."""
    sources = "sources:\n  - name: raw\n    tables:\n      - name: t\n      - name: u\n"
    sources += "  - name: other\n    tables:\n      - name: t\n"
    folder = project(
        tmp_path, models__src=sources, seeds__p="seeds:\n  - name: s\n", snapshots__p="snapshots:\n  - name: n\n"
    )
    table = node("t", kind="source", patch="models/src.yml", source_name="other", path="models/src.yml")
    seed, snapshot = node("s", kind="seed", patch="seeds/p.yml"), node("n", kind="snapshot", patch="snapshots/p.yml")
    changes, refusals = edit_files(folder, [block(table), block(seed), block(snapshot)])
    read = {change.shown: yaml.safe_load(change.after) for change in changes}
    assert refusals == []
    assert read["models/src.yml"]["sources"][1]["tables"][0]["config"]["meta"]["statsig"] == {"metric_source": BLOCK}
    assert list(read["models/src.yml"]["sources"][0]["tables"]) == [{"name": "t"}, {"name": "u"}]
    assert read["seeds/p.yml"]["seeds"][0]["config"]["meta"]["statsig"] == {"metric_source": BLOCK}
    assert read["snapshots/p.yml"]["snapshots"][0]["config"]["meta"]["statsig"] == {"metric_source": BLOCK}


def test_a_model_without_an_entry_gets_one(tmp_path: Path) -> None:
    """Its folder's only file with models takes it, after an empty line where the others have one."""
    folder = project(
        tmp_path,
        models__schema="models:\n  - name: x\n\n  - name: y\n    # of y\n\n# end\n",
        models__src="sources: []\n",
    )
    assert "  - name: a\n    config:\n      meta:\n" in added(folder, block(node(patch=None)))
    (change,), _ = edit_files(folder, [block(node(patch=None))])
    assert b"# of y\n\n  - name: a" in change.after


def test_an_entry_that_dbt_has_not_read_yet_is_used(tmp_path: Path) -> None:
    """An entry that is newer than the manifest gets the block, no second entry."""
    folder = project(tmp_path, models__schema=PLAIN)
    assert "name: a" not in added(folder, block(node(patch=None)))


def test_a_new_file_where_the_folder_has_none_or_several(tmp_path: Path) -> None:
    """Without one file to choose, `_statsig.yml` takes the entries; the second time it is the one that is there."""
    folder = project(tmp_path, models__one="models:\n  - name: x\n", models__two="models:\n  - name: y\n")
    edits = [block(node("b", patch=None)), block(node(patch=None))]
    (change,), _ = edit_files(folder, edits)
    assert (change.shown, change.before) == ("models/_statsig.yml", None)
    assert change.after.startswith(b"version: 2\n\nmodels:\n  - name: a\n    config:\n      meta:\n        statsig:\n")
    assert change.diff().startswith("--- /dev/null\n+++ b/models/_statsig.yml\n")
    write_files([change])
    assert [entry["name"] for entry in yaml.safe_load((folder / change.shown).read_bytes())["models"]] == ["a", "b"]


def test_data_tests(tmp_path: Path) -> None:
    """A data test goes into the list that the entry has, else under the word that the file uses."""
    test = {"dbt_statsig.one_group": {"arguments": {"unit": "user_id"}}}
    folder = project(tmp_path, models__schema="models:\n  - name: a\n    data_tests:\n      - unique\n")
    assert added(folder, DataTestEdit(node=node(), test=test)).startswith(
        "      - dbt_statsig.one_group:\n          arg"
    )
    older = "models:\n  - name: a\n    columns:\n      - name: x\n        tests: [unique]\n"
    folder = project(tmp_path, models__schema=older)
    assert added(folder, DataTestEdit(node=node(), test="one_row")) == "    tests:\n      - one_row\n"
    folder = project(tmp_path, models__schema=PLAIN)
    both: list[BlockEdit | DataTestEdit] = [block(), DataTestEdit(node=node(), test="one_row")]
    assert added(folder, *both).endswith("    data_tests:\n      - one_row\n")
    assert "data_tests: [one_row]\n" in added(folder, DataTestEdit(node=node("b", patch=None), test="one_row"))


A = "models:\n  - name: a\n"
REFUSED = {
    "tabs": ("models:\n\t- name: a\n", "cannot start any token (a tab: indent with spaces)."),
    "Jinja": ("models:\n{% if x %}\n", "(Jinja outside of quotes)."),
    "duplicate": (A + "    meta: {}\n    meta: {}\n", ":4 has the key `meta` twice (lines 3 and 4); remove one."),
    "twice": ("models:\n  - name: a\n  - name: a\n", "has two entries for `a` (lines 2 and 3)."),
    "flow": ("models:\n  - {name: a}\n", ":2 is written in flow style ({…}); write it on lines of its own first."),
    "flow config": ("models:\n  - name: a\n    config: {x: 1}\n", ":3 is written in flow style"),
    "no mapping": ("models:\n  - name: a\n    config: table\n", ":3 has a `config`, which is not a mapping."),
    "gone": ("models:\n  - name: b\n", "has no entry for `a`, which dbt read there; run `dbt parse`."),
    "conflict": (
        A + "    meta:\n      statsig:\n        metric_source: X\n",
        ":5 has a block `metric_source` for `a` already;",
    ),
    "anchor": ("models:\n  - name: a\n    config: &c\n      x: 1\n  - name: b\n    config: *c\n", "from a YAML anchor"),
    "merged": ("x: &c\n  meta:\n    y: 1\nmodels:\n  - name: a\n    <<: *c\n", "has `meta` from a YAML anchor"),
    "entry": ("x: &c\n  name: a\nmodels:\n  - *c\n", "is used by several entries through a YAML anchor."),
    "list": ("- a\n", "is not a mapping with keys such as `models:`."),
    "two documents": ("models: []\n---\nmodels: []\n", "is not valid YAML"),
    "UTF-16": ("models:\n  - name: a\n".encode("utf-16"), "is not UTF-8 (byte 0)."),
}


@pytest.mark.parametrize(("text", "reason"), REFUSED.values(), ids=list(REFUSED))
def test_what_cannot_be_edited_is_refused(tmp_path: Path, text: str | bytes, reason: str) -> None:
    """A file in which the block cannot be added without a change of other lines is refused, in one line."""
    shown = refused(project(tmp_path, models__schema=text), block())
    assert reason in shown
    assert shown.startswith(FILE)
    assert "\n" not in shown


def test_nodes_that_have_no_file_here_are_refused(tmp_path: Path) -> None:
    """A package's model, an older version, a block from SQL, and files that are gone or elsewhere are refused."""
    folder = project(tmp_path / "shop", models__schema=PLAIN)
    (tmp_path / "out.yml").write_text(PLAIN, encoding="utf-8")
    (folder / "models/link.yml").symlink_to(tmp_path / "out.yml")
    assert "belongs to the package `dep`" in refused(folder, block(node(package_name="dep")))
    assert "is not the latest version" in refused(folder, block(node(version=1, latest_version=2)))
    assert "it comes from SQL, dbt_project.yml" in refused(folder, block(node(meta={"statsig": {}})))
    assert "it comes from SQL" in refused(folder, block(node("b", patch=None, meta={"statsig": {}})))
    assert "models/gone.yml no longer exists" in refused(folder, block(node(patch="models/gone.yml")))
    assert "is a link to a file outside" in refused(folder, block(node(patch="models/link.yml")))
    assert "`z` is in no file of the project" in refused(folder, block(node("z", patch=None)))
    assert "is a test; only models" in refused(folder, block(node(resource_type="test")))
    assert "cannot hold a text with `{{`" in refused(folder, block(where="{{ x }}"))
    (folder / FILE).chmod(0o444)
    assert f"{FILE} is read-only." in refused(folder, block())
    (folder / FILE).unlink()
    (folder / FILE).mkdir()
    assert "cannot be read" in refused(folder, block())


def test_one_bad_edit_does_not_hold_back_the_others(tmp_path: Path) -> None:
    """Of the edits of a file, those that can be made are."""
    folder = project(tmp_path, models__schema=PLAIN + "  - {name: b}\n")
    (change,), (refusal,) = edit_files(folder, [block(node("b")), block()])
    assert refusal.edit.node.name == "b"
    assert b"Signups" in change.after


def test_all_files_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that changed since it was read, or a disk that fails half-way, leaves every file as it was."""
    folder = project(tmp_path, models__schema=PLAIN, seeds__p="seeds:\n  - name: s\n")
    (folder / FILE).chmod(0o640)
    new = node("n", kind="snapshot", patch=None)
    changes, _ = edit_files(folder, [block(), block(node("s", kind="seed", patch="seeds/p.yml")), block(new)])
    (folder / "seeds/p.yml").write_text("seeds:\n  - name: s # mine\n", encoding="utf-8")
    with pytest.raises(DbtStatsigError, match=r"seeds/p\.yml has changed since it was read; nothing was written"):
        write_files(changes)
    changes, _ = edit_files(folder, [block(new), block(), block(node("s", kind="seed", patch="seeds/p.yml"))])
    files = {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    replace, calls = os.replace, []

    def failing(self: Path, target: Path) -> None:
        calls.append(target)
        if len(calls) == 3:
            raise OSError(28, "No space left on device")
        replace(self, target)

    monkeypatch.setattr(pathlib.Path, "replace", failing)
    with pytest.raises(DbtStatsigError, match=r"written: No space left on device\. None of them was changed"):
        write_files(changes)
    assert {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()} == files
    monkeypatch.undo()
    write_files(changes)
    assert (folder / FILE).stat().st_mode & 0o777 == 0o640
    assert (folder / "snapshots/_statsig.yml").read_bytes().startswith(b'version: 2\n\nsnapshots:\n  - name: "n"\n')

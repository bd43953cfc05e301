"""Faults of what a user gives: 30 to 38 and 42."""

from __future__ import annotations

import gzip
import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.faults.project import Project, block, calls, model, names

if TYPE_CHECKING:
    from dbt_statsig.emulator import Running


@pytest.mark.parametrize(
    "url",
    [
        "https://user:pass-word-1@statsigapi.net",  # pragma: allowlist secret
        "http://169.254.169.254",
        "https://[fd00:ec2::254]/",
        "https://metadata.google.internal",
        "file:///etc/passwd",
        "http://statsigapi.net",
        "http://127.0.0.1.nip.example",
        "ftp://statsigapi.net",
        "https://",
    ],
)
def test_fault_30_addresses_that_must_not_get_the_key(project: Project, server: Running, url: str) -> None:
    """User info, metadata addresses, other schemes and http beyond loopback are refused before any request."""
    project.url = url
    done = project.text("sync")
    assert (done.code, done.stdout) == (2, "")
    assert "base_url" in done.stderr
    assert "pass-word-1" not in done.stderr
    assert server.requests == []


@pytest.mark.parametrize(
    "key", ["console-abc\ndefghijk", "console-abc defghijk", "console-“abcdefghij”", "secret-abcdefghijk"]
)
def test_fault_31_keys_that_are_none(project: Project, server: Running, key: str) -> None:
    """A key with a newline, a blank or a smart quote, or an SDK key, is refused unsent and is not printed."""
    project.key = key
    done = project.text("sync")
    assert done.code == 2
    assert "STATSIG_CONSOLE_API_KEY" in done.stderr
    assert not any(part in done.stderr + done.stdout for part in ("abc defgh", "“abcdefghij”", "defghijk"))
    assert server.requests == []


@pytest.mark.parametrize("kind", ["metric_source", "assignment_source"])
def test_fault_32_names_of_all_sorts(project: Project, server: Running, kind: str) -> None:
    """Names with slashes, per cents, dots, emoji and right-to-left text address just their own objects."""
    odd = ["a/b", "50%", "...", "a/../b", "😀 party", "\u202eabc\u202c אבג", "a?b#c", "a;b&c=d", "a%2Fb"]
    project.forget("orders")
    for number, name in enumerate(odd):
        project.declare(f"m{number}", name, kind)
    done = project.sync()
    assert done.statuses == dict.fromkeys(odd, "done")
    for number, name in enumerate(odd):
        project.declare(f"m{number}", name, kind, where="amount > 1")
    assert project.sync().statuses == dict.fromkeys(odd, "done")
    assert project.settled()
    collection = "metric_sources" if kind == "metric_source" else "assignment_sources"
    assert names(server, collection) == sorted(odd)


@pytest.mark.parametrize(
    "name", ["", "  padded ", "x" * 10_000, "list", ".."], ids=["empty", "padded", "long", "reserved", "dots"]
)
def test_fault_32_names_that_cannot_be(project: Project, server: Running, name: str) -> None:
    """An empty, padded, over-long or reserved name is a finding, and the source is not sent."""
    project.models["orders"] = model("orders", block(name))
    project.write()
    done = project.sync()
    assert done.code == 1
    assert "bad-name" in {found["code"] for found in done.answer["validation"]["findings"]}
    assert names(server) == []


def test_fault_33_yaml_that_says_something_else(project: Project) -> None:
    """Duplicate keys, `on:` read as True and the like are reported with file, line and column."""
    (project.folder / "dbt_statsig.yml").write_text(
        "strict: true\non: 1\nstrict: false\n2026-01-01: 1\nconcurrency: 012\n"
    )
    done = project.text("validate")
    assert done.code == 2
    assert "dbt_statsig.yml:3:1" in done.stderr
    assert "dbt_statsig.yml:2:1" in done.stderr
    assert "dbt_statsig.yml:4:1" in done.stderr


def test_fault_33_in_a_property_file(project: Project) -> None:
    """In a property file a key given twice is a finding at its place, and blocks the source."""
    text = """
    models:
      - name: orders
        config:
          meta:
            statsig:
              metric_source:
                name: Orders
                timestamp_column: ts
                name: Other
                id_type_mapping: {userID: user_id}
    """
    (project.folder / "models").mkdir()
    (project.folder / "models" / "_shop.yml").write_text(text)
    project.models["orders"]["patch_path"] = "shop://models/_shop.yml"
    project.write()
    done = project.command("validate")
    (found,) = [found for found in done.answer["validation"]["findings"] if found["code"] == "duplicate-key"]
    assert (done.code, found["path"], found["line"]) == (1, "models/_shop.yml", 10)


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(
            [
                "a: &a [1]",
                *(f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join([f'*{chr(97 + i)}'] * 10)}]" for i in range(20)),
            ]
        ),
        "base_url: " + "[" * 5000,
        "defaults: " + "{a: " * 2000 + "1" + "}" * 2000,
    ],
    ids=["aliases", "open", "deep"],
)
def test_fault_34_bombs(project: Project, text: str) -> None:
    """Aliases that multiply and nesting without end are refused quickly, with a message."""
    (project.folder / "dbt_statsig.yml").write_text(text)
    begun = time.monotonic()
    done = project.text("validate")
    assert done.code == 2
    assert "dbt_statsig.yml" in done.stderr
    assert time.monotonic() - begun < 10


def test_fault_35_python_objects(project: Project) -> None:
    """A YAML tag that would build a Python object is rejected, and nothing is run."""
    marker = project.folder / "owned"
    (project.folder / "dbt_statsig.yml").write_text(f'base_url: !!python/object/apply:os.system ["touch {marker}"]\n')
    done = project.text("validate")
    assert done.code == 2
    assert "dbt_statsig.yml:1" in done.stderr
    assert not marker.exists()


@pytest.mark.parametrize(("written", "shown"), [(b"NaN", "manifest.json"), (rb'"\ud800"', "manifest.json")])
def test_fault_36_values_that_json_cannot_hold(project: Project, server: Running, written: bytes, shown: str) -> None:
    """NaN or half a character in the manifest is reported with the file and the byte, before any request."""
    project.models["odd"] = model("odd", block("Odd", description="HERE"))
    project.write()
    path = project.folder / "target" / "manifest.json"
    path.write_bytes(path.read_bytes().replace(b'"HERE"', written))
    done = project.text("sync")
    assert (done.code, done.stdout) == (2, "")
    assert shown in done.stderr
    assert server.requests == []


def test_fault_36_a_sql_of_ten_megabytes(project: Project, server: Running) -> None:
    """A predicate of 10 MB ends soon, as a finding that names its key; the others go on."""
    project.declare("big", "Big", where="amount > 1 or " * 700_000 + "amount > 2")
    done = project.sync()
    assert done.code == 1
    assert any(found["key"].endswith("where") for found in done.answer["validation"]["findings"])
    assert names(server) == ["Orders"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"null",
        b"\x00\xff",
        b'{"metadata": {"dbt_schema_version": "x"}}',
        gzip.compress(b"{}")[:-3],
        b"[" * 9999,
    ],
    ids=["empty", "cut", "null", "binary", "foreign", "cut gzip", "deep"],
)
def test_fault_37_manifests_that_cannot_be_read(project: Project, content: bytes) -> None:
    """One message that names the file, exit 2, and no traceback."""
    (project.folder / "target" / "manifest.json").write_bytes(content)
    done = project.text("plan")
    assert (done.code, done.stdout) == (2, "")
    assert "manifest.json" in done.stderr


def test_fault_37_a_gzip_manifest(project: Project, server: Running) -> None:
    """A manifest packed with gzip is read like a plain one."""
    path = project.folder / "target" / "manifest.json"
    path.write_bytes(gzip.compress(path.read_bytes()))
    assert project.sync().code == 0
    assert names(server) == ["Orders"]


def test_fault_37_a_future_manifest(project: Project) -> None:
    """A manifest of a schema that we do not read is refused by its number, or read as far as it is the same."""
    path = project.folder / "target" / "manifest.json"
    content = json.loads(path.read_bytes())
    content["metadata"]["dbt_schema_version"] = "https://schemas.getdbt.com/dbt/manifest/v99.json"
    path.write_text(json.dumps(content))
    done = project.text("plan")
    assert done.code == 2
    assert "99" in done.stderr


def test_fault_38_square_brackets(project: Project) -> None:
    """What looks like markup of the terminal's is printed as it is."""
    project.declare("orders", "[red]Orders[/red]", description="See [/foo] and [link=x]y[/link].")
    done = project.text("plan")
    assert "[red]Orders[/red]" in done.stdout
    assert "[/foo]" in done.stdout
    assert "[link=x]y[/link]" in done.stdout


@pytest.mark.parametrize(
    "keys",
    [
        {"where": "1 = 1; drop table x"},
        {"where": "1 = 1 -- and more"},
        {"where": "1 = 1) or (1 = 1"},
        {"where": "name = 'x"},
        {"where": "{statsig_start_date"},
        {"custom_field_mapping": {"a": "1) from t; --"}},
        {"custom_field_mapping": {"a": "(amount"}},
    ],
    ids=str,
)
def test_fault_42_sql_that_breaks_out(project: Project, server: Running, keys: dict[str, Any]) -> None:
    """A predicate or formula that would end early, or is unbalanced, is a finding; the source is not sent."""
    project.declare("bad", "Bad", **keys)
    done = project.sync()
    assert done.code == 1
    assert done.actions["Bad"] == "blocked"
    assert names(server) == ["Orders"]


def test_fault_42_names_with_quotes(project: Project, server: Running) -> None:
    """Quotes and comment signs in names stay text, in SQL and on the wire."""
    project.declare("quoted", "O'Brien\"; drop table x; --")
    assert project.sync().code == 0
    sql = server.state.sources["metric_sources"]["O'Brien\"; drop table x; --"]["sql"]
    assert "drop table" not in sql
    assert calls(server).count("POST 201") == 2

"""Tests of what is reported about files that cannot be read."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest

from dbt_statsig.errors import ArtifactError
from dbt_statsig.project.artifacts import Manifest, load_catalog, load_manifest, load_run_results
from dbt_statsig.project.artifacts.reading import Metadata
from dbt_statsig.project.artifacts.run_results import RunResults
from tests.unit.project.artifacts.build import catalog_bytes, manifest_bytes, node, schema

if TYPE_CHECKING:
    from pathlib import Path

GOOD = manifest_bytes(node("model.shop.orders"))


def _error(data: bytes) -> ArtifactError:
    with pytest.raises(ArtifactError) as caught:
        Manifest.from_bytes(data)
    return caught.value


def test_gzip_is_recognised_by_its_first_bytes(tmp_path: Path) -> None:
    """A gzip file is read whatever its name says."""
    path = tmp_path / "manifest.json"
    path.write_bytes(gzip.compress(GOOD))
    assert load_manifest(path).node("model.shop.orders") is not None


def test_byte_order_mark_is_skipped() -> None:
    """A byte order mark before the JSON changes nothing."""
    assert Manifest.from_bytes(b"\xef\xbb\xbf" + GOOD).dbt_version == "1.11.16"


@pytest.mark.parametrize("cut", [1, 20, len(GOOD) // 2, len(GOOD) - 1])
def test_truncated_file_is_called_truncated(cut: int) -> None:
    """A file that ends too early is reported to be truncated or still being written."""
    assert "truncated or still being written" in _error(GOOD[:cut]).message


def test_truncated_gzip_is_called_truncated() -> None:
    """The same holds for a gzip file that ends too early."""
    assert "truncated or still being written" in _error(gzip.compress(GOOD)[:-20]).message


def test_damaged_gzip_is_called_unreadable() -> None:
    """A gzip file with wrong content is reported to be unreadable as gzip."""
    damaged = bytearray(gzip.compress(GOOD))
    damaged[20:40] = b"\x00" * 20
    assert "gzip" in _error(bytes(damaged)).message


@pytest.mark.parametrize("data", [b"", b" \n"])
def test_empty_file_is_called_empty(data: bytes) -> None:
    """A file without content is reported to be empty."""
    assert "is empty" in _error(data).message


def test_text_that_is_no_json_is_placed() -> None:
    """A file that is not JSON is named with line and column."""
    assert "is not JSON: line 2, column " in _error(b'{"metadata":\nnone}').message


def test_other_encoding_is_named() -> None:
    """A file in another encoding than UTF-8 is reported to be so."""
    assert "is not UTF-8 text" in _error(GOOD.replace(b"orders", b"ord\xe9rs")).message


@pytest.mark.parametrize("value", [b"NaN", b"-Infinity", b'"\\ud800"'])
def test_values_that_json_does_not_have_are_named(value: bytes) -> None:
    """NaN, Infinity and lone surrogates, which Python's writer lets through, give one error and no traceback."""
    message = _error(GOOD.replace(b'"shop"', value, 1)).message
    assert "values that JSON does not have" in message


def test_deep_nesting_is_refused() -> None:
    """A file nested beyond reason gives an error, not a crash."""
    assert "nested too deeply" in _error(b'{"nodes": {"model.shop.a": ' + b"[" * 100_000).message


TINY = b"[" + b"[]," * 300_000 + b"0]"


@pytest.mark.parametrize("section", ["nodes", "sources", "macros"])
def test_too_many_tiny_entries_are_refused(section: str) -> None:
    """So many entries that none can be a node are not decoded."""
    entries = ",".join(f'"n{place}":1' for place in range(50_002))
    with pytest.raises(ArtifactError, match=r"has more than 50,000 entries"):
        _ = Manifest.from_bytes(manifest_bytes()[:-1] + f', "{section}": {{{entries}}}}}'.encode()).macros


def test_too_many_tiny_values_are_refused() -> None:
    """Values that would take far more memory than their text are not decoded; signs within SQL are no values."""
    node = b'"model.shop.a": {"name": "a", "config": {"x": %s, "meta": {"statsig": 1}}}'
    hostile = Manifest.from_bytes(GOOD.replace(b'"nodes": {', b'"nodes": {%s, ' % (node % TINY), 1))
    with pytest.raises(ArtifactError, match=r"model\.shop\.a has more than 200,000 values"):
        hostile.node("model.shop.a")
    text = Manifest.from_bytes(GOOD.replace(b'"nodes": {', b'"nodes": {%s, ' % (node % (b'"\\"%s"' % TINY)), 1))
    assert text.node("model.shop.a") is not None
    results = b'{"metadata": {"dbt_schema_version": "%s"}, "args": {"x": %s}}'
    with pytest.raises(ArtifactError, match=r"run_results\.json has more than 200,000 values"):
        RunResults.from_bytes(results % (schema("run-results", 6).encode(), TINY))


def test_huge_number_is_refused() -> None:
    """A number that no program can hold gives an error, not a crash."""
    assert _error(GOOD.replace(b'"1.11.16"', b"9" * 10_000)).message.startswith("manifest.json")


def test_other_file_of_dbt_is_named() -> None:
    """A catalog given as manifest is called a catalog."""
    error = _error(catalog_bytes({}))
    assert error.message == "manifest.json is a catalog file of dbt's, not a manifest.json."


def test_other_file_of_dbt_is_named_even_where_its_form_differs() -> None:
    """A foreign file of dbt's whose keys collide with ours is still called by its name."""
    data = json.dumps({"metadata": {"dbt_schema_version": schema("sources", 3)}, "nodes": [1]}).encode()
    assert "is a sources file of dbt's" in _error(data).message


@pytest.mark.parametrize("data", [b"{}", b'{"nodes": {}}', b'{"metadata": {}}', b'{"metadata": {"x": 1}}'])
def test_foreign_json_is_refused(data: bytes) -> None:
    """JSON that does not say that it is dbt's is no manifest."""
    assert "not a manifest.json of dbt" in _error(data).message


@pytest.mark.parametrize("data", [b"[]", b"3", b'"text"', b'{"metadata": 4}'])
def test_json_of_another_form_is_refused(data: bytes) -> None:
    """JSON of quite another form is refused with the reason."""
    assert "does not have the form of a manifest.json" in _error(data).message


@pytest.mark.parametrize("version", [0, 13, 99])
def test_unknown_version_names_what_can_be_read(version: int) -> None:
    """A schema version that is not read is named, together with those that are."""
    error = _error(manifest_bytes(version=version, metadata={"dbt_version": "3.0.0"}))
    assert f"v{version} (dbt 3.0.0); v1 to v12 can be read" in error.message


def test_the_betas_of_dbt_2_are_read(tmp_path: Path) -> None:
    """A manifest that a beta of dbt 2.0 numbered v20 has the form of v12 and is read."""
    path = tmp_path / "manifest.json"
    path.write_bytes(manifest_bytes(version=20, metadata={"dbt_version": "2.0.0-beta.46"}))
    assert load_manifest(path).dbt_version == "2.0.0-beta.46"


def test_unknown_catalog_version_names_the_only_one(tmp_path: Path) -> None:
    """A file kind with a single known version says just that one."""
    path = tmp_path / "catalog.json"
    path.write_bytes(catalog_bytes({}, {"dbt_schema_version": schema("catalog", 2)}))
    with pytest.raises(ArtifactError, match=r"v2 \(dbt unknown\); v1 can be read"):
        load_catalog(path)


def test_missing_file_names_path_and_command(tmp_path: Path) -> None:
    """A missing manifest is named with its path and the command that writes it."""
    with pytest.raises(ArtifactError) as caught:
        load_manifest(tmp_path / "manifest.json")
    assert str(tmp_path / "manifest.json") in caught.value.message
    assert "dbt compile" in caught.value.fix
    assert "dbt parse" in caught.value.fix


def test_missing_file_by_another_name(tmp_path: Path) -> None:
    """A file that was named wrongly: the manifest that is near is named, else what to name."""
    with pytest.raises(ArtifactError) as caught:
        load_manifest(tmp_path / "nope")
    assert caught.value.fix == "Name a manifest.json, which dbt writes to `target/`."
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "manifest.json").write_bytes(b"{}")
    with pytest.raises(ArtifactError) as caught:
        load_manifest(tmp_path / "nope")
    assert caught.value.fix == f"Did you mean {tmp_path / 'target' / 'manifest.json'}?"


def test_missing_target_folder_of_a_project_is_reported(tmp_path: Path) -> None:
    """Where the project is there but dbt has never run, the message says so."""
    (tmp_path / "dbt_project.yml").write_text("name: shop\n", encoding="utf-8")
    with pytest.raises(ArtifactError, match="has no target folder yet"):
        load_manifest(tmp_path / "target" / "manifest.json")


def test_missing_project_is_reported(tmp_path: Path) -> None:
    """Where there is no project either, the message says that too."""
    with pytest.raises(ArtifactError, match=r"nor a dbt_project\.yml"):
        load_manifest(tmp_path / "target" / "manifest.json")


def test_folder_in_place_of_a_file_is_an_error(tmp_path: Path) -> None:
    """A path that cannot be read as a file gives an error with the system's reason."""
    with pytest.raises(ArtifactError, match="cannot be read"):
        load_run_results(tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-21T08:54:14.064440492Z", datetime(2026, 11, 21, 8, 54, 14, 64440, tzinfo=timezone.utc)),
        ("2021-03-09T23:28:48", datetime(2021, 3, 9, 23, 28, 48, tzinfo=timezone.utc)),
        ("yesterday", None),
        (None, None),
    ],
)
def test_times_are_aware_or_absent(text: str | None, expected: datetime | None) -> None:
    """Nanoseconds are cut, a time without zone is UTC, and what is no time is None."""
    assert Metadata(generated_at=text).written_at == expected


@pytest.mark.parametrize("name", ["manifest.json", "catalog.json", "run_results.json"])
@pytest.mark.parametrize("packed", [False, True])
def test_what_is_too_large_is_not_read(tmp_path: Path, name: str, packed: bool) -> None:  # noqa: FBT001 - pytest's
    """Each artifact, plain or gzip, that has more than the setting allows is refused with size and setting."""
    load = {"manifest.json": load_manifest, "catalog.json": load_catalog, "run_results.json": load_run_results}[name]
    path = tmp_path / name
    content = b" " * ((3 << 20) + 1)
    path.write_bytes(gzip.compress(content) if packed else content)
    with pytest.raises(ArtifactError) as caught:
        load(path, max_mb=3)
    size = "has 0.0 MB and unpacks to more" if packed else "has 3.0 MB"
    assert caught.value.message == f"{path} {size}; the setting `max_artifact_mb` allows 3 MB."
    assert "raise `max_artifact_mb`" in caught.value.fix
    with pytest.raises(ArtifactError, match="is empty"):
        load(path, max_mb=4)


def test_an_endless_bomb_is_not_unpacked(tmp_path: Path) -> None:
    """What would unpack to far more than any manifest has is refused before it is all in memory."""
    path = tmp_path / "manifest.json.gz"
    path.write_bytes(gzip.compress(b" " * (64 << 20)))
    tracemalloc.start()
    with pytest.raises(ArtifactError, match="allows 1 MB"):
        load_manifest(path, max_mb=1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 << 20

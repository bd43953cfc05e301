"""Who the emulator answers, and what SQL may do there: it is safe to leave running."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import duckdb
import httpx
import pytest

from dbt_statsig.emulator import visitors
from tests.integration.emulator.samples import BODIES, CREATES, PREFIX

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.emulator.servers import Start, Started

METRIC = BODIES["metric_sources"]
JSON = {"content-type": "application/json"}


@pytest.mark.parametrize("path", ["/", "/__emulator/state", f"{PREFIX}/tags"])
@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:80", 200),
        ("localhost", 200),
        ("[::1]:9", 200),
        ("rebound.example.com", 421),
        ("127.0.0.1.example.com", 421),
        ("192.0.2.1", 421),
        ("[::1", 421),
        ("", 421),
    ],
)
def test_it_answers_to_its_own_host(api: Started, path: str, host: str, status: int) -> None:
    """A name that somebody points at this machine is refused on the page, the control endpoints and the API."""
    answer = api.client.get(path, headers={"host": host})
    assert answer.status_code == status


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://example.com"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_other_sites_are_refused(api: Started, headers: dict[str, str]) -> None:
    """What a page of another site sends changes nothing, on the control endpoints and the API."""
    api.client.post(CREATES["metric_sources"], json=METRIC)
    url = api.server.url
    assert httpx.post(f"{url}/__emulator/reset", headers={**JSON, **headers}).status_code == 403
    assert httpx.delete(f"{url}/__emulator/requests", headers=headers).status_code == 403
    assert api.client.post(f"{PREFIX}/tags", json={"name": "a", "description": ""}, headers=headers).status_code == 403
    assert len(api.server.state.sources["metric_sources"]) == 1
    assert api.server.state.lists["tags"] == []


def test_its_own_page_may_do_all(api: Started) -> None:
    """A request of the emulator's own origin, and a link to its page from elsewhere, are answered."""
    own = {**JSON, "origin": api.server.url, "sec-fetch-site": "same-origin"}
    assert httpx.post(f"{api.server.url}/__emulator/reset", headers=own).status_code == 200
    assert httpx.get(api.server.url, headers={"sec-fetch-site": "cross-site"}).status_code == 200


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
def test_simple_requests_change_nothing(api: Started, content_type: str) -> None:
    """What a browser sends without asking first is refused by the control endpoints, with the header to send."""
    headers = {"content-type": content_type} if content_type else {}
    for path in ("reset", "faults", "objects/metric_sources/a"):
        answer = httpx.post(f"{api.server.url}/__emulator/{path}", content=b"[]", headers=headers)
        assert answer.status_code == 415
        assert "content-type: application/json" in answer.json()["message"]


@pytest.mark.parametrize("path", [CREATES["metric_sources"], "/__emulator/faults"])
def test_bodies_are_bounded(api: Started, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body that is too large, announced or not, or nested too deeply is refused, and the next request is answered."""
    monkeypatch.setattr(visitors, "MAX_BODY", 100_000)
    for large in (b" " * 100_001, iter([b" " * 60_000] * 2)):
        assert api.client.post(path, content=large, headers=JSON).status_code == 413
    for depth in (50, 90_000):
        deep = api.client.post(path, content=b"[" * (depth // 2) + b"]" * (depth // 2), headers=JSON)
        assert deep.status_code == 400
    wide = json.dumps({"a": [1] * 1_000})
    assert api.client.post(path, content=wide, headers=JSON).status_code == 400
    assert api.client.get(f"{PREFIX}/tags").status_code == 200


def test_the_log_is_bounded(api: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the newest requests are kept."""
    log = api.server.emulator.console.log
    assert log.maxlen is not None
    monkeypatch.setattr(api.server.emulator.console, "log", type(log)(maxlen=2))
    for name in ("a", "b", "c"):
        api.client.get(f"{PREFIX}/tags?{name}")
    assert [exchange.query for exchange in api.server.requests] == ["b", "c"]


def test_sql_reaches_no_files(start: Start, tmp_path: Path) -> None:
    """SQL that reads files, the network or another database, or changes settings, is refused; nothing is written."""
    path, secret = tmp_path / "shop.duckdb", tmp_path / "secret.csv"
    secret.write_text("user_id,ts\n1,2\n", encoding="utf-8")
    duckdb.connect(str(path)).close()
    client = start(warehouse=str(path)).client
    others = (
        f"select * from read_csv('{secret}')",
        f"select * from '{secret}'",
        f"select content as user_id, filename as ts from read_text('{secret}')",
        f"select * from glob('{tmp_path}/*')",
        "select * from read_parquet('http://127.0.0.1:1/a.parquet')",
        f"copy (select 1 as user_id, 2 as ts) to '{tmp_path}/out.csv'",
        f"attach '{tmp_path}/other.duckdb'",
        "install httpfs",
        "load httpfs",
        "set enable_external_access = true",
        f"select 1 as user_id, 2 as ts) as x; copy (select 1) to '{tmp_path}/out.csv'; select * from (select 1",
    )
    for sql in others:
        answer = client.post(CREATES["metric_sources"], json={**METRIC, "sql": sql})
        assert answer.status_code == 400, sql
        assert "1,2" not in answer.text
    assert {file.name for file in tmp_path.iterdir()} == {"shop.duckdb", "secret.csv"}

"""The page of what the emulator holds."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

from msgspec import structs

from dbt_statsig.emulator.console import Exchange
from dbt_statsig.emulator.page import page, page_headers
from dbt_statsig.emulator.seed import load

EVIL = "<script>alert(1)</script>"


class Tags(HTMLParser):
    """Collects the tags and the text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.links: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag and its attributes."""
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        """Note text."""
        self.text += data


def parsed(html: str) -> Tags:
    """The page as a browser reads it."""
    reader = Tags()
    reader.feed(html)
    return reader


def test_it_shows_names_columns_queries_tables_and_owners() -> None:
    """A person finds what each source is made of."""
    seed = {
        "metric_sources": [
            {
                "name": "Orders",
                "description": "All orders.\n\nManaged by dbt: shop/model.shop.orders",
                "tags": ["core"],
                "sql": "",
                "sourceType": "table",
                "tableName": "shop.orders",
                "timestampColumn": "ordered_at",
                "idTypeMapping": [{"statsigUnitID": "userID", "column": "user_id"}],
                "customFieldMapping": [{"key": "net", "formula": "gross - tax"}],
            }
        ],
        "qualifying_events": [{"name": "Loaded", "sql": "select 1 as n"}],
        "unit_id_types": ["companyID", "storeID"],
    }
    text = parsed(page(load(seed))).text
    for expected in ("Orders", "#core", "shop.orders", "ordered_at", "userID", "user_id", "gross - tax",
                     "Managed by dbt: shop/model.shop.orders", "select 1 as n", "companyID, storeID",
                     "Metric sources (1)", "Assignment sources (0)"):  # fmt: skip
        assert expected in text


def test_scripts_stay_text_wherever_they_are() -> None:
    """No value becomes markup."""
    source = {
        "name": EVIL,
        "description": EVIL,
        "tags": [EVIL],
        "sql": EVIL,
        "timestampColumn": EVIL,
        "idTypeMapping": [{"statsigUnitID": EVIL, "column": EVIL}],
    }
    seen = parsed(page(load({"assignment_sources": [source], "tags": [EVIL], "experiments": [{"name": EVIL}]})))
    assert seen.tags.count("script") == 1
    assert seen.text.count(EVIL) == 9


def test_nothing_comes_from_elsewhere() -> None:
    """No source, outward link or event attribute, and a policy that lets in exactly the page's own style and script."""
    html = page(load({"tags": ["a"]}))
    assert not {"src", "style"} & set(parsed(html).attributes)
    assert all(link.startswith(("#", "data:image/svg+xml,")) for link in parsed(html).links)
    assert not any(name.startswith("on") for name in parsed(html).attributes)
    policy = page_headers()["content-security-policy"]
    assert policy.startswith("default-src 'none';")
    for name in ("style", "script"):
        own = re.search(rf"<{name}>(.*)</{name}>", html, re.DOTALL)
        assert own is not None
        digest = base64.b64encode(hashlib.sha256(own[1].encode()).digest()).decode()
        assert f" {name}-src 'sha256-{digest}';" in policy
    assert "color-scheme: light dark" in html


def test_it_shows_experiments_faults_and_requests() -> None:
    """Experiments have their status, metrics and loads; faults their hits; requests, the newest first."""
    experiment = {
        "name": "checkout",
        "status": "active",
        "assignmentSourceName": "Exposures",
        "primaryMetrics": [{"name": "Revenue", "type": "sum", "direction": "increase"}],
    }
    content = load({"experiments": [experiment]})
    content["pulse_loads"] = [{"experimentID": "checkout", "reloadType": "full", "finishedState": "success"}]
    first = Exchange(method="GET", path="/console/v1/tags", query="", status=200, body=None, headers={})
    log = [first, structs.replace(first, method="POST", status=0, body={"name": "core"})]
    faults = [{"action": "delay", "match": {"method": "POST", "path": "tags"}, "times": 3, "hits": 1}]
    text = parsed(page(content, address="http://127.0.0.1:1", key="console-x", faults=faults, log=log)).text
    for expected in ("checkout", "active", "Exposures", "Revenue", "full: success", "delay", "POST tags", "1 of 3",
                     "dropped", "http://127.0.0.1:1", "console-x", "Requests (2)", '"name": "core"'):  # fmt: skip
        assert expected in text
    assert text.index("POST /console/v1/tags") < text.index("GET /console/v1/tags")

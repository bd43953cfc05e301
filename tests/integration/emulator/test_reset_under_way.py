"""A reset while a request is under way."""

from __future__ import annotations

import threading
import time

import httpx

from dbt_statsig.emulator import running


def test_a_request_from_before_a_reset_leaves_no_trace() -> None:
    """What waits when the emulator goes back to its start is dropped: it is not committed, answered or logged."""
    with running() as server:
        server.inject({"match": {"method": "POST"}, "action": "delay", "seconds": 1.5})
        ended: list[Exception] = []

        def post() -> None:
            try:
                httpx.post(
                    f"{server.url}/console/v1/tags",
                    headers={"STATSIG-API-KEY": server.key},
                    json={"name": "late", "description": "d"},
                    timeout=10,
                )
            except httpx.HTTPError as error:
                ended.append(error)

        thread = threading.Thread(target=post)
        thread.start()
        time.sleep(0.7)
        server.reset()
        thread.join(10)
        assert len(ended) == 1
        assert server.requests == []
        tags = httpx.get(f"{server.url}/console/v1/tags", headers={"STATSIG-API-KEY": server.key}).json()
        assert tags["data"] == []

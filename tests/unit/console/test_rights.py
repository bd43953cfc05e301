"""What is asked about a key and its project, and what each answer means."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.console.service import Opened, one, page, refused

READS = [page(total=0)] * 4


def test_all_is_known() -> None:
    """Every answer of the published form is taken; the one write lacks every required field and is dry."""
    company, reviews = one({"isWarehouseNative": True}), one({"is_whn_source_review_required": False})
    opened = Opened(company, reviews, *READS, refused(400))
    found = opened.client.about()
    assert (found.warehouse_native, found.reviews_required, found.may_write) == (True, False, True)
    assert set(found.may_read.values()) == {True}
    (write,) = [request for request in opened.service.requests if request.method != "GET"]
    assert (write.url.path, write.content) == ("/console/v1/experiments/assignment_sources", b'{"dryRun": true}')


@pytest.mark.parametrize(
    ("answer", "rights"),
    [
        (refused(403), (False, False)),
        (refused(401), (None, None)),
        (refused(404), (None, None)),
        (refused(500), (None, None)),
        (one({"isWarehouseNative": "yes"}), (True, None)),
        (one([]), (True, None)),
    ],
)
def test_whatever_is_answered(answer: Any, rights: tuple[bool | None, bool | None]) -> None:
    """A refusal is one only with 403; what is no answer to the question makes it unknown, and nothing is repeated."""
    opened = Opened(answer)
    found = opened.client.about()
    assert (found.warehouse_native, found.reviews_required) == (None, None)
    assert ({*found.may_read.values()}, found.may_write) == ({rights[0]}, rights[1])
    assert len(opened.service.calls) <= 7

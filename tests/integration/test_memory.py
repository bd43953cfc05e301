"""Memory on hostile files: what reading them takes is measured in a process of its own."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.unit.project.artifacts.build import manifest_bytes, node

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NIGHTLY = bool(os.environ.get("DBT_STATSIG_NIGHTLY"))
MEGABYTES = 100 if NIGHTLY else 5
PARSER = 30 << 20
"""What the SQL parser takes, wherever a file makes this process load it."""
META = {
    "statsig": {
        "metric_source": {"name": "Orders", "timestamp_column": "ts", "id_type_mapping": {"userID": "user_id"}},
    }
}
PLAIN = node(
    "model.shop.orders",
    relation_name="shop.orders",
    compiled_code="select 1 as ts, 2 as user_id",
    config={"materialized": "table", "enabled": True, "meta": META},
)
GOOD = manifest_bytes(PLAIN, metadata={"adapter_type": "duckdb"})
TINY = b'"n%d":{},'
SMALL = b'"model.shop.m%d":{"unique_id":"model.shop.m%d","name":"m%d","resource_type":"model","x":"%s"},'
FILES: dict[str, Callable[[int], bytes]] = {
    "one SQL of brackets": lambda size: GOOD.replace(b"select 1 as ts", b"select 1 as ts, " + b"(" * size),
    "one SQL of dots": lambda size: GOOD.replace(b"select 1 as ts", b"select 1 as ts, " + b"a." * (size // 2)),
    "one SQL of joins": lambda size: GOOD.replace(b"2 as user_id", b"2 as user_id from a" + b" join b" * (size // 7)),
    "blanks": lambda size: GOOD + b" " * size,
    "lists beside": lambda size: GOOD.replace(b'"nodes"', b'"x":[' + b"[]," * (size // 3) + b'0],"nodes"', 1),
    "lists alone": lambda size: b"[" + b"[]," * (size // 3) + b"0]",
    "lists and no end": lambda size: GOOD[:-1] + b',"x":[' + b"[]," * (size // 3) + b"rubbish",
    "lists in a node": lambda size: GOOD.replace(
        b'"materialized"', b'"x":[' + b"[]," * (size // 3) + b'0],"materialized"'
    ),
    "words in a node": lambda size: GOOD.replace(b'"fqn": [', b'"fqn": [' + b'"a",' * (size // 4)),
    "entries that are no nodes": lambda size: GOOD.replace(
        b'"nodes": {', b'"nodes": {' + b"".join(TINY % place for place in range(size // 12)), 1
    ),
    "entries that are no macros": lambda size: (
        GOOD[:-1] + b',"macros":{' + b"".join(TINY % place for place in range(size // 12)) + b'"n":{}}}'
    ),
    "many small nodes": lambda size: GOOD.replace(
        b'"model.shop.orders"',
        b"".join(SMALL % (place, place, place, b"x" * 400) for place in range(size // 500)) + b'"model.shop.orders"',
        1,
    ),
}
OFTEN = ["one SQL of brackets", "many small nodes", "entries that are no nodes", "lists alone", "lists in a node"]
# getrusage of a child begins at what its parent had when it was made.
MEASURED = """
import re, sys
from pathlib import Path
from dbt_statsig.cli import main
try:
    main()
except SystemExit as end:
    assert end.code in (0, 1, 2), end.code
print("peak", re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1], file=sys.stderr)
"""


def peak(project: Path, content: bytes) -> int:
    """The most memory in bytes that `validate` takes for a manifest."""
    (project / "target").mkdir(exist_ok=True)
    (project / "target" / "manifest.json").write_bytes(content)
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, "validate", "--no-cache", "-q", "--project-dir", project],
        capture_output=True,
        text=True,
        check=True,
        # Measuring coverage takes memory of its own.
        env={name: value for name, value in os.environ.items() if not name.startswith("COV")},
    )
    assert "Traceback" not in done.stderr
    return int(done.stderr.rpartition("peak ")[2]) * 1024


@pytest.fixture(scope="module")
def floor(tmp_path_factory: pytest.TempPathFactory) -> int:
    """What a manifest of one model takes."""
    return peak(tmp_path_factory.mktemp("floor"), GOOD)


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read as Linux shows it")
@pytest.mark.timeout(900 if NIGHTLY else 300)
@pytest.mark.parametrize("name", FILES if NIGHTLY else OFTEN)
def test_memory_is_about_twice_the_file(tmp_path: Path, floor: int, name: str) -> None:
    """A hostile manifest takes little more than twice its size beyond what any takes; packed, no more."""
    content = FILES[name](MEGABYTES << 20)
    most = floor + 2 * len(content) + PARSER
    assert len(content) > MEGABYTES << 19
    assert peak(tmp_path, content) < most
    if NIGHTLY:
        assert peak(tmp_path, gzip.compress(content)) < most + len(content)

"""A small program in dbt's place, which runs SQL on a DuckDB file: `show` of one query, and the tests of a project."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from dbt_statsig.project.dbt_command import DbtCommand

if TYPE_CHECKING:
    from pathlib import Path

_DBT = """
import json, sys, duckdb
from pathlib import Path
words = sys.argv[1:]
option = lambda name: words[words.index(name) + 1]
raw = lambda text: text.partition("{% raw %}")[2].rpartition("{% endraw %}")[0]
try:
    connection = duckdb.connect(DATABASE, read_only=True)
except duckdb.Error as error:
    print("12:00:00  Encountered an error:\\nRuntime Error\\n ", error)
    raise SystemExit(2)
def show():
    assert "--no-write-json" in words, words
    try:
        cursor = connection.execute(raw(option("--inline")) + " limit " + option("--limit"))
    except duckdb.Error as error:
        print("12:00:00  Encountered an error:\\nRuntime Error\\n ", error)
        print("12:00:00  Traceback (most recent call last):\\n  File x")
        raise SystemExit(2)
    names = [column[0] for column in cursor.description]
    rows = [dict(zip(names, row)) for row in cursor.fetchall()]
    print("12:00:00  a warning")
    print(json.dumps({"show": rows}, indent=2, default=str))
def test():
    results = []
    for file in sorted(Path(option("--project-dir"), "tests").iterdir()):
        text = file.read_text()
        sql, number = raw(text), int(file.stem.rpartition("_")[2])
        try:
            asked = sql if "run_query" in text else f"describe (select * from ({sql}) q where false)"
            found = connection.execute(asked).fetchall()
        except duckdb.Error as error:
            message = f"Runtime Error in test {file.stem} (tests/{file.name})\\n  {error}"
        else:
            rows = [list(map(str, row if "run_query" in text else row[:2])) for row in found]
            print(json.dumps({"statsig_query": number, "found": rows}))
            message = ""
        name = f"test.statsig_queries.{file.stem}"
        results.append({"unique_id": name, "status": "error" if message else "pass", "message": message or None})
    Path(option("--target-path")).mkdir()
    Path(option("--target-path"), "run_results.json").write_text(json.dumps({"results": results}))
{"show": show, "test": test}[words[0]]()
"""


def duckdb_program(database: Path) -> DbtCommand:
    """The program, over this file."""
    return DbtCommand(words=(sys.executable, "-c", _DBT.replace("DATABASE", repr(str(database)))))

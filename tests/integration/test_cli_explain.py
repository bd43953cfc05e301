"""`dbt-statsig explain`, as it is typed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import jsonschema
import pytest

from dbt_statsig.report.documents import report_schema
from dbt_statsig.report.run_findings import RULES
from tests.integration.cli_process import run

if TYPE_CHECKING:
    from pathlib import Path


def test_one_code(tmp_path: Path) -> None:
    """A code gives its weight, its meaning, the remedy, what is bad and good, and the address of its page."""
    done = run("explain", "Unrendered-Jinja", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith("unrendered-jinja  error\n")
    assert "→ Quote the whole value" in done.stdout
    assert '  Bad:\n    metric_source:\n      name: "{% raw %}{{ env }}{% endraw %} orders"' in done.stdout
    assert "\n  Good:\n" in done.stdout
    assert done.stdout.endswith("/findings/unrendered-jinja/\n")


def test_all_codes(tmp_path: Path) -> None:
    """Without a code all of them are listed, those of plans and syncs included."""
    done = run("explain", cwd=tmp_path)
    assert done.returncode == 0
    assert [code for code in RULES if f"  {code} " not in done.stdout] == []


def test_as_json(tmp_path: Path) -> None:
    """With JSON one code, or all of them, are a document by the schema; what is unknown is an error in it."""
    answer = json.loads(run("explain", "column-absent", "--output", "json", cwd=tmp_path).stdout)
    jsonschema.validate(answer, report_schema())
    (entry,) = answer["codes"]
    assert (entry["code"], entry["severity"], entry["about"]) == ("column-absent", "error", "project")
    everything = json.loads(run("explain", "--output=json", cwd=tmp_path).stdout)
    assert [one["code"] for one in everything["codes"]] == sorted(RULES)
    assert all(one["bad"] and one["example"] == one["good"] for one in everything["codes"])
    assert {one["about"] for one in everything["codes"]} == {"project", "run"}
    done = run("explain", "colum-absent", "--output", "json", cwd=tmp_path)
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["fix"] == 'Did you mean "column-absent"?'


@pytest.mark.parametrize(
    ("typed", "hint"), [("colum-absent", 'Did you mean "column-absent"?'), ("zz", "lists all codes")]
)
def test_no_such_code(tmp_path: Path, typed: str, hint: str) -> None:
    """A code that does not exist is a usage error with the nearest one, or the way to the list."""
    done = run("explain", typed, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert hint in done.stderr

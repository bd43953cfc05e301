"""The examples of docs/python.md are run, in its order, against a project and a console on this machine."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dbt_statsig.emulator import running
from tests.integration.faults.project import Project, names
from tests.integration.shop import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

BLOCKS = re.findall(r"(?ms)^```python\n(.*?)^```", (ROOT / "docs" / "python.md").read_text(encoding="utf-8"))


def test_the_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Each block runs after the one before and prints what the page says; then the sync is done."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with running() as console:
        project = Project(tmp_path / "shop", console.url)
        project.declare("orders", "Orders")
        project.declare("visits", "Visits")
        for name, value in project.environ.items():
            monkeypatch.setenv(name, value)
        printed = []
        for block in BLOCKS:
            exec(block, {"__name__": "page"})  # noqa: S102 - our own page
            printed.append(capsys.readouterr().out)
        assert printed == ["True ['Orders']\n", "{}\n", "`select` contains 7, which is not a string.\n"]
        assert names(console) == ["Orders", "Visits"]

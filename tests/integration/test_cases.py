"""Small inputs that failed once, beside this checkout: each is run as its CASE.md says, and its right answer asserted.

Each folder has one checking function in `tests/integration/cases/`. `NOT_YET` names the cases that still fail, with the
reason; whoever makes one pass removes it there (the test fails until that is done).
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.cases import built, columns, pushed
from tests.integration.cases.case import CHECKS, Case

if TYPE_CHECKING:
    from dbt_statsig.emulator import Running

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"
FOLDERS = sorted(path.parent for path in CASES.glob("*/CASE.md"))
MODULES = (built, columns, pushed)

NOT_YET: dict[str, str] = {}

needs_cases = pytest.mark.skipif(not FOLDERS, reason="the cases are not beside this checkout (../shared/cases)")


@needs_cases
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_case(folder: Path, server: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command of the case gives what its CASE.md calls right."""
    assert folder.name in CHECKS, f"{folder.name} has no check in tests/integration/cases/"
    copy = tmp_path / "case"
    shutil.copytree(folder, copy, copy_function=shutil.copyfile)
    for path in (copy, *copy.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    given = Case(folder=copy, console=server, patch=monkeypatch)
    if folder.name not in NOT_YET:
        CHECKS[folder.name](given)
        return
    with pytest.raises(AssertionError):
        CHECKS[folder.name](given)
    pytest.skip(f"not yet: {NOT_YET[folder.name]}")


@needs_cases
def test_not_yet_names_cases() -> None:
    """Only folders that exist are excused."""
    assert NOT_YET.keys() <= {folder.name for folder in FOLDERS}

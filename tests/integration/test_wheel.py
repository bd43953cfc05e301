"""The wheel that is released."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import pytest

import dbt_statsig
from tests.integration.shop import ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob("*.whl")
    return built


def test_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    """Every file of the package is in the wheel, with the licence and the type marker, and no file from elsewhere."""
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    files = (file for file in (ROOT / "dbt_statsig").rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    assert inside == {file.relative_to(ROOT).as_posix() for file in files}
    assert "dbt_statsig/py.typed" in inside
    assert any(name.endswith("licenses/LICENSE") for name in zipfile.ZipFile(wheel).namelist())


def test_metadata(wheel: Path) -> None:
    """The wheel names its version, licence, Python versions, extras and command."""
    with zipfile.ZipFile(wheel) as archive:
        (info,) = {name.split("/")[0] for name in archive.namelist() if ".dist-info/" in name}
        metadata = HeaderParser().parsestr(archive.read(f"{info}/METADATA").decode())
        entry_points = archive.read(f"{info}/entry_points.txt").decode()
    assert metadata["Version"] == dbt_statsig.__version__
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.10"
    assert {"emulator", "fast"} <= set(metadata.get_all("Provides-Extra") or ())
    assert "dbt-statsig = dbt_statsig.cli:main" in entry_points


def test_installed_wheel_runs(wheel: Path, tmp_path: Path) -> None:
    """Installed away from the checkout, the command answers from the installed files."""
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*install, "--target", tmp_path / "site", wheel], check=True)
    start = "import sys; sys.path.insert(0, 'site'); import dbt_statsig, dbt_statsig.cli; print(dbt_statsig.__file__)"
    for argument, expected in (("--version", dbt_statsig.__version__), ("--help", "validate")):
        code = f"{start}; sys.argv = ['dbt-statsig', '{argument}']; sys.exit(dbt_statsig.cli.main())"
        done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
        assert Path(done.stdout.splitlines()[0]).is_relative_to(tmp_path)
        assert expected in done.stdout

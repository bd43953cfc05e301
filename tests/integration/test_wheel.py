"""The wheel that is released."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from email.parser import HeaderParser
from typing import TYPE_CHECKING

import pytest

import dbt_statsig
from tests.integration.cli_process import KEY, environment
from tests.integration.shop import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

# None in sys.modules is a module that cannot be imported.
NO_DBT = """
import sys
sys.modules["dbt"] = sys.modules["dbt_common"] = None
sys.path.insert(0, sys.argv.pop(1))
import dbt_statsig.cli
assert dbt_statsig.__file__.startswith(sys.path[0]), dbt_statsig.__file__
sys.exit(dbt_statsig.cli.main())
"""


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


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the wheel is installed."""
    folder = tmp_path_factory.mktemp("installed") / "site"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*install, "--target", folder, wheel], check=True)
    return folder


def without_dbt(site: Path, *arguments: str, cwd: Path, env: Mapping[str, str]) -> str:
    """What a command of the installed wheel prints where no dbt can be imported; asserts that it succeeds."""
    line = [sys.executable, "-c", NO_DBT, str(site), *arguments]
    done = subprocess.run(line, cwd=cwd, env=environment(**env), capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture
def console(site: Path, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment in which commands reach the wheel's own emulator, started without dbt."""
    line = [sys.executable, "-c", NO_DBT, str(site), "emulator", "--port", "0"]
    started = subprocess.Popen(line, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, text=True)
    assert started.stdout is not None
    url = next(text.split("=", 1)[1].strip() for text in started.stdout if "DBT_STATSIG_BASE_URL=" in text)
    yield {"DBT_STATSIG_BASE_URL": url, "STATSIG_CONSOLE_API_KEY": KEY}
    started.terminate()
    started.communicate(timeout=30)


def test_installed_wheel_runs(site: Path, tmp_path: Path) -> None:
    """Installed away from the checkout, and without dbt, the command answers from the installed files."""
    assert dbt_statsig.__version__ in without_dbt(site, "--version", cwd=tmp_path, env={})
    assert "validate" in without_dbt(site, "--help", cwd=tmp_path, env={})


@pytest.mark.dbt
def test_every_command_works_without_dbt(site: Path, shop: Path, console: dict[str, str]) -> None:
    """Where dbt cannot be imported, its artifacts are enough: validate, debug, plan, sync and the emulator work."""
    assert "9 sources and 3 metrics ready" in without_dbt(site, "validate", cwd=shop, env={})
    assert "The key is accepted." in without_dbt(site, "debug", cwd=shop, env=console)
    assert "Shop exposures" in without_dbt(site, "plan", cwd=shop, env=console)
    assert "Shop exposures" in without_dbt(site, "sync", cwd=shop, env=console)
    without_dbt(site, "plan", "--check", cwd=shop, env=console)

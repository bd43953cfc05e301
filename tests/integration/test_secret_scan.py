"""The scan for secrets that continuous integration runs, on checkouts with and without one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
GIT = shutil.which("git")
# Put together here, so that this file does not hold what is looked for.
KEY = "-".join(["console", "8dKq2xTz" + "Pw0vLmNa" + "4Rj7"])
PLANTED = {
    "a Statsig key in YAML": ("ci.yml", f"env:\n  STATSIG_CONSOLE_API_KEY: {KEY}\n"),
    "a Statsig key in Python": ("a.py", f"api_key = '{KEY}'\n"),
    "a token of GitHub": ("note.md", "ghp" + "_" + "a1B2c3D4e5F6g7H8i9" + "J0k1L2m3N4o5P6q7R8\n"),
    "a key of AWS": ("run.sh", "export ID=AKIA" + "QYLPMN5HHHTESTW3\n"),
    "a private key": ("id.pem", "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n"),
    "a password in a URL": ("profiles.yml", "url: postgres://shop:" + "tr0ub4dor@db.example/shop\n"),
}

pytestmark = pytest.mark.skipif(
    GIT is None or not (BIN / "detect-secrets-hook").exists(),
    reason="git or detect-secrets is not installed",
)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A git checkout with one harmless file."""
    subprocess.run([str(GIT), "init", "--quiet", tmp_path], check=True)
    (tmp_path / "README.md").write_text("The key comes from STATSIG_CONSOLE_API_KEY.\n", encoding="utf-8")
    return tmp_path


def scan(checkout: Path) -> tuple[int, str]:
    """The exit code of the scan, and what it says."""
    command = [ROOT / ".ci" / "secrets", checkout]
    environ = {**os.environ, "BIN": str(BIN)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environ)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("what", PLANTED)
def test_a_planted_key_fails_the_scan(what: str, checkout: Path) -> None:
    """A key in any file that would be committed fails the scan, which names the file and does not repeat the key."""
    name, text = PLANTED[what]
    (checkout / name).write_text(text, encoding="utf-8")
    code, output = scan(checkout)
    assert code != 0
    assert f"{name}:" in output
    assert not any(word in output for word in text.split() if len(word) > 20)


def test_nothing_to_find(checkout: Path) -> None:
    """A checkout without keys passes; a file that git ignores does not count, nor does a line that is marked."""
    (checkout / ".gitignore").write_text("profiles.yml\n", encoding="utf-8")
    name, text = PLANTED["a password in a URL"]
    (checkout / name).write_text(text, encoding="utf-8")
    (checkout / "marked.yml").write_text(text.strip() + "  # pragma: allowlist secret\n", encoding="utf-8")
    assert scan(checkout) == (0, "")


def test_away_from_git_it_fails(tmp_path: Path) -> None:
    """Where git cannot list the files, the scan fails: it does not pass for want of anything to look at."""
    assert scan(tmp_path)[0] != 0


def test_it_is_part_of_continuous_integration() -> None:
    """`.ci/run` makes the target that scans, with the same script."""
    assert "\nstep make secrets\n" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "\n\t.ci/secrets\n" in (ROOT / "Makefile").read_text(encoding="utf-8")

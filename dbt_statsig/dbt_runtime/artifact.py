"""target/statsig.json, written at each parse; while nothing that it says has changed, it costs next to nothing."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Any

from dbt_statsig import __version__
from dbt_statsig.support.files import read_regular

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

FILE_NAME = "statsig.json"
SETTINGS_FILE = "dbt_statsig.yml"
_HEAD = 400


class DeclaredArtifact:
    """What dbt is handed to write: it does so in its own time, through `write`. Nothing is ever raised."""

    def __init__(self, manifest: Any, *, project_dir: Path, target: str, warn: Callable[[str], None]) -> None:
        """`warn` shows the user of dbt that the file could not be written."""
        self._manifest = manifest
        self._project_dir = project_dir
        self._target = target
        self._warn = warn

    def write(self, path: str) -> None:
        """Write the file, unless it already says what would be written."""
        try:
            fingerprint = self._fingerprint()
            if _head(path).find(fingerprint) < 0:
                from dbt_statsig.dbt_runtime.declared import declared_json  # only after a change

                text = declared_json(
                    self._manifest, project_dir=self._project_dir, target=self._target, fingerprint=fingerprint
                )
                _replace(path, text)
        except Exception as error:  # noqa: BLE001 - a file of ours must never break a dbt command
            self._warn(f"{FILE_NAME} was not written ({type(error).__name__}: {error}).")

    def _fingerprint(self) -> str:
        """A hash of all that the file follows from: what dbt itself goes by when it skips parsing, and our settings."""
        metadata, state = self._manifest.metadata, self._manifest.state_check
        parts = [
            __version__,
            self._target,
            str(metadata.project_name),
            str(metadata.adapter_type),
            str(metadata.dbt_version),
            _settings(self._project_dir, os.environ),
            str(sorted(self._manifest.env_vars.items())),
            *(state.vars_hash.checksum, state.profile_hash.checksum),
            *(f"{name}={hashed.checksum}" for name, hashed in sorted(state.project_hashes.items())),
            *(f"{name}={file.checksum.checksum}" for name, file in sorted(self._manifest.files.items())),
        ]
        return hashlib.blake2b("\0".join(parts).encode("utf-8", "replace"), digest_size=16).hexdigest()


def _settings(project_dir: Path, environ: Mapping[str, str]) -> str:
    """The settings' text, from the file and the environment."""
    try:
        text = read_regular(project_dir / SETTINGS_FILE).decode("utf-8", "replace")
    except OSError:
        text = ""
    variables = sorted(item for item in environ.items() if item[0].startswith("DBT_STATSIG_"))
    return f"{text}\0{variables}"


def _head(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - as dbt hands it over
            return file.read(_HEAD)
    except OSError:
        return ""


def _replace(path: str, text: str) -> None:
    """Write a file at once: nobody ever reads a half of it."""
    os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120 - as dbt hands it over
    beside = f"{path}.{os.getpid()}"
    with open(beside, "w", encoding="utf-8") as file:  # noqa: PTH123 - as above
        file.write(text)
    os.replace(beside, path)  # noqa: PTH105 - as above

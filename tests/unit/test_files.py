"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dbt_statsig.errors import DbtStatsigError
from dbt_statsig.files import write_whole


def test_a_new_and_an_old_file(tmp_path: Path) -> None:
    """The content is there, in place of what was there, and nothing else stays behind."""
    path = tmp_path / "a.json"
    for content in (b"one", b"two"):
        write_whole(path, content)
        assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_is_replaced(tmp_path: Path) -> None:
    """What a link points to is left alone."""
    (tmp_path / "theirs").write_text("theirs")
    link = tmp_path / "a.json"
    link.symlink_to(tmp_path / "theirs")
    write_whole(link, b"ours")
    assert (tmp_path / "theirs").read_text() == "theirs"
    assert not link.is_symlink()


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_the_old_file_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """A full disk, or an interrupt, leaves the old file and nothing half-written."""
    path = tmp_path / "a.json"
    path.write_bytes(b"old")

    def fail(_handle: int) -> None:
        raise error

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises((DbtStatsigError, KeyboardInterrupt)) as caught:
        write_whole(path, b"new")
    assert isinstance(error, OSError) == ("No space left" in str(caught.value))
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("a.json", b"old")]


@pytest.mark.parametrize("place", [Path("no") / "a.json", Path()])
def test_a_place_that_cannot_be_written(tmp_path: Path, place: Path) -> None:
    """A folder that is not there, or a folder in the file's place, gives one error with the next step."""
    with pytest.raises(DbtStatsigError, match="could not be written") as caught:
        write_whole(tmp_path / place / "", b"x")
    assert caught.value.fix


@pytest.mark.parametrize(("private", "mode"), [(True, 0o600), (False, 0o644)])
def test_who_may_read_it(tmp_path: Path, mode: int, *, private: bool) -> None:
    """A private file is its owner's; another has the mode that the umask gives."""
    before = os.umask(0o022)
    try:
        write_whole(tmp_path / "a", b"x", private=private, durable=False)
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == mode

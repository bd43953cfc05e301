"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dbt_statsig.errors import DbtStatsigError
from dbt_statsig.support.files import read_own, read_regular, write_whole


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
def test_the_old_file_remains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
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


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in the file system here")
def test_only_files_are_replaced(tmp_path: Path) -> None:
    """A pipe, as a device would, and a link to one stay what they are, also where the user may replace them."""
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    for path in (pipe, link):
        with pytest.raises(DbtStatsigError, match="could not be written: it is a pipe or a device"):
            write_whole(path, b"x")
    assert (pipe.is_fifo(), link.is_symlink(), len(list(tmp_path.iterdir()))) == (True, True, 2)


@pytest.mark.parametrize(("private", "mode"), [(True, 0o600), (False, 0o644)])
def test_who_may_read_it(tmp_path: Path, mode: int, *, private: bool) -> None:
    """A private file is its owner's; another has the mode that the umask gives."""
    before = os.umask(0o022)
    try:
        write_whole(tmp_path / "a", b"x", private=private, durable=False)
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == mode


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in the file system here")
def test_only_files_are_read(tmp_path: Path) -> None:
    """A pipe that nobody writes to, a device and a folder are refused at once; a link to a file is read."""
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    for path in (pipe, Path("/dev/zero")):
        with pytest.raises(OSError, match="a pipe or a device"):
            read_regular(path)
    with pytest.raises(IsADirectoryError):
        read_regular(tmp_path)
    (tmp_path / "file").write_bytes(b"a")
    link.symlink_to(tmp_path / "file")
    assert read_regular(link) == b"a"


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="files have no owners here")
def test_a_file_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file or folder that others may write to, a link, and what another user owns are refused."""
    folder = tmp_path / "cache"
    folder.mkdir(mode=0o700)
    file = folder / "file"
    file.write_bytes(b"a")
    file.chmod(0o600)
    assert read_own(file) == b"a"
    for place, open_mode, mode in ((file, 0o622, 0o600), (folder, 0o777, 0o700)):
        place.chmod(open_mode)
        with pytest.raises(PermissionError):
            read_own(file)
        place.chmod(mode)
    (folder / "link").symlink_to(file)
    with pytest.raises(OSError, match="symbolic links"):
        read_own(folder / "link")
    monkeypatch.setattr(os, "geteuid", lambda: file.stat().st_uid + 1)
    with pytest.raises(PermissionError):
        read_own(file)

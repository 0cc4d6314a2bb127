"""What only a directory can get wrong: links, pipes, full disks, stray files, roots inside roots."""

import errno
import fcntl
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from tasks.errors import ConfigurationError, MissingDataError, SecurityRefusedError, StoreUnavailableError
from tasks.settings import Settings
from tasks.stores import directory
from tasks.stores.directory import DirectoryObjects
from tasks.stores.objects import open_objects


@pytest.fixture
def objects(tmp_path: Path) -> DirectoryObjects:
    return DirectoryObjects(tmp_path / "lake")


@pytest.mark.parametrize("uri", ["lake", "./lake", "{root}/lake", "file://{root}/lake", "file://localhost{root}/lake"])
def test_a_root_is_a_path_or_a_file_uri(uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    opened = open_objects(uri.format(root=tmp_path), Settings())
    assert opened.uri == (tmp_path / "lake").as_uri()
    assert not (tmp_path / "lake").exists()


def test_a_root_with_odd_characters_is_found_again(tmp_path: Path) -> None:
    root = tmp_path / "品牌 100% #1?"
    open_objects(str(root), Settings()).create("a", b"one")
    assert open_objects(root.as_uri(), Settings()).read("a") == b"one"


@pytest.mark.parametrize("uri", ["", "gs://bucket/x", "file://host/x", "s3://", "s3:///x", "s3://me@bucket/x"])
def test_another_root_is_refused(uri: str) -> None:
    with pytest.raises(ConfigurationError):
        open_objects(uri, Settings())


def test_a_link_out_of_the_root_is_refused(objects: DirectoryObjects, tmp_path: Path) -> None:
    objects.create("a", b"one")
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "lake" / "link").symlink_to(tmp_path / "secret")
    (tmp_path / "lake" / "folder").symlink_to(tmp_path)
    for key in ("link", "folder/secret", "folder/new"):
        with pytest.raises(SecurityRefusedError, match="symbolic link"):
            objects.read(key)
        with pytest.raises(SecurityRefusedError, match="symbolic link"):
            objects.create(key, b"x")
    assert [meta.key for meta in objects.list("")] == ["a"]


def test_a_pipe_is_no_object(objects: DirectoryObjects, tmp_path: Path) -> None:
    objects.create("a", b"one")
    os.mkfifo(tmp_path / "lake" / "pipe")
    with pytest.raises(MissingDataError):
        objects.read("pipe")
    assert [meta.key for meta in objects.list("")] == ["a"]


def test_a_key_below_another_key_is_explained(objects: DirectoryObjects) -> None:
    objects.create("a", b"one")
    with pytest.raises(ConfigurationError, match="no folder of another key"):
        objects.create("a/b", b"two")


def test_stray_temporary_files_are_hidden_and_swept(objects: DirectoryObjects, tmp_path: Path) -> None:
    objects.create("a/b", b"one")
    (tmp_path / "lake/a/.strata-dead.tmp").write_bytes(b"half")
    assert [meta.key for meta in objects.list("")] == ["a/b"]
    assert objects.sweep(3600) == ()
    assert objects.sweep(-60) == ("a/.strata-dead.tmp",)
    assert objects.read("a/b") == b"one"


def test_stores_whose_roots_lie_inside_each_other_share_the_lock(objects: DirectoryObjects, tmp_path: Path) -> None:
    outbox = DirectoryObjects(tmp_path / "lake/outbox")
    first = outbox.swap("v/CURRENT.json", b"1", None)
    assert objects.swap("outbox/v/CURRENT.json", b"2", first)
    assert outbox.read("v/CURRENT.json") == b"2"


def test_a_lock_that_is_never_given_back_is_reported(
    objects: DirectoryObjects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory, "LOCK_SECONDS", 0.05)
    etag = objects.swap("CURRENT.json", b"1", None)
    handle = os.open(tmp_path / "lake", os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with pytest.raises(StoreUnavailableError, match="held the lock"):
            objects.swap("CURRENT.json", b"2", etag)
    finally:
        os.close(handle)
    assert objects.read("CURRENT.json") == b"1"


def test_a_full_disk_leaves_nothing_behind(objects: DirectoryObjects, tmp_path: Path) -> None:
    objects.create("a", b"one")
    program = f"""
        import resource, signal
        from pathlib import Path
        from tasks.errors import StoreUnavailableError
        from tasks.stores.directory import DirectoryObjects
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        try:
            DirectoryObjects(Path({str(tmp_path / "lake")!r})).create("b", b"x" * 2000)
        except StoreUnavailableError as error:
            print(error.exit_code)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=True)
    assert done.stdout == "3\n"
    assert sorted(path.name for path in (tmp_path / "lake").iterdir()) == ["a"]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (errno.ENOSPC, StoreUnavailableError),
        (errno.EIO, StoreUnavailableError),
        (errno.EACCES, ConfigurationError),
        (errno.EOPNOTSUPP, ConfigurationError),
        (errno.ENOENT, MissingDataError),
    ],
)
def test_the_meaning_of_an_os_error(code: int, kind: type[Exception], objects: DirectoryObjects) -> None:
    with pytest.raises(kind, match="file:///"), objects._explained("key"):
        raise OSError(code, os.strerror(code))


def test_a_writer_killed_in_the_middle_leaves_no_object(tmp_path: Path) -> None:
    program = f"""
        import time
        from pathlib import Path
        from tasks.stores.whole import create_whole
        def endless():
            while True:
                yield b"x" * 1000
                time.sleep(0.01)
        create_whole(Path({str(tmp_path)!r}) / "lake" / "a", endless())
    """
    child = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)])
    while not list(tmp_path.glob("lake/.strata-*")):
        time.sleep(0.01)
    child.kill()
    child.wait()
    objects = DirectoryObjects(tmp_path / "lake")
    assert list(objects.list("")) == []
    objects.create("a", b"whole")
    assert len(objects.sweep(-60)) == 1
    assert objects.read("a") == b"whole"

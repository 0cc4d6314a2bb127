"""What an inbox shows: in order of name, without what is hidden, under way or no file; marks that notice any change."""

import os
from pathlib import Path

import pytest

from tasks.settings import Settings
from tasks.steps.opening import told_by_place
from tasks.stores.abandoned import abandoned, held, sweep_scratch
from tasks.stores.arrivals import open_inbox
from tasks.stores.objects import open_objects
from tasks.stores.seen import KEY, Seen

CHANNELS = {"taobao", "jd"}


def write(path: Path, text: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ((), (None, None)),
        (("taobao",), ("taobao", None)),
        (("Taobao", "flagship", "2026-05"), ("taobao", "flagship")),
        (("2026-05", "taobao", "flagship"), (None, None)),
        (("taobo", "flagship"), (None, None)),
    ],
)
def test_a_place_tells_channel_and_shop(place: tuple[str, ...], told: tuple[str | None, str | None]):
    assert told_by_place(place, CHANNELS) == told


def test_a_look_is_in_order_and_tells_places(tmp_path: Path):
    for name in ("b.csv", "taobao/shop/a.csv", ".git/x.csv", "a.csv"):
        write(tmp_path / name)
    found = open_inbox(str(tmp_path), Settings()).look(0)
    assert [(each.name, each.place) for each in found.arrivals] == [
        ("a.csv", ()), ("b.csv", ()), ("a.csv", ("taobao", "shop")),
    ]  # fmt: skip
    assert (found.left, found.refused) == ([], [])


def test_a_single_file_and_a_file_uri_are_inboxes(tmp_path: Path):
    path = write(tmp_path / "a b.csv")
    for text in (str(path), path.as_uri()):
        (arrival,) = open_inbox(text, Settings()).look(0).arrivals
        assert (arrival.name, arrival.place, arrival.bytes) == ("a b.csv", (), 1)


def test_a_file_that_changed_is_not_brought(tmp_path: Path):
    path, inbox = write(tmp_path / "a.csv"), open_inbox(str(tmp_path), Settings())
    (arrival,) = inbox.look(0).arrivals
    assert inbox.bring(arrival, tmp_path) == path
    before = path.stat()
    write(path, "y")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))  # same size, same time, other bytes
    assert inbox.bring(arrival, tmp_path) is None
    path.unlink()
    assert inbox.bring(arrival, tmp_path) is None


def test_a_young_file_is_waited_for_when_that_is_short_and_left_otherwise(tmp_path: Path):
    write(tmp_path / "a.csv")
    inbox = open_inbox(str(tmp_path), Settings())
    assert [each.name for each in inbox.look(0.3).arrivals] == ["a.csv"]
    assert [each.name for each in inbox.look(60).left] == ["a.csv"]


def test_what_was_seen_is_forgotten_when_the_file_changes(tmp_path: Path):
    path, store = write(tmp_path / "in/a.csv"), open_objects(str(tmp_path / "lake"), Settings())
    (arrival,) = open_inbox(str(path), Settings()).look(0).arrivals
    Seen(store).remember([(arrival, ("d1", "d2"))])
    assert Seen(store).digests(arrival) == ("d1", "d2")
    assert b"a.csv" not in store.read(KEY)
    assert Seen(store).digests(arrival.model_copy(update={"mark": "other"})) is None


def test_a_damaged_memory_is_no_memory(tmp_path: Path):
    store = open_objects(str(tmp_path / "lake"), Settings())
    store.put(KEY, b"{")
    (arrival,) = open_inbox(str(write(tmp_path / "a.csv")), Settings()).look(0).arrivals
    assert Seen(store).digests(arrival) is None


DEAD = f"{'a' * 16}-1-999999999"


def test_scratch_of_a_dead_run_is_swept_and_that_of_a_living_one_stays(tmp_path: Path):
    write(tmp_path / DEAD / "contacts.parquet")
    write(tmp_path / "notes/mine.txt")
    living = f"{'b' * 16}-1-{os.getpid()}"
    with held(tmp_path / living):
        assert [path.name for path in abandoned(tmp_path)] == [DEAD]
        assert [path.name for path in sweep_scratch(tmp_path)] == [DEAD]
        assert sorted(path.name for path in tmp_path.iterdir()) == [living, "notes"]
    assert [path.name for path in tmp_path.iterdir()] == ["notes"]


def test_a_folder_whose_pid_another_process_took_over_is_swept_when_it_is_old(tmp_path: Path):
    """Our own pid lives, but nobody holds the folder: young, it may just be starting; old, it is dead."""
    folder = tmp_path / f"{'c' * 16}-1-{os.getpid()}"
    folder.mkdir()
    assert abandoned(tmp_path) == []
    os.utime(folder, (1, 1))
    assert abandoned(tmp_path) == [folder]


def test_a_held_folder_is_never_dead_whatever_its_name_says(tmp_path: Path):
    with held(tmp_path / DEAD) as folder:
        os.utime(folder, (1, 1))
        assert abandoned(tmp_path) == []


@pytest.mark.parametrize(
    ("given", "passwords"),
    [("", ()), ("hush", ("hush",)), ('["a,b", "c"]', ("a,b", "c")), ("[odd", ("[odd",))],
)
def test_passwords_are_one_text_or_a_list_and_never_shown(given: str, passwords: tuple[str, ...], monkeypatch):
    monkeypatch.setenv("STRATA_PASSWORDS", given)
    assert Settings().passwords == passwords
    assert "hush" not in repr(Settings())

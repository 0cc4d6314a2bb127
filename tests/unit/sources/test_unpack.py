"""What comes out of one input file, and what is refused without harm to the rest."""

import gzip
import hashlib
import random
import zipfile
from pathlib import Path

import pytest

from tasks.errors import BadFileError, StoreUnavailableError
from tasks.sources.unpack import Limits, Part, Refusal, unpack
from tests.support import hostile
from tests.unit.sources.reading import SAMPLES

CSV = b"order_id,paid\n1,2.00\n"
BOOK = hostile.workbook({"Sheet1": [["order_id", "paid"], ["1", 2]]})


def outcomes(folder: Path, content: bytes, name: str = "input", **given: object) -> list[Part | Refusal]:
    path = hostile.written(folder / "inbox", name, content)
    return list(unpack(path, name, folder / "scratch", **given))  # type: ignore[arg-type]


def taken(found: list[Part | Refusal]) -> dict[str, bytes]:
    return {one.name: one.path.read_bytes() for one in found if isinstance(one, Part)}


def refused(found: list[Part | Refusal]) -> str:
    [reason] = [str(one.error) for one in found if isinstance(one, Refusal)]
    return reason


@pytest.mark.parametrize("sample", sorted(path.name for path in SAMPLES.glob("*.*") if path.suffix != ".md"))
def test_what_is_no_archive_is_its_own_only_part(tmp_path: Path, sample: str):
    path = SAMPLES / sample
    assert list(unpack(path, sample, tmp_path)) == [Part(sample, path, path)]
    assert list(tmp_path.iterdir()) == []


def test_members_of_a_zip_are_parts_and_junk_is_told(tmp_path: Path):
    names = ["一月/orders.csv", "__MACOSX/._orders.csv", "一月/.DS_Store", "Thumbs.db", "二月/", "二月/orders.csv"]
    found = outcomes(tmp_path, hostile.zipped(dict.fromkeys(names, CSV)), "year.zip")
    assert taken(found) == {"year.zip/一月/orders.csv": CSV, "year.zip/二月/orders.csv": CSV}
    assert [part.about for part in found if isinstance(part, Part)] == [
        ("3 hidden files of the archive were left out",),
        (),
    ]


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8"])
def test_names_without_the_mark_of_utf_8_are_read(tmp_path: Path, encoding: str):
    content = hostile.zipped_on_windows("订单导出.csv", CSV, encoding)
    assert list(taken(outcomes(tmp_path, content, "a.zip"))) == ["a.zip/订单导出.csv"]


def test_a_gz_is_one_part(tmp_path: Path):
    assert taken(outcomes(tmp_path, gzip.compress(CSV, mtime=0), "orders.csv.gz")) == {"orders.csv.gz/orders.csv": CSV}


def test_content_decides_and_not_the_extension(tmp_path: Path):
    assert taken(outcomes(tmp_path, gzip.compress(BOOK, mtime=0), "orders.csv")) == {"orders.csv/orders.csv": BOOK}
    assert taken(outcomes(tmp_path, BOOK, "orders.zip")) == {"orders.zip": BOOK}
    assert list(taken(outcomes(tmp_path, hostile.zipped({"a.csv": CSV}), "orders.xlsx"))) == ["orders.xlsx/a.csv"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../orders.csv", "climbs out"),
        ("a/../../orders.csv", "climbs out"),
        ("/etc/passwd", "climbs out"),
        ("C:/orders.csv", "climbs out"),
        ("a\\..\\orders.csv", "climbs out"),
        ("orders\n.csv", "no file should have"),
        ("orders\u202evsc.exe", "no file should have"),
        ("o" * 300, "no file should have"),
    ],
)
def test_a_name_that_no_file_should_have_keeps_its_member_out(tmp_path: Path, name: str, reason: str):
    found = outcomes(tmp_path, hostile.zipped({name: b"evil", "good.csv": CSV}), "a.zip")
    assert taken(found) == {"a.zip/good.csv": CSV}
    assert reason in refused(found)
    assert "1 other members were taken" in refused(found)
    assert {path.name for path in (tmp_path / "scratch").rglob("*") if path.is_file()} == {"member-00000"}


def test_a_nul_in_a_name_keeps_its_member_out(tmp_path: Path):
    content = hostile.zipped({"ordersX.csv": CSV}).replace(b"ordersX.csv", b"orders\0.csv")
    assert "no file should have" in refused(outcomes(tmp_path, content, "a.zip"))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (hostile.zipped_info({"external_attr": 0o120777 << 16}, b"/etc/passwd"), "is a symbolic link"),
        (hostile.zipped_under_lock(CSV), "is locked with a password; unzip it first"),
        (hostile.zipped({"orders.csv": CSV}, zipfile.ZIP_LZMA), "packed in an unusual way"),
        (hostile.zipped({}), "holds no export file"),
        (hostile.zipped({"__MACOSX/._a": b"x"}), "holds no export file"),
        (hostile.zipped({"inner.zip": hostile.zipped({"a.csv": CSV})}), "an archive in an archive"),
        (hostile.zipped({"inner.gz": gzip.compress(CSV, mtime=0)}), "an archive in an archive"),
        (gzip.compress(hostile.zipped({"a.csv": CSV}), mtime=0), "an archive in an archive"),
        (gzip.compress(gzip.compress(CSV, mtime=0), mtime=0), "an archive in an archive"),
        (hostile.zipped({"orders.csv": CSV * 50})[:-40], "a zip file that is cut off or damaged"),
        (gzip.compress(CSV * 50, mtime=0)[:-12], "a gzip file that is cut off or damaged"),
        (gzip.compress(CSV, mtime=0) + b"tail", "a gzip file that is cut off or damaged"),
        (hostile.endless_directory(20_000), "lists more members"),
        (hostile.zipped({f"{number}.csv": b"" for number in range(11)}), "lists more members"),
        (b"Rar!\x1a\x07\x01\x00", "a RAR archive"),
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
        (bytes(257) + b"ustar\x0000", "a tar archive"),
        (b"%PDF-1.7", "a PDF"),
        (b"\xef\xbb\xbf<html><table>", "a web page"),
        (b'<?xml version="1.0"?><Workbook>', "an XML document"),
        (b"\xd0\xcf\x11\xe0" + bytes(600), "no workbook, or one that is damaged"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_taken_is_refused_with_its_reason(tmp_path: Path, content: bytes, reason: str):
    found = outcomes(tmp_path, content, "input.bin", limits=Limits(members=10))
    assert taken(found) == {}
    assert reason in refused(found)
    assert "next: " in refused(found)


def test_a_flipped_byte_in_a_member_stops_no_other(tmp_path: Path):
    noise = b"".join(hashlib.sha256(bytes([at])).digest() for at in range(99))
    content = bytearray(hostile.zipped({"a.csv": noise, "b.csv": CSV}, zipfile.ZIP_STORED))
    content[content.index(noise[100:150])] ^= 1
    found = outcomes(tmp_path, bytes(content), "a.zip")
    assert taken(found) == {"a.zip/b.csv": CSV}
    assert "'a.csv' is cut off or damaged" in refused(found)


def test_a_name_that_stands_twice_is_taken_once(tmp_path: Path):
    content = hostile.zipped({"a.csv": CSV, "b.csv": b"other"}).replace(b"b.csv", b"a.csv")
    found = outcomes(tmp_path, content, "a.zip")
    assert taken(found) == {"a.zip/a.csv": CSV}
    assert "stands in it twice" in refused(found)


@pytest.mark.parametrize("bomb", [hostile.gzip_bomb(32), hostile.zip_bomb(32)], ids=["gzip", "zip"])
def test_a_bomb_stops_at_the_ratio_and_leaves_nothing(tmp_path: Path, bomb: bytes):
    found = outcomes(tmp_path, bomb, "bomb")
    assert "as only a bomb does" in refused(found)
    assert [path for path in (tmp_path / "scratch").rglob("*") if path.is_file()] == []


def test_members_before_a_bomb_are_taken(tmp_path: Path):
    content = hostile.zipped({"a.csv": CSV, "b.csv": bytes(1 << 20), "c.csv": CSV})
    found = outcomes(tmp_path, content, "a.zip", limits=Limits(ratio_from_bytes=1_000, ratio=5))
    assert list(taken(found)) == ["a.zip/a.csv"]


def test_a_directory_that_lies_about_a_size_is_not_believed(tmp_path: Path):
    found = outcomes(tmp_path, hostile.lying_zip(CSV * 1_000, 10), "a.zip")
    assert taken(found) == {}
    assert "cut off or damaged" in refused(found)


def test_a_locked_workbook_is_opened_with_a_password_of_the_settings(tmp_path: Path):
    content = hostile.locked(BOOK, "开门-123")
    [part] = outcomes(tmp_path, content, "orders.xlsx", passwords=("wrong", "开门-123"))
    assert isinstance(part, Part)
    assert (part.path.read_bytes(), part.received.read_bytes()) == (BOOK, content)


@pytest.mark.parametrize("passwords", [(), ("wrong-secret",)])
def test_a_locked_workbook_without_its_password_names_the_setting(tmp_path: Path, passwords: tuple[str, ...]):
    found = outcomes(tmp_path, hostile.locked(BOOK, "right-secret"), "orders.xlsx", passwords=passwords)
    assert "STRATA_PASSWORDS" in refused(found)
    assert "secret" not in refused(found)


def test_a_locked_workbook_in_a_zip_is_opened(tmp_path: Path):
    content = hostile.zipped({"orders.xlsx": hostile.locked(BOOK, "p")})
    assert taken(outcomes(tmp_path, content, "a.zip", passwords=("p",))) == {"a.zip/orders.xlsx": BOOK}


def test_an_old_workbook_without_a_lock_is_read_as_it_is(tmp_path: Path):
    content = hostile.old_workbook([["order_id"], ["1"]])
    [part] = outcomes(tmp_path, content, "orders.xls", passwords=("p",))
    assert isinstance(part, Part)
    assert part.path == part.received


def test_what_is_no_regular_file_is_no_input(tmp_path: Path):
    link = tmp_path / "link.csv"
    link.symlink_to(SAMPLES / "shopify_orders_export_1.csv")
    for path in (link, tmp_path, tmp_path / "missing"):
        with pytest.raises(BadFileError, match="no regular file"):
            list(unpack(path, path.name, tmp_path / "scratch"))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is always full is Linux's")
@pytest.mark.parametrize(
    "content",
    [hostile.zipped({"a.csv": CSV}), gzip.compress(CSV), hostile.locked(BOOK, "p")],
    ids=["zip", "gzip", "locked workbook"],
)
def test_a_full_disk_refuses_no_file(tmp_path: Path, content: bytes):
    """Nothing is wrong with the file: it is not put down as refused, and a rerun takes it."""
    path = hostile.written(tmp_path, "input", content)
    folder = tmp_path / "scratch"
    names = ("member", "member-00000", f"{path.stem}-unlocked")
    for part in _places(path, folder, names):
        part.symlink_to("/dev/full")
    with pytest.raises(StoreUnavailableError, match="no room in scratch"):
        list(unpack(path, "input", folder, ("p",)))


def _places(path: Path, folder: Path, names: tuple[str, ...]) -> list[Path]:
    """Where members of this input go."""
    inside = folder / f"unpacked-{hashlib.sha256(str(path).encode()).hexdigest()[:16]}"
    inside.mkdir(parents=True)
    return [inside / name for name in names]


@pytest.mark.parametrize("kind", ["zip", "gz"])
def test_unpacking_tells_how_far_it_is(tmp_path: Path, kind: str):
    text, heard = random.Random(1).randbytes(5 << 20), list[int]()  # noqa: S311
    path = tmp_path / f"may.{kind}"
    if kind == "gz":
        path.write_bytes(gzip.compress(text))
    else:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.csv", text)
            archive.writestr("b.csv", text[::-1])
    parts = list(unpack(path, path.name, tmp_path / "scratch", heard=heard.append))
    assert len(parts) == (2 if kind == "zip" else 1)
    assert min(heard) >= 0
    assert len(heard) > 4
    assert 0.99 < sum(heard) / path.stat().st_size <= 1

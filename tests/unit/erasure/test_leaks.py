"""The search itself: what is planted is found, however it is packed, spelt or sealed; what is not there is not."""

import base64
import gzip
import io
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import polars as pl
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from tasks.stores.ring import demo_ring
from tasks.stores.sealed_files import encrypt_file
from tasks.stores.vault import Sealer
from tests.support.leaks import leaks_in, spellings_of

PHONE, NAME = "15400000123", "张无忌甲"
SECRETS = (PHONE, NAME)


def book(text: str) -> bytes:
    data = io.BytesIO()
    with xlsxwriter.Workbook(data) as workbook:
        workbook.add_worksheet().write_string(0, 0, text)
    return data.getvalue()


def parquet(frame: pl.DataFrame) -> bytes:
    data = io.BytesIO()
    frame.write_parquet(data, compression="zstd")
    return data.getvalue()


def zipped(*members: bytes) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, member in enumerate(members):
            archive.writestr(f"{number}.bin", member)
    return data.getvalue()


def database(folder: Path, text: str) -> bytes:
    path = folder / "planted.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("create table t (words text)")
        connection.execute("insert into t values (?)", (text + "x" * 50_000,))
        connection.commit()
    data = path.read_bytes()
    path.unlink()
    return data


PACKED = {
    "plain": lambda text, _: text.encode(),
    "gbk": lambda text, _: text.encode("gb18030"),
    "utf16": lambda text, _: text.encode("utf-16"),
    "hex": lambda text, _: text.encode().hex().encode(),
    "percent": lambda text, _: quote(text).encode(),
    "base64": lambda text, _: base64.b64encode(f"so {text} it is".encode()),
    "gzip": lambda text, _: gzip.compress(text.encode(), mtime=0),
    "zip": lambda text, _: zipped(b"nothing", text.encode()),
    "xlsx": lambda text, _: book(text),
    "workbook in zip in gzip": lambda text, _: gzip.compress(zipped(book(text))),
    "parquet": lambda text, _: parquet(pl.DataFrame({"words": ["nothing", f"reach {text} now"]})),
    "parquet bytes": lambda text, _: parquet(pl.DataFrame({"sealed": [b"\x00", text.encode()]})),
    "parquet nested": lambda text, _: parquet(pl.DataFrame({"deep": [{"list": [text]}]})),
    "sqlite": lambda text, folder: database(folder, text),
}


@pytest.mark.parametrize("how", PACKED)
@pytest.mark.parametrize("secret", SECRETS)
def test_a_planted_value_is_found(how: str, secret: str, tmp_path: Path):
    (tmp_path / "planted").write_bytes(PACKED[how](secret, tmp_path))
    (tmp_path / "clean").write_bytes(PACKED[how]("nobody at all", tmp_path))
    assert leaks_in(tmp_path, SECRETS) == {"planted": [secret]}


def test_what_is_sealed_is_found_with_the_ring_alone(tmp_path: Path):
    (tmp_path / "clear.csv").write_text(f"phone\n{PHONE}\n")
    encrypt_file(tmp_path / "clear.csv", tmp_path / "sealed", demo_ring().in_force("file"))
    (tmp_path / "clear.csv").unlink()
    contact = pl.DataFrame({"pseudonym": ["ab"], "contact_type": ["name"], "value": [NAME]})
    Sealer.of(demo_ring()).seal(contact).write_parquet(tmp_path / "contacts.parquet")
    assert leaks_in(tmp_path, SECRETS) == {}
    assert leaks_in(tmp_path, SECRETS, ring=demo_ring()) == {"contacts.parquet": [NAME], "sealed": [PHONE]}


def test_folders_may_be_left_apart(tmp_path: Path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(PHONE)
    assert leaks_in(tmp_path, SECRETS, apart=[tmp_path / "b"]) == {"a/file": [PHONE]}


@given(st.text(min_size=6, max_size=20), st.binary(max_size=9), st.binary(max_size=9))
def test_base64_hides_nothing_wherever_a_value_begins(secret: str, before: bytes, after: bytes):
    if secret.encode("utf-8", "ignore").decode() != secret:
        return
    packed = base64.b64encode(before + secret.encode() + after)
    assert any(form in packed for form in spellings_of(secret))

"""A phone that a vendor names by its plain hash is the phone that a shop's export names in clear."""

import hashlib
from pathlib import Path

import polars as pl
import pytest

from tasks.sources.layouts import Layout
from tasks.sources.read import read_export
from tests.unit.sources.reading import context, read_one, spill

PHONE = "13800000101"
MD5, SHA256 = (hashlib.new(name, PHONE.encode()).hexdigest() for name in ("md5", "sha256"))
SHOP = {"headers": "手机号", "parse": "phone", "type": "phone"}
AD_DESK = {"headers": "设备号", "parse": "hash", "type": "phone_md5"}


def layout(column: dict[str, str]) -> Layout:
    return Layout.model_validate({
        "name": f"list_{column['type']}", "channel": "ads", "grain": "member", "about": "invented",
        "columns": {"value": {"header": column["headers"], "parse": column["parse"]}},
        "keys": [{"type": column["type"], "column": "value", "role": "identity", "evidence": 4}],
    })  # fmt: skip


def sightings(folder: Path, column: dict[str, str], cell: str, **changes: object) -> pl.DataFrame:
    path = folder / f"{column['type']}.csv"
    path.write_text(f"{column['headers']}\n{cell}\n", encoding="utf-8")
    known = context(path, shops={"ads": "main"}, **changes)
    return read_export(path, known, spill(), (layout(column),)).frame("sightings")


@pytest.mark.parametrize("written", [MD5, MD5.upper(), f" {MD5}\t"])
def test_the_same_person_stands_in_both_files(tmp_path: Path, written: str):
    ours = sightings(tmp_path, SHOP, PHONE, phone_hashes=("phone_md5", "phone_sha256"))
    theirs = sightings(tmp_path, AD_DESK, written)
    assert set(ours["key"]) == {f"phone::<{PHONE}>", f"phone_md5::<{MD5}>", f"phone_sha256::<{SHA256}>"}
    assert ours.select("record", "seen_at", "evidence_rank", "key_role").n_unique() == 1
    assert theirs["key"].to_list() == [f"phone_md5::<{MD5}>"]


def test_without_the_brands_word_no_hash_is_made(tmp_path: Path):
    assert sightings(tmp_path, SHOP, PHONE)["key"].to_list() == [f"phone::<{PHONE}>"]


def test_what_is_no_hash_names_nobody():
    read = [read_one(text, parse="hash")[0] for text in (MD5[:-1], "", PHONE, SHA256.upper())]
    assert read == [None, None, None, SHA256]

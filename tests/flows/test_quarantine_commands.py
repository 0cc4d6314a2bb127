"""Refused rows come back: out of a zip, a workbook, JSON lines; under a role, on the record, and in again."""

import gzip
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import xlsxwriter

from flows.exporting import export_refused
from flows.quarantine import explain_refusal, find_file, list_quarantine
from tasks.errors import ConfigurationError, MissingDataError, SecurityRefusedError
from tasks.stores.runs import finished_runs
from tests.support.hostile import locked, workbook
from tests.support.quarter import QINGHE, Brand
from tests.support.source import ROOT

pytestmark = pytest.mark.slow

SAMPLES = ROOT / "tests/samples"
JUNE = {"received_at": "2026-06-03T09:00:00+08:00", "exported_at": "2026-06-02T08:00:00+08:00"}
LATER = {"received_at": "2026-06-09T09:00:00+08:00", "exported_at": "2026-06-02T08:00:00+08:00"}
ORDERS = 40
BAD = "not a time"


def youzan_rows() -> list[list[str]]:
    """The sample's header, and its first order forty times under other numbers."""
    header, first, *_ = (SAMPLES / "youzan_orders_20260601.csv").read_text(encoding="utf-8-sig").splitlines()
    cells = first.split(",")
    return [header.split(","), *([f"{cells[0][:-2]}{n:02d}", *cells[1:]] for n in range(ORDERS))]


def spoiled(rows: list[list[str]]) -> list[list[str]]:
    """The same with an order time in the seventh that nobody can read."""
    at = rows[0].index("订单创建时间")
    return [[*row[:at], BAD, *row[at + 1 :]] if number == 7 else row for number, row in enumerate(rows)]


def write_exports(folder: Path) -> Path:
    """A zip with a spoiled CSV, a spoiled workbook, events with a cut line, and a file that nobody knows."""
    folder.mkdir()
    rows = spoiled(youzan_rows())
    with zipfile.ZipFile(folder / "may.zip", "w") as archive:
        archive.writestr("orders.csv", "\n".join(",".join(row) for row in rows).encode("gb18030"))
    book = xlsxwriter.Workbook(folder / "orders.xlsx")
    sheet = book.add_worksheet("订单")
    for number, row in enumerate(renumbered(rows)):
        sheet.write_row(number, 0, [str(cell) for cell in row])
    book.close()
    line = json.loads((SAMPLES / "wecom_external_contacts.jsonl").read_text(encoding="utf-8").splitlines()[0])
    people = [json.dumps(renamed(line, n), ensure_ascii=False) for n in range(ORDERS)]
    (folder / "contacts.jsonl").write_text("\n".join([*people, people[0][:50]]), encoding="utf-8")
    (folder / "unknown.csv").write_text("什么,东西\n13800000101,2\n", encoding="utf-8")
    return folder


def renumbered(rows: list[list[str]], prefix: str = "E9") -> Iterator[list[str]]:
    """The same orders under numbers of their own: another shop's."""
    yield rows[0]
    yield from ([f"{prefix}{row[0][2:]}", *row[1:]] for row in rows[1:])


def renamed(contact: dict[str, Any], number: int) -> dict[str, Any]:
    person = {**contact["external_contact"], "external_userid": f"wmPERSON{number:04d}"}
    return {**contact, "external_contact": person}


@pytest.fixture(scope="module")
def brand(tmp_path_factory: pytest.TempPathFactory) -> Brand:
    """A lake into which all of that was ingested."""
    folder = tmp_path_factory.mktemp("refused")
    here = Brand(str(folder / "lake"), QINGHE)
    here.ingest(write_exports(folder / "exports"), **JUNE)
    return here


def test_rows_are_listed_by_file_and_rule_and_files_with_their_reason(brand: Brand):
    told = list_quarantine(brand.lake)
    assert [(row["file"], row["rule"], row["rows"]) for row in sorted(told["rows"], key=lambda row: row["file"])] == [
        ("contacts.jsonl", "not_a_json_object", 1),
        ("may.zip/orders.csv", "ordered_at_unreadable", 1),
        ("orders.xlsx", "ordered_at_unreadable", 1),
    ]
    (refused,) = told["files"]
    assert refused["name"] == "unknown.csv"
    assert "no layout knows any of its 2 headers" in refused["reason"]


def test_the_list_may_be_narrowed(brand: Brand):
    assert {row["file"] for row in list_quarantine(brand.lake, rule="not_a_json_object")["rows"]} == {"contacts.jsonl"}
    assert {row["file"] for row in list_quarantine(brand.lake, file="zip")["rows"]} == {"may.zip/orders.csv"}
    assert list_quarantine(brand.lake, shop="nowhere") == {"rows": [], "files": []}


def test_money_of_refused_rows_is_that_of_the_file(brand: Brand):
    files = dict(brand.rows("files").select("name", "money_quarantined_fen").iter_rows())
    assert all(row["money_fen"] == files[row["file"]] for row in list_quarantine(brand.lake)["rows"])


def test_a_file_and_a_rule_are_explained(brand: Brand):
    told = explain_refusal("may.zip/orders.csv", brand.lake)
    assert told["outcome"] == f"1 of {ORDERS} rows refused"
    assert [(rule["rule"], rule["first_rows"], rule["found"]) for rule in told["rules"]] == [
        ("ordered_at_unreadable", "7", "xxx x xxxx"),
    ]  # fmt: skip
    assert len(explain_refusal("ordered_at_unreadable", brand.lake)["files"]) == 2
    assert "no layout knows" in explain_refusal("unknown.csv", brand.lake)["why"]


def test_a_file_goes_by_its_name_its_name_in_the_archive_and_its_digest(brand: Brand):
    file = find_file("may.zip/orders.csv", brand.lake)
    assert find_file("orders.csv", brand.lake) == file == find_file(file["sha256"][:10], brand.lake)
    with pytest.raises(MissingDataError, match="no file nonsense"):
        find_file("nonsense", brand.lake)


@pytest.mark.parametrize(
    ("file", "encoding"), [("may.zip/orders.csv", "gb18030"), ("orders.xlsx", "utf-8-sig")], ids=["zip", "workbook"]
)
def test_a_corrected_row_comes_in_again(brand: Brand, tmp_path: Path, file: str, encoding: str):
    here = brand.copied(tmp_path)
    told = export_refused(file, tmp_path / "corrected.csv", "data_engineer", here.lake)
    text = (tmp_path / "corrected.csv").read_bytes().decode(encoding)
    assert (told["rows"], len(text.splitlines())) == (1, 2)
    assert (tmp_path / "corrected.csv").stat().st_mode & 0o777 == 0o600
    (tmp_path / "corrected.csv").write_bytes(text.replace(BAD, "2026-05-02 10:01:00").encode(encoding))
    before = here.rows("orders").height
    (account,) = here.ingest(tmp_path / "corrected.csv", **LATER)["files"]
    assert (account["rows_read"], account["rows_accepted"], account["rows_quarantined"]) == (1, 1, 0)
    orders = here.rows("orders")
    assert orders.height == before + 1
    assert (
        orders.filter(pl.col("known_to").is_null())["order_id"].n_unique() == 2 * ORDERS - 1
    )  # the other file still lacks one


def test_rows_come_out_of_a_gz_and_of_a_locked_workbook(brand: Brand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STRATA_PASSWORDS", "开门-123")
    here, folder, rows = brand.copied(tmp_path), tmp_path / "more", spoiled(youzan_rows())
    folder.mkdir()
    text = "\n".join(",".join(row) for row in renumbered(rows, "E8"))
    (folder / "orders.csv.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
    (folder / "locked.xlsx").write_bytes(locked(workbook({"订单": list(renumbered(rows, "E7"))}), "开门-123"))
    here.ingest(folder, **JUNE)
    for number, file in enumerate(("orders.csv.gz/orders.csv", "locked.xlsx")):
        out = tmp_path / f"{number}.csv"
        assert export_refused(file, out, "data_engineer", here.lake)["rows"] == 1
        header, row = out.read_text(encoding="utf-8-sig").splitlines()
        assert (header.split(",")[0], BAD in row) == ("订单号", True)


def test_json_lines_come_out_as_they_stood(brand: Brand, tmp_path: Path):
    here = brand.copied(tmp_path)
    export_refused("contacts.jsonl", tmp_path / "cut.jsonl", "privacy_officer", here.lake)
    lines = (Path(brand.lake).parent / "exports" / "contacts.jsonl").read_text(encoding="utf-8").splitlines()
    assert (tmp_path / "cut.jsonl").read_text(encoding="utf-8").splitlines() == lines[-1:]


def test_a_file_refused_as_a_whole_comes_out_as_it_was_received(brand: Brand, tmp_path: Path):
    here = brand.copied(tmp_path)
    told = export_refused("unknown.csv", tmp_path / "whole.csv", "data_engineer", here.lake)
    received = Path(brand.lake).parent / "exports" / "unknown.csv"
    assert (tmp_path / "whole.csv").read_bytes() == received.read_bytes()
    assert told["rows"] is None


def test_who_took_what_stands_in_the_record(brand: Brand, tmp_path: Path):
    here = brand.copied(tmp_path)
    before = here.content()
    export_refused("orders.xlsx", tmp_path / "one.csv", "data_engineer", here.lake)
    export_refused("orders.xlsx", tmp_path / "two.csv", "privacy_officer", here.lake)
    record = finished_runs(here.tables, here.tables.snapshot()).filter(flow="quarantine_export")
    told = [json.loads(text) for text in record["inputs"]]
    assert [(one["role"], one["file"], one["rows"]) for one in told] == [
        ("data_engineer", "orders.xlsx", 1), ("privacy_officer", "orders.xlsx", 1),
    ]  # fmt: skip
    assert all(one["by"] for one in told)
    assert here.content() == before


@pytest.mark.parametrize("role", ["", "intern", "Data_Engineer"])
def test_nobody_else_gets_a_row(brand: Brand, tmp_path: Path, role: str):
    seq = brand.seq
    with pytest.raises(SecurityRefusedError, match="may not see raw rows"):
        export_refused("orders.xlsx", tmp_path / "x.csv", role, brand.lake)
    assert (brand.seq, (tmp_path / "x.csv").exists()) == (seq, False)


def test_nothing_is_overwritten_and_nothing_recorded(brand: Brand, tmp_path: Path):
    (tmp_path / "x.csv").write_text("mine", encoding="utf-8")
    seq = brand.seq
    with pytest.raises(ConfigurationError, match="is there already"):
        export_refused("orders.xlsx", tmp_path / "x.csv", "data_engineer", brand.lake)
    assert (brand.seq, (tmp_path / "x.csv").read_text(encoding="utf-8")) == (seq, "mine")

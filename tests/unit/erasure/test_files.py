"""One person's rows taken out of export files of every format: the rest can be read again, and reads the same."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from tasks.errors import BadFileError
from tasks.sources.context import ReadContext
from tasks.sources.erasing import Sought, find_person, holds, telling, write_without
from tasks.sources.layouts import built_in
from tasks.sources.read import read_export
from tasks.sources.recognise import known_headers
from tests.support.source import ROOT

SAMPLES = ROOT / "tests/samples"
LAYOUTS = built_in()
KNOWN = known_headers(LAYOUTS)
AT = datetime(2026, 6, 3, tzinfo=UTC)


def legible(key_type: str, scope: str, value: pl.Expr) -> pl.Expr:
    """A pseudonym that shows what it stands for."""
    return pl.concat_str(pl.lit(f"<{key_type}|{scope}|"), value, pl.lit(">"))


def context(name: str) -> ReadContext:
    return ReadContext(
        file_sha256="0" * 64, name=name, received_at=AT, file_month="2026-06", zone="Asia/Shanghai", currency="CNY",
        pseudonymise=legible, shops={}, seal=lambda contacts: contacts, shop_id="main", is_watched=True,
    )  # fmt: skip


def tables(path: Path, name: str, spill: Path) -> dict[str, list[str]]:
    """The canonical rows of a file, but for where in it they stood."""
    export = read_export(path, context(name), spill, LAYOUTS)
    return {
        table: sorted(str(row) for row in export.frame(table).drop("row_number", "file_sha256").to_dicts())
        for table in export.tables
    }


def sightings(path: Path, name: str, spill: Path) -> pl.DataFrame:
    return read_export(path, context(name), spill, LAYOUTS).frame("sightings")


def as_csv(source: Path, target: Path) -> Path:
    target.write_bytes(source.read_bytes())
    return target


def as_book(source: Path, target: Path) -> Path:
    rows = [line.split(",") for line in source.read_text(encoding="utf-8-sig").splitlines()]
    with xlsxwriter.Workbook(target) as book:
        sheet = book.add_worksheet("订单")
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return target


def is_theirs(row: str, keys: list[str], before: dict[str, list[str]]) -> bool:
    """Whether a row names the person, or an order of theirs."""
    orders = re.findall(r"'order_id': '([^']+)'", " ".join(one for one in before.get("orders", []) if has(one, keys)))
    return has(row, keys) or any(f"'{order}'" in row for order in orders)


def has(row: str, keys: list[str]) -> bool:
    return any(key in row for key in keys)


FILES: dict[str, tuple[str, Callable[[Path, Path], Path]]] = {
    "csv": ("youzan_orders_20260601.csv", as_csv),
    "workbook": ("youzan_orders_20260601.csv", as_book),
    "json lines": ("wecom_external_contacts.jsonl", as_csv),
    "lines of orders": ("shopify_orders_export_1.csv", as_csv),
}


@pytest.mark.parametrize("kind", FILES)
def test_what_is_left_reads_as_it_did(kind: str, tmp_path: Path):
    sample, write = FILES[kind]
    path = write(SAMPLES / sample, tmp_path / f"file-{kind.replace(' ', '')}")
    whole = sightings(path, sample, tmp_path / "whole").filter(key_role="identity")
    record = whole["record"].sort()[0]
    keys = whole.filter(record=record)["key"].to_list()
    found = find_person(path, context(sample), LAYOUTS, Sought(frozenset(keys), frozenset()))
    assert found.rows >= set(whole.filter(pl.col("key").is_in(keys))["row_number"])
    assert found.values
    gone = write_without(path, sample, KNOWN, found.rows, telling(found.values), tmp_path / "left")
    assert gone == found.rows
    assert not holds(tmp_path / "left", sample, KNOWN, telling(found.values))
    before, after = tables(path, sample, tmp_path / "before"), tables(tmp_path / "left", sample, tmp_path / "after")
    assert not any(key in row for key in keys for rows in after.values() for row in rows)
    for table, rows in ((name, after[name]) for name in after if name != "products"):
        assert set(rows) <= set(before[table])
        assert set(before[table]) - set(rows) <= {row for row in before[table] if is_theirs(row, keys, before)}


def test_parquet_keeps_its_schema(tmp_path: Path):
    header, *lines = (SAMPLES / "youzan_orders_20260601.csv").read_text(encoding="utf-8-sig").splitlines()
    cells = [line.split(",") for line in lines]
    frame = pl.DataFrame({name: [row[at] for row in cells] for at, name in enumerate(header.split(","))})
    frame.write_parquet(tmp_path / "orders.parquet")
    gone = write_without(tmp_path / "orders.parquet", "orders", KNOWN, {1}, (), tmp_path / "left")
    left = pl.read_parquet(tmp_path / "left")
    assert gone == {1}
    assert left.equals(frame.slice(1))
    assert left.schema == frame.schema


def test_a_row_of_somebody_else_stays_without_the_value(tmp_path: Path):
    path = tmp_path / "gift.csv"
    path.write_text("订单号,备注,金额\n1,送给 13800000101 的,5\n2,无,6\n", encoding="gb18030")
    assert holds(path, "gift", KNOWN, ("13800000101",))
    assert write_without(path, "gift", KNOWN, set(), ("13800000101",), tmp_path / "left") == set()
    assert (tmp_path / "left").read_text(encoding="gb18030").splitlines() == [
        "订单号,备注,金额",
        "1,送给  的,5",
        "2,无,6",
    ]


def test_a_broken_row_that_tells_is_taken_out(tmp_path: Path):
    path = tmp_path / "broken.csv"
    path.write_text("订单号,备注\n1,好\n2,13800000101,太多,了\n3,好\n", encoding="utf-8")
    assert write_without(path, "broken", KNOWN, set(), ("13800000101",), tmp_path / "left") == {2}
    assert "13800000101" not in (tmp_path / "left").read_text(encoding="utf-8")


def test_a_list_of_documents_stays_one_that_can_be_read(tmp_path: Path):
    path = tmp_path / "list.json"
    documents = [{"id": n, "phone": f"1380000010{n}", "note": "写给 13800000101"} for n in range(1, 4)]
    path.write_text(json.dumps({"data": documents}), encoding="utf-8")
    write_without(path, "list", KNOWN, {1}, ("13800000101",), tmp_path / "left")
    left = [json.loads(line) for line in (tmp_path / "left").read_text(encoding="utf-8").splitlines()]
    assert [document["id"] for document in left] == ["2", "3"]
    assert "13800000101" not in (tmp_path / "left").read_text(encoding="utf-8")


def test_short_values_and_amounts_are_no_values_to_blank():
    assert telling({"张三", "42", "20260501", "13800000101", "tb_12345"}) == ("13800000101", "tb_12345")


def test_a_file_that_nobody_knows_is_refused(tmp_path: Path):
    (tmp_path / "x.csv").write_text("什么,东西\n1,2\n", encoding="utf-8")
    with pytest.raises(BadFileError, match="no layout"):
        find_person(tmp_path / "x.csv", context("x"), LAYOUTS, Sought(frozenset(), frozenset()))


def test_a_declared_link_goes_whichever_of_its_keys_is_the_persons(tmp_path: Path) -> None:
    path = tmp_path / "identity_links.csv"
    path.write_text(
        "link,key_a,key_b,decided_at,evidence\n"
        "must,phone:13912345678,member:main:1,2026-06-01 10:00:00,form 1\n"
        "cannot,member:main:2,phone:13912345678,2026-06-01 10:00:00,form 2\n"
        "cannot,member:main:2,member:main:3,2026-06-01 10:00:00,form 3\n"
        "rebind,phone:13912345678,,2026-06-01 10:00:00,form 4\n"
    )
    found = find_person(
        path, context(path.name), LAYOUTS, Sought(frozenset({"phone::<phone||13912345678>"}), frozenset())
    )
    assert found.rows == {1, 2, 4}

"""Files that are written: the same bytes every time, quirks where they are asked for, spoiled rows refused."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path

import polars as pl
import pytest

from infra.exports.places import gathered_header
from infra.exports.quirks import Quirks, quirks_of
from infra.exports.shop import open_shop, pieces
from infra.exports.stream import stream_export
from infra.exports.truth import Terms
from infra.exports.versions import current_of, write_versions
from infra.exports.write import Written, file_name, rows_at, write_export
from tasks.sources.layouts import Layout, built_in
from tests.unit.exports.returning import AT, SHOP_ID, ZONE, read_back, small_shop, write
from tests.unit.sources.reading import balance, legible

NAMED = {layout.name: layout for layout in built_in()}
TAOBAO = NAMED["taobao_orders_classic"]


def first_lines(path: Path, encoding: str, count: int = 3) -> list[str]:
    return path.read_bytes().decode(encoding).splitlines()[:count]


@pytest.mark.parametrize("wrap", ["", "gz", "zip", "zip in gbk"])
@pytest.mark.parametrize("fmt", ["csv", "xlsx"])
def test_the_same_shop_gives_the_same_bytes(fmt: str, wrap: str, tmp_path: Path):
    files = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        files.append(write(tmp_path / name, TAOBAO, quirks=Quirks(wrap=wrap), fmt=fmt).path)
    assert files[0].read_bytes() == files[1].read_bytes()


def test_a_classic_taobao_file_looks_like_one(tmp_path: Path):
    quirks = Quirks(encoding="gb18030", quote_all=True, wrapped_ids="formula", header_spaces=True, line_end="\r\n")
    path = write(tmp_path, TAOBAO, quirks=quirks).path
    header, row, _ = first_lines(path, "gb18030")
    assert path.name == "ExportOrderList202604020900.csv"
    assert header.startswith('"订单编号')
    assert ' "' in header
    assert row.startswith('="9000000000000000000","')


def test_title_lines_stand_above_the_header(tmp_path: Path):
    path = write(tmp_path, TAOBAO, quirks=Quirks(title_lines=2)).path
    titles = first_lines(path, "utf-8")
    assert [line[0] for line in titles] == ["#", "#", "订"]


def test_order_columns_go_blank_on_continuation_lines(tmp_path: Path):
    written = write(tmp_path, NAMED["shopify_orders"], quirks=Quirks(blank_repeats=True))
    rows = pl.read_csv(written.path, infer_schema=False)
    assert rows["Total"].null_count() == rows.height - rows["Name"].n_unique() > 0


def test_every_quirk_comes_up():
    seen = [quirks_of(seed) for seed in range(60)]
    assert {quirks.money for quirks in seen} >= {"plain", "thousands", "yen", "yuan", "dollar", "remark"}
    assert {quirks.wrap for quirks in seen} == {"", "gz", "zip", "zip in gbk"}
    assert {quirks.shuffled_columns for quirks in seen} == {True, False}


@pytest.mark.parametrize(
    "layout", [layout for layout in built_in() if layout.exported_at], ids=lambda layout: layout.name
)
def test_a_file_is_named_as_its_back_office_names_it(layout: Layout):
    assert file_name(layout, AT, ZONE) != layout.name


def test_a_gathered_column_has_a_header_that_is_found():
    assert gathered_header(r"^标签组\d*\((?P<label>.+)\)$") == "标签组1(客户等级)"


@pytest.mark.parametrize("name", ["taobao_orders_classic", "jd_orders_classic", "shopify_orders", "xiaohongshu_orders"])
def test_spoiled_rows_are_refused_and_no_others(name: str, tmp_path: Path):
    written = write_export(tmp_path, small_shop(NAMED[name], orders=200), NAMED[name], AT, spoiled_in_1000=100)
    export = read_back(written)
    assert export.rows_refused == written.rows["is_spoiled"].sum() > 0
    assert balance(export) == (0, 0)


def test_versions_move_on_and_the_newest_export_of_an_order_counts(tmp_path: Path):
    """Three exports, each two weeks back, a week apart: the last week of one is the first of the next."""
    shop, week = small_shop(TAOBAO, orders=120), timedelta(days=7)
    moments = [datetime(2026, 3, 15, tzinfo=UTC) + week * number for number in range(3)]
    files = write_versions(tmp_path, shop, TAOBAO, moments, back=week * 2)
    terms = Terms(SHOP_ID, "CNY", AT, ZONE, legible)
    told = current_of(files, terms)["orders"]
    assert all(current_of(order, terms)["orders"].equals(told) for order in permutations(files))
    seen = pl.concat([written.rows.select("order_id", at=pl.lit(written.exported_at)) for written in files])
    newest = seen.group_by("order_id").agg(pl.col("at").max())
    assert seen.height > told.height == newest.height
    both = told.join(newest, on="order_id", validate="1:1")
    assert (both["exported_at"] == both["at"]).all()
    assert told["status"].n_unique() > 3


@pytest.mark.parametrize("name", ["taobao_orders_classic", "shopify_orders", "sensors_events"])
def test_a_file_written_piece_by_piece_holds_every_order_once(name: str, tmp_path: Path):
    plan = small_shop(NAMED[name], orders=90).plan
    path = stream_export(tmp_path, plan, NAMED[name], AT, size=20)
    again = stream_export(tmp_path, plan, NAMED[name], AT, size=20)
    rows = pl.concat(rows_at(open_shop(piece), NAMED[name], AT) for piece in pieces(plan, 20))
    export = read_back(Written(path, NAMED[name], rows, AT))
    assert path.read_bytes() == again.read_bytes()
    assert export.rows_read == rows.height
    assert export.rows_refused == 0
    assert rows["record_number"].n_unique() == rows["order_id"].n_unique()


def test_a_workbook_is_not_written_piece_by_piece(tmp_path: Path):
    only_xlsx = TAOBAO.model_copy(update={"formats": ("xlsx",)})
    with pytest.raises(ValueError, match="only csv and jsonl"):
        stream_export(tmp_path, small_shop(TAOBAO).plan, only_xlsx, AT)

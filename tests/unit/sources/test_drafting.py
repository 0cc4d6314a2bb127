"""A layout drafted from a file that nobody prepared for: it loads, guesses right, and tells nothing of anybody."""

import csv
import io
from pathlib import Path

import polars as pl
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tasks.errors import BadFileError
from tasks.sources.drafting import draft_layout, scalar
from tasks.sources.headers import unique_names
from tasks.sources.layouts import Layout
from tests.unit.sources.reading import SAMPLES

TILL = """\
Receipt No.,Date,Time,Cashier,Loyalty Card,Customer Mobile,Item Code,Item,Qty,Unit Price,Off,Amount Paid,State,Remarks
R-0001,03/05/2026,10:15,Wang Xiaoming,C-100,13800000101,SKU-1,Oat Latte,2,18.00,0.00,36.00,Done,
R-0001,03/05/2026,10:15,Wang Xiaoming,C-100,13800000101,SKU-2,Bagel,1,12.50,2.50,10.00,Done,no butter please
R-0002,03/05/2026,10:17,Li Lei,,,SKU-1,Oat Latte,1,18.00,0.00,18.00,Parked,
R-0003,31/05/2026,18:40,Li Lei,C-101,139****0202,SKU-3,Cake,1,30.00,0.00,30.00,Done,for 林小彤
"""
MEMBERS = """\
会员卡号,姓名,手机,入会日期,生日,备注
V001,林小彤,13800000101,2026/1/5,1990-02-03,
V002,赵一鸣,13900000202,2026/2/6,1988-11-30,麻烦周末送
"""
MAGENTO = (SAMPLES / "magento_orders_export.csv").read_text(encoding="utf-8")


def draft(text: str, name: str = "till") -> str:
    headers, *rows = csv.reader(io.StringIO(text))
    return draft_of(headers, rows, name)


def draft_of(headers: list[str], rows: list[list[str]], name: str = "till") -> str:
    names = unique_names(headers)
    cells = pl.DataFrame(
        [dict(zip(names, row, strict=True)) for row in rows], schema=dict.fromkeys(names, pl.String()), orient="row"
    )
    return draft_layout(headers, cells, name=name, channel="pos", file_format="csv", zone="Asia/Shanghai")


def load(text: str) -> Layout:
    return Layout.model_validate(yaml.safe_load(text))


def test_a_till_is_read_by_the_line():
    layout = load(draft(TILL))
    headers = {target: cell.headers for target, cell in layout.columns.items()}
    assert (layout.name, layout.channel, layout.grain, layout.money) == ("till", "pos", "line", "paid_fen")
    assert headers == {
        "order_id": ("Receipt No.",), "status": ("State",), "ordered_at": ("Date", "Time"), "paid_at": ("Date", "Time"),
        "product_id": ("Item Code",), "product_name": ("Item",), "quantity": ("Qty",), "unit_price": ("Unit Price",),
        "paid_fen": ("Amount Paid",), "member_no": ("Loyalty Card",), "phone": ("Customer Mobile",),
    }  # fmt: skip
    assert layout.known == ("Cashier", "Off", "Remarks")
    assert [(key.type, key.column) for key in layout.keys] == [("member", "member_no"), ("phone", "phone")]


def test_what_was_guessed_and_what_is_missing_is_marked():
    text = draft(TILL)
    assert '"%d-%m-%Y %H:%M"' in text  # 31/05 says that the day comes first
    assert "# FILL: say in `codes` what Parked means; such rows are refused" in text
    assert "# FILL: code of the sales channel" in text
    assert "# CHECK: some are masked and name nobody" in text


def test_dates_that_could_be_read_both_ways_are_marked():
    assert "day first or month first?" in draft(TILL.replace("31/05/2026", "04/05/2026"))


def test_orders_whose_payment_includes_the_freight():
    layout = load(draft(MAGENTO, "magento"))
    assert (layout.grain, layout.money) == ("order", "total_paid")
    assert (layout.sums["paid_fen"].plus, layout.sums["paid_fen"].minus) == (("total_paid",), ("freight_fen",))
    assert layout.refund is not None


def test_members_are_known_by_card_and_phone_and_not_by_name():
    layout = load(draft(MEMBERS, "members"))
    assert (layout.grain, layout.money) == ("member", None)
    assert sorted(layout.columns) == ["joined_at", "member_no", "phone"]
    assert set(layout.known) == {"姓名", "生日", "备注"}


@pytest.mark.parametrize("text", [TILL, MEMBERS, MAGENTO], ids=["till", "members", "magento"])
def test_nobody_stands_in_a_draft(text: str):
    headers, *rows = csv.reader(io.StringIO(text))
    words = {"Done", "Parked", "complete", "closed", "pending", "processing", "canceled"}
    values = {cell for row in rows for cell in row if len(cell) > 2} - words - set(headers)
    written = draft(text)
    assert [value for value in values if value in written] == []


WORDS = ["订单号", "日期", "时间", "手机", "商品", "数量", "金额", "yes", "#x", "{x}", "event", "Order_ID", "a:b"]
HEADERS = st.sampled_from([*WORDS, ""]) | st.text(
    st.characters(exclude_categories=["Cs", "Nd", "Cc"]), min_size=1, max_size=12
)
CELLS = st.sampled_from(
    ["", "-", "13800000101", "2026-05-01", "10:15", "03/04/2026", "18.00", "¥5", "7", "6.9E+18", "1775000000", "x\x00y"]
) | st.text(max_size=12)


@given(
    table=st.lists(HEADERS, min_size=1, max_size=8).flatmap(
        lambda headers: st.tuples(
            st.just(headers), st.lists(st.lists(CELLS, min_size=len(headers), max_size=len(headers)), max_size=6)
        )
    )
)
def test_every_draft_loads_whatever_the_file_holds(table: tuple[list[str], list[list[str]]]):
    headers, rows = table
    try:
        layout = load(draft_of(headers, rows))
    except BadFileError:
        assert any(not any(letter.isalpha() for letter in header) or "@" in header for header in headers)
        return
    mapped = {header for cell in layout.columns.values() for header in cell.headers}
    assert len(layout.known) == len(set(layout.known))
    assert mapped.isdisjoint(layout.known)


@pytest.mark.parametrize(
    "row", ["林小彤,13800000101", "a@example.com,x", "2026-05-01,Wang", "138****0101,x", "12.50,x"]
)
def test_a_file_without_headers_is_no_layout_and_its_row_is_not_shown(row: str):
    with pytest.raises(BadFileError) as headless:
        draft(f"{row}\n{row}\n")
    assert "looks like a row" in headless.value.found
    assert not any(cell in str(headless.value) for cell in row.split(",") if len(cell) > 1)


@pytest.mark.parametrize(
    "text", ["yes", "No", "1.5", "a: b", "# x", "a, b", "{x}", "null", "*", "~", "x ", "备注: 无", "-"]
)
def test_text_stays_text_in_yaml(text: str):
    assert yaml.safe_load(f"[{scalar(text)}]") == [text]
    assert yaml.safe_load(f"- {scalar(text)}  # note") == [text]


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.csv")), ids=lambda path: path.stem)
def test_every_sample_could_be_drafted(path: Path):
    raw = path.read_bytes()
    is_gb18030 = path.name.startswith(("taobao", "jd", "pos"))
    assert load(draft(raw.decode("gb18030" if is_gb18030 else "utf-8-sig"), "sample")).name == "sample"

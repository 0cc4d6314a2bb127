"""Lines and their orders: filled down, taken once, divided to the fen, rolled up; and what a layout may not say."""

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tasks.errors import ConfigurationError
from tasks.sources.building import build
from tasks.sources.fields import read_fields
from tasks.sources.headers import unique_names
from tasks.sources.layouts import Layout, Share
from tasks.sources.lines import divide, fill_down, orders_of_lines
from tasks.sources.opened import Opened
from tasks.sources.parts import Cell
from tasks.sources.recognise import recognise
from tests.support.examples import examples
from tests.unit.sources.reading import balance, read_bytes
from tests.unit.sources.sheets import sheet

BROKEN = pl.List(pl.String())


def layout(**parts: object) -> Layout:
    columns = {
        "order_id": {"header": "number", "parse": "id"},
        "total": {"header": "total", "parse": "money", "order_level": True},
        "price": {"header": "price", "parse": "money"},
    }
    given = {
        "name": "mine",
        "channel": "mine",
        "about": "a test",
        "grain": "line",
        "money": "total",
        "columns": columns,
    }
    return Layout.model_validate(given | parts)


def lines(*rows: tuple[str | None, int | None, int]) -> pl.DataFrame:
    """Lines of (order, total of the order, price)."""
    frame = pl.DataFrame(rows, schema={"order_id": pl.String, "total": pl.Int64, "price": pl.Int64}, orient="row")
    return frame.with_columns(broken_rules=pl.lit([], BROKEN), row_number=pl.int_range(1, pl.len() + 1))


def test_the_total_of_an_order_counts_on_its_first_line_alone():
    built = build(lines(("a", 900, 5), ("b", 70, 1), ("a", None, 4), ("a", 900, 0)), layout())
    assert built.select("total", "row_money_fen").rows() == [(900, 900), (70, 70), (None, 0), (None, 0)]
    assert orders_of_lines(built, layout()).select("order_id", "row_number", "total").rows() == [
        ("a", 1, 900),
        ("b", 2, 70),
    ]


def test_lines_without_an_order_number_stand_alone():
    built = build(lines((None, 900, 5), (None, 70, 1)), layout())
    assert built["row_money_fen"].to_list() == [900, 70]
    assert built["broken_rules"].to_list() == [[], []]


def test_two_values_of_one_order_break_a_rule_on_each_of_its_lines():
    built = build(lines(("a", 900, 5), ("a", 901, 4), ("b", 70, 1)), layout())
    assert built["broken_rules"].to_list() == [["total:lines_disagree"], ["total:lines_disagree"], []]


def test_blank_order_numbers_are_those_of_the_line_above_across_chunks():
    first, above = fill_down(lines((None, 1, 1), ("a", 1, 1), (None, 1, 1)), None)
    second, last = fill_down(lines((None, 1, 1), ("b", 1, 1)), above)
    assert first["order_id"].to_list() == [None, "a", "a"]
    assert (second["order_id"].to_list(), last) == (["a", "b"], "b")


def test_lines_below_an_unreadable_order_number_are_nobodys():
    broken = lines(("a", 1, 1), (None, 1, 1), (None, 1, 1)).with_columns(
        broken_rules=pl.Series([[], ["order_id:order_id_destroyed"], []], dtype=BROKEN)
    )
    filled, above = fill_down(broken, None)
    assert (filled["order_id"].to_list(), above) == (["a", None, None], "")
    assert fill_down(lines((None, 1, 1)), above)[0]["order_id"].to_list() == [None]


@settings(max_examples=examples(50), deadline=None)
@given(
    st.integers(0, 10**15), st.lists(st.integers(0, 10**15), min_size=1, max_size=6), st.randoms(use_true_random=False)
)
def test_shares_add_up_to_the_fen_whatever_the_order_of_the_lines(total: int, weights: list[int], chance):
    rows = lines(*(("a", total, weight) for weight in weights)).with_columns(line_id=pl.format("l{}", "row_number"))
    shares = {"paid_fen": Share(of="total", by="price")}
    divided = divide(rows, shares)
    assert divided["paid_fen"].sum() == total
    assert divided["paid_fen"].min() >= 0
    turned = rows.sample(fraction=1, shuffle=True, seed=chance.randrange(100)).with_columns(
        row_number=pl.int_range(1, pl.len() + 1)
    )
    again = divide(turned, shares).sort("line_id")["paid_fen"].to_list()
    assert again == divided.sort("line_id")["paid_fen"].to_list()


def test_where_nothing_weighs_the_first_line_takes_all():
    shares = {"paid_fen": Share(of="total", by="price")}
    assert divide(lines(("a", 900, 0), ("a", 900, 0)), shares)["paid_fen"].to_list() == [900, 0]


@pytest.mark.parametrize(
    ("words", "whole"),
    [
        (["finished", "closed"], "finished"), (["finished", "paid"], "paid"), (["closed", "cancelled"], "closed"),
        (["cancelled", "cancelled"], "cancelled"), (["on_hold", "shipped"], "on_hold"),
        (["finished", None], "finished"),
    ],
)  # fmt: skip
def test_an_order_is_where_its_least_advanced_open_line_is(words: list[str], whole: str):
    rows = lines(("a", 1, 1), ("a", 1, 1)).with_columns(status=pl.Series(words))
    assert orders_of_lines(rows, layout())["status"].to_list() == [whole]


@pytest.mark.parametrize(
    ("kinds", "whole"), [(["gift", "purchase"], "purchase"), (["gift", "gift"], "gift"), (["gift", "topup"], "topup")]
)
def test_an_order_is_a_purchase_when_any_line_is(kinds: list[str], whole: str):
    rows = lines(("a", 1, 1), ("a", 1, 1)).with_columns(kind=pl.Series(kinds))
    assert orders_of_lines(rows, layout())["kind"].to_list() == [whole]


def test_built_columns_may_be_made_of_each_other_in_any_order_but_not_in_a_circle():
    chain = layout(sums={"last": {"plus": "middle"}, "middle": {"plus": "price", "minus": "total"}})
    assert build(lines(("a", 2, 7)), chain)["last"].to_list() == [5]
    circle = layout(sums={"one": {"plus": "other"}, "other": {"plus": "one"}})
    with pytest.raises(ConfigurationError, match="one, other are made of each other"):
        build(lines(("a", 2, 7)), circle)


def fields(rows: dict[str, list[str]], **columns: dict[str, object]) -> pl.DataFrame:
    """What a layout of these columns makes of one file."""
    one = Layout.model_validate(
        {"name": "mine", "channel": "mine", "about": "a test", "grain": "product", "columns": columns}
    )
    opened = Opened("csv", "utf-8", tuple(rows), lambda _: iter(()))
    text = pl.DataFrame(dict(zip(unique_names(rows), rows.values(), strict=True)))
    match = recognise(opened, [one], "f.csv")
    return read_fields(text.with_columns(row_number=pl.int_range(1, pl.len() + 1)), match, "UTC").frame


def test_a_cell_may_be_joined_of_several():
    told = fields(
        {"Date": ["2026-05-01", ""], "Time": ["10:02:11", ""]}, at={"joined": ["Date", "Time"], "parse": "instant"}
    )
    assert [str(at) for at in told["at"]] == ["2026-05-01 10:02:11+00:00", "None"]


def test_columns_of_one_pattern_are_gathered_with_their_labels():
    told = fields(
        {"标签组1(客户等级)": ["VIP", ""], "标签组2（来源）": ["", ""], "x": ["1", "2"]},
        tags={"gathered": r"标签组\d+\((?P<label>.*)\)"}, x={"header": "x"},
    )  # fmt: skip
    assert told["tags"].to_list() == ["客户等级:VIP", None]


def test_a_part_of_a_cell_may_be_extracted():
    told = fields(
        {"no": ["260531-01\t", "x"]},
        day={"header": "no", "extract": r"^(\d{6})-", "parse": "instant", "patterns": "%y%m%d"},
    )
    assert [str(at)[:10] for at in told["day"]] == ["2026-05-31", "None"]


def test_the_first_filled_of_two_names_counts():
    told = fields({"old": ["1.00", " "], "new": ["-", "2.00"]}, paid={"header": ["new", "old"], "parse": "money"})
    assert told["paid"].to_list() == [100, 200]


def test_prefixes_of_a_word_come_before_the_word_and_null_is_a_known_word():
    code = {
        "header": "s", "parse": "code", "prefixes": {"(删除)": "cancelled"}, "codes": {"等待出库": "paid", "无": None},
        "lenient": True,
    }  # fmt: skip
    assert fields({"s": ["（删除）等待出库", "等待出库", "无", "新词"]}, s=code)["s"].to_list() == [
        "cancelled",
        "paid",
        None,
        None,
    ]


@pytest.mark.parametrize(
    "cell",
    [{}, {"header": "a", "joined": ["b", "c"]}, {"gathered": "tag(.*)"}, {"header": "a", "extract": "no group"}],
)
def test_a_cell_stands_in_one_place(cell: dict[str, object]):
    with pytest.raises(ValidationError, match=r"give one of|needs a group"):
        Cell.model_validate(cell)


def test_only_lines_have_an_order_level():
    with pytest.raises(ValidationError, match="are for grain line"):
        layout(grain="order")


def test_an_order_in_another_currency_is_refused_with_all_its_lines(tmp_path: Path):
    """Two orders of 118.00; the one in dollars never meets a sum in yuan."""
    line = {"Lineitem quantity": "1", "Lineitem price": "59.00", "Created at": "2026-05-14 11:23:40 +0800"}
    money = {"Subtotal": "118.00", "Shipping": "0.00", "Taxes": "0.00", "Total": "118.00", "Refunded Amount": "0.00"}
    order = money | {"Financial Status": "paid", "Paid at": "2026-05-14 11:23:45 +0800"}
    rows = [
        line | order | {"Name": "#1", "Currency": "CNY"}, line | {"Name": "#1"},
        line | order | {"Name": "#2", "Currency": "usd"}, line | {"Name": "#2"},
    ]  # fmt: skip
    export = read_bytes(tmp_path, sheet("shopify_orders", *rows), shops={"shopify": "main"})
    assert export.frame("orders").select("order_id", "paid_fen", "currency").rows() == [("#1", 11_800, "CNY")]
    assert (export.rows_refused, export.money_refused_fen, balance(export)) == (2, 11_800, (0, 0))
    assert set(export.frame("quarantine")["rule"]) == {"foreign_currency"}

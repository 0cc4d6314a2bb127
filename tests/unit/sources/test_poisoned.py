"""Poisoned exports, and the laws that hold for every file: rows and money are conserved, order does not matter."""

import random
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expectations.check import check
from tests.support.examples import examples
from tests.unit.sources.reading import SAMPLES, balance, frames, read_bytes, rules

YOUZAN = (SAMPLES / "youzan_orders_20260601.csv").read_text(encoding="utf-8-sig").splitlines()
HEADERS = [*YOUZAN[0].split(",")]
LINES_HEADER = (
    "household_id,store_id,basket_id,product_id,quantity,sales_value,retail_disc,coupon_disc,coupon_match_disc,week,"
    "transaction_timestamp"
)


def orders(count: int, **cells: dict[int, str]) -> str:
    """A Youzan export of `count` copies of the first order, with some cells changed: header to {row: text}."""
    first = YOUZAN[1].split(",")
    lines = []
    for row in range(count):
        line = [*first]
        line[HEADERS.index("订单号")] = f"E202605021001000000{row:06d}"
        for header, changes in cells.items():
            line[HEADERS.index(header)] = changes.get(row, line[HEADERS.index(header)])
        lines.append(",".join(line))
    return "\n".join([YOUZAN[0], *lines])


def test_the_poisoned_export_of_the_issue(tmp_path: Path):
    """Of 100 orders 10 lack a number, one has an impossible date, one a negative total, one no number for a total."""
    export = read_bytes(
        tmp_path,
        orders(
            100,
            订单号=dict.fromkeys(range(0, 100, 10), ""),
            订单创建时间={1: "2017-02-30 10:00:00"},
            订单实付金额={2: "-238.00", 3: "一百"},
        ),
    )
    assert rules(export) == {
        "ordered_at_unreadable": 1, "order_id_missing": 10, "paid_fen_missing": 1, "paid_fen_too_small": 1,
        "refund_above_payment": 1, "total_paid_unreadable": 1,
    }  # fmt: skip
    assert (export.rows_read, export.rows_refused, export.money_unreadable) == (100, 13, 1)
    assert (export.money_read_fen, export.money_refused_fen) == (98 * 23_800 - 23_800, 11 * 23_800 - 23_800)
    assert balance(export) == (0, 0)


@pytest.mark.parametrize(
    ("header", "text", "rule"),
    [
        ("订单已退款金额", "238.01", "refund_above_payment"),
        ("订单已退款金额", "-1.00", "refunded_fen_too_small"),
        ("买家付款时间", "", "paid_status_without_time"),
        ("买家付款时间", "2026-05-01 00:00:00", "paid_before_ordered"),
        ("订单创建时间", "1899-12-30 00:00:00", "ordered_at_implausible"),
        ("订单创建时间", "9999-12-31 00:00:00", "ordered_at_implausible"),
        ("商品金额合计", "99999999999999999999", "gross_fen_unreadable"),
        ("商品金额合计", "", "gross_fen_missing"),
        ("订单号", "E2026\0", "nul_byte"),
    ],
)
def test_a_bad_value_refuses_its_row_under_a_rule(tmp_path: Path, header: str, text: str, rule: str):
    export = read_bytes(tmp_path, orders(3, **{header: {1: text}}))
    assert rule in rules(export)
    assert (export.frame("quarantine")["row_number"].unique().to_list(), balance(export)) == ([2], (0, 0))


def test_a_refused_row_is_in_no_table_and_hands_over_no_contact(tmp_path: Path):
    export = read_bytes(tmp_path, orders(3, 订单已退款金额={1: "999.00"}))
    for rows in (*frames(export).values(), export.frame("contacts")):
        assert 2 not in rows["row_number"].to_list()


def test_the_quarantine_shows_shapes_and_no_values(tmp_path: Path):
    export = read_bytes(tmp_path, orders(2, 订单实付金额={1: "周小满13800000101"}))
    shown = export.frame("quarantine").filter(rule="total_paid_unreadable")["value_redacted"].to_list()
    assert shown == ["xxxxxxxxxxxxxx"]


def test_a_retyped_column_is_drift(tmp_path: Path):
    export = read_bytes(tmp_path, orders(3, 运费=dict.fromkeys(range(3), "包邮")))
    assert export.drift["changed"] == ["freight_fen"]


def test_what_was_kept_passes_the_rules_again(tmp_path: Path):
    export = read_bytes(tmp_path, orders(5, 订单已退款金额={1: "999.00", 2: "100.00"}))
    for table, rows in frames(export).items():
        assert check(rows, table).refused.is_empty()


AMOUNTS = st.sampled_from(["1.00", "0.00", "12.34", "-5.00", "x", "", "1e9", "99999999999999999", "¥3"])
STAMPS = st.sampled_from(["2017-01-01 11:53:26", "2017-01-02 00:00:00", "2017-02-30 00:00:00", "", "noon"])
LINE = st.tuples(
    st.sampled_from(["1", "2", "", "6.9E+18"]), st.sampled_from(["b1", "b2", "b3", ""]),
    st.sampled_from(["p1", "p2", "p3"]), AMOUNTS, STAMPS, st.sampled_from(["", ",extra", "\0"]),
)  # fmt: skip


@settings(max_examples=examples(15))
@given(st.lists(LINE, min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_rows_and_money_are_conserved_and_the_order_of_rows_is_irrelevant(
    lines: list[tuple[str, ...]], chance: random.Random
):
    """Every line is kept or refused, to the fen; an order's money is that of its lines; shuffling changes nothing."""
    texts = [f"{house},9,{basket},{item},1,{paid},0,0,0,1,{at}{end}" for house, basket, item, paid, at, end in lines]
    with TemporaryDirectory() as folder:
        export = read_bytes(Path(folder), "\n".join([LINES_HEADER, *texts]))
        chance.shuffle(texts)
        shuffled = read_bytes(Path(folder), "\n".join([LINES_HEADER, *texts]))
    assert balance(export) == (0, 0)
    assert _orders(frames(shuffled)) == _orders(frames(export))
    assert shuffled.rows_refused == export.rows_refused
    sums = export.frame("order_lines").group_by("order_id").agg(pl.col("paid_fen").sum()).sort("order_id").rows()
    assert sums == [(order, paid) for order, paid, _ in _orders(frames(export))]


def _orders(tables: dict[str, pl.DataFrame]) -> list[tuple[object, ...]]:
    if "orders" not in tables:
        return []
    return tables["orders"].select("order_id", "paid_fen", "content_hash").sort("order_id").rows()

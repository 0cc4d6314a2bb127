"""The JD, Douyin, Pinduoduo, Qianniu, WeChat, Kuaishou and Xiaohongshu samples, with money counted by hand."""

import polars as pl
import pytest

from tasks.sources.read import Export
from tests.unit.sources.reading import balance, frames, read_sample, utc

LATE = utc("2026-07-01T00:00")
"""Received after everything that the samples tell."""
JD, JD_2026 = "jd_orders_19450000.csv", "jd_orders_2026.xlsx"
DOUYIN, PDD = "douyin_orders_1791430000.csv", "pdd_orders_export20260601.csv"
QIANNIU, QIANNIU_ITEMS = "qianniu_orders_2026.xlsx", "qianniu_items_2026.xlsx"
WECHAT, KUAISHOU, XIAOHONGSHU = (
    "wechat_shop_orders_2026.xlsx",
    "kuaishou_orders_2026.xlsx",
    "xiaohongshu_orders_2026.xlsx",
)


def read(name: str) -> Export:
    return read_sample(name, received_at=LATE)


def told(name: str) -> list[tuple[str, str, int, int, int]]:
    """Order by the end of its number: state, list amount, paid for goods, refunded."""
    orders = read(name).frame("orders").sort("row_number")
    number = pl.col("order_id").str.slice(-3)
    return orders.select(number, "status", "gross_fen", "paid_fen", "refunded_fen").rows()


@pytest.mark.parametrize(
    ("name", "layout", "rows", "fen"),
    [
        (JD, "jd_orders_classic", 6, 99_385),  # 258.00 + 89.00 once + 168.00 + 399.00 + 79.85
        (JD_2026, "jd_orders_2026", 5, 253_754),  # 541.59 + 499.00 + 168.00 + 1299.00 + 29.95
        (DOUYIN, "douyin_orders", 7, 175_390),  # 228.00 + 70.00 + 29.00 + 168.00 + 1199.00 + 59.90 + 0
        (PDD, "pdd_orders", 6, 91_990),  # 228.00 + 65.00 + 168.00 + 399.00 + 59.90 + 0
        (QIANNIU, "qianniu_orders", 5, 23_400),  # 34.00 + 80.00 + 0 + 0 + 120.00
        (QIANNIU_ITEMS, "qianniu_items", 5, 29_400),  # 34.00 + 35.00 + 45.00 + 60.00 + 120.00
        (WECHAT, "wechat_shop_orders", 6, 169_685),  # 238.00 + 70.00 + 0 + 1299.00 + 89.85 once
        (KUAISHOU, "kuaishou_orders", 6, 171_680),  # 258.00 + 70.00 + 0 + 1299.90 + 59.90 + 29.00
        (XIAOHONGSHU, "xiaohongshu_orders", 6, 96_390),  # 238.00 + 70.00 + 29.00 + 168.00 + 399.00 + 59.90
        ("tmall_refunds.xlsx", "tmall_refunds", 5, 176_595),  # 399.00 + 29.00 + 29.95 + 1288.00 + 20.00
        ("douyin_aftersales_2026.xlsx", "douyin_aftersales", 5, 128_800),  # 29.00 + 1199.00 + 50.00 + 0 + 10.00
    ],
)
def test_every_row_and_fen_is_accounted_for(name: str, layout: str, rows: int, fen: int):
    export = read(name)
    assert (export.layout, export.rows_read, export.rows_refused) == (layout, rows, 0)
    assert (export.money_read_fen, balance(export)) == (fen, (0, 0))
    assert (export.drift["missing"], export.drift["extra"], export.drift["unknown_codes"]) == ([], [], {})


def test_jd_counts_an_order_of_two_lines_once():
    """Order 202 has 35.00 × 2 and 29.00, of which 89.00 was paid; (删除) was paid back, (锁定) is on hold."""
    assert told(JD) == [
        ("101", "finished", 26_900, 25_800, 0),
        ("202", "finished", 9_900, 8_900, 0),
        ("303", "cancelled", 16_800, 16_800, 16_800),
        ("404", "on_hold", 39_900, 39_900, 0),
        ("505", "shipped", 8_985, 7_985, 0),
    ]


def test_jd_divides_what_was_paid_over_the_lines_to_the_fen():
    """89.00 over 70.00 and 29.00 is 62.92 and 26.08, or 62.93 and 26.07: a fen is never lost."""
    lines = read(JD).frame("order_lines").filter(pl.col("order_id").str.ends_with("202")).sort("row_number")
    assert lines["paid_fen"].sum() == 8_900
    assert lines["paid_fen"].to_list() in ([6_292, 2_608], [6_293, 2_607])


def test_jd_buyers_are_their_pins_and_masked_phones_are_nothing():
    export = read(JD)
    assert export.frame("orders").sort("row_number")["buyer_key"].to_list() == [
        "jd_pin:jd:<jd_linxt>", "jd_pin:jd:<jd_p202abc>", "jd_pin:jd:<jd_chenke3>", "jd_pin:jd:<周小满404>",
        "jd_pin:jd:<jd_linxt>",
    ]  # fmt: skip
    assert export.frame("sightings")["key_type"].unique().to_list() == ["jd_pin"]


def test_jd_2026_has_its_layout_and_the_classic_one_comes_second():
    export = read(JD_2026)
    assert (export.layout, export.runner_up) == ("jd_orders_2026", "jd_orders_classic")
    assert told(JD_2026)[2:] == [
        ("303", "cancelled", 33_600, 16_800, 16_800),
        ("404", "paid", 129_900, 129_900, 0),
        ("505", "shipped", 2_995, 2_995, 0),
    ]


def test_douyin():
    """A sub-order whose 售后状态 is 退款成功 was paid back; closed without a time of payment was never paid."""
    assert told(DOUYIN) == [
        ("101", "finished", 25_800, 22_800, 0),
        ("202", "finished", 9_900, 9_900, 2_900),
        ("303", "closed", 16_800, 0, 0),
        ("404", "closed", 129_900, 119_900, 119_900),
        ("505", "paid", 5_990, 5_990, 0),
    ]


def test_douyin_names_nobody_neither_buyer_nor_promoter():
    export = read(DOUYIN)
    assert export.frame("orders")["buyer_key"].null_count() == 5
    assert {"sightings", "contacts", "consents"} & {*export.tables} == set()
    everything = str([table.rows() for table in frames(export).values()])
    assert "样例密文" not in everything
    assert "样例达人" not in everything


def test_the_name_of_a_douyin_file_tells_when_it_was_exported():
    """1791430000 is 8 October 2026, 03:26:40 in UTC; a name is not believed beyond the receipt."""
    later = utc("2026-10-09T00:00")
    assert read_sample(DOUYIN, received_at=later).exported_at == utc("2026-10-08T03:26:40")
    assert read(DOUYIN).exported_at == LATE


def test_douyin_aftersales_give_back_what_succeeded_alone():
    rows = read("douyin_aftersales_2026.xlsx").frame("refunds").sort("row_number")
    assert rows.select(pl.col("refund_id").str.slice(-3), "refund_state", "refund_fen", "refunded_at").rows() == [
        ("203", "paid_back", 2_900, utc("2026-04-11T04:00")),
        ("404", "paid_back", 119_900, utc("2026-04-05T02:00")),
        ("101", "void", 5_000, None),
        ("102", "void", 0, None),
        ("505", "pending", 1_000, None),
    ]
    assert rows["refund_basis"].unique().to_list() == ["itemised"]


def test_pinduoduo():
    """退款成功 in the state pays back in full; 无售后或售后取消 holds the word 售后 and says nothing."""
    assert told(PDD) == [
        ("101", "finished", 25_800, 22_800, 0),
        ("202", "shipped", 7_000, 6_500, 0),
        ("303", "closed", 16_800, 16_800, 16_800),
        ("404", "closed", 39_900, 39_900, 39_900),
        ("505", "paid", 5_990, 5_990, 0),
        ("606", "cancelled", 2_900, 0, 0),
    ]


def test_a_pinduoduo_order_cancelled_unpaid_is_dated_by_its_number():
    last = read(PDD).frame("orders").sort("row_number").tail(1)
    assert last.select("ordered_at", "paid_at").row(0) == (utc("2026-05-30T16:00"), None)


def test_a_pinduoduo_order_is_one_line():
    lines = read(PDD).frame("order_lines").sort("row_number")
    assert lines.select(pl.col("order_id") == pl.col("line_id")).to_series().all()
    assert lines.select("product_id", "quantity").row(1) == ("600000000002", 2)


def test_qianniu_orders_take_the_time_of_the_order_where_no_time_of_payment_is_picked():
    assert told(QIANNIU) == [
        ("101", "finished", 4_000, 3_400, 0),
        ("202", "shipped", 8_000, 8_000, 0),
        ("303", "unpaid", 2_000, 0, 0),
        ("404", "closed", 6_000, 0, 0),
        ("505", "paid", 15_000, 12_000, 0),
    ]
    times = read(QIANNIU).frame("orders").sort("row_number")
    assert times["paid_at"].is_null().to_list() == [False, False, True, True, False]


def test_qianniu_orders_keep_no_address_that_stands_in_plain_text():
    everything = str([table.rows() for table in frames(read(QIANNIU)).values()])
    assert "周强" not in everything
    assert "13600000505" not in everything


def test_qianniu_items_leave_a_partly_refunded_order_open():
    """Order 202: one sub-order shipped, one closed and paid back with 45.00."""
    assert told(QIANNIU_ITEMS) == [
        ("101", "finished", 4_000, 3_400, 0),
        ("202", "shipped", 8_000, 8_000, 4_500),
        ("404", "closed", 6_000, 6_000, 6_000),
        ("505", "paid", 15_000, 12_000, 0),
    ]


def test_tmall_refunds_are_kept_whatever_became_of_them():
    rows = read("tmall_refunds.xlsx").frame("refunds").sort("row_number")
    assert rows.select("order_id", "refund_id", "refund_state", "refund_fen", "refunded_at", "paid_month").rows() == [
        ("2104477610033580404", "160000000000000404", "paid_back", 39_900, utc("2026-03-12T02:10:10"), "2026-03"),
        ("2104477610033580202", "160000000000000202", "paid_back", 2_900, utc("2026-03-08T02:00"), "2026-03"),
        ("2104477610033580505", "160000000000000505", "pending", 2_995, None, "2026-03"),
        ("2104477610033580606", "160000000000000606", "void", 128_800, None, "2026-03"),
        ("2104477610033580101", "160000000000000101", "void", 2_000, None, "2026-03"),
    ]


def test_wechat_counts_an_order_whose_amount_repeats_once():
    assert told(WECHAT) == [
        ("101", "finished", 25_800, 23_800, 0),
        ("202", "shipped", 7_000, 7_000, 0),
        ("303", "cancelled", 16_800, 0, 0),
        ("404", "cancelled", 129_900, 129_900, 129_900),
        ("505", "paid", 8_985, 8_985, 0),
    ]
    lines = read(WECHAT).frame("order_lines").sort("row_number")["paid_fen"].to_list()
    assert lines[4:] == [8_985, 0]


def test_the_parcels_phone_is_nobodys_key_on_wechat():
    export = read(WECHAT)
    assert export.frame("orders")["buyer_key"].null_count() == 5
    assert "13800000101" not in str([table.rows() for table in frames(export).values()])


def test_kuaishou():
    assert told(KUAISHOU) == [
        ("101", "finished", 25_800, 25_800, 0),
        ("202", "finished", 7_000, 7_000, 0),
        ("303", "closed", 16_800, 0, 0),
        ("404", "closed", 129_990, 129_990, 129_990),
        ("505", "paid", 5_990, 5_990, 0),
        ("606", "shipped", 2_900, 2_900, 0),
    ]


def test_a_part_paid_back_in_free_text_is_flagged_for_a_person_and_not_counted():
    export = read(KUAISHOU)
    assert export.drift["flagged"] == {"a part paid back that stands in 订单备注 alone": [2]}
    assert export.frame("refunds")["order_id"].to_list() == ["2612000000000404"]
    assert "退差价" not in str([table.rows() for table in frames(export).values()])


def test_xiaohongshu():
    """售后完成 pays its line back in full: 29.00 of order 202; 售后处理中 pays nothing back."""
    assert told(XIAOHONGSHU) == [
        ("101", "finished", 25_800, 23_800, 0),
        ("202", "finished", 9_900, 9_900, 2_900),
        ("303", "cancelled", 16_800, 0, 0),
        ("404", "shipped", 39_900, 39_900, 0),
        ("505", "paid", 5_990, 5_990, 0),
    ]
    keys = read(XIAOHONGSHU).frame("orders").sort("row_number")["buyer_key"].to_list()
    assert keys[0] == keys[4] == "xiaohongshu_user:xiaohongshu:<5f00000000000000000000a1>"


@pytest.mark.parametrize("name", [JD_2026, QIANNIU, QIANNIU_ITEMS, WECHAT, KUAISHOU, XIAOHONGSHU, JD, DOUYIN, PDD])
def test_no_receiver_enters_any_table(name: str):
    everything = str([table.rows() for table in frames(read(name)).values()])
    for secret in ("林小彤", "赵一鸣", "示例路", "样例街道", "138****0101", "1******0101"):
        assert secret not in everything

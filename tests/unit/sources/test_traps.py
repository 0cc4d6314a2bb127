"""The deliberate traps of the sample exports, each under its name: the Chinese back offices first, then the others."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from expectations.tables import TABLES
from tasks.sources.read import Export, read_export
from tasks.transforms.orders import net_orders, paid_back
from tests.unit.sources.reading import SAMPLES, balance, context, frames, read_bytes, read_one, read_sample, spill, utc
from tests.unit.sources.sheets import as_if_verified, sheet

LATE = utc("2026-07-01T00:00")
TAOBAO, TMALL_REFUNDS = "taobao_ExportOrderList202603211200.csv", "tmall_refunds.xlsx"
JD, JD_2026 = "jd_orders_19450000.csv", "jd_orders_2026.xlsx"
DOUYIN, DOUYIN_AFTERSALES = "douyin_orders_1791430000.csv", "douyin_aftersales_2026.xlsx"
PDD, YOUZAN = "pdd_orders_export20260601.csv", "youzan_orders_20260601.csv"
WECHAT, KUAISHOU, XIAOHONGSHU = (
    "wechat_shop_orders_2026.xlsx",
    "kuaishou_orders_2026.xlsx",
    "xiaohongshu_orders_2026.xlsx",
)
QIANNIU_ITEMS, TILL = "qianniu_items_2026.xlsx", "pos_cn_UNVERIFIED.csv"
MASKS = (
    "138****1234", "1******6198", "186******05", "136****0404", "136******04", "1******0404", "##样例密文phone",
    "$$样例密文phone", "'136****0404", "\t138****0101", "13800000101-0001", "13800000101转8801",
)  # fmt: skip
"""Every way in which a back office hides a phone: masked, encrypted, or relayed through a virtual number."""


def read(name: str) -> Export:
    return read_sample(name, received_at=LATE)


def read_till() -> Export:
    """The till's sample, its guessed template taken as if its user had checked it."""
    path = SAMPLES / TILL
    return read_export(path, context(path, received_at=LATE), spill(), as_if_verified("pos_cn_pospal"))


def order(name: str, ending: str, *columns: str) -> tuple[object, ...]:
    rows = read(name).frame("orders").filter(pl.col("order_id").str.ends_with(ending))
    return rows.select(columns).row(0)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        (TAOBAO, "nick:taobao:<林间小鹿101>"),
        (JD, "jd_pin:jd:<jd_linxt>"),
        (YOUZAN, "phone::<13800000101>"),
        (XIAOHONGSHU, "xiaohongshu_user:xiaohongshu:<5f00000000000000000000a1>"),
    ],
)
def test_trap_the_same_person_carries_another_key_on_every_channel(name: str, key: str):
    """林小彤 ordered twice on each of them; nothing but the key says that it is one person."""
    assert read(name).frame("orders")["buyer_key"].to_list().count(key) == 2


def test_trap_the_same_person_at_the_till_is_a_member_with_a_phone():
    keys = read_till().frame("sightings").filter(pl.col("record").str.ends_with("930001010001"))
    assert sorted(keys["key"]) == ["member:west_lake:<V000101>", "phone::<13800000101>"]


def test_trap_a_gift_order_carries_another_persons_phone():
    """Youzan 505 goes to 15800000111, the mother of the buyer 13800000101."""
    assert order(YOUZAN, "505", "buyer_key") == ("phone::<13800000101>",)
    assert "15800000111" not in str([table.rows() for table in frames(read(YOUZAN)).values()])


@pytest.mark.parametrize(
    ("name", "ending", "paid", "refunded"),
    [
        (TAOBAO, "202", 9_900, 2_900), (YOUZAN, "202", 9_900, 2_900), (DOUYIN, "202", 9_900, 2_900),
        (XIAOHONGSHU, "202", 9_900, 2_900), (QIANNIU_ITEMS, "202", 8_000, 4_500),
    ],
)  # fmt: skip
def test_trap_partial_refunds_leave_the_rest(name: str, ending: str, paid: int, refunded: int):
    assert order(name, ending, "paid_fen", "refunded_fen") == (paid, refunded)


def test_trap_a_partial_refund_in_free_text_is_not_counted():
    assert order(KUAISHOU, "202", "paid_fen", "refunded_fen") == (7_000, 0)
    assert read(KUAISHOU).drift["flagged"]


@pytest.mark.parametrize(
    ("name", "ending"),
    [(TAOBAO, "303"), (YOUZAN, "303"), (DOUYIN, "303"), (KUAISHOU, "303"), (XIAOHONGSHU, "303"), (PDD, "606")],
)
def test_trap_unpaid_closed_orders_are_worth_nothing_and_refund_nothing(name: str, ending: str):
    assert order(name, ending, "paid_fen", "refunded_fen", "paid_at", "paid_month") == (0, 0, None, None)


def test_trap_an_order_cancelled_before_it_was_delivered_was_paid_back():
    """JD (删除) with a time of payment: 168.00 came in and went back."""
    assert order(JD, "303", "status", "paid_fen", "refunded_fen") == ("cancelled", 16_800, 16_800)


@pytest.mark.parametrize(("name", "ending", "paid"), [(DOUYIN, "505", 5_990), (WECHAT, "505", 8_985)])
def test_trap_a_gift_line_belongs_to_its_order_and_adds_no_purchase(name: str, ending: str, paid: int):
    export = read(name)
    lines = export.frame("order_lines").filter(pl.col("order_id").str.ends_with(ending)).sort("row_number")
    assert lines["paid_fen"].to_list() == [paid, 0]
    assert order(name, ending, "kind", "paid_fen") == ("purchase", paid)


def test_trap_an_order_of_nothing_but_gifts_is_a_gift(tmp_path: Path):
    row = {"订单号": "P1", "订单状态": "已发货", "售后状态": "无售后", "订单类型": "普通订单", "SKU件数": "1",
           "用户编号": "u1", "商品总价(元)": "0", "用户应付金额(元)": "0",
           "支付时间": "2026-05-01 20:00:12"}  # fmt: skip
    lines = [
        row | {"是否为赠品": word, "订单号": number} for number, word in (("P1", "是"), ("P2", "是"), ("P2", "否"))
    ]
    text = sheet("xiaohongshu_orders_2026", *lines, 订单创建时间="2026-05-01 20:00:00")
    kinds = read_bytes(tmp_path, text, received_at=LATE).frame("orders").sort("order_id").select("order_id", "kind")
    assert kinds.rows() == [("P1", "gift"), ("P2", "purchase")]


@pytest.mark.parametrize(
    ("name", "ending", "paid"), [(JD_2026, "404", 129_900), (DOUYIN, "404", 119_900), (KUAISHOU, "404", 129_990)]
)
def test_trap_thousands_separators(name: str, ending: str, paid: int):
    """1,299.00 and 1,199.00 and ¥1,299.90."""
    assert order(name, ending, "paid_fen") == (paid,)


def test_trap_an_amount_says_that_nobody_asked_for_a_refund():
    """`无退款申请` in 退款金额 is no amount, and no fault either."""
    export = read(QIANNIU_ITEMS)
    assert (export.rows_refused, export.money_unreadable) == (0, 0)
    assert export.frame("refunds")["refund_fen"].sum() == 10_500


def test_trap_an_amount_carries_a_remark():
    assert read_one("499.00（系统计算中，该值仅供参考）", parse="money") == (49_900, None)


@pytest.mark.parametrize("text", MASKS)
def test_trap_masked_phones_are_neither_keys_nor_faults(text: str):
    assert read_one(text, parse="phone") == (None, None)


def test_trap_masked_phones_that_collide_make_nobody_the_same(tmp_path: Path):
    """136****0404, 136******04 and 1******0404 may be one person or three: all three are nobody."""
    row = {"订单状态": "已发货", "订单创建时间": "2026-05-02 10:01:00", "买家付款时间": "2026-05-02 10:01:30",
           "商品金额合计": "258.00", "订单实付金额": "238.00", "订单已退款金额": "0.00", "运费": "0",
           "订单类型": "普通订单"}  # fmt: skip
    rows = [row | {"订单号": f"E{n}", "买家手机号": text} for n, text in enumerate(MASKS)]
    export = read_bytes(tmp_path, sheet("youzan_orders_2026", *rows), received_at=LATE)
    assert export.frame("orders")["buyer_key"].null_count() == len(MASKS)
    assert {"sightings", "contacts"} & {*export.tables} == set()
    assert (list(export.contacts), export.drift["unusable"]) == (
        [], {"buyer_phone": {"encrypted": 2, "masked": 8, "virtual": 2}},
    )  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_trap_emoji_nicknames_are_the_same_person_in_both_encodings(tmp_path: Path, encoding: str):
    row = {"订单编号": "1", "买家会员名": "一鸣😀", "总金额": "9.90", "买家应付邮费": "0", "买家实际支付金额": "9.90",
           "订单状态": "交易成功", "订单创建时间": "2026-03-02 10:15:22",
           "订单付款时间": "2026-03-02 10:16:05"}  # fmt: skip
    export = read_bytes(tmp_path, sheet("taobao_order_list_classic", row).encode(encoding), received_at=LATE)
    assert export.frame("orders")["buyer_key"].to_list() == ["nick:taobao:<一鸣😀>"]


def test_trap_a_till_returns_goods_with_a_negative_quantity():
    """退货单 of -1 piece and -29.00 takes 29.00 back under its own number, and is no sale of less than nothing."""
    export = read_till()
    assert (export.rows_read, export.rows_refused, balance(export)) == (5, 0, (0, 0))
    refunds = export.frame("refunds").select("order_id", "refund_basis", "refund_fen", "refunded_on")
    assert refunds.rows() == [("202605021100001010003", "itemised", 2_900, date(2026, 5, 2))]


def test_trap_money_put_on_a_card_is_no_purchase():
    """会员充值 of 500.00 is a top-up: money of the till, spend of nobody."""
    orders = read_till().frame("orders").sort("row_number").select("order_id", "kind", "paid_fen")
    assert orders.rows() == [
        ("202605010930001010001", "purchase", 6_400),
        ("202605011000001010002", "purchase", 15_120),
        ("202605021100001010003", "purchase", 0),
        ("202605031200001010004", "topup", 50_000),
    ]


def test_trap_the_receipts_total_repeats_on_its_lines():
    """64.00 + 151.20 - 29.00 + 500.00, though 64.00 stands on two lines."""
    assert read_till().money_read_fen == 68_620


def _net(as_of: date, *exports: Export) -> dict[str, int]:
    """Order by the end of its number to what it was worth at a date."""
    orders, refunds = (
        pl.concat([e.frame(name) for e in exports if name in e.tables]) for name in ("orders", "refunds")
    )
    nobody = TABLES["identities"].empty()
    net = net_orders(orders.lazy(), paid_back(refunds.lazy()), nobody, as_of=as_of)
    return dict(net.select(pl.col("order_id").str.slice(-3), "net_fen").sort("order_id").collect().iter_rows())


def test_trap_two_files_tell_of_one_refund_and_it_counts_once():
    """29.00 and 399.00 stand on the list and in the refund file; what is asked for or refused takes nothing off."""
    both = _net(date(2026, 3, 31), read(TAOBAO), read(TMALL_REFUNDS))
    assert both == {"101": 25_800, "202": 7_000, "404": 0, "505": 5_990, "606": 128_800}


def test_trap_a_refund_counts_from_its_own_day_where_a_file_gives_one():
    """The list of 21 March shows 29.00; the refund file says that it went back on the 8th."""
    before, after = date(2026, 3, 7), date(2026, 3, 8)
    lists, refunds = read(TAOBAO), read(TMALL_REFUNDS)
    assert (_net(before, lists, refunds)["202"], _net(after, lists, refunds)["202"]) == (9_900, 7_000)
    assert _net(after, lists)["202"] == 9_900


def test_trap_a_word_gives_way_to_the_amount_of_the_aftersales_file():
    """Douyin says 退款成功 on two sub-orders; the after-sales file dates and counts them."""
    day = date(2026, 4, 11)
    orders, aftersales = read(DOUYIN), read(DOUYIN_AFTERSALES)
    assert _net(day, orders, aftersales) == {"101": 22_800, "202": 7_000, "404": 0, "505": 5_990}
    assert _net(day, orders) == {"101": 22_800, "202": 9_900, "404": 119_900, "505": 5_990}
    assert _net(date(2026, 7, 1), orders) == {"101": 22_800, "202": 7_000, "404": 0, "505": 5_990}


XIAOTONG = {
    "shopify_orders_export_1.csv": "phone::<13800000101>",
    "shopify_customers_export.csv": "phone::<13800000101>",
    "woocommerce_orders-2026-06-01.csv": "phone::<13800000101>",
    "sensors_events.jsonl": "user_id:qinghe_mall:<U101>",
    "segment_events.jsonl": "user_id:qinghe_mall:<U101>",
    "ga4_bigquery_export.jsonl": "user_id:qinghe_mall:<U101>",
    "wecom_external_contacts.jsonl": "unionid:qinghe:<oSAMPLEunion0101>",
    "wecom_customer_list.xlsx": "phone::<13800000101>",
}
"""林小彤 wherever she is seen; `'+8613800000101` is what Shopify prints."""


@pytest.mark.parametrize(("name", "key"), XIAOTONG.items())
def test_trap_one_person_in_shops_events_and_contacts(name: str, key: str):
    assert key in read(name).frame("sightings")["key"].to_list()


def test_trap_two_advisers_know_the_same_customer():
    follows = read("wecom_external_contacts.jsonl").frame("follows")
    of_her = follows.filter(pl.col("customer_key") == "unionid:qinghe:<oSAMPLEunion0101>")
    assert sorted(of_her["adviser_id"]) == ["likf", "wangdg"]


@pytest.mark.parametrize("name", ["shopify_orders_export_1.csv", "woocommerce_orders-2026-06-01.csv",
                                  "wecom_external_contacts.jsonl", YOUZAN])  # fmt: skip
def test_trap_one_phone_in_four_spellings(name: str):
    """赵一鸣: `139 0000 0202`, `+86 139-0000-0202`, plain in a list, and plain in a cell."""
    assert "phone::<13900000202>" in read(name).frame("sightings")["key"].to_list()


def test_trap_the_one_who_replies_r_is_heard_under_the_same_key():
    """In two channels, by two spellings and in full width; none of them buys under another key."""
    refusals = read("aliyun_sms_up.json").frame("consents")
    assert refusals.filter(pl.col("subject") == "phone::<13900000202>")["decision"].to_list() == ["withdrawn"]
    assert "phone::<13700000303>" in refusals["subject"].to_list()


def test_trap_a_message_id_that_comes_twice_is_one_event():
    events = read("segment_events.jsonl").frame("events").filter(pl.col("event_id") == "seg-3")
    assert (events.height, events["content_hash"].n_unique()) == (2, 1)


def test_trap_a_customer_without_unionid_is_named_by_the_external_userid():
    keys = read("wecom_external_contacts.jsonl").frame("follows")["customer_key"].to_list()
    assert "external_userid:qinghe:<wmSAMPLEAAAAAAAAAAAAAAAAAAAA0303>" in keys


def test_trap_a_contact_says_follow_info_instead_of_follow_user():
    row = read("wecom_external_contacts.jsonl").frame("follows").filter(pl.col("row_number") == 5)
    assert row.select("adviser_id", "customer_key", "add_way").row(0) == (
        "likf", "unionid:qinghe:<oSAMPLEunion0606>", "10",
    )  # fmt: skip


def test_trap_order_cells_go_blank_or_repeat_and_count_once():
    """Shopify leaves them blank on the second line, WooCommerce repeats them: 310.00 and 328.00 either way."""
    shopify, woo = read("shopify_orders_export_1.csv"), read("woocommerce_orders-2026-06-01.csv")
    assert shopify.frame("orders").filter(pl.col("order_id") == "#1001")["paid_fen"].to_list() == [31_000]
    assert woo.frame("orders").filter(pl.col("order_id") == "3001")["paid_fen"].to_list() == [32_800]


def test_trap_a_refund_at_the_till_is_a_row_of_its_own():
    """-$12.00 is 12.00 that went back on 2 May, and no purchase."""
    export = read("square_transactions-2026-05.csv")
    assert export.frame("refunds").select("refund_id", "refund_fen", "refunded_on").row(0) == (
        "TXA3", 1_200, date(2026, 5, 2),
    )  # fmt: skip
    assert _net(date(2026, 5, 31), export) == {"XA1": 2_700, "XA2": 129_900, "XA4": 6_000, "XA5": 2_500}

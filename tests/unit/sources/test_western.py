"""The Shopify, WooCommerce, Square and Magento exports, with money counted by hand."""

from datetime import date
from pathlib import Path

import pytest

from tasks.sources.read import Export
from tests.unit.sources.reading import balance, read_bytes, read_sample, rules, utc
from tests.unit.sources.sheets import sheet

SHOPIFY, CUSTOMERS = "shopify_orders_export_1.csv", "shopify_customers_export.csv"
WOO, SQUARE = "woocommerce_orders-2026-06-01.csv", "square_transactions-2026-05.csv"
MAGENTO = "magento_orders_export.csv"
WORTH = ("order_id", "status", "gross_fen", "paid_fen", "refunded_fen")


def select(export: Export, table: str, *columns: str) -> list[tuple[object, ...]]:
    return export.frame(table).sort("row_number", maintain_order=True).select(columns).rows()


def test_shopify_orders():
    """Paid for goods is the subtotal, 310.00 of 320.00 in #1001; voided is nothing paid."""
    export = read_sample(SHOPIFY)
    assert (export.layout, export.runner_up, export.shop_id) == ("shopify_orders", None, "qinghe_us")
    assert select(export, "orders", *WORTH, "freight_fen", "fees_fen") == [
        ("#1001", "paid", 31_000, 31_000, 0, 1_000, 0),
        ("#1002", "paid", 9_900, 9_900, 2_900, 0, 0),
        ("#1003", "cancelled", 16_800, 0, 0, 0, 0),
        ("#1004", "paid", 39_900, 39_900, 0, 0, 0),
    ]


def test_shopify_money_balances_and_another_currency_is_refused():
    """320.00 + 99.00 + 168.00 + 399.00 in yuan; 68.90 dollars are not 68.90 yuan, and their row is refused."""
    export = read_sample(SHOPIFY)
    assert (export.money_read_fen, export.money_refused_fen, rules(export)) == (105_490, 6_890, {"foreign_currency": 1})
    assert balance(export) == (0, 0)


def test_a_shopify_refund_gives_tax_and_freight_back_too():
    """#1005: 68.90 went back, 59.90 of it for goods, 5.00 for freight and 4.00 for tax."""
    export = read_sample(SHOPIFY, currency="USD")
    (order,) = select(export, "orders", *WORTH, "kind", "buyer_key", "paid_at")
    assert order == (
        "#1005", "closed", 5_990, 5_990, 6_890, "wholesale", "email::<jane.sample@example.com>",
        utc("2026-05-18T07:00:00"),
    )  # fmt: skip
    assert rules(export) == {"foreign_currency": 5}


def test_shopify_order_cells_that_go_blank_are_the_orders():
    """#1001: the second line names no buyer, no time and no total; it shares the order's 310.00 by its 70.00."""
    lines = select(
        read_sample(SHOPIFY), "order_lines", "order_id", "product_id", "quantity", "paid_fen", "row_money_fen"
    )
    assert lines[:2] == [("#1001", "QH-SJT-01", 1, 24_000, 32_000), ("#1001", "QH-BZT-02", 2, 7_000, 0)]


def test_shopify_buyers_have_an_address_and_a_phone():
    seen = select(read_sample(SHOPIFY), "sightings", "key", "record")
    assert seen[:2] == [
        ("email::<lin.xt@example.com>", "order:shopify:qinghe_us:#1001"),
        ("phone::<13800000101>", "order:shopify:qinghe_us:#1001"),
    ]


def test_an_order_discount_is_taken_off_the_lines_in_proportion(tmp_path: Path):
    """89.00 paid for lines of 70.00 and 29.00: 62.92 and 26.08. A part payment is a deposit, and no order yet."""
    common = {"Name": "#7", "Created at": "2026-05-14 11:23:40 +0800", "Lineitem quantity": "1"}
    order = {"Financial Status": "paid", "Paid at": "2026-05-14 11:23:45 +0800", "Currency": "CNY", "Subtotal": "89.00",
             "Shipping": "0.00", "Taxes": "0.00", "Total": "89.00", "Refunded Amount": "0.00"}  # fmt: skip
    rows = [
        order | {"Lineitem name": "A", "Lineitem price": "70.00"},
        {"Lineitem name": "B", "Lineitem price": "29.00"},
    ]
    export = read_bytes(tmp_path, sheet("shopify_orders", *rows, **common))
    assert select(export, "order_lines", "product_name", "paid_fen") == [("A", 6_292), ("B", 2_608)]
    deposit = [rows[0] | {"Financial Status": "partially_paid", "Paid at": ""}, rows[1]]
    export = read_bytes(tmp_path, sheet("shopify_orders", *deposit, **common))
    assert select(export, "orders", "status", "paid_fen", "paid_at") == [("unpaid", 0, None)]


def test_a_shopify_tick_is_consent_to_e_mail_alone():
    assert select(read_sample(SHOPIFY), "consents", "subject", "touch_channel", "decision", "decided_at")[:2] == [
        ("email::<lin.xt@example.com>", "email", "granted", utc("2026-05-14T03:23:40")),
        ("email::<zhao.ym@example.com>", "email", "withdrawn", utc("2026-05-15T00:59:50")),
    ]


def test_shopify_customers():
    """139 0000 0202 is where parcels go, and no phone of 赵一鸣's; +1 202-555-0143 is Jane's own."""
    export = read_sample(CUSTOMERS)
    assert (export.layout, balance(export)) == ("shopify_customers", (0, 0))
    phones = [key for (key,) in select(export, "sightings", "key") if str(key).startswith("phone")]
    assert phones == ["phone::<13800000101>", "phone::<+12025550143>", "phone::<15000000606>"]
    assert select(export, "members", "member_key", "province", "source_tags")[3] == (
        "shopify_customer:qinghe_us:<7210000000505>", "MA", "wholesale|vip",
    )  # fmt: skip
    assert "Default Address Phone" not in export.drift["extra"]


def test_consents_without_a_date_never_outweigh_a_no_that_has_one():
    """A yes is dated at the beginning of time, a no at the export, which was received on 3 June."""
    said = select(read_sample(CUSTOMERS), "consents", "subject", "touch_channel", "decision", "decided_at")
    beginning, export = utc("2000-01-01T00:00"), utc("2026-06-03T00:00")
    assert [row for row in said if row[1] == "sms"] == [
        ("phone::<13800000101>", "sms", "granted", beginning),
        ("shopify_customer:qinghe_us:<7210000000202>", "sms", "withdrawn", export),
        ("shopify_customer:qinghe_us:<7210000000303>", "sms", "withdrawn", export),
        ("phone::<+12025550143>", "sms", "granted", beginning),
        ("phone::<15000000606>", "sms", "granted", beginning),
    ]


def test_woocommerce_orders():
    """Totals repeat on every line and count once: 328 + 99 + 168 + 399 + 59.90."""
    export = read_sample(WOO)
    assert (export.layout, export.money_read_fen, balance(export)) == ("woocommerce_orders", 105_390, (0, 0))
    assert select(export, "orders", *WORTH) == [
        ("3001", "finished", 32_800, 32_800, 0),
        ("3002", "closed", 9_900, 9_900, 9_900),
        ("3003", "cancelled", 16_800, 0, 0),
        ("3004", "paid", 39_900, 39_900, 0),
        ("3005", "on_hold", 5_990, 0, 0),
    ]
    assert export.drift["unusable"] == {"phone": {"unreadable": 1}}


def test_woocommerce_lines_share_the_orders_money():
    """What was refunded has 0 pieces left, and yet was sold for 99.00."""
    lines = select(read_sample(WOO), "order_lines", "order_id", "line_id", "quantity", "gross_fen", "paid_fen")
    assert lines[:3] == [
        ("3001", "1", 1, 25_800, 25_800),
        ("3001", "2", 2, 7_000, 7_000),
        ("3002", "1", 0, 9_900, 9_900),
    ]


@pytest.mark.parametrize(
    ("word", "status"),
    [("Completo", "finished"), ("wc-completed", "finished"), ("En cours", "paid"), ("已退款", "closed"),
     ("Zahlung ausstehend", "unpaid"), ("Fallito", "cancelled"), ("In attesa", "on_hold")],
)  # fmt: skip
def test_woocommerce_statuses_in_other_languages(tmp_path: Path, word: str, status: str):
    row = {"Order Number": "1", "Order Status": word, "Order Date": "2026-05-20 10:11", "Order Total Amount": "9.90",
           "Order Subtotal Amount": "9.90", "Item #": "1", "Quantity (- Refund)": "1", "Item Cost": "9.90"}  # fmt: skip
    export = read_bytes(tmp_path, sheet("woocommerce_advanced_order_export", row))
    assert select(export, "orders", "status") == [(status,)]


def test_square_transactions():
    """27.00 + 1,299.00 - 12.00 + 60.00 + 25.00; a refund does not say which sale it returns."""
    export = read_sample(SQUARE)
    assert (export.layout, export.money_read_fen, balance(export)) == ("square_transactions", 139_900, (0, 0))
    assert select(export, "orders", *WORTH) == [
        ("TXA1", "finished", 3_000, 2_700, 0),
        ("TXA2", "finished", 129_900, 129_900, 0),
        ("TXA3", "closed", 0, 0, 0),
        ("TXA4", "finished", 6_000, 6_000, 0),
        ("TXA5", "finished", 2_500, 2_500, 0),
    ]
    assert select(export, "refunds", "refund_id", "refund_basis", "refund_fen", "refunded_at") == [
        ("TXA3", "itemised", 1_200, utc("2026-05-02T13:00"))
    ]
    assert export.drift["flagged"] == {"a refund that does not say which sale it returns": [3]}


def test_square_clocks_are_those_of_the_zone_that_the_row_names():
    """10:02:11 and 2:30:00 PM in New York, 4 hours behind UTC; the latter is the next day in Shanghai."""
    times = select(read_sample(SQUARE), "orders", "paid_at", "paid_on")
    assert (times[0], times[3]) == (
        (utc("2026-05-01T14:02:11"), date(2026, 5, 1)),
        (utc("2026-05-03T18:30:00"), date(2026, 5, 4)),
    )


def test_square_with_fewer_columns(tmp_path: Path):
    """Net sales are goods; tax and tip stand beside them."""
    headers = ["Date", "Time", "Time Zone", "Gross Sales", "Discounts", "Net Sales", "Tax", "Tip", "Total Collected",
               "Transaction ID", "Event Type", "Customer ID"]  # fmt: skip
    row = {"Date": "10/05/2026", "Time": "2:30:00 PM", "Time Zone": "Arizona", "Gross Sales": "$1,299.00",
           "Discounts": "($99.00)", "Net Sales": "$1,200.00", "Tax": "$96.00", "Tip": "$4.00",
           "Total Collected": "$1,300.00", "Transaction ID": "T1", "Event Type": "Payment",
           "Customer ID": "C1"}  # fmt: skip
    export = read_bytes(tmp_path, sheet(headers, row), received_at=utc("2026-12-01T00:00"))
    assert (export.rows_refused, export.drift["missing"]) == (0, [])
    assert select(export, "orders", "paid_fen", "fees_fen", "paid_at") == [(120_000, 10_000, utc("2026-10-05T21:30"))]


def test_square_items_are_lines_and_a_returned_one_counts_nothing(tmp_path: Path):
    common = {"Time Zone": "Arizona", "Date": "2026-05-01", "Time": "10:00:00", "Price Point Name": "Regular"}
    sold = {"Transaction ID": "T1", "Event Type": "Payment", "Item": "Candle", "Category": "Home", "SKU": "C-1",
            "Qty": "2.0", "Gross Sales": "$30.00", "Discounts": "-$3.00", "Net Sales": "$27.00"}  # fmt: skip
    back = sold | {"Transaction ID": "T2", "Event Type": "Refund", "Qty": "-1.0", "Gross Sales": "-$15.00",
                   "Discounts": "$0.00", "Net Sales": "-$15.00"}  # fmt: skip
    export = read_bytes(tmp_path, sheet("square_items_35col", sold, back, **common))
    assert (export.layout, export.money_read_fen, balance(export)) == ("square_items", 1_200, (0, 0))
    assert select(export, "order_lines", "order_id", "quantity", "gross_fen", "paid_fen") == [
        ("T1", 2, 3_000, 2_700), ("T2", 0, 0, 0),
    ]  # fmt: skip
    assert select(export, "products", "product_id", "category") == [("C-1", "Home")]


def test_magento_orders():
    """320.0000 + 99.0000 + 168.0000 + 68.9000 + 1299.0000; freight is taken off what was paid."""
    export = read_sample(MAGENTO)
    assert (export.layout, export.money_read_fen, balance(export)) == ("magento_orders", 195_490, (0, 0))
    assert select(export, "orders", *WORTH, "kind") == [
        ("000000101", "finished", 31_000, 31_000, 0, "purchase"),
        ("000000202", "closed", 9_900, 9_900, 9_900, "purchase"),
        ("000000303", "cancelled", 16_800, 0, 0, "purchase"),
        ("000000404", "paid", 5_990, 5_990, 0, "wholesale"),
        ("000000505", "unpaid", 129_900, 0, 0, "purchase"),
    ]
    assert select(export, "orders", "ordered_at")[:2] == [(utc("2026-05-14T03:23:45"),), (utc("2026-05-14T17:00"),)]

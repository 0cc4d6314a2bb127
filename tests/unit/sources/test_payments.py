"""How an order was paid: the words of back offices and plugins, and what a row's hash makes of them."""

from pathlib import Path

import pytest

from tasks.sources.canonical import content_hash_of
from tests.unit.sources.reading import frames, read_bytes, read_one, read_sample
from tests.unit.sources.sheets import sheet
from tests.unit.sources.test_chinese_variants import TAOBAO_ROW

WORDS = {"parse": "code", "codes": "payments", "prefixes": "payments", "otherwise": "other"}


@pytest.mark.parametrize(("text", "code"), [
    ("支付宝", "alipay"), ("\t支付宝", "alipay"), ("微信支付-小程序", "wechat"), ("WeChat Pay", "wechat"),
    ("货到付款", "cod"), ("Cash on delivery (COD)", "cod"), ("Credit Card (Stripe)", "card"), ("云闪付", "card"),
    ("Shopify Payments", "card"), ("braintree", "card"), ("paypal_express", "other"), ("现金", "other"),
    ("抖音支付", "other"), ("月光宝盒", "other"), ("在线支付", None), ("-", None), ("", None),
])  # fmt: skip
def test_a_word_of_payment_is_one_of_five_or_says_nothing(text: str, code: str | None):
    assert read_one(text, **WORDS) == (code, None)


def test_a_sample_of_shops_east_and_west():
    paid = {
        name: read_sample(name, currency=currency).frame("orders")["payment_method"].to_list()
        for name, currency in (("youzan_orders_20260601.csv", "CNY"), ("magento_orders_export.csv", "USD"))
    }
    assert paid == {
        "youzan_orders_20260601.csv": ["wechat", "wechat", None, "wechat", "wechat", "wechat"],
        "magento_orders_export.csv": ["other", "card", "other", "other", "other"],
    }


def test_the_details_of_taobao_name_the_method_and_a_row_that_says_none_has_the_hash_that_it_always_had(tmp_path: Path):
    cells = ["", "交易号：5|x", "支付方式：支付宝|交易号：2026", "交易号：1|支付方式:货到付款"]
    told = [
        frames(read_bytes(tmp_path, sheet("taobao_order_list_2021_db", TAOBAO_ROW | {"支付详情": cell})))["orders"]
        for cell in cells
    ]
    assert [rows["payment_method"].item() for rows in told] == [None, None, "alipay", "cod"]
    hashes = [rows["content_hash"].item() for rows in told]
    assert hashes[0] == hashes[1]
    assert len({*hashes}) == 3
    assert hashes == [rows.select(content_hash_of("orders")).item() for rows in told]

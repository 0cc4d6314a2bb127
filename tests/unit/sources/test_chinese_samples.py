"""The Taobao, Youzan and WeCom samples row by row, with money counted by hand."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from tasks.errors import BadFileError
from tasks.sources.read import Export
from tests.unit.sources.reading import SAMPLES, balance, frames, read_bytes, read_sample, rules, utc

TAOBAO = "taobao_ExportOrderList202603211200.csv"
ITEMS = "taobao_ExportOrderDetailList202603211200.csv"
YOUZAN = "youzan_orders_20260601.csv"
CUSTOMERS = "youzan_customers_20260601.csv"
WECOM = "wecom_external_contacts.jsonl"
ORDER = "21044776100335801"


def select(export: Export, table: str, *columns: str) -> list[tuple[object, ...]]:
    return export.frame(table).sort("row_number", maintain_order=True).select(columns).rows()


def test_taobao_orders():
    """Paid for goods: 107.00 less 8.00 freight is 99.00; unpaid is 0; closed with money paid is refunded in full."""
    export = read_sample(TAOBAO)
    assert (export.layout, export.encoding, export.shop_id) == ("taobao_orders_classic", "gb18030", "qinghe_tmall")
    assert select(export, "orders", "order_id", "status", "gross_fen", "paid_fen", "freight_fen", "refunded_fen") == [
        ("2104477610033580101", "finished", 25_800, 25_800, 0, 0),
        ("2104477610033580202", "finished", 9_900, 9_900, 800, 2_900),
        ("2104477610033580303", "closed", 16_800, 0, 0, 0),
        ("2104477610033580404", "closed", 39_900, 39_900, 0, 39_900),
        ("2104477610033580505", "shipped", 5_990, 5_990, 600, 0),
        ("2104477610033580606", "paid", 128_800, 128_800, 0, 0),
    ]


def test_taobao_buyers_are_nicks_and_a_masked_one_is_nobody():
    assert [key for (key,) in select(read_sample(TAOBAO), "orders", "buyer_key")] == [
        "nick:taobao:<林间小鹿101>", "nick:taobao:<zhao_yiming_88>", "nick:taobao:<陈陈陈303>", None,
        "nick:taobao:<林间小鹿101>", "nick:taobao:<孙小样606>",
    ]  # fmt: skip


def test_taobao_times_are_beijing_wall_clock():
    """The last order was paid 31 seconds after midnight in Shanghai, the day before in UTC."""
    export = read_sample(TAOBAO)
    assert select(export, "orders", "paid_at", "paid_on", "paid_month")[5] == (
        utc("2026-03-20T16:00:31"),
        date(2026, 3, 21),
        "2026-03",
    )
    assert select(export, "orders", "paid_at", "paid_on", "paid_month")[2] == (None, None, None)


def test_taobao_money_balances_to_the_fen():
    """258.00 + 107.00 + 0.00 + 399.00 + 65.90 + 1288.00."""
    export = read_sample(TAOBAO)
    assert (export.rows_read, export.money_read_fen, export.money_unreadable) == (6, 211_790, 0)
    assert balance(export) == (0, 0)


def test_taobao_refunds_take_the_time_of_the_export():
    export = read_sample(TAOBAO)
    assert export.exported_at == utc("2026-03-21T04:00")
    assert select(export, "refunds", "refund_id", "refund_fen", "refunded_at", "paid_month") == [
        ("2104477610033580202", 2_900, utc("2026-03-21T04:00"), "2026-03"),
        ("2104477610033580404", 39_900, utc("2026-03-21T04:00"), "2026-03"),
    ]


def test_a_later_export_of_the_same_refund_is_no_new_version():
    first, later = read_sample(TAOBAO), read_sample(TAOBAO, exported_at=utc("2026-04-01T00:00"))
    assert select(first, "refunds", "content_hash") == select(later, "refunds", "content_hash")
    assert select(first, "orders", "content_hash") == select(later, "orders", "content_hash")


def test_the_parcel_phone_of_a_marketplace_is_neither_key_nor_contact():
    export = read_sample(TAOBAO)
    assert export.frame("contacts").is_empty()
    assert export.frame("sightings")["key_type"].unique().to_list() == ["nick"]
    assert "consents" not in export.tables


def test_receivers_addresses_and_remarks_stay_in_the_file():
    told = str([table.rows() for table in frames(read_sample(TAOBAO)).values()])
    for secret in ("林小彤", "西湖区", "麻烦周末送", "13800000101", '小样""一份', "lin***"):
        assert secret not in told


def test_taobao_sightings_are_on_orders_at_their_own_time():
    assert select(read_sample(TAOBAO), "sightings", "record", "evidence_rank", "key_role", "seen_at")[0] == (
        "order:taobao:qinghe_tmall:2104477610033580101",
        3,
        "identity",
        utc("2026-03-02T02:15:22"),
    )


def test_taobao_items_are_lines_without_orders():
    """258.00 + 35.00 + 29.00 + 168.00 + 399.00 + 29.95 + 1288.00 in the price column."""
    export = read_sample(ITEMS)
    assert (export.layout, list(export.tables), export.money_read_fen) == (
        "taobao_items_classic", ["order_lines"], 220_695,
    )  # fmt: skip
    assert select(export, "order_lines", "order_id", "product_id", "quantity", "paid_fen")[1:3] == [
        ("2104477610033580202", "QH-BZT-02", 2, 7_000),
        ("2104477610033580202", "QH-LZ-07", 1, 2_900),
    ]
    assert export.frame("order_lines")["line_id"].n_unique() == 7
    assert balance(export) == (0, 0)


def test_youzan_orders():
    """An order closed unpaid prints what it would have cost: paid is 0. `交易完成` is finished."""
    export = read_sample(YOUZAN)
    assert select(export, "orders", "order_id", "status", "gross_fen", "paid_fen", "refunded_fen", "buyer_key") == [
        ("E20260502100100000000101", "finished", 25_800, 23_800, 0, "phone::<13800000101>"),
        ("E20260503100100000000202", "finished", 9_900, 9_900, 2_900, "phone::<13900000202>"),
        ("E20260504100100000000303", "closed", 16_800, 0, 0, None),
        ("E20260505100100000000404", "shipped", 39_900, 39_900, 0, "phone::<13600000404>"),
        ("E20260506100100000000505", "paid", 5_990, 5_990, 0, "phone::<13800000101>"),
        ("E20260507100100000000606", "closed", 128_800, 128_800, 128_800, "phone::<15000000606>"),
    ]


def test_youzan_money_balances_to_the_fen():
    """238.00 + 99.00 + 168.00 + 399.00 + 59.90 + 1288.00."""
    export = read_sample(YOUZAN)
    assert (export.money_read_fen, balance(export)) == (225_190, (0, 0))


def test_the_receiver_of_a_gift_is_not_the_buyer():
    """Order 505 went to the buyer's mother, 15800000111."""
    values = read_sample(YOUZAN).frame("contacts")["value"].to_list()
    assert values == ["13800000101", "13900000202", "13600000404", "15000000606"]


def test_a_name_with_a_date_alone_means_the_end_of_that_day_or_the_receipt():
    assert read_sample(YOUZAN).exported_at == utc("2026-06-01T15:59:59")
    noon = utc("2026-06-01T04:00")
    assert read_sample(YOUZAN, received_at=noon).exported_at == noon
    assert read_sample(YOUZAN, exported_at=utc("2026-06-01T00:00")).exported_at == utc("2026-06-01T00:00")


def test_youzan_customers():
    """Blank and masked phones are no keys: those profiles stand under a key of their own record."""
    export = read_sample(CUSTOMERS)
    assert select(export, "members", "member_key", "gender", "birth_month", "source_tags", "province") == [
        ("phone::<13800000101>", "female", "05", "老客|四件套", "浙江"),
        ("phone::<13900000202>", "male", None, None, "江苏"),
        ("youzan_record:qinghe_mall:<沙拉\x1f1776226889000000>", "other", None, None, "北京"),
        ("youzan_record:qinghe_mall:<满满\x1f1695301765000000>", "female", None, None, "四川"),
        ("phone::<15000000606>", None, "11", "退款用户", "北京"),
    ]
    assert [key for (key,) in select(export, "sightings", "key")] == [
        "phone::<13800000101>", "phone::<13900000202>", "phone::<15000000606>",
    ]  # fmt: skip
    assert (balance(export), export.drift["unusable"]) == ((0, 0), {"phone": {"masked": 1}})


def test_youzan_customers_have_contacts_and_no_consent():
    export = read_sample(CUSTOMERS)
    assert export.frame("contacts").filter(contact_type="name")["value"].to_list() == ["林小彤", "赵一鸣", "孙小样"]
    assert export.frame("contacts").filter(contact_type="phone").height == 3
    assert "consents" not in export.tables


def test_wecom_follows():
    """Five customers, six follows; the last line says follow_info, the third and fourth have no unionid."""
    export = read_sample(WECOM)
    assert select(export, "follows", "adviser_id", "customer_key", "followed_at", "add_way", "source_tags") == [
        ("wangdg", "unionid:qinghe:<oSAMPLEunion0101>", utc("2025-11-02T02:10:10"), "1", "VIP"),
        ("likf", "unionid:qinghe:<oSAMPLEunion0101>", utc("2026-03-05T04:00:00"), "3", "沉默"),
        ("wangdg", "unionid:qinghe:<oSAMPLEunion0202>", utc("2026-01-05T04:00:00"), "2", None),
        ("likf", "external_userid:qinghe:<wmSAMPLEAAAAAAAAAAAAAAAAAAAA0303>", utc("2026-04-01T01:00:00"), "4", None),
        ("wangdg", "external_userid:qinghe:<woSAMPLEAAAAAAAAAAAAAAAAAAAA0909>", utc("2026-04-02T01:00:00"), "16", None),
        ("likf", "unionid:qinghe:<oSAMPLEunion0606>", utc("2026-04-03T00:53:20"), "10", "etSAMPLEtag02"),
    ]
    assert (export.rows_read, balance(export)) == (5, (0, 0))


def test_wecom_phones_typed_by_staff_reach_a_person_but_do_not_define_them():
    phones = read_sample(WECOM).frame("sightings").filter(key_type="phone").sort("row_number", "key")
    assert phones.select("key", "key_role", "evidence_rank", "row_number").rows() == [
        ("phone::<13800000101>", "contact", 4, 1),
        ("phone::<13900000202>", "contact", 4, 2),
        ("phone::<15000000222>", "contact", 4, 2),
        ("phone::<13300000909>", "contact", 4, 4),
        ("phone::<15000000606>", "contact", 4, 5),
    ]


def test_wecom_sees_a_customer_of_two_advisers_once_at_the_earlier_time():
    seen = read_sample(WECOM).frame("sightings").filter(row_number=1, key_type="unionid")
    assert seen.select("record", "seen_at").rows() == [("member:wecom:<oSAMPLEunion0101>", utc("2025-11-02T02:10:10"))]


def test_wecom_names_and_remarks_stay_in_the_file():
    told = str([table.rows() for table in frames(read_sample(WECOM)).values()])
    for secret in ("小鹿", "林小彤", "四件套老客", "张经理", "样例科技"):
        assert secret not in told


@pytest.mark.parametrize("name", [TAOBAO, ITEMS, YOUZAN, CUSTOMERS])
def test_columns_and_rows_in_any_order_give_the_same_rows(name: str, tmp_path: Path):
    export, turned = read_sample(name), read_bytes(tmp_path, _turned(name), name)
    assert turned.encoding == "utf-8"
    for table, rows in frames(export).items():
        same = [pl.exclude("row_number", "file_sha256")]
        expected, found = rows.select(same), turned.frame(table).select(same)
        assert found.sort(found.columns).equals(expected.sort(expected.columns))


def _turned(name: str) -> bytes:
    """The sample with its columns turned round, its rows upside down, and in UTF-8."""
    raw = (SAMPLES / name).read_bytes()
    text = raw.decode("utf-8-sig" if name.startswith("youzan") else "gb18030")
    frame = pl.read_csv(text.encode(), has_header=False, infer_schema=False)
    turned = pl.concat([frame[:1], frame[1:].reverse()]).select(reversed(frame.columns))
    return turned.write_csv(include_header=False).encode()


def test_an_unknown_status_word_refuses_its_row_and_is_reported(tmp_path: Path):
    text = (SAMPLES / YOUZAN).read_text(encoding="utf-8-sig").replace("待发货", "待成团", 1)
    export = read_bytes(tmp_path, text)
    assert export.drift["unknown_codes"] == {"status": ["待成团"]}
    assert rules(export) == {"status_unknown_code": 1}
    assert (export.rows_refused, export.money_refused_fen, balance(export)) == (1, 5_990, (0, 0))


def test_an_unknown_order_type_is_reported_and_counts_as_a_purchase(tmp_path: Path):
    text = (SAMPLES / YOUZAN).read_text(encoding="utf-8-sig").replace("普通订单", "拼团订单", 1)
    export = read_bytes(tmp_path, text)
    assert (export.drift["unknown_codes"], export.rows_refused) == ({"kind": ["拼团订单"]}, 0)


def test_a_destroyed_order_number_is_refused(tmp_path: Path):
    text = (SAMPLES / TAOBAO).read_bytes().decode("gb18030").replace(f'="{ORDER}01"', '"2.10448E+18"')
    export = read_bytes(tmp_path, text)
    assert rules(export) == {"order_id_destroyed": 1}
    destroyed = export.frame("quarantine").filter(rule="order_id_destroyed")
    assert destroyed["value_redacted"].to_list() == ["x.xxxxxx+xx"]
    assert balance(export) == (0, 0)


def test_a_lost_column_says_which(tmp_path: Path):
    text = (SAMPLES / YOUZAN).read_text(encoding="utf-8-sig").replace("买家付款时间", "支付于")
    with pytest.raises(BadFileError, match="looks like youzan_orders but lacks 买家付款时间"):
        read_bytes(tmp_path, text)


def test_new_and_missing_columns_are_drift(tmp_path: Path):
    text = (SAMPLES / YOUZAN).read_text(encoding="utf-8-sig").replace("桌号", "包厢号")
    export = read_bytes(tmp_path, text)
    assert (export.drift["missing"], export.drift["extra"]) == (["桌号"], ["包厢号"])


def test_a_shop_that_nobody_names_is_asked_for():
    with pytest.raises(BadFileError, match="which shop of taobao"):
        read_sample(TAOBAO, shops={})
    assert read_sample(TAOBAO, shops={}, shop_id="other").shop_id == "other"


def test_a_file_that_changed_since_its_digest_was_taken_is_refused():
    with pytest.raises(BadFileError, match="changed while it was read"):
        read_sample(TAOBAO, file_sha256="0" * 64)


def test_links_and_folders_are_no_exports(tmp_path: Path):
    (tmp_path / "link.csv").symlink_to(SAMPLES / TAOBAO)
    with pytest.raises(BadFileError, match="no regular file"):
        read_sample(str(tmp_path / "link.csv"))
    with pytest.raises(BadFileError, match="no regular file"):
        read_sample(str(SAMPLES))


def test_an_export_prints_no_person():
    assert "13800000101" not in repr(read_sample(YOUZAN))

"""Formats of which no sample file is at hand, by their real header rows: other years, other columns, picked sets."""

import itertools
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from pydantic import ValidationError

from expectations.tables import TABLES
from tasks.errors import BadFileError
from tasks.policy.models import CategoryRule
from tasks.sources.canonical import content_hash_of
from tasks.sources.read import Export
from tasks.transforms.orders import known_refunds, paid_back
from tasks.transforms.versions import supersede
from tests.unit.sources.reading import balance, frames, read_bytes, read_sample, utc
from tests.unit.sources.sheets import HEADERS, sheet

LATE = utc("2026-07-01T00:00")


def read(folder: Path, text: str, **changes: object) -> Export:
    return read_bytes(folder, text, received_at=LATE, **changes)


def told(export: Export, *columns: str) -> list[tuple[object, ...]]:
    return export.frame("orders").sort("row_number").select(columns or ("order_id", "status", "paid_fen")).rows()


TAOBAO_ROW = {
    "订单编号": "2104477610033580101", "买家会员名": "林间小鹿101", "总金额": "107.00", "买家应付邮费": "8.00",
    "买家实际支付金额": "107.00", "订单状态": "交易成功", "订单创建时间": "2026-03-02 10:15:22",
    "订单付款时间": "2026-03-02 10:16:05", "退款金额": "29.00",
}  # fmt: skip


def test_the_taobao_list_of_2021(tmp_path: Path):
    """107.00 less 8.00 freight was paid; a relay number that expires is no phone of the buyer."""
    relay = {"联系手机": "'13800000101", "虚拟号过期时间": "2026-04-01 00:00:00"}
    export = read(tmp_path, sheet("taobao_order_list_2021_db", TAOBAO_ROW | relay))
    assert (export.layout, export.money_read_fen, balance(export)) == ("taobao_orders_2021", 10_700, (0, 0))
    assert told(export, "status", "paid_fen", "freight_fen", "refunded_fen", "buyer_key") == [
        ("finished", 9_900, 800, 2_900, "nick:taobao:<林间小鹿101>")
    ]
    assert "13800000101" not in str([table.rows() for table in frames(export).values()])


def test_orders_paid_together_stay_orders_of_their_own(tmp_path: Path):
    together = {"支付单号": "2026030222001100000000000101"}
    second = TAOBAO_ROW | {"订单编号": "2104477610033580102", "买家实际支付金额": "59.00", "买家应付邮费": "0.00"}
    export = read(tmp_path, sheet("taobao_order_list_2021_db", TAOBAO_ROW | together, second | together))
    assert told(export) == [("2104477610033580101", "finished", 9_900), ("2104477610033580102", "finished", 5_900)]


def test_parts_that_an_order_was_split_into_keep_their_own_amounts(tmp_path: Path):
    parts = [TAOBAO_ROW | {"订单编号": f"210447761003358010{n}", "主订单编号": "2104477610033580100"} for n in (1, 2)]
    export = read(tmp_path, sheet("taobao_order_list_2021_db", *parts))
    assert told(export, "paid_fen", "parent_order_id") == [(9_900, "2104477610033580100")] * 2


def test_an_order_that_is_its_own_parent_is_a_part_of_none_and_has_the_hash_that_it_had_without(tmp_path: Path):
    given = [{}, {"主订单编号": ""}, {"主订单编号": TAOBAO_ROW["订单编号"]}, {"主订单编号": "2104477610033580100"}]
    exports = [read(tmp_path, sheet("taobao_order_list_2021_db", TAOBAO_ROW | one)) for one in given]
    read_as = [told(export, "parent_order_id", "content_hash")[0] for export in exports]
    assert [parent for parent, _ in read_as] == [None, None, None, "2104477610033580100"]
    assert len({written for _, written in read_as[:3]}) == 1
    assert read_as[3][1] != read_as[0][1]
    stored = exports[3].frame("orders").select(content_hash_of("orders")).item()
    assert stored == read_as[3][1]


def test_half_width_and_full_width_punctuation_of_a_state_are_the_same(tmp_path: Path):
    words = ["买家已付款，等待卖家发货", "买家已付款,等待卖家发货", "买家已付款, 等待卖家发货"]
    rows = [TAOBAO_ROW | {"订单编号": str(n), "订单状态": word} for n, word in enumerate(words)]
    assert [row[1] for row in told(read(tmp_path, sheet("taobao_order_list_2021_db", *rows)))] == ["paid"] * 3


FINANCE = {
    "订单编号": "5118600000000000101", "总金额": "150.00", "总金额(旧版)": "125.00", "买家应付货款": "120.00",
    "买家应付邮费": "5.00", "买家实付金额": "125.00", "订单创建时间": "2026-06-03 12:30:00",
    "订单付款时间": "2026-06-03 12:31:00", "退款金额": "20.00", "支付详情": "支付方式：支付宝|",
}  # fmt: skip


def test_the_qianniu_finance_set_has_no_states_but_times_of_payment(tmp_path: Path):
    unpaid = FINANCE | {
        "订单编号": "5118600000000000102",
        "订单付款时间": "",
        "买家实付金额": "0.00",
        "退款金额": "0.00",
    }
    export = read(tmp_path, sheet("qianniu_orders_finance_19col", FINANCE, unpaid))
    assert export.layout == "qianniu_orders"
    assert told(export, "status", "gross_fen", "paid_fen", "refunded_fen", "paid_at") == [
        ("paid", 14_500, 12_000, 2_000, utc("2026-06-03T04:31")),
        ("unpaid", 14_500, 0, 0, None),
    ]


def test_a_qianniu_set_that_a_seller_picked(tmp_path: Path):
    """Without list price and freight the goods due stand for the list; columns that are not picked are no drift."""
    headers = ["订单状态", "订单创建时间", "买家实际支付金额", "订单编号", "宝贝标题", "买家应付货款"]
    row = {"订单状态": "交易成功", "订单创建时间": "2026/6/3 8:05", "买家实际支付金额": "¥1,299.90", "订单编号": "51",
           "买家应付货款": "1,399.00"}  # fmt: skip
    export = read(tmp_path, sheet(headers, row))
    assert (export.layout, export.drift["missing"], export.drift["extra"]) == ("qianniu_orders", [], ["宝贝标题"])
    assert told(export, "gross_fen", "paid_fen", "paid_at") == [(139_900, 129_990, utc("2026-06-03T00:05"))]


DOUYIN_B = {
    "主订单编号": "\t6917926700000000202", "商品数量": "2", "订单提交时间": "2026-04-02 12:00:00", "售后状态": "-",
    "支付完成时间": "2026-04-02 12:00:20", "订单状态": "已完成", "运费": "0.00", "选购商品": "\t青禾抱枕套",
}  # fmt: skip


def test_douyin_in_its_other_order_of_columns(tmp_path: Path):
    """商品金额 is the price of one piece: 2 × 35.00 and 2 × 14.50."""
    lines = [
        {"子订单编号": "\t6917926700000000202", "商品金额": "35.00", "订单应付金额": "70.00"},
        {
            "子订单编号": "\t6917926700000000203",
            "商品金额": "14.50",
            "订单应付金额": "1,029.00",
            "售后状态": "退款成功",
        },
    ]
    export = read(tmp_path, sheet("douyin_orders_layout_b_75col", *lines, **DOUYIN_B))
    assert (export.layout, export.money_read_fen, balance(export)) == ("douyin_orders_b", 109_900, (0, 0))
    assert told(export, "gross_fen", "paid_fen", "refunded_fen") == [(9_900, 109_900, 102_900)]


def test_a_trimmed_douyin_export_and_one_with_columns_of_another_shop(tmp_path: Path):
    row = DOUYIN_B | {"子订单编号": "\t1", "订单应付金额": "70.00", "商品规格": "\t米白"}
    trimmed = sheet([*row], row)
    assert read(tmp_path, trimmed).layout == "douyin_orders"
    wide = sheet([*HEADERS["douyin_orders_2026"], "序列号", "福袋采购单号"], row)
    export = read(tmp_path, wide)
    assert (export.layout, export.drift["extra"]) == ("douyin_orders", ["序列号", "福袋采购单号"])
    assert told(export) == told(read(tmp_path, trimmed)) == [("6917926700000000202", "finished", 7_000)]


PDD_ROW = {
    "订单号": "260531-000000000000101\t", "订单状态": "已收货", "商品总价(元)": "258.00\t", "邮费(元)": "6.00\t",
    "用户实付金额(元)": "234.00\t", "商品数量(件)": "1\t", "商品id": "600000000001\t",
    "支付时间": "2026-05-31 13:31:06\t", "店铺优惠折扣(元)": "20.00\t", "平台优惠折扣(元)": "10.00\t",
}  # fmt: skip


def test_pinduoduo_with_every_column_tells_categories(tmp_path: Path):
    kinds = {"商品一级类目": "家居", "商品二级类目": "床品", "用户购买手机号": "13800000101", "省": "浙江省"}
    trial = {
        "订单号": "260531-000000000000102\t",
        "是否抽奖或0元试用": "是",
        "用户实付金额(元)": "0.00\t",
        "邮费(元)": "0.00\t",
    }
    export = read(tmp_path, sheet("pdd_orders_full_82col", {}, trial, **(PDD_ROW | kinds)))
    assert export.layout == "pdd_orders_full"
    assert told(export, "kind", "paid_fen", "freight_fen", "coupon_fen") == [
        ("purchase", 22_800, 600, 3_000), ("gift", 0, 0, 3_000),
    ]  # fmt: skip
    products = export.frame("products").select("product_id", "department", "category")
    assert products.rows() == [("600000000001", "家居", "床品")]
    assert "13800000101" not in str([table.rows() for table in frames(export).values()])


def test_pinduoduo_of_2020_keeps_neither_receiver_nor_identity_card(tmp_path: Path):
    person = {"收货人": "林小彤", "手机": "13800000101", "身份证姓名": "林小彤", "身份证号码": "110101199001010000"}
    export = read(tmp_path, sheet("pdd_orders_2020", PDD_ROW | person | {"订单状态": "已发货，退款成功"}))
    assert export.layout == "pdd_orders_2020"
    assert told(export, "status", "paid_fen", "refunded_fen") == [("closed", 22_800, 22_800)]
    everything = str([table.rows() for table in frames(export).values()])
    assert not [secret for secret in ("林小彤", "13800000101", "110101199001010000") if secret in everything]


def test_pinduoduo_paid_back_in_the_after_sales_column_alone_is_flagged_for_a_person(tmp_path: Path):
    """It may be a part of unknown size; where the state says so too, all of it went back."""
    states = ["已收货", "已发货，退款成功", "已收货"]
    words = ["退款成功", "退款成功", "无售后或售后取消"]
    rows = [PDD_ROW | {"订单号": f"260531-{n}", "订单状态": state, "售后状态": word}
            for n, (state, word) in enumerate(zip(states, words, strict=True))]  # fmt: skip
    export = read(tmp_path, sheet("pdd_orders_full_82col", *rows))
    assert export.drift["flagged"] == {"售后状态 says paid back and the state does not": [1]}
    assert [row[0] for row in told(export, "refunded_fen")] == [0, 22_800, 0]


def test_full_width_brackets_in_headers_are_the_same_headers(tmp_path: Path):
    headers = [header.replace("(", "（").replace(")", "）") for header in HEADERS["pdd_orders_2026_27col"]]
    row = {h.replace("(", "（").replace(")", "）"): text for h, text in PDD_ROW.items() if h != "支付时间"}
    export = read(tmp_path, sheet(headers, row | {"订单成交时间": "2026-05-31 13:31:06"}))
    assert (export.layout, told(export, "paid_fen")) == ("pdd_orders", [(22_800,)])


KUAISHOU_ROW = {
    "订单号": "2612000000000101", "订单创建时间": "2026/05/01 20:00:00", "实付款": "¥264.00", "快递费": "¥6.00",
    "成交数量": "1", "商品名称": "青禾四件套", "商品ID": "1", "商品单价": "￥258", "订单状态": "已发货",
    "订单支付时间": "2026/05/01 20:00:12",
}  # fmt: skip


def test_kuaishou_with_61_columns_and_slashes_in_times(tmp_path: Path):
    export = read(tmp_path, sheet("kuaishou_orders_2026_61col", KUAISHOU_ROW))
    assert (export.layout, export.runner_up) == ("kuaishou_orders_61", "kuaishou_orders")
    assert told(export, "gross_fen", "paid_fen", "freight_fen") == [(25_800, 25_800, 600)]


def test_a_deposit_without_its_balance_is_no_order_yet(tmp_path: Path):
    deposit = {
        "订单状态": "待付尾款",
        "订单支付时间": "",
        "预售定金支付时间": "2026/05/01 20:00:12",
        "实付款": "¥50.00",
    }
    first = read(tmp_path, sheet("kuaishou_orders_2026_61col", KUAISHOU_ROW | deposit))
    assert told(first, "status", "paid_fen", "paid_at") == [("unpaid", 0, None)]
    whole = read(
        tmp_path, sheet("kuaishou_orders_2026_61col", KUAISHOU_ROW | {"预售定金支付时间": "2026/05/01 20:00:12"})
    )
    assert told(whole, "status", "paid_fen") == [("shipped", 25_800)]


def test_youzan_items_carry_categories_and_divide_what_the_order_cost(tmp_path: Path):
    """99.00 less 10.00 freight over 2 × 35.00 and 29.00; 买家手机号 stands on the order, and is not read here."""
    order = {"订单号": "E20260503100100000000202", "订单创建时间": "2026-05-03 11:00:00", "运费": "10.00",
             "订单实付金额": "99.00", "买家手机号": "13900000202"}  # fmt: skip
    lines = [
        {"商品名称": "抱枕套", "商品类目": "布艺", "商品单价": "35.00", "商品数量": "2", "商品编码": "QH-02"},
        {"商品名称": "蜡烛", "商品类目": "香薰", "商品单价": "29.00", "商品数量": "1", "商品编码": "QH-07"},
    ]
    export = read(tmp_path, sheet("youzan_items_subset", *lines, **order))
    assert (export.layout, export.money_read_fen, balance(export)) == ("youzan_items", 9_900, (0, 0))
    assert {*export.tables} == {"order_lines", "products"}
    assert export.frame("order_lines")["paid_fen"].sum() == 8_900
    assert sorted(export.frame("products").select("product_id", "category").rows()) == [
        ("QH-02", "布艺"),
        ("QH-07", "香薰"),
    ]


def test_the_brands_mapping_names_categories_where_the_file_does_not(tmp_path: Path):
    """The first rule that fits wins; a product that fits none has no category; a category of the file's own stands."""
    rules = (("四件套|羽绒被", "床品"), ("四件套", "never reached"), ("抱枕套", "布艺"))
    export = read_sample("douyin_orders_1791430000.csv", received_at=LATE, categories=rules)
    products = export.frame("products").sort("product_id").select(pl.col("product_id").str.slice(-2), "category")
    assert products.rows() == [("01", "床品"), ("02", "布艺"), ("04", "床品")]
    row = PDD_ROW | {"商品": "四件套", "商品一级类目": "家居"}
    own = read(tmp_path, sheet("pdd_orders_full_82col", row), categories=rules)
    assert own.frame("products")["category"].to_list() == ["家居"]


@pytest.mark.parametrize("match", ["(", "(?=四件套)", r"(套)\1"])
def test_a_rule_of_the_mapping_that_could_never_match_is_refused(match: str):
    with pytest.raises(ValidationError, match=r"no regular expression|looks around"):
        CategoryRule(match=match, category="床品")


KINDS = {
    "普通订单": "purchase", "批发订单": "wholesale", "测试订单": "test", "储值订单": "topup", "赠品订单": "gift",
    "拼团订单": "purchase",
}  # fmt: skip


@pytest.mark.parametrize(("word", "kind"), KINDS.items())
def test_what_a_youzan_order_is(tmp_path: Path, word: str, kind: str):
    row = {"订单号": "E1", "订单类型": word, "订单状态": "已发货", "订单创建时间": "2026-05-02 10:01:00",
           "买家付款时间": "2026-05-02 10:01:30", "商品金额合计": "258.00", "运费": "0.00", "订单实付金额": "238.00",
           "订单已退款金额": "0.00"}  # fmt: skip
    assert told(read(tmp_path, sheet("youzan_orders_2026", row)), "kind") == [(kind,)]


WECHAT_ROW = {
    "订单号": "3720000000000000505", "订单下单时间": "2026-05-05 09:00:00", "支付时间": "2026-05-05 09:00:10",
    "订单状态": "待发货", "订单实际支付金额": "¥118.85", "订单运费": "¥0.00", "商品数量": "1",
    "商品已退款金额": "¥0.00",
}  # fmt: skip


@pytest.mark.parametrize("blank", [(), ("订单状态", "订单实际支付金额", "支付时间"), tuple(WECHAT_ROW)[:6]])
def test_order_cells_may_repeat_go_blank_or_be_merged_on_further_lines(tmp_path: Path, blank: tuple[str, ...]):
    """89.85 and 29.00 of one order; a merged cell leaves even the order number blank on the second line."""
    lines = [WECHAT_ROW | {"商品价格(单件)": "¥89.85", "商品名称": "收纳盒"},
             WECHAT_ROW | {"商品价格(单件)": "¥29.00", "商品名称": "蜡烛"} | dict.fromkeys(blank, "")]  # fmt: skip
    export = read(tmp_path, sheet("wechat_shop_orders_2026", *lines))
    assert told(export) == [("3720000000000000505", "paid", 11_885)]
    assert (export.money_read_fen, balance(export)) == (11_885, (0, 0))
    assert export.frame("order_lines").sort("row_number")["paid_fen"].to_list() == [8_985, 2_900]


def test_lines_that_disagree_about_their_order_are_refused_together(tmp_path: Path):
    lines = [WECHAT_ROW | {"商品价格(单件)": "¥89.85"}, WECHAT_ROW | {"商品价格(单件)": "¥29.00", "订单状态": "已完成"}]
    export = read(tmp_path, sheet("wechat_shop_orders_2026", *lines))
    assert (export.rows_refused, export.money_refused_fen, balance(export)) == (2, 11_885, (0, 0))
    refused = export.frame("quarantine")
    assert set(refused["rule"]) == {"lines_disagree"}


REFUND = {
    "订单编号": "2104477610033580505", "退款编号": "160000000000000505", "订单付款时间": "2026-03-20 11:02:45",
    "买家退款金额": "29.95",
}  # fmt: skip


ASKED = {"退款状态": "买家已经申请退款，等待卖家同意"}
GIVEN = {"退款状态": "退款成功", "退款完结时间": "2026-03-27 10:00:00"}


@pytest.mark.parametrize(
    ("earlier", "later", "back"),
    [
        (ASKED, GIVEN, (date(2026, 3, 27), 2_995)),
        (GIVEN, GIVEN | {"退款完结时间": "2026-03-29 10:00:00"}, (date(2026, 3, 29), 2_995)),
        (GIVEN, GIVEN | {"买家退款金额": "20.00"}, (date(2026, 3, 27), 2_000)),
    ],
    ids=["asked for, then paid back", "another time", "another amount"],
)
def test_the_later_word_on_a_refund_counts_in_any_order_of_arrival(
    tmp_path: Path, earlier: dict[str, str], later: dict[str, str], back: tuple[date, int]
):
    files = [(earlier, "2026-03-28"), (later, "2026-03-30")]
    record = [name for name in TABLES["refunds"].key if name not in {"known_from", "content_hash"}]
    for arrivals in itertools.permutations(files):
        stored = TABLES["refunds"].empty().collect()
        for received, (row, exported) in enumerate(arrivals, 1):
            export = read(tmp_path, sheet("tmall_refunds", REFUND | row), exported_at=utc(f"{exported}T00:00"))
            known_from = utc(f"2026-04-0{received}T00:00")
            rows = export.frame("refunds").with_columns(known_from=known_from).select(*stored.columns, "row_number")
            merged = supersede(stored, rows, record)
            stored = pl.concat(
                [stored.join(merged.changed, on="content_hash", how="anti"), merged.changed, merged.added]
            )
        known = known_refunds(stored.lazy(), utc("2026-05-01T00:00"))
        assert paid_back(known).select("refunded_on", "refund_fen").collect().rows() == [back]


@pytest.mark.parametrize("name", ["weimob_orders_UNVERIFIED.xlsx", "pos_cn_UNVERIFIED.csv"])
def test_a_template_with_guessed_headers_is_named_and_not_used(name: str):
    with pytest.raises(BadFileError, match=r"looks like (weimob_orders|pos_cn_pospal), of which nobody.*copy"):
        read_sample(name)

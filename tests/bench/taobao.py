"""A seeded Taobao order export of any size: 54 columns, every cell quoted, wide Chinese text."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl

HEADERS = (
    "订单编号", "买家会员名", "买家支付宝账号", "买家应付货款", "买家应付邮费", "买家支付积分", "总金额", "返点积分",
    "买家实际支付金额", "买家实际支付积分", "订单状态", "买家留言", "收货人姓名", "收货地址 ", "运送方式",
    "联系电话 ", "联系手机", "订单创建时间", "订单付款时间 ", "宝贝标题 ", "宝贝种类 ", "物流单号 ", "物流公司",
    "订单备注", "宝贝总数量", "店铺Id", "店铺名称", "订单关闭原因", "卖家服务费", "买家服务费", "发票抬头",
    "是否手机订单", "分阶段订单信息", "特权订金订单id", "是否上传合同照片", "是否上传小票", "是否代付", "定金排名",
    "修改后的sku", "修改后的收货地址", "异常信息", "天猫卡券抵扣", "集分宝抵扣", "是否是O2O交易", "新零售交易类型",
    "新零售导购门店名称", "新零售导购门店id", "新零售发货门店名称", "新零售发货门店id", "退款金额", "预约门店",
    "确认收货时间", "打款商家金额", "含应开票给个人的个人红包",
)  # fmt: skip
MONEY = (
    "买家应付货款", "买家应付邮费", "总金额", "买家实际支付金额", "退款金额", "天猫卡券抵扣", "卖家服务费",
    "打款商家金额",
)  # fmt: skip
TIMES = ("订单创建时间", "订单付款时间 ", "确认收货时间")
COUNTS = ("宝贝种类 ", "宝贝总数量", "买家支付积分", "返点积分", "买家实际支付积分")
_BATCH = 50_000
_SHORTEST_MONTH = 27 * 86_400
"""Seconds; so that no order is paid in the month after, in any zone."""
_STATUSES = ("交易成功", "卖家已发货，等待买家确认", "买家已付款，等待卖家发货", "交易关闭", "等待买家付款")
_WORDS = (
    "晴禾家纺 全棉贡缎四件套 1.5m床", "云朵绒双面 A 类母婴毛毯 加厚午睡办公室空调毯",
    "水洗棉夏凉被 可机洗 单人学生宿舍",
    "新疆长绒棉 60 支床笠 防滑固定床垫保护套", "记忆棉护颈枕 慢回弹 成人颈椎睡眠专用", "纯棉纱布童被 幼儿园被子三件套",
)  # fmt: skip
_CONSTANT = {
    "运送方式": "快递", "宝贝种类 ": "2", "宝贝总数量": "3", "物流公司": "顺丰速运", "店铺Id": "104736251",
    "店铺名称": "晴禾家居旗舰店", "订单关闭原因": "订单未关闭", "卖家服务费": "0", "买家服务费": "0元",
    "是否手机订单": "手机订单", "是否上传合同照片": "否", "是否上传小票": "否", "是否代付": "否",
    "买家支付积分": "0", "返点积分": "0", "买家实际支付积分": "0", "天猫卡券抵扣": "0", "集分宝抵扣": "0",
    "打款商家金额": "0.00", "含应开票给个人的个人红包": "0.00",
}  # fmt: skip
_PLACES = (
    "浙江省 杭州市 西湖区 文三街道",
    "广东省 广州市 天河区 石牌街道",
    "四川省 成都市 武侯区 桂溪街道",
    "江苏省 南京市 建邺区",
)


def write_export(path: Path, megabytes: int, *, encoding: str = "utf-8", seed: int = 11) -> int:
    """Write about that many megabytes of UTF-8 (or the same text in another encoding); returns the rows."""
    draw = np.random.default_rng(seed)
    rows = written = 0
    with path.open("wb") as file:
        file.write((",".join(f'"{header}"' for header in HEADERS) + "\r\n").encode(encoding))
        while written < megabytes << 20:
            text = _batch(draw, rows).write_csv(include_header=False, quote_style="always", line_terminator="\r\n")
            written += len(text.encode())
            rows += _BATCH
            file.write(text.encode(encoding))
    return rows


def write_month(path: Path, month: datetime, orders: int, *, refunded: bool = False) -> None:
    """Write the orders of one month, at most 50,000; with `refunded` every hundredth has one yuan paid back."""
    seconds = int(month.timestamp())
    rows = _batch(np.random.default_rng(seconds), seconds, begins=seconds, lasts=_SHORTEST_MONTH).head(orders)
    is_hit = (pl.int_range(pl.len()) % 100 == 0) & (pl.col("订单状态") == "交易成功")
    back = pl.when(is_hit).then(pl.lit("1.00")).otherwise("退款金额") if refunded else pl.col("退款金额")
    rows.with_columns(退款金额=back).write_csv(path, quote_style="always", line_terminator="\r\n")


def _batch(draw: np.random.Generator, first: int, begins: int = 1_735_700_000, lasts: int = 38_000_000) -> pl.DataFrame:
    """Rows of one batch; columns that are not drawn are empty, as most are in a real export."""
    number = np.arange(first, first + _BATCH)
    status = _pick(draw, _STATUSES, (0.8, 0.08, 0.05, 0.05, 0.02))
    goods, freight = draw.integers(990, 90_000, _BATCH), draw.choice([0, 0, 0, 800, 1200], _BATCH)
    paid = pl.when(pl.col("订单状态") == "等待买家付款").then(0).otherwise(pl.col("goods") + pl.col("freight"))
    # By default between 1 January 2025 and 20 March 2026, in order of time, as an export is.
    ordered = pl.Series(begins + number * 17 % lasts).cast(pl.Int64)
    frame = pl.DataFrame({"订单状态": status, "goods": goods, "freight": freight, "ordered": ordered})
    frame = frame.with_columns(paid=paid, was_paid=pl.col("订单状态") != "等待买家付款")
    text, is_done = _text(draw, number), pl.col("订单状态") == "交易成功"
    cells = frame.select(
        "订单状态",
        买家应付货款=_yuan("goods"),
        买家应付邮费=_yuan("freight"),
        买家实际支付金额=_yuan("paid"),
        总金额=_yuan(pl.col("goods") + pl.col("freight")),
        退款金额=_yuan(pl.lit(0)),
        订单创建时间=_clock("ordered"),
        paid_at=pl.when("was_paid").then(_clock(pl.col("ordered") + 60)).fill_null(""),
        确认收货时间=pl.when(is_done).then(_clock(pl.col("ordered") + 600_000)).fill_null(""),
    ).rename({"paid_at": "订单付款时间 "})
    known = {**text, **{name: cells[name] for name in cells.columns}}
    return pl.DataFrame({header: known.get(header, pl.repeat("", _BATCH, eager=True)) for header in HEADERS})


def _text(draw: np.random.Generator, number: np.ndarray) -> dict[str, pl.Series]:
    """The wide columns: titles, addresses, remarks; commas and doubled quotes among them."""
    buyers = pl.Series(draw.integers(0, 900_000, _BATCH))
    remark = _pick(draw, ("", "", "", '请送到"前台",谢谢', "周末不在家，工作日送货", "生日礼物，请不要放价格单"))
    place = _format(
        "{} 某某路 {} 号 {} 幢 {} 室", _pick(draw, _PLACES), *(_count(draw, most) for most in (900, 40, 2000))
    )
    return {
        "订单编号": pl.Series(2_104_000_000_000_000_000 + number * 977).cast(pl.String),
        "买家会员名": _format("小鹿_{}", buyers), "买家支付宝账号": _format("{}***@163.com", buyers % 1000),
        "买家留言": remark, "订单备注": remark, "收货人姓名": _format("林小彤{}", buyers % 97),
        "收货地址 ": place, "修改后的收货地址": place, "联系手机": _format("'1380000{}", 1000 + buyers % 9000),
        "宝贝标题 ": _format("{}，{}", _pick(draw, _WORDS), _pick(draw, _WORDS)),
        "物流单号 ": _format("No:SF10{}", pl.Series(number + 10**9)),
        **{header: _same(text) for header, text in _CONSTANT.items()},
    }  # fmt: skip


def _format(template: str, *parts: pl.Series) -> pl.Series:
    return pl.select(pl.format(template, *parts)).to_series()


def _same(text: str) -> pl.Series:
    return pl.repeat(text, _BATCH, eager=True)


def _pick(draw: np.random.Generator, words: Sequence[str], shares: Sequence[float] | None = None) -> pl.Series:
    return pl.Series(words).gather(draw.choice(len(words), _BATCH, p=shares))


def _count(draw: np.random.Generator, most: int) -> pl.Series:
    return pl.Series(draw.integers(1, most, _BATCH))


def _yuan(fen: str | pl.Expr) -> pl.Expr:
    amount = pl.col(fen) if isinstance(fen, str) else fen
    return pl.format("{}.{}", amount // 100, (amount % 100).cast(pl.String).str.zfill(2))


def _clock(seconds: str | pl.Expr) -> pl.Expr:
    moment = pl.col(seconds) if isinstance(seconds, str) else seconds
    return pl.from_epoch(moment).dt.strftime("%Y-%m-%d %H:%M:%S")

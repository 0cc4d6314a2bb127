"""What stands under headers that are not read: invented, plausible, and nobody's."""

import polars as pl

from infra.exports.draw import pick

_PLACES = ("浙江省 杭州市 西湖区 样例街道****", "江苏省 南京市 建邺区 沙洲街道****", "广东省 深圳市 南山区 样例路****")
_BY_WORD: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("手机", "电话", "phone"), ("154****1234", "1******6198", "", "$$c2FtcGxl")),
    (("姓名", "收货人", "收件人", "name"), ("林**", "样*", "##5qC35L6L")),
    (("地址", "address", "street"), _PLACES),
    (("时间", "time", "日期", " at"), ("", "2026-03-05 12:00:00")),
    (("留言", "备注", "note"), ("", "麻烦周末送", "请放门口，谢谢", '要"礼盒"包装')),
    (("金额", "优惠", "费", "价", "积分", "discount", "tax"), ("0.00", "")),
    (("单号", "编号", "id", "码"), ("", "YT0000000000101", "0")),
    (("是否", "开票"), ("否", "是")),
)
_OTHERWISE = ("", "-", "样例")


def fill(header: str, salt: str) -> pl.Expr:
    """Text for a header by the first word of the list that it contains; drawn by `number`."""
    lowered = header.lower()
    choices = next((texts for words, texts in _BY_WORD if any(word in lowered for word in words)), _OTHERWISE)
    return pick(f"{salt}/{header}", choices)


def unknown_headers(seed: str) -> tuple[str, ...]:
    """Headers that no layout knows, as a back office adds them from one week to the next."""
    return (f"新增字段{seed[:4]}", "样例扩展列")

"""Which of our columns each header of an unknown export may be: what shops call things, in Chinese and English."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tasks.sources.guessing import Column

_NEVER = "(?!)"


@dataclass(frozen=True)
class Wish:
    """A column of ours, and what shops call it: of several headers that fit, the earlier pattern's wins."""

    target: str
    kinds: frozenset[str]
    patterns: tuple[str, ...]
    never: str = _NEVER

    def choose(self, columns: Sequence[Column]) -> Column | None:
        """The column that fits best, the first in the file of several that fit equally."""
        named = [(re.sub("[_-]", "", column.folded), column) for column in columns if column.kind in self.kinds]
        found = (
            column
            for pattern in self.patterns
            for name, column in named
            if re.search(pattern, name) and not re.search(self.never, name)
        )
        return next(found, None)


def _wish(target: str, kinds: str, *patterns: str, never: str = _NEVER) -> Wish:
    return Wish(target, frozenset(kinds.split()), patterns, never)


_THE_PARCELS = r"收货|收件|提货|门店|导购|收银|店员|紧急|receiver|recipient|ship|deliver|staff|store|cashier|supplier"
_OTHER_NUMBERS = r"支付|物流|快递|商品|子订单|售后|退款|发票|会员|客户|refund|payment|tracking|customer|member|item|sku"
WISHES = (
    _wish("line_id", "id integer", r"子订单编?号|明细编?号|行号", r"line(item)?(id|no|number)"),
    _wish(
        "order_id", "id integer text", r"主?订单编?号|主订单", r"order(no|number|id|#)|^order$",
        r"小票|流水|单据?编?号|receipt|invoiceno|bill(no|id)|ticket(no|id)?|transaction(id|no)",
        r"^id$", never=_OTHER_NUMBERS,
    ),
    _wish(
        "product_id", "id integer", r"商品(id|编码|编号|条码)|货号|条码|款号",
        r"sku|barcode|upc|(item|product|article)(id|code|no)",
    ),
    _wish(
        "product_name", "text code id", r"商品名称|品名|商品标题|^商品$|宝贝标题",
        r"(item|product|article)name|^(item|product|article|description)$",
    ),
    _wish("quantity", "integer money", r"数量|件数", r"qty|quantity|pieces|units", never=r"库存|stock"),
    _wish("joined_at", "instant day", r"注册|入会|成为会员|成为客户", r"joined|registered|signup|membersince"),
    _wish("paid_at", "instant day", r"付款时间|支付时间|支付完成", r"paid(at|on|date|time)|payment(date|time)"),
    _wish(
        "ordered_at", "instant day", r"下单|订单创建|创建时间|成交时间", r"order(ed)?(at|on|date|time)|created|sold",
        r"日期|时间|date|time", never=r"发货|完成|退款|修改|更新|birth|生日|ship|update|refund|deliver",
    ),
    _wish("refund_shown", "money", r"退款金额|已退款?|退款", r"refund"),
    _wish("freight_fen", "money", r"运费|邮费|配送费", r"freight|shipping|deliveryfee"),
    _wish(
        "paid_fen", "money", r"实付|实收|付款金额|支付金额", r"netsales|amountpaid|paid|net$|tendered",
        r"合计|总计|小计|成交金额|金额", r"total|amount", never=r"优惠|折扣|discount|税|tax|应|coupon",
    ),
    _wish("gross_fen", "money", r"总价|应付|应收|商品金额|总额", r"gross|subtotal|listtotal"),
    _wish("unit_price", "money", r"单价|售价|原价|价格", r"price"),
    _wish("status", "code", r"订单状态|^状态$|交易状态", r"orderstatus|^status$|state$", r"状态|status",
          never=r"退款|售后|refund"),
    _wish(
        "member_no", "id integer text", r"会员(卡?号|编号|id)|客户(编号|id|号)|卡号",
        r"(customer|member|loyalty|client|user)(id|no|number|card)",
    ),
    _wish("phone", "phone", r"买家手机|会员(手机|电话)|客户(手机|电话)", r"手机|电话|phone|mobile|tel|contact",
          never=_THE_PARCELS),
    _wish("event_name", "code text", r"事件", r"^event(name)?$|^action$"),
)  # fmt: skip
"""In order of claim."""

Claims = Mapping[str, Column]
"""Column of ours to the column of the file that seems to hold it."""


def claim_columns(columns: Sequence[Column]) -> dict[str, Column]:
    """Give each column of ours the header that fits it best; no header serves two."""
    claimed: dict[str, Column] = {}
    for wish in WISHES:
        taken = {column.folded for column in claimed.values()}
        chosen = wish.choose([column for column in columns if column.folded not in taken])
        if chosen is not None:
            claimed[wish.target] = chosen
    return claimed


def guess_grain(claimed: Claims) -> str:
    """What one row of the file seems to be; a line where products are told, since an order may have several."""
    if "event_name" in claimed and "paid_fen" not in claimed:
        return "event"
    is_of_people = "phone" in claimed or "member_no" in claimed
    if "order_id" in claimed or ("paid_fen" in claimed and not (is_of_people and "joined_at" in claimed)):
        is_of_lines = "product_id" in claimed or {"product_name", "quantity"} <= claimed.keys()
        return "line" if is_of_lines else "order"
    return "product" if "product_id" in claimed and not is_of_people else "member"

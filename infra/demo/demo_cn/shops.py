"""The shops of the invented brand: how much each sells, and in which format its back office exports what."""

from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from infra.exports.quirks import PLAIN, Quirks
from infra.exports.shop import Plan

SEED = "strata-demo-cn-1"
PEOPLE = 30_000
"""One population for all channels: whoever buys on several is the same person on each."""
ZONE = ZoneInfo("Asia/Shanghai")
SINCE, UNTIL = datetime(2026, 3, 1, tzinfo=ZONE), datetime(2026, 7, 1, tzinfo=ZONE)

_GBK = Quirks(encoding="gb18030", line_end="\r\n", wrapped_ids="formula", header_spaces=True, code_forms=True)
_BOM = Quirks(encoding="utf-8-sig", line_end="\r\n", phone_forms=True)
_TABS = Quirks(encoding="utf-8-sig", line_end="\r\n", tabs=True)
_YEN = Quirks(money="yen", false_dimension=True, blanks="-")


@dataclass(frozen=True)
class Export:
    """One kind of file that a back office gives out every month."""

    layout: str
    quirks: Quirks = PLAIN
    fmt: str = ""


@dataclass(frozen=True)
class Seller:
    """One shop: its share of the orders, and its files."""

    channel: str
    shop_id: str
    orders: int
    exports: tuple[Export, ...]
    order_id: str
    """How its order numbers look."""
    first_person: int = 0
    lines: int = 3

    @property
    def plan(self) -> Plan:
        """What its orders are drawn from."""
        return Plan(
            SEED, self.channel, self.shop_id, self.orders, SINCE, UNTIL, people=PEOPLE, order_id=self.order_id,
            first_person=self.first_person, lines=self.lines,
        )  # fmt: skip


SELLERS: tuple[Seller, ...] = (
    Seller(
        "taobao", "qinghe_tmall", 60_000, order_id="26031{:014}",
        exports=(
            Export("taobao_orders_classic", replace(_GBK, quote_all=True)),
            Export("taobao_items_classic", replace(_GBK, quote_all=True)),
            Export("tmall_refunds", fmt="xlsx"),
        ),
    ),
    Seller("jd", "qinghe_jd", 32_000, (Export("jd_orders_classic", _GBK),), "2900{:08}", first_person=2_000, lines=2),
    Seller(
        "douyin", "qinghe_douyin", 40_000, order_id="69{:017}", first_person=20_000, lines=2,
        exports=(
            Export("douyin_orders", replace(_BOM, wrapped_ids="tab before", money="thousands", blanks="-")),
            Export("douyin_aftersales", fmt="xlsx"),
        ),
    ),
    Seller("pdd", "qinghe_pdd", 30_000, (Export("pdd_orders", _TABS),), "{:015}", first_person=24_000, lines=1),
    Seller(
        "youzan", "qinghe_mall", 20_000, order_id="E202603{:017}", first_person=4_000, lines=2,
        exports=(Export("youzan_orders", _BOM), Export("youzan_customers", _BOM)),
    ),
    Seller(
        "wechat_shop", "qinghe_channels", 6_000, (Export("wechat_shop_orders", _YEN, "xlsx"),), "37{:017}",
        first_person=6_000, lines=2,
    ),
    Seller(
        "xiaohongshu", "qinghe_red", 6_000, (Export("xiaohongshu_orders", Quirks(numbers=True), "xlsx"),), "P{:018}",
        first_person=12_000, lines=2,
    ),
    Seller(
        "shopify", "qinghe_site", 6_000, order_id="#{:06}", first_person=8_000, lines=2,
        exports=(Export("shopify_orders", Quirks(blank_repeats=True)), Export("shopify_customers")),
    ),
)  # fmt: skip
"""Eight channels, 200,000 orders."""
BESIDE: tuple[Seller, ...] = (
    Seller("wecom", "qinghe", 6_000, (Export("wecom_contacts"),), "{:012}", first_person=4_000),
    Seller("sensors", "qinghe_site", 4_000, (Export("sensors_events"),), "{:012}", first_person=8_000),
)
"""What sells nothing: whom advisers know, and what visitors of the own site do, drawn as if they had bought."""

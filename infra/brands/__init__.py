"""Three invented brands, each a policy of its own in YAML alone, and what their shops hand over every month.

python -m infra.brands lake/exports     writes the months of all three
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from infra.demo.demo_cn.plan import ZONE, exported_at, first_of
from infra.exports.goods import BABY, BEAUTY, FRESH
from infra.exports.shop import Plan, between, open_shop
from infra.exports.write import write_export
from tasks.sources.layouts import Layout, built_in

MONTHS = ("2026-04", "2026-05", "2026-06")
SINCE, UNTIL = datetime(2026, 4, 1, tzinfo=ZONE), datetime(2026, 7, 1, tzinfo=ZONE)
PEOPLE = 600


@dataclass(frozen=True)
class Shop:
    """One shop: how much it sells in three months, and the formats of its files."""

    channel: str
    shop_id: str
    orders: int
    layouts: tuple[str, ...]
    order_id: str
    """How its order numbers look."""


@dataclass(frozen=True)
class Brand:
    """One invented brand; its policy is the folder of the same name."""

    code: str
    goods: str
    shops: tuple[Shop, ...]

    @property
    def policy(self) -> Path:
        """The folder of its YAML files."""
        return Path(__file__).parent / self.code


_MALL = ("youzan_orders", "youzan_customers")
BRANDS: tuple[Brand, ...] = (
    Brand("beauty", BEAUTY, (
        Shop("taobao", "lanyue_tmall", 900, ("taobao_orders_classic", "taobao_items_classic"), "26041{:014}"),
        Shop("douyin", "lanyue_douyin", 500, ("douyin_orders",), "68{:017}"),
        Shop("youzan", "lanyue_mall", 400, _MALL, "E202604{:017}"),
    )),
    Brand("baby", BABY, (
        Shop("taobao", "beibao_tmall", 1_100, ("taobao_orders_classic", "taobao_items_classic"), "26042{:014}"),
        Shop("pdd", "beibao_pdd", 700, ("pdd_orders",), "{:015}"),
        Shop("youzan", "beibao_mall", 500, _MALL, "E202604{:017}"),
    )),
    Brand("fresh", FRESH, (
        Shop("wechat_shop", "xianda_channels", 1_500, ("wechat_shop_orders",), "37{:017}"),
        Shop("jd", "xianda_jd", 700, ("jd_orders_classic",), "2900{:08}"),
        Shop("youzan", "xianda_mall", 900, _MALL, "E202604{:017}"),
    )),
)  # fmt: skip
_OVERLAP = timedelta(days=5)


def write_months(folder: Path, brand: Brand) -> Iterator[Path]:
    """Write one folder for each month of a brand, and yield each; the same bytes every time."""
    layouts = {layout.name: layout for layout in built_in()}
    for month in MONTHS:
        for shop in brand.shops:
            into = folder / month / shop.channel
            into.mkdir(parents=True, exist_ok=True)
            for name in shop.layouts:
                _write(into, brand, shop, layouts[name], month)
        yield folder / month


def _write(into: Path, brand: Brand, shop: Shop, layout: Layout, month: str) -> None:
    plan = Plan(
        f"brands-{brand.code}", shop.channel, shop.shop_id, shop.orders, SINCE, UNTIL, people=PEOPLE,
        order_id=shop.order_id, goods=brand.goods,
    )  # fmt: skip
    sold = open_shop(plan)
    if layout.grain != "member":
        sold = between(sold, first_of(month) - _OVERLAP, exported_at(month))
    write_export(into, sold, layout, exported_at(month))

"""An invented shop: its orders with their whole lives, and what of them is known at an instant.

Nothing here knows a layout. All instants are UTC and whole seconds, all money is fen.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

import polars as pl

from expectations.vocabulary import INSTANT
from infra.exports.draw import ROW, chance, draw
from infra.exports.goods import COUNT, HOME, invent_products
from infra.exports.together import ALONE, PAYER, Together, bundle, presell

MOST_LINES = 4
_DAY = 86_400


@dataclass(frozen=True)
class Plan:
    """What a shop is drawn from: the same plan gives the same shop, row by row."""

    seed: str
    channel: str
    shop_id: str
    orders: int
    since: datetime
    until: datetime
    """UTC; orders are placed from `since` up to, not at, `until`."""
    zone: str = "Asia/Shanghai"
    """Business zone, in which days are cut."""
    people: int = 1_000
    """Size of the population that all shops of a brand share."""
    first_person: int = 0
    """Whom this shop knows best; with another number the regulars are others."""
    order_id: str = "9{:018}"
    """Order number of the platform, made of the order's own."""
    lines: int = 3
    """Most lines of an order."""
    first_order: int = 0
    """Number of the first order: a long plan is drawn piece by piece."""
    anonymous_in_1000: int = 50
    unpaid_in_1000: int = 60
    refunded_in_1000: int = 60
    together: Together = ALONE
    """How often orders are paid together, in parts, or split."""
    goods: str = HOME
    """What it sells: a name of `goods.ASSORTMENTS`."""


@dataclass(frozen=True)
class Shop:
    """The shop's whole truth, later parts of orders' lives included."""

    plan: Plan
    orders: pl.DataFrame
    """One row per order: number, order_id, person (null is anonymous) and the instants of its life."""
    lines: pl.DataFrame
    """One row per line: number, order, line (from 0), product columns, quantity and money."""


def open_shop(plan: Plan) -> Shop:
    """Draw the shop; numbers of orders rise with the time at which they are placed."""
    orders = _orders(plan)
    return Shop(plan, orders, _lines(plan, orders))


def pieces(plan: Plan, size: int) -> Iterator[Plan]:
    """The plan in pieces of about equal time and at most `size` orders, one after the other."""
    count = max(-(-plan.orders // size), 1)
    step, share = (plan.until - plan.since) / count, -(-plan.orders // count)
    for number in range(count):
        first = number * share
        yield replace(
            plan, since=plan.since + step * number, until=plan.since + step * (number + 1),
            first_order=plan.first_order + first, orders=max(min(share, plan.orders - first), 0),
        )  # fmt: skip


def _orders(plan: Plan) -> pl.DataFrame:
    asked = f"{plan.seed}/{plan.channel}"
    seconds = int((plan.until - plan.since).total_seconds())
    numbers = pl.int_range(plan.first_order, plan.first_order + plan.orders, eager=True)
    placed = pl.DataFrame({ROW: numbers}).select(after=draw(f"{asked}/ordered", seconds).sort())
    return (
        placed.with_columns(numbers.alias(ROW))
        .with_columns(ordered_at=pl.lit(plan.since).cast(INSTANT) + pl.duration(seconds="after"), person=_person(plan))
        .with_columns(order_id=_printed(plan.order_id), line_count=draw(f"{asked}/lines", plan.lines) + 1)
        .pipe(bundle, plan.together, asked)
        .pipe(_live, plan)
        .pipe(presell, plan.together, asked)
        .drop("after", PAYER)
    )


def _live(orders: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """Orders with the instants of their lives: paid within minutes or never, shipped, arrived, perhaps sent back."""
    asked = f"{plan.seed}/{plan.channel}"
    pays = ~chance(f"{asked}/unpaid", plan.unpaid_in_1000, PAYER)
    returns = chance(f"{asked}/refund", plan.refunded_in_1000)
    whole = pl.when(pl.col("refunded_at").is_not_null() & chance(f"{asked}/full", 500)).then("refunded_at")
    unpaid = pl.when(pl.col("paid_at").is_null()).then(pl.col("ordered_at") + pl.duration(days=1))
    return (
        orders.with_columns(paid_at=_later("ordered_at", f"{asked}/pays", 5, 900, pays, PAYER))
        .with_columns(shipped_at=_later("paid_at", f"{asked}/ships", 4 * 3600, 2 * _DAY))
        .with_columns(finished_at=_later("shipped_at", f"{asked}/arrives", 2 * _DAY, 10 * _DAY))
        .with_columns(refunded_at=_later("paid_at", f"{asked}/returns", _DAY, 12 * _DAY, returns))
        .with_columns(is_full_refund=whole.is_not_null(), closed_at=pl.coalesce(unpaid, whole))
    )


def _person(plan: Plan) -> pl.Expr:
    """Whom an order is from: some buy much more often than others, some orders are anybody's."""
    skewed = draw(f"{plan.seed}/{plan.channel}/a", plan.people) * draw(f"{plan.seed}/{plan.channel}/b", plan.people)
    known = ~chance(f"{plan.seed}/{plan.channel}/anonymous", plan.anonymous_in_1000)
    return pl.when(known).then((skewed // plan.people + plan.first_person) % plan.people)


def _printed(template: str, number: str = ROW) -> pl.Expr:
    """`E2026{:09}` with the row's own number, and 0 before it as the template says."""
    before, _, after = template.partition("{")
    width, _, after = after.partition("}")
    digits = pl.col(number).cast(pl.String).str.zfill(int(width.lstrip(":") or 0))
    return pl.concat_str(pl.lit(before), digits, pl.lit(after))


def _later(than: str, question: str, least: int, most: int, happens: pl.Expr | None = None, by: str = ROW) -> pl.Expr:
    """An instant `least` to `most` seconds after another; null where that is, or where it does not happen."""
    at = pl.col(than) + pl.duration(seconds=draw(question, most - least, by) + least)
    return at if happens is None else pl.when(happens).then(at)


def _lines(plan: Plan, orders: pl.DataFrame) -> pl.DataFrame:
    asked = f"{plan.seed}/{plan.channel}"
    returns = pl.col("refunded_at").is_not_null()
    each = orders.select(
        "order_id", "line_count", "is_full_refund", order=ROW, line=pl.int_ranges("line_count"), is_refunded=returns
    )
    is_last = (pl.col("line") > 0) & (pl.col("line") == pl.col("line_count") - 1)
    return (
        each.explode("line", empty_as_null=False)
        .with_columns(number=pl.col("order") * MOST_LINES + pl.col("line"))
        .with_columns(product=draw(f"{asked}/product", COUNT), quantity=draw(f"{asked}/quantity", 3) + 1)
        .join(
            invent_products(plan.goods).rename({ROW: "product"}),
            on="product",
            how="left",
            maintain_order="left",
            validate="m:1",
        )
        .with_columns(is_gift=is_last & chance(f"{asked}/gift", 150))
        .with_columns(gross_fen=pl.when("is_gift").then(0).otherwise(pl.col("price_fen") * pl.col("quantity")))
        .with_columns(coupon_fen=_share(f"{asked}/coupon", 250), discount_fen=_share(f"{asked}/discount", 400))
        .with_columns(net_fen=pl.col("gross_fen") - pl.col("coupon_fen") - pl.col("discount_fen"))
        .with_columns(refund_fen=_refund())
        .drop("is_refunded", "is_full_refund", "line_count")
    )


def _share(question: str, in_1000: int) -> pl.Expr:
    """Up to a fifth of the list amount on some orders: the lines of one order are asked the same."""
    percent = draw(f"{question} percent", 20, "order") + 1
    return pl.when(chance(question, in_1000, "order")).then(pl.col("gross_fen") * percent // 100).otherwise(0)


def _refund() -> pl.Expr:
    """What the line gives back in the end: all of it, or half of the order's first line."""
    part = pl.when(pl.col("line") == 0).then(pl.col("net_fen") // 2).otherwise(0)
    return pl.when("is_full_refund").then("net_fen").otherwise(pl.when("is_refunded").then(part).otherwise(0))


def between(shop: Shop, since: datetime, until: datetime) -> Shop:
    """The orders placed from one instant up to, not at, another."""
    is_placed = pl.col("ordered_at").is_between(pl.lit(since).cast(INSTANT), pl.lit(until).cast(INSTANT), closed="left")
    orders = shop.orders.filter(is_placed)
    return Shop(
        shop.plan, orders, shop.lines.join(orders.select(order=ROW), on="order", how="semi", maintain_order="left")
    )


def known_at(shop: Shop, at: datetime) -> Shop:
    """What a back office shows at an instant: orders placed by then with their `state`, refunds given by then."""
    now = pl.lit(at).cast(INSTANT)
    has = {name: pl.col(name) <= now for name in ("paid_at", "shipped_at", "finished_at", "closed_at", "refunded_at")}
    state = pl.lit("unpaid")
    for name, code in (
        ("paid_at", "paid"),
        ("shipped_at", "shipped"),
        ("finished_at", "finished"),
        ("closed_at", "closed"),
    ):
        state = pl.when(has[name].fill_null(value=False)).then(pl.lit(code)).otherwise(state)
    orders = shop.orders.filter(pl.col("ordered_at") <= now).with_columns(
        state=state, **{name: pl.when(is_past).then(name) for name, is_past in has.items()}
    )
    seen = orders.select(
        order=ROW, is_paid=pl.col("paid_at").is_not_null(), is_back=pl.col("refunded_at").is_not_null()
    )
    lines = shop.lines.join(seen, on="order", how="inner", maintain_order="left").with_columns(
        paid_fen=pl.when("is_paid").then("net_fen").otherwise(0),
        refund_fen=pl.when("is_back").then("refund_fen").otherwise(0),
    )
    return Shop(shop.plan, orders, lines.drop("is_paid", "is_back"))

"""The rows that a file of a grain has, in canonical columns: the truth cut down to what its layout can say.

Every frame has `number` (it draws the row's variants), `person` (null is anonymous) and `record_number`, which is the
same for all rows of one record. Money and instants are the house's; nothing is text of a file yet.
"""

from collections.abc import Callable

import polars as pl

from expectations.vocabulary import EVENTS, INSTANT
from infra.exports.abilities import can_discount, codes_of, kind_of, says_refunds, status_of
from infra.exports.draw import ROW, chance, draw, pick
from infra.exports.goods import invent_products
from infra.exports.people import invent_people
from infra.exports.shop import MOST_LINES, Shop
from tasks.sources.layouts import Layout

ORDER = "order:"
"""Prefix of a line's columns that hold its order's amount."""
CURRENCY = "CNY"
_FREIGHTS = (0, 0, 600, 800)
_MONEY = ("gross_fen", "paid_fen", "coupon_fen", "refunded_fen")


def order_rows(shop: Shop, layout: Layout) -> pl.DataFrame:
    """One row per order that the layout has a status for."""
    lines = _lines(shop, layout)
    money = lines.group_by("order").agg(pl.col(*_MONEY, "quantity").sum(), pl.col("product_name").first())
    orders = shop.orders.with_columns(status=status_of(layout)).drop_nulls("status")
    freight = draw("freight", len(_FREIGHTS)).replace_strict(range(len(_FREIGHTS)), _FREIGHTS)
    return (
        orders.join(money, left_on=ROW, right_on="order", how="inner", maintain_order="left", validate="1:1")
        .with_columns(kind=kind_of(layout), freight_fen=freight, fees_fen=_fees(layout), currency=pl.lit(CURRENCY))
        .with_columns(record_number=ROW, modified_at=_modified())
        .with_columns(paid_at="paid_at" if "paid_at" in layout.made else pl.lit(None, INSTANT))
        .with_columns(**_parent(shop, layout), **_payment(layout))
    )


def _parent(shop: Shop, layout: Layout) -> dict[str, pl.Expr]:
    """The order that one was split from, its own number for the first part, where the layout tells it."""
    told = pl.col("split_from") if "split_from" in shop.orders.columns else pl.lit(None, pl.String)
    return {"parent_order_id": told} if "parent_order_id" in layout.made else {}


def _payment(layout: Layout) -> dict[str, pl.Expr]:
    """How most orders were paid, where the layout tells it."""
    codes = sorted(codes_of(layout, "payment_method") or ())
    return {"payment_method": pl.when(chance("payment told", 900)).then(pick("payment", codes))} if codes else {}


def _fees(layout: Layout) -> pl.Expr:
    """Tax and the like, on some orders, where the layout tells it."""
    has_fees = chance("fees", 300) & pl.lit("fees_fen" in layout.made)
    return pl.when(has_fees).then(150).otherwise(0)


def _modified() -> pl.Expr:
    return pl.max_horizontal("ordered_at", "paid_at", "shipped_at", "finished_at", "closed_at")


def line_rows(shop: Shop, layout: Layout) -> pl.DataFrame:
    """One row per line of those orders; the order's own amounts stand in columns that begin with `order:`."""
    orders = order_rows(shop, layout)
    own = orders.select(pl.exclude("record_number", "order_id", "quantity", "product_name")).rename(
        {name: ORDER + name for name in (*_MONEY, "freight_fen", "fees_fen", "kind")}
    )
    gift = "gift" in (codes_of(layout, "kind") or ())
    kind = pl.when("is_gift").then(pl.lit("gift")).otherwise(ORDER + "kind") if gift else pl.col(ORDER + "kind")
    return (
        _lines(shop, layout)
        .join(own, left_on="order", right_on=ROW, how="inner", maintain_order="left", validate="m:1")
        .with_columns(
            record_number="order",
            kind=kind,
            freight_fen=pl.when(pl.col("line") == 0).then(ORDER + "freight_fen").otherwise(0),
        )
        .with_columns(line_id=pl.format("{}-{}", "order_id", pl.col("line") + 1))
    )


def _lines(shop: Shop, layout: Layout) -> pl.DataFrame:
    """Lines with the money that the layout can tell: without a word for discounts, what was paid is the list amount."""
    paid = "paid_fen" if can_discount(layout) else "gross_fen"
    coupon = "coupon_fen" if can_discount(layout) else pl.lit(0, pl.Int64)
    is_whole = (pl.col("refund_fen") == pl.col("net_fen")) & (pl.col("refund_fen") > 0)
    refunded = {
        "amount": pl.when(is_whole).then(paid).otherwise("refund_fen"),
        "full": pl.when("is_whole_order").then(paid).otherwise(0),
        "none": pl.lit(0, pl.Int64),
    }[says_refunds(layout)]
    whole = shop.orders.select(order=ROW, is_whole_order=pl.col("refunded_at").is_not_null() & pl.col("is_full_refund"))
    return (
        shop.lines.join(whole, on="order", how="left", maintain_order="left", validate="m:1")
        .with_columns(paid_fen=paid, coupon_fen=coupon, refunded_fen=refunded)
        .drop("is_whole_order", "refund_fen", "net_fen", "discount_fen")
    )


def refund_rows(shop: Shop, layout: Layout) -> pl.DataFrame:
    """One row per line that was sent back, asked for or refused; only what was paid back counts."""
    states = sorted(codes_of(layout, "refund_state") or ())
    asked = pick("what came of it", states)
    state = pl.when(chance("paid back", 800)).then(pl.lit("paid_back")).otherwise(asked)
    orders = shop.orders.select("person", "paid_at", "refunded_at", order=ROW).drop_nulls("refunded_at")
    rows = shop.lines.filter(pl.col("refund_fen") > 0).join(orders, on="order", how="inner", maintain_order="left")
    return rows.select(
        ROW, "person", "order_id", "refund_fen", "refunded_at", "paid_at", "product_id", "product_name",
        record_number=ROW, refund_id=pl.format("R{}-{}", "order_id", pl.col("line") + 1), refund_state=state,
    )  # fmt: skip


def member_rows(shop: Shop, _layout: Layout) -> pl.DataFrame:
    """One row per person whom the shop knows."""
    joined = pl.lit(shop.plan.since).cast(INSTANT) + pl.duration(seconds=draw("joined", 86_400 * 20))
    consent = pl.col("joined_at") + pl.duration(seconds=draw("consent", 900) + 5)
    return _known_people(shop).with_columns(joined_at=joined).with_columns(consent_at=consent, record_number=ROW)


def _known_people(shop: Shop) -> pl.DataFrame:
    """One row per person of the shop's orders, by number."""
    known = shop.orders.select(person="person").drop_nulls().unique().sort("person")
    people = invent_people(shop.plan.people, shop.plan.seed).rename({ROW: "person"})
    return known.join(people, on="person", how="left", maintain_order="left").with_columns(number=pl.col("person"))


def follow_rows(shop: Shop, layout: Layout) -> pl.DataFrame:
    """One row per adviser and person; every fourth person has two advisers."""
    people = member_rows(shop, layout)
    second = people.filter(chance("second adviser", 250)).with_columns(nth=pl.lit(1))
    return pl.concat([people.with_columns(nth=pl.lit(0)), second]).sort(ROW, "nth").with_columns(
        number=pl.col(ROW) * 2 + pl.col("nth"), record_number=ROW,
        adviser_id=pl.format("adviser{}", (pl.col(ROW) + pl.col("nth")) % 5),
        followed_at=pl.col("joined_at") + pl.duration(seconds="nth"),
        add_way=pick("way", ("1", "3", "202")),
    )  # fmt: skip


def product_rows(shop: Shop, _layout: Layout) -> pl.DataFrame:
    """One row per product."""
    return invent_products(shop.plan.goods).with_columns(person=pl.lit(None, pl.Int64), record_number=ROW)


def touch_rows(shop: Shop, layout: Layout) -> pl.DataFrame:
    """One row per person and campaign, up to three of them a week apart."""
    since = pl.lit(shop.plan.since).cast(INSTANT)
    sent = since + pl.duration(days=pl.col("campaign_number") * 7 + 1, seconds=draw("sent", 3_600))
    day = pl.col("happened_at").dt.convert_time_zone(shop.plan.zone).dt.date()
    kinds = sorted(codes_of(layout, "kind") or ())
    vendor = layout.first_of["vendor"].of[-1] if "vendor" in layout.first_of else ""
    sender = layout.constants.get(vendor or "vendor", "own_sender" if "vendor" in layout.columns else None)
    campaign = {} if "campaign" in layout.templates else {"campaign": pl.format("spring{}", pl.col("campaign_number"))}
    rows = (
        _known_people(shop)
        .with_columns(campaign_number=pl.int_ranges(0, draw("campaigns", 3) + 1))
        .explode("campaign_number", empty_as_null=False)
        .with_columns(number=pl.col(ROW) * 4 + pl.col("campaign_number"))
        .with_columns(happened_at=sent, record_number=ROW, kind=pick("what happened", kinds))
        .with_columns(send_on=day, vendor=pl.lit(sender), **campaign)
    )
    if "send_id" in layout.columns:
        rows = rows.with_columns(send_id=pl.format("{}/{}/{}", "vendor", "campaign", pl.col("send_on").cast(pl.String)))
    return rows


def event_rows(shop: Shop, layout: Layout) -> pl.DataFrame:
    """One row per paid order: something that its buyer did at about that time."""
    codes = sorted((codes_of(layout, "event") or frozenset(EVENTS)) - {"other"})
    first = shop.lines.filter(pl.col("line") == 0).select("order_id", "product_id")
    return (
        shop.orders.drop_nulls(["paid_at", "person"])
        .join(first, on="order_id", how="left", maintain_order="left", validate="1:1")
        .select(ROW, "person", "order_id", "product_id", record_number=ROW, happened_at="paid_at")
        .with_columns(event_id=pl.format("ev-{}", "order_id"), event=pick("event", codes))
    )


def statistics_rows(_shop: Shop, layout: Layout) -> pl.DataFrame:
    """One row per message: how many devices it was sent to and reached."""
    counts = {name: draw(name, 10_000) for name, cell in layout.columns.items() if cell.parse == "integer"}
    messages = pl.DataFrame({ROW: pl.int_range(12, eager=True)})
    return messages.with_columns(
        person=pl.lit(None, pl.Int64), record_number=ROW, message_id=pl.format("msg-{}", ROW), **counts
    )


def most_lines(layout: Layout) -> int:
    """How many lines an order can have: one where its number is the line's as well."""
    return 1 if layout.templates.get("line_id") == "{order_id}" else MOST_LINES - 1


Rows = Callable[[Shop, Layout], pl.DataFrame]
ROWS: dict[str, Rows] = {
    "order": order_rows, "line": line_rows, "refund": refund_rows, "member": member_rows,
    "contact": member_rows, "follow": follow_rows,
    "product": product_rows, "touch": touch_rows, "event": event_rows, "statistics": statistics_rows,
}  # fmt: skip

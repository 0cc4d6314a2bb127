"""Orders that hang together: paid in one payment, split off from one another, or paid in two parts.

What becomes of them is the canon's: orders paid together stay orders of their own, and so do the parts of a split one,
each with its own amounts; a deposit makes no order, the balance does, at its own time.
"""

from dataclasses import dataclass

import polars as pl

from infra.exports.draw import ROW, chance, draw

_DAY = 86_400
_OF_BUNDLE = ("person", "ordered_at")
_AFTER_PAYMENT = ("paid_at", "shipped_at", "finished_at", "refunded_at", "closed_at")
PAYER = "payer"
"""Number of the order with which an order is paid; its own where it is paid alone."""


@dataclass(frozen=True)
class Together:
    """How often orders hang together, of a thousand."""

    presale_in_1000: int = 0
    """Orders of which a deposit is paid at once and the balance days later, if ever."""
    bundled_in_1000: int = 0
    """Orders that are paid with the one before, or are split off from it: of one person, at one time."""


ALONE = Together()


def bundle(orders: pl.DataFrame, together: Together, asked: str) -> pl.DataFrame:
    """Orders as given with `payer`; where some are bundled, those with the person and time of the first of them.

    `paid_under` is the number of the payment. Every second bundle is one order in parts: `split_from` is its number,
    null elsewhere.
    """
    if not together.bundled_in_1000:
        return orders.with_columns(pl.col(ROW).alias(PAYER))
    follows = chance(f"{asked}/bundled", together.bundled_in_1000) & (pl.int_range(pl.len()) > 0)
    marked = orders.with_columns(bundle=(~follows).cum_sum())
    first = {name: pl.col(name).first().over("bundle") for name in (ROW, "order_id", *_OF_BUNDLE)}
    is_split = (pl.len().over("bundle") > 1) & (draw(f"{asked}/split", 2, "bundle") == 0)
    return marked.with_columns(
        first[ROW].alias(PAYER), paid_under=pl.format("20260000{}", first[ROW]),
        split_from=pl.when(is_split).then(first["order_id"]), **{name: first[name] for name in _OF_BUNDLE},
    ).drop("bundle")  # fmt: skip


def presell(orders: pl.DataFrame, together: Together, asked: str) -> pl.DataFrame:
    """Orders as given; where some are sold ahead with `deposit_at`, and all that follows a payment after the balance.

    One that is closed unpaid had its deposit only.
    """
    if not together.presale_in_1000:
        return orders
    is_presale = chance(f"{asked}/presale", together.presale_in_1000, PAYER)
    later = pl.duration(seconds=draw(f"{asked}/balance", 9 * _DAY, PAYER) + _DAY)
    return orders.with_columns(
        deposit_at=pl.when(is_presale).then(pl.col("ordered_at") + pl.duration(seconds=60)),
        **{name: pl.when(is_presale).then(pl.col(name) + later).otherwise(name) for name in _AFTER_PAYMENT},
    )


def told_of(header: str, rows: pl.DataFrame, zone: str) -> pl.Expr | None:
    """What stands under a header that tells how orders hang together; None where it is no such header."""
    deposit = pl.col("deposit_at").dt.convert_time_zone(zone).dt.strftime("%Y-%m-%d %H:%M:%S")
    stages = pl.when(pl.col("deposit_at").is_not_null()).then(pl.lit("阶段1：付款成功；阶段2：尾款"))
    told = {
        "支付单号": ("paid_under", pl.col("paid_under")), "预售定金支付时间": ("deposit_at", deposit),
        "分阶段订单信息": ("deposit_at", stages),
    }  # fmt: skip
    column, text = told.get(header, ("", pl.lit("")))
    return text.fill_null("") if column in rows.columns else None

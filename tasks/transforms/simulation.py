"""What another policy would do at one date: who would have another tier, segment or stage, and what hangs on it."""

from dataclasses import dataclass

import polars as pl

from tasks.policy.campaigns import Campaign
from tasks.policy.models import Policy
from tasks.transforms.audience import select_audience

DIMENSIONS = ("tier", "segment", "stage")
SHOWN = ("tier_spend_fen", "tier_level", "r_score", "f_score", "m_score", "days_since_order")


@dataclass(frozen=True)
class Side:
    """One policy and what it makes of the customers of the date."""

    policy: Policy
    customers: pl.LazyFrame
    base: pl.LazyFrame
    """audience.base_of the same customers."""


def movers(now: pl.LazyFrame, then: pl.LazyFrame) -> pl.LazyFrame:
    """One row per customer who would have another label: those of `then` beside those of `now`, as `…_then`.

    Sorted by spend in the window, the most valuable first, then by id.
    """
    columns = ("one_id", "monetary_fen", *DIMENSIONS, *SHOWN)
    both = now.select(columns).join(then.select(columns), on="one_id", suffix="_then")
    moved = pl.any_horizontal(pl.col(name) != pl.col(f"{name}_then") for name in DIMENSIONS)
    return both.filter(moved).sort("monetary_fen", "one_id", descending=[True, False])


def matrix(moved: pl.LazyFrame) -> pl.LazyFrame:
    """One row per dimension and pair of labels that differ: customers, and their spend in the window in fen."""
    return pl.concat([_cells(moved, dimension) for dimension in DIMENSIONS]).sort(
        "dimension", "customers", "from_code", "to_code", descending=[False, True, False, False]
    )


def _cells(moved: pl.LazyFrame, dimension: str) -> pl.LazyFrame:
    start, end = pl.col(dimension), pl.col(f"{dimension}_then")
    return (
        moved.filter(start != end)
        .group_by(dimension=pl.lit(dimension), from_code=start, to_code=end)
        .agg(customers=pl.len().cast(pl.Int64), monetary_fen=pl.col("monetary_fen").sum())
    )


def totals(moved: pl.LazyFrame) -> dict[str, dict[str, int]]:
    """Customers and their spend in the window, in fen: of all who would move, by dimension, of tiers up and down."""
    rises = pl.col("tier_level_then") > pl.col("tier_level")
    differs = {name: pl.col(name) != pl.col(f"{name}_then") for name in DIMENSIONS}
    sides = {"tier_up": differs["tier"] & rises, "tier_down": differs["tier"] & ~rises}
    return {name: _total(moved.filter(kind)) for name, kind in {"any": pl.lit(value=True), **differs, **sides}.items()}


def _total(moved: pl.LazyFrame) -> dict[str, int]:
    told = moved.select(customers=pl.len().cast(pl.Int64), spend_fen=pl.col("monetary_fen").sum())
    return told.collect().row(0, named=True)


def audiences(now: Side, then: Side) -> pl.DataFrame:
    """One row per campaign of either policy: people who meet its condition, what messages cost and what they give away.

    `incentive_fen` is what is at stake if everyone takes what the message offers, the dearest variant's.
    Before consent, caps and holdouts, which take the same people out of both.
    """
    codes = dict.fromkeys(campaign.code for side in (now, then) for campaign in side.policy.campaigns)
    rows = [{"campaign": code, **_volume(now, code, ""), **_volume(then, code, "_then")} for code in codes]
    schema = {
        "campaign": pl.String,
        "people": pl.Int64,
        "cost_fen": pl.Int64,
        "incentive_fen": pl.Int64,
        "people_then": pl.Int64,
        "cost_fen_then": pl.Int64,
        "incentive_fen_then": pl.Int64,
    }
    return pl.DataFrame(rows, schema)


def _volume(side: Side, code: str, suffix: str) -> dict[str, int]:
    campaign = next((campaign for campaign in side.policy.campaigns if campaign.code == code), None)
    people = 0 if campaign is None else _people(side, campaign)
    cost = 0 if campaign is None else campaign.message_cost_fen
    given = 0 if campaign is None else dearest_incentive(campaign)
    return {f"people{suffix}": people, f"cost_fen{suffix}": people * cost, f"incentive_fen{suffix}": people * given}


def dearest_incentive(campaign: Campaign) -> int:
    """Fen that one message gives away at most."""
    own = [variant.incentive_fen for variant in campaign.variants]
    return max((campaign.incentive_fen if fen is None else fen for fen in own), default=campaign.incentive_fen)


def _people(side: Side, campaign: Campaign) -> int:
    met = select_audience(side.base, campaign).select(pl.col("is_met").sum())
    return int(met.collect().item())


def coupons(now: Side, then: Side) -> pl.DataFrame:
    """One row per coupon that comes with a tier: how many customers hold a tier with it, under either policy."""
    both = [_holders(side, name) for side, name in ((now, "customers"), (then, "customers_then"))]
    held = both[0].join(both[1], on="coupon", how="full", coalesce=True)
    return held.with_columns(pl.col("customers", "customers_then").fill_null(0)).sort("coupon")


def _holders(side: Side, name: str) -> pl.DataFrame:
    given = {tier.code: list(tier.coupons) for tier in side.policy.tiers.tiers}
    tiers = pl.LazyFrame(
        {"tier": list(given), "coupon": list(given.values())}, {"tier": pl.String, "coupon": pl.List(pl.String)}
    )
    heads = side.customers.group_by("tier").agg(heads=pl.len().cast(pl.Int64))
    held = heads.join(tiers, on="tier").explode("coupon").drop_nulls("coupon")
    return held.group_by("coupon").agg(pl.col("heads").sum().alias(name)).collect()


def coupon_money(moved: pl.LazyFrame, owned: pl.LazyFrame) -> int:
    """What the customers who would change tier took in coupons: fen off the orders of `owned` (one_id, coupon_fen)."""
    changing = moved.filter(pl.col("tier") != pl.col("tier_then")).select("one_id")
    total = owned.join(changing, on="one_id", how="semi").select(pl.col("coupon_fen").sum()).collect().item()
    return int(total or 0)

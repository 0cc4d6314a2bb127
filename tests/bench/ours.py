"""RFM, scores and tiers by the product's own transforms: what `strata refresh` runs, on the bench's orders."""

from pathlib import Path

import polars as pl

from tasks.policy.models import Policy
from tasks.transforms.facts import sum_orders
from tasks.transforms.held import in_memory
from tasks.transforms.rfm import score_rfm
from tasks.transforms.tier_replay import advance
from tasks.transforms.tier_spend import TIER_SPEND, in_spend_window, spend_window_since, with_counting_days
from tests.bench.orders import AS_OF, MONTH_BEFORE
from tests.bench.results import COLUMNS


def run(orders: Path, result: Path, policy: Policy) -> None:
    """Write the result for the bench's orders, which hold no refunds: net is paid."""
    layered(pl.scan_parquet(orders), policy).sink_parquet(result, compression="zstd")


def layered(orders: pl.LazyFrame, policy: Policy) -> pl.LazyFrame:
    """One row per customer, sorted."""
    tiers, rfm = policy.tiers, policy.rfm
    net = orders.with_columns(
        net_fen="paid_fen", is_qualifying=pl.col("paid_fen") > 0, has_coupon=pl.lit(value=False)
    ).pipe(with_counting_days, None, as_of=AS_OF, tiers=tiers)
    marked = net.with_columns(in_spend_window(AS_OF, tiers))
    since = spend_window_since(AS_OF, tiers)
    facts = sum_orders(marked, as_of=AS_OF, window_days=rfm.window_days, also=[TIER_SPEND], since=since)
    read = facts.select("one_id", "recency_days", "frequency", "monetary_fen", "tier_spend_fen")
    people = in_memory("facts", read)
    tiered = advance(people, None, net, None, after=MONTH_BEFORE, as_of=AS_OF, tiers=tiers)
    return tiered.pipe(score_rfm, rfm).select(COLUMNS)

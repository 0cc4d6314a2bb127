"""What `strata simulate` does: works out a date under another policy and tells who would move. Nothing is kept."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from flows.refreshed import as_it_was, newest_refresh
from tasks.policy.load import digest_of, load_policy
from tasks.policy.models import Policy
from tasks.refs import Run
from tasks.reports.simulated import why_moved
from tasks.settings import Settings
from tasks.steps.house import lake_at, policy_of
from tasks.steps.inputs import as_of as day_of
from tasks.steps.inputs import known_as_of, refresh_inputs
from tasks.steps.past import past_of, with_all_seen
from tasks.transforms.audience import base_of
from tasks.transforms.customers import layer_customers
from tasks.transforms.inputs import Inputs
from tasks.transforms.orders import owned_orders
from tasks.transforms.refresh import tags_of
from tasks.transforms.simulation import DIMENSIONS, Side, audiences, coupon_money, coupons, matrix, movers, totals
from tasks.transforms.traits import describe_customers, with_traits

MOST_EXPLAINED = 20


def simulate(folder: str, as_of: date | None, uri: str = "") -> dict[str, Any]:
    """Who would move at a date, the newest when none is named, under the policy of a folder; nothing is written.

    Raises:
        MissingDataError: the date was never refreshed.
    """
    uri = uri or Settings().lake
    lake = lake_at(uri)
    why = "its customers are compared with those of the other policy"
    run = as_it_was(newest_refresh(lake, lake.snapshot(), as_of, why=why), uri)
    policy, stored = load_policy(Path(folder)), policy_of(run)
    inputs = refresh_inputs(run, policy)
    now = _as_stored(run, stored)
    identities, then = _as_it_would_be(inputs, policy, run)
    moved = movers(now.customers, then.customers).collect().lazy()
    return {
        "as_of": run.as_of,
        "policy": {"now": run.policy_digest[:12], "then": digest_of(policy)[:12]},
        "customers": _height(now.customers),
        "movers": totals(moved),
        "moves": matrix(moved).collect().to_dicts(),
        "campaigns": audiences(now, then).to_dicts(),
        "coupons": coupons(now, then).to_dicts(),
        "coupon_fen_of_tier_movers": _coupon_money(inputs, identities, moved, stored, day_of(run)),
        "explained": [_explained(row, stored, policy) for row in moved.head(MOST_EXPLAINED).collect().to_dicts()],
    }


def _as_stored(run: Run, policy: Policy) -> Side:
    """The customers of the date as they stand."""
    lake = lake_at(run.lake)
    tables = ("customers", "traits", "tags", "identities")
    customers, traits, tags, identities = (lake.scan(name, lake.snapshot(), partitions=[run.as_of]) for name in tables)
    base = base_of(customers, traits, tags).collect().lazy()
    return Side(policy, customers, _with_seen(base, policy, run, identities))


def _with_seen(base: pl.LazyFrame, policy: Policy, run: Run, identities: pl.LazyFrame) -> pl.LazyFrame:
    """The base as a send of the day after would read it."""
    day, known = day_of(run), known_as_of(run)
    after = day + timedelta(days=1)
    past = past_of(run, policy, as_of=day, send_on=after, known_as_of=known, identities=identities)
    return with_all_seen(base, policy, past)


def _as_it_would_be(inputs: Inputs, policy: Policy, run: Run) -> tuple[pl.LazyFrame, Side]:
    """Identities and customers under the other policy, in memory alone."""
    day = day_of(run)
    layers = layer_customers(inputs, policy, day)
    described = describe_customers(inputs, policy, day, layers.identities, layers.customers)
    traits = described.traits.collect().lazy()
    tags = tags_of(inputs, policy, day, layers.identities, with_traits(layers.customers, traits))
    base = base_of(layers.customers, traits, tags).collect().lazy()
    return layers.identities, Side(policy, layers.customers, _with_seen(base, policy, run, layers.identities))


def _coupon_money(inputs: Inputs, identities: pl.LazyFrame, moved: pl.LazyFrame, policy: Policy, day: date) -> int:
    since = day - timedelta(days=policy.tiers.qualify_window_days)
    recent = inputs.orders.filter(pl.col("paid_on").is_between(since, day, closed="right"))
    return coupon_money(moved, owned_orders(recent, identities))


def _height(rows: pl.LazyFrame) -> int:
    return int(rows.select(pl.len()).collect().item())


def _explained(row: dict[str, Any], now: Policy, then: Policy) -> dict[str, Any]:
    labels = {
        name: {"from": row[name], "to": row[f"{name}_then"]} for name in DIMENSIONS if row[name] != row[f"{name}_then"]
    }
    why = why_moved(row, now, then)
    told = {"zh": [text.zh for text in why], "en": [text.en for text in why]}
    return {"one_id": row["one_id"], "spend_fen": row["monetary_fen"], "moves": labels, "why": told}

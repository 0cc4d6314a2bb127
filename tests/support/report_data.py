"""A realistic month for the report: 2,469 invented customers over two months, seeded, scored by the rules."""

import json
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl

from expectations.tables import TABLES
from tasks.policy.load import load_policy
from tasks.policy.models import Policy
from tasks.reports.data import REFUSALS, REVENUE, ReportData, RunFacts

AS_OF, BEFORE = date(2017, 12, 31), date(2017, 11, 30)
PEOPLE = 2469
POLICY_FOLDER = Path(__file__).parents[2] / "infra/demo/complete_journey/policy"


@cache
def demo_policy() -> Policy:
    return load_policy(POLICY_FOLDER)


def facts(*, first: bool = False) -> RunFacts:
    return RunFacts(
        as_of=AS_OF,
        policy_digest="5f" * 32,
        code_version="c0" * 32,
        snapshot_seq=12,
        known_as_of=datetime(2018, 1, 1, 5, tzinfo=UTC),
        previous_as_of=None if first else BEFORE,
    )


def empty(table: str) -> pl.DataFrame:
    return TABLES[table].empty().collect()


def empty_month() -> ReportData:
    """A brand's first month: nothing was received, nobody is known."""
    names = ("customers", "cutoffs", "migrations", "files", "audience_members", "deliveries", "metrics")
    return ReportData(
        policy=demo_policy(), month="2017-12", facts=facts(first=True), previous=empty("customers"),
        refusals=REFUSALS.to_frame(), revenue=REVENUE.to_frame(), **{name: empty(name) for name in names},
    )  # fmt: skip


@cache
def full_month() -> ReportData:
    """December after November, with two campaigns and twelve files."""
    now, before = _two_months()
    members = _members(now)
    return ReportData(
        policy=demo_policy(), month="2017-12", facts=facts(), customers=now, previous=before,
        cutoffs=_cutoffs(now), migrations=_migrations(now, before), files=_files(), refusals=_refusals(),
        revenue=_revenue(), audience_members=members, deliveries=_deliveries(members), metrics=empty("metrics"),
    )  # fmt: skip


def customers_frame(columns: dict[str, object]) -> pl.DataFrame:
    """Rows of the table customers; columns not given are null."""
    return pl.DataFrame(columns).select(
        pl.col(name).cast(dtype) if name in columns else pl.lit(None, dtype).alias(name)
        for name, dtype in TABLES["customers"].schema.items()
    )


def _two_months() -> tuple[pl.DataFrame, pl.DataFrame]:
    draw = np.random.default_rng(2017)
    habit = draw.gamma(1.1, 38, PEOPLE)
    basket = draw.lognormal(3.1, 0.6, PEOPLE)
    orders = 1 + draw.poisson(habit)
    recency = np.minimum(draw.geometric(np.minimum(orders, 60) / 190) - 1, 340)
    recency = np.where(draw.random(PEOPLE) < 0.07, draw.integers(31, 200, PEOPLE), recency)
    spend = (orders * basket * 100 * draw.lognormal(0, 0.15, PEOPLE)).astype(np.int64)
    now = _scored(AS_OF, np.arange(PEOPLE), recency, orders, spend)
    was = np.arange(PEOPLE - 31)
    bought = draw.binomial(np.minimum(orders, 40), 0.09)
    earlier = np.where(bought > 0, draw.integers(0, 45, PEOPLE), np.maximum(recency - 31, 0))
    reduced = (spend * (1 - bought / np.maximum(orders, 1) * 0.9) * draw.lognormal(0, 0.05, PEOPLE)).astype(np.int64)
    return now, _scored(BEFORE, was, earlier[was], np.maximum(orders - bought, 1)[was], reduced[was])


def _scored(as_of: date, people: np.ndarray, recency: np.ndarray, orders: np.ndarray, spend: np.ndarray):
    facts_frame = pl.DataFrame({
        "one_id": [f"c_{person:016d}" for person in people], "recency_days": recency, "frequency": orders,
        "monetary_fen": spend,
    }).with_columns(
        as_of=pl.lit(as_of), days_since_order="recency_days",
        r_score=_min_rank(-pl.col("recency_days")), f_score=_min_rank(pl.col("frequency")),
        m_score=_min_rank(pl.col("monetary_fen")),
    )  # fmt: skip
    named = facts_frame.with_columns(
        segment=_segment(), rfm_cell=_cell(), tier=_tier(), stage=_stage(), policy_digest=pl.lit("5f" * 32)
    )
    return customers_frame(named.to_dict())


def _min_rank(value: pl.Expr) -> pl.Expr:
    return 1 + (5 * (value.rank("min").cast(pl.Int64) - 1)) // pl.len()


def _cell() -> pl.Expr:
    highs = [pl.col(f"{name}_score") * pl.len() > pl.col(f"{name}_score").sum() for name in "rfm"]
    return pl.concat_str([pl.when(high).then(pl.lit("H")).otherwise(pl.lit("L")) for high in highs])


def _segment() -> pl.Expr:
    chain = pl.lit(None, pl.String)
    for rule in reversed(demo_policy().segments.rules):
        fits = pl.all_horizontal(pl.col(f"{name}_score").is_between(*getattr(rule, name)) for name in "rfm")
        chain = pl.when(fits).then(pl.lit(rule.code)).otherwise(chain)
    return chain


def _tier() -> pl.Expr:
    chain = pl.lit("base")
    for tier in demo_policy().tiers.tiers[1:]:
        chain = pl.when(pl.col("monetary_fen") >= tier.up_fen).then(pl.lit(tier.code)).otherwise(chain)
    return chain


def _stage() -> pl.Expr:
    days = pl.col("days_since_order")
    return (
        pl.when((pl.col("frequency") == 1) & (days <= 7)).then(pl.lit("new"))
        .when((pl.col("frequency") == 2) & (days <= 30)).then(pl.lit("growing"))
        .when((pl.col("frequency") < 12) & (days <= 10)).then(pl.lit("returned"))
        .when(days <= 30).then(pl.lit("active")).when(days <= 60).then(pl.lit("at_risk"))
        .when(days <= 90).then(pl.lit("silent")).otherwise(pl.lit("lost"))
    )  # fmt: skip


def _cutoffs(customers: pl.DataFrame) -> pl.DataFrame:
    measures = {"r": -pl.col("recency_days"), "f": pl.col("frequency"), "m": pl.col("monetary_fen")}
    parts = []
    for name, value in measures.items():
        least = customers.group_by(score=f"{name}_score").agg(cutoff=value.min())
        tie = customers.group_by(value.alias("value")).len()["len"].max()
        parts.append(
            pl.DataFrame({"score": [1, 2, 3, 4, 5]}).join(least, on="score", how="left").with_columns(
                as_of=pl.lit(AS_OF), dimension=pl.lit(name), base_count=pl.lit(customers.height, pl.Int64),
                effective_levels=pl.lit(customers[f"{name}_score"].n_unique(), pl.Int64),
                max_tie_share=pl.lit(round(tie / customers.height, 4)), method=pl.lit("quantile_min_rank"),
                measure=pl.lit("days"), computed_on=pl.lit(AS_OF),
            )
        )  # fmt: skip
    return pl.concat(parts).select(TABLES["cutoffs"].columns)


def _migrations(now: pl.DataFrame, before: pl.DataFrame) -> pl.DataFrame:
    both = now.join(before, on="one_id", how="full", coalesce=True, suffix="_before").sort("one_id")
    return pl.concat([
        both.select(
            "one_id", dimension=pl.lit(name), from_as_of=pl.lit(BEFORE), as_of=pl.lit(AS_OF),
            from_code=pl.col(f"{name}_before").fill_null("ENTERED"), to_code=pl.col(name).fill_null("LEFT"),
            monetary_fen=pl.coalesce("monetary_fen", "monetary_fen_before"),
        )
        for name in ("tier", "segment", "stage")
    ]).with_columns(
        cause=pl.when(pl.col("from_code") != pl.col("to_code")).then(pl.lit("new_orders")), label_path=pl.lit(None)
    )  # fmt: skip


def _files() -> pl.DataFrame:
    months = np.arange(1, 13)
    rows = 118_000 + 1_500 * months
    refused, repeated = months * 3, months * 11
    money = rows * 309
    columns = {
        "sha256": [f"{month:064x}" for month in months], "channel": ["complete_journey"] * 12,
        "shop_id": ["main"] * 12, "layout": ["complete_journey_transactions"] * 12,
        "name": [f"transactions_2017-{month:02d}.csv" for month in months], "outcome": ["accepted"] * 12,
        "rows_read": rows, "rows_accepted": rows - refused - repeated, "rows_duplicate": repeated,
        "rows_quarantined": refused, "money_read_fen": money, "money_duplicate_fen": repeated * 300,
        "money_accepted_fen": money - repeated * 300 - refused * 310, "money_quarantined_fen": refused * 310,
        "money_unreadable": np.where(months == 7, 2, 0), "drift": ["{}"] * 12,
    }  # fmt: skip
    schema = TABLES["files"].schema
    return pl.DataFrame(columns).select(
        pl.col(name).cast(dtype) if name in columns else pl.lit(None, dtype).alias(name)
        for name, dtype in schema.items()
    )


def _refusals() -> pl.DataFrame:
    return pl.DataFrame(
        {"rule": ["order_id_present", "paid_not_negative"], "rows": [190, 51], "money_fen": [58_900, -12_240]},
        schema=REFUSALS,
    )


def _revenue() -> pl.DataFrame:
    season = (31, 29, 33, 34, 37, 38, 39, 40, 38, 40, 41, 44)
    rows = [
        (f"2017-{month:02d}", is_identified, size * (300 if is_identified else 21), size * fen)
        for month, size in enumerate(season, start=1)
        for is_identified, fen in ((True, 1_013_427), (False, 71_903 + month))
    ]
    return pl.DataFrame(rows, schema=REVENUE, orient="row")


def _members(now: pl.DataFrame) -> pl.DataFrame:
    sends = (
        ("winback_sms", (pl.col("m_score") >= 3) & (pl.col("days_since_order") > 30), 7),
        ("welcome_push", pl.col("frequency") <= 2, 5),
    )
    frames = [_considered(now, campaign, rule, step) for campaign, rule, step in sends]
    return pl.concat(frames).select(TABLES["audience_members"].columns)


def _considered(now: pl.DataFrame, campaign: str, rule: pl.Expr, step: int) -> pl.DataFrame:
    turn = pl.int_range(pl.len()).over(rule) % (step * 4)
    outcome = pl.when(~rule).then(pl.lit("rule_not_met"))
    for place, code in enumerate(("no_contact", "no_consent", "no_consent", "suppressed", "capped", "holdout")):
        outcome = outcome.when(turn == place).then(pl.lit(code))
    return now.select(
        "one_id", send_id=pl.lit(f"{campaign}:2018-01-01"), send_on=pl.lit(date(2018, 1, 1)),
        campaign=pl.lit(campaign), outcome=outcome.otherwise(pl.lit("delivered")), evidence=pl.lit(None, pl.String),
        recipient_key=pl.lit("phone::ab12"), variant=pl.lit(None, pl.String), seq=pl.lit(1, pl.Int64),
    )  # fmt: skip


def _deliveries(members: pl.DataFrame) -> pl.DataFrame:
    """Both sends published in one revision, with the accounts that their manifests hold."""
    published = pl.DataFrame([
        {"send_id": send_id, "seq": 1, "campaign": send_id.split(":")[0], "waterfall": json.dumps(_account(send))}
        for (send_id,), send in members.group_by("send_id", maintain_order=True)
    ])  # fmt: skip
    return published.select(
        pl.col(name).cast(dtype) if name in published.columns else pl.lit(None, dtype).alias(name)
        for name, dtype in TABLES["deliveries"].schema.items()
    )


def _account(send: pl.DataFrame) -> dict[str, int]:
    return {"base": send.height, "cancelled": 0} | dict(send.group_by("outcome").len().sort("outcome").iter_rows())

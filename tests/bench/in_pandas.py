"""The same result in pandas, vectorised: group-bys, ranks and merges, no Python loop over rows."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from tasks.policy.models import Policy
from tasks.policy.tiers import Tiers
from tests.bench.orders import AS_OF, MONTH_BEFORE
from tests.bench.results import COLUMNS

_END = pd.Timestamp(AS_OF)


def run(orders: Path, result: Path, policy: Policy) -> None:
    """Write the result; everything is held in memory."""
    frame = pd.read_parquet(orders)
    frame["paid_on"] = pd.to_datetime(frame["paid_on"])
    facts = _facts(frame, policy).pipe(_scored, policy.rfm.levels)
    tiered = _tiered(facts, _risen(frame, facts["tier_spend_fen"], policy.tiers), policy.tiers)
    tiered.sort_index().reset_index()[list(COLUMNS)].to_parquet(result, compression="zstd", index=False)


def _facts(frame: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    """One row per customer: the last day, count and sum of the window, and the spend that counts towards tiers."""
    last = _END - timedelta(policy.tiers.maturity_days)
    in_window = frame["paid_on"] > _END - timedelta(policy.rfm.window_days)
    in_tier = (frame["paid_on"] > last - timedelta(policy.tiers.qualify_window_days)) & (frame["paid_on"] <= last)
    bought = in_window & (frame["paid_fen"] > 0)
    marked = pd.DataFrame({
        "one_id": frame["one_id"],
        "last_on": frame["paid_on"].where(bought),
        "frequency": bought.astype("int64"),
        "monetary_fen": frame["paid_fen"] * in_window,
        "tier_spend_fen": frame["paid_fen"] * in_tier,
    })  # fmt: skip
    sums = {"last_on": "max", "frequency": "sum", "monetary_fen": "sum", "tier_spend_fen": "sum"}
    return marked.groupby("one_id", sort=False).agg(sums)


def _scored(facts: pd.DataFrame, levels: int) -> pd.DataFrame:
    """Add recency and the min-rank scores; customers outside the base score 0."""
    base = facts[facts["frequency"] > 0]
    facts["recency_days"] = (_END - facts["last_on"]).dt.days.astype("Int64")
    for name, value in (("r", "last_on"), ("f", "frequency"), ("m", "monetary_fen")):
        less = base[value].rank(method="min").astype("int64") - 1
        facts[f"{name}_score"] = (1 + levels * less // len(base)).reindex(facts.index, fill_value=0)
    return facts


def _risen(frame: pd.DataFrame, spend: pd.Series, tiers: Tiers) -> pd.DataFrame:
    """One row per customer who reached a tier before the end of the month: the level and the day."""
    changes = _changes(frame, tiers).groupby(["one_id", "day"], as_index=False).sum()
    total = changes.groupby("one_id")["change"].transform("sum")
    later = total - changes.groupby("one_id")["change"].cumsum()
    changes["level"] = _level(changes["one_id"].map(spend) - later, tiers)
    reached = changes[(changes["new"] > 0) & (changes["day"] < _END) & (changes["level"] > 0)]
    first = reached.sort_values(["one_id", "level", "day"], ascending=[True, False, True])
    return first.drop_duplicates("one_id").set_index("one_id")[["level", "day"]]


def _changes(frame: pd.DataFrame, tiers: Tiers) -> pd.DataFrame:
    """What starts to count in the month, and what falls out of the window."""
    start, end = (pd.Timestamp(day) - timedelta(tiers.maturity_days) for day in (MONTH_BEFORE, AS_OF))
    window = timedelta(tiers.qualify_window_days)
    came = frame[(frame["paid_on"] > start) & (frame["paid_on"] <= end)]
    left = frame[(frame["paid_on"] > start - window) & (frame["paid_on"] <= end - window)]
    moved = timedelta(tiers.maturity_days)
    parts = [
        {"one_id": came["one_id"], "day": came["paid_on"] + moved, "change": came["paid_fen"], "new": came["paid_fen"]},
        {"one_id": left["one_id"], "day": left["paid_on"] + moved + window, "change": -left["paid_fen"], "new": 0},
    ]
    return pd.concat([pd.DataFrame(part) for part in parts], ignore_index=True)


def _level(spend: pd.Series, tiers: Tiers) -> np.ndarray:
    """The highest level whose threshold the spend reaches."""
    return np.searchsorted([tier.up_fen for tier in tiers.tiers[1:]], spend, side="right").astype("int64")


def _tiered(facts: pd.DataFrame, risen: pd.DataFrame, tiers: Tiers) -> pd.DataFrame:
    """Add the tier at the review, and since when."""
    facts = facts.join(risen)
    before, at_end = facts["level"].fillna(0).astype("int64"), _level(facts["tier_spend_fen"], tiers)
    level = np.maximum(before, at_end)
    since = facts["day"].mask(at_end > before, _END)
    ups = np.array([tier.up_fen for tier in tiers.tiers[1:]] + [0])
    gap = np.maximum(ups[level] - facts["tier_spend_fen"], 0).astype("Int64")
    return facts.assign(
        tier=np.array([tier.code for tier in tiers.tiers])[level],
        tier_level=level,
        tier_cause=np.where(level > 0, "upgrade", "base"),
        tier_since=since.dt.date,
        tier_valid_until=(since + pd.offsets.MonthEnd(0) + pd.offsets.MonthEnd(1)).dt.date,
        tier_gap_fen=gap.mask(level == len(tiers.tiers) - 1),
    )

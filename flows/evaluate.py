"""What `strata evaluate` does: holds the models of value against what came later, in a lake or in CDNOW. Only reads."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl

from infra.demo import cdnow
from tasks.errors import MissingDataError
from tasks.policy.value import Value
from tasks.refs import Run, Snapshot
from tasks.settings import Settings
from tasks.steps.house import lake_at, policy_of
from tasks.steps.inputs import refresh_inputs
from tasks.stores.runs import finished_runs
from tasks.stores.tables import Lake
from tasks.transforms.inputs import orders_at
from tasks.transforms.lineage import aliases
from tasks.transforms.value.evaluation import NAIVE, Past, evaluate

LEAST_DAYS = 180
"""Days between the fit and the end of what it is held against."""
LEAST_ACCURACY, LEAST_AUC, MOST_ERROR_POINTS = 0.85, 0.85, 5.0
"""What the field's handbooks promise, as checks."""
Told = dict[str, Any]


@dataclass(frozen=True)
class Dates:
    """When the models are fitted, and until when they are held against what came; None: as late as the data allow."""

    fit_on: date | None = None
    until: date | None = None


def evaluate_lake(uri: str, dates: Dates) -> Told:
    """Judge the models on a lake, under the policy of its newest refresh.

    Raises:
        MissingDataError: no refresh stands, or too little time lies between the dates.
    """
    uri = uri or Settings().lake
    lake = lake_at(uri)
    snapshot = lake.snapshot()
    run = _newest(uri, snapshot, dates.until)
    policy = policy_of(run)
    past = _past(lake, snapshot, run, dates.fit_on)
    return _told(f"the lake of {policy.brand.name.en}", past, policy.value)


def evaluate_cdnow(dates: Dates, policy: Value) -> Told:
    """Judge the models on CDNOW, whose customers mostly bought once."""
    orders = cdnow.master().lazy().select(
        one_id=pl.col("customer").cast(pl.String).str.zfill(5), paid_on="bought_on", net_fen="paid_fen",
        is_qualifying=pl.col("paid_fen") > 0,
    ).collect()  # fmt: skip
    until = dates.until or orders["paid_on"].max()
    fit_on = dates.fit_on or until - timedelta(days=LEAST_DAYS)  # type: ignore[operator]
    return _told("CDNOW", Past(orders.lazy(), orders.lazy(), fit_on, until, {}), policy)  # type: ignore[arg-type]


def _newest(uri: str, snapshot: Snapshot, until: date | None) -> Run:
    """The newest refresh, or the one of that date, on the snapshot as it stands."""
    runs = finished_runs(lake_at(uri), snapshot)
    made = runs.filter(flow="refresh") if not runs.is_empty() else runs
    made = made if until is None or made.is_empty() else made.filter(as_of=until)
    if made.is_empty():
        raise MissingDataError(
            f"no refresh of {until or 'any date'} stands in the lake", expected="customers to judge the models by",
            next_step="run `strata refresh`, or pass --on cdnow",
        )  # fmt: skip
    row = made.sort("as_of", maintain_order=True).row(-1, named=True)
    names = ("run_id", "flow", "policy_digest", "code_version", "inputs_digest", "as_of", "known_as_of")
    return Run(**{name: row[name] for name in names}, lake=uri, base_seq=snapshot.seq, scratch="")


def _past(lake: Lake, snapshot: Snapshot, run: Run, fit_on: date | None) -> Past:
    """Orders of the whole past by the customers of today, and the tiers at every date that was refreshed."""
    until: date = run.as_of  # type: ignore[assignment]  # a refresh has one
    inputs = refresh_inputs(run, policy_of(run))
    identities = lake.scan("identities", snapshot, partitions=[until])
    days = lake.scan("customers", snapshot).select(pl.col("as_of").unique().sort()).collect()["as_of"].to_list()
    early = [day for day in days if day <= until - timedelta(days=LEAST_DAYS)]
    start = fit_on or (early[-1] if early else until - timedelta(days=LEAST_DAYS))
    before, after = (orders_at(inputs, identities, day).collect().lazy() for day in (start, until))
    names = aliases(identities)
    tiers = {day: _tiers(lake.scan("customers", snapshot, partitions=[day]), names) for day in days if day >= start}
    return Past(before, after, start, until, tiers)


def _tiers(customers: pl.LazyFrame, names: pl.LazyFrame) -> pl.LazyFrame:
    """The tier of each customer of a date under today's id; of those merged since, the highest."""
    named = customers.select("one_id", "tier", "tier_level").join(names, left_on="one_id", right_on="old_id")
    best = pl.col("tier").sort_by("tier_level", descending=True).first()
    return named.group_by(one_id="one_id_right").agg(tier=best)


def _told(data: str, past: Past, policy: Value) -> Told:
    if not past.fit_on < past.until or past.before.filter(pl.col("paid_on") <= past.fit_on).collect().is_empty():
        raise MissingDataError(
            f"nobody had bought by {past.fit_on}", expected=f"orders from before {past.until} less {LEAST_DAYS} days",
            next_step="pass an earlier --until or another --fit-on",
        )  # fmt: skip
    found = evaluate(past, policy)
    return {"data": data, **found, "promises": promises(found)}


def promises(found: Told) -> list[Told]:
    """One row per promise of the field, what was found, and whether it is kept."""
    value = {row["predictor"]: row for row in found["value_ahead"]}
    own, naive = value[found["model"]], value[NAIVE]
    buys = next(row for row in found["buys_in_90_days"] if row["predictor"] == found["model"])
    accuracy, rate = own["accuracy_by_decile"], naive["accuracy_by_decile"]
    return [
        _promise("accuracy of value ahead by decile", accuracy, f"≥ {LEAST_ACCURACY}", accuracy >= LEAST_ACCURACY),
        _promise("the same above the spend rate so far", accuracy, f"> {rate}", accuracy > rate),
        _promise("calibration error of buying in 90 days, points", buys["calibration_error_points"],
                 f"≤ {MOST_ERROR_POINTS}", buys["calibration_error_points"] <= MOST_ERROR_POINTS),
        _promise("AUC of buying in 90 days", buys["auc"], f"≥ {LEAST_AUC}", buys["auc"] >= LEAST_AUC),
        _promise("Brier score below the base rate's", buys["brier"], f"< {buys['brier_of_base_rate']}",
                 buys["brier"] < buys["brier_of_base_rate"]),
    ]  # fmt: skip


def _promise(promise: str, found: float, wanted: str, is_kept: bool) -> Told:  # noqa: FBT001
    return {"promise": promise, "found": found, "wanted": wanted, "kept": "yes" if is_kept else "no"}

"""From the tiers at one date to those at a later one: each day with a new order, then the review.

A monthly run replays the days between, because an upgrade is due on the day of the order. A
step on a day that can change nothing is not taken: that leaves a handful per customer.
"""

from datetime import date, timedelta

import polars as pl

from tasks.policy.models import Tiers
from tasks.transforms.tier_spend import spend_changes
from tasks.transforms.tiers import OUT, STATE, level_of, step, ups

TIER_COLUMNS = ("tier", "tier_cause", "tier_spend_fen", "tier_gap_fen", *STATE)
"""What a tier adds to a customer."""
NO_TIER = "none"
"""Tier code under a fraud flag."""


def advance(
    people: pl.LazyFrame, previous: pl.LazyFrame | None, orders: pl.LazyFrame, moves: pl.LazyFrame,
    *, after: date, as_of: date, tiers: Tiers,
) -> pl.LazyFrame:  # fmt: skip
    """One row per customer of `people` with the tier at `as_of`, its cause and state.

    `people` has one_id, `tier_spend_fen` at `as_of` and optionally `is_fraud`; `previous` the
    state at `after`, where who is absent, or everyone, stands at the base tier. `orders` are
    net orders with counting days, `moves` what refunds took off them. A review is held when
    `as_of` ends a month. A customer under a fraud flag, then or now, is judged at `as_of`
    alone: since when is not known.
    """
    start = people.pipe(_with_flags).pipe(_with_state, previous, tiers).with_columns(_start_level="tier_level")
    # Upgrades that wait for the review leave no day to be stepped through before it.
    first = after if tiers.upgrade == "immediate" else as_of
    start = start.pipe(_replay_days, orders, moves, after=first, as_of=as_of, tiers=tiers)
    stepped = step(start, on=pl.lit(as_of), is_review=_ends_month(as_of), tiers=tiers)
    return stepped.with_columns(tier_cause=_cause_of_period()).pipe(_with_labels, tiers).select("one_id", *TIER_COLUMNS)


def _cause_of_period() -> pl.Expr:
    """Why the tier differs from that at the earlier date; where it does not, what the last step said.

    An upgrade in mid-month is the month's cause, although the review then finds it `in_validity`;
    before a review only a refund takes a tier away.
    """
    before, now = pl.max_horizontal("_start_level", 0), pl.col("tier_level")
    last = pl.col("tier_cause").cast(pl.String)
    moved = last.is_in(["upgrade", "refund", "downgrade"])
    back_again = pl.when(now > 0).then(pl.lit("in_validity")).otherwise(pl.lit("base"))
    return (
        pl.when(now > before).then(pl.lit("upgrade"))
        .when((now < before) & ~last.is_in(["fraud", "refund", "downgrade"])).then(pl.lit("refund"))
        .when((now == before) & moved).then(back_again)
        .otherwise(last)
    )  # fmt: skip


def _ends_month(day: date) -> bool:
    return (day + timedelta(days=1)).day == 1


def _with_flags(people: pl.LazyFrame) -> pl.LazyFrame:
    """Nobody is flagged where nobody says so."""
    if "is_fraud" in people.collect_schema().names():
        return people.with_columns(pl.col("is_fraud").fill_null(value=False))
    return people.with_columns(is_fraud=pl.lit(value=False))


def _with_state(people: pl.LazyFrame, previous: pl.LazyFrame | None, tiers: Tiers) -> pl.LazyFrame:
    """Add the state before; a tier is carried over by its code, one that the policy no longer has by its rank."""
    if previous is None:
        return people.with_columns(pl.lit(None, dtype).alias(name) for name, dtype in STATE.items()).with_columns(
            tier_level=pl.lit(0, pl.Int64)
        )
    levels = {tier.code: level for level, tier in enumerate(tiers.tiers)} | {NO_TIER: OUT}
    ranked = pl.col("tier_level").clip(OUT, len(tiers.tiers) - 1)
    level = pl.col("tier").replace_strict(levels, default=ranked, return_dtype=pl.Int64)
    state = previous.with_columns(tier_level=level).select("one_id", *STATE)
    return people.join(state, on="one_id", how="left").with_columns(pl.col("tier_level").fill_null(0))


def _replay_days(
    start: pl.LazyFrame, orders: pl.LazyFrame, moves: pl.LazyFrame, *, after: date, as_of: date, tiers: Tiers
) -> pl.LazyFrame:
    """Take the steps before the review, and add what refunds have left of the granting window."""
    histories = _histories(orders, moves.filter(pl.lit(tiers.refund_effect == "immediate")))
    changes = spend_changes(orders, moves, after=after, as_of=as_of, tiers=tiers)
    days = _days(start, histories, changes, as_of, tiers)
    marked = start.join(days, on="one_id", how="left").join(histories, on="one_id", how="left")
    is_quiet = pl.col("days").is_null() & pl.col("moves").is_null()
    quiet = marked.filter(is_quiet).drop("days", "spends", "moves").with_columns(
        granted_spend_fen=pl.lit(None, pl.Int64)
    )  # fmt: skip
    schema = quiet.collect_schema()
    busy = marked.filter(~is_quiet).map_batches(
        lambda frame: _replay(frame, as_of, tiers).select(schema.names()), schema=schema,
        predicate_pushdown=False, projection_pushdown=False, slice_pushdown=False,
    )  # fmt: skip
    return pl.concat([quiet, busy])


def _histories(orders: pl.LazyFrame, moves: pl.LazyFrame) -> pl.LazyFrame:
    """One row per customer with a refund after the counting day: all movements of their money, as a list."""
    touched = moves.filter(pl.col("moved_on") > pl.col("counted_on")).select("one_id").unique()
    paid = orders.join(touched, on="one_id", how="semi").select(
        "one_id", "counted_on", moved_on="counted_on", fen="paid_fen"
    )
    back = moves.join(touched, on="one_id", how="semi").select(
        "one_id", "counted_on", "moved_on", fen=-pl.col("back_fen")
    )
    return pl.concat([paid, back]).group_by("one_id").agg(moves=pl.struct("counted_on", "moved_on", "fen"))


def _days(
    start: pl.LazyFrame, histories: pl.LazyFrame, changes: pl.LazyFrame, as_of: date, tiers: Tiers
) -> pl.LazyFrame:
    """One row per customer with a day before `as_of` worth a step: `days` in order, `spends` of the windows up to them.

    The spend is counted back from `as_of`. Without refunds only a day that reaches a higher
    level than every day before can change the state; with refunds every day can.
    """
    total, so_far = pl.col("change_fen").sum(), pl.col("change_fen").cum_sum()
    state = start.select("one_id", "tier_spend_fen", "tier_level", "tier_locked_until", "is_fraud")
    with_new = changes.filter(pl.col("new_fen") > 0).select("one_id").unique()
    dated = (
        changes.join(with_new, on="one_id", how="semi")
        .join(state, on="one_id")
        .join(histories.select("one_id", has_refund=pl.lit(value=True)), on="one_id", how="left")
        .filter(~pl.col("is_fraud"), pl.col("tier_level") > OUT)
        .sort("one_id", "day")
        .with_columns(spend_fen=pl.col("tier_spend_fen") - (total - so_far).over("one_id"))
        .filter(pl.col("new_fen") > 0, pl.col("day") < as_of)
        .with_columns(up=level_of(pl.col("spend_fen"), ups(tiers)))
    )
    return dated.pipe(_worth_a_step).group_by("one_id").agg(days=pl.col("day"), spends=pl.col("spend_fen"))


def _worth_a_step(dated: pl.LazyFrame) -> pl.LazyFrame:
    """Keep the days that can change the state; customers with refunds keep all of theirs."""
    has_refund = pl.col("has_refund").fill_null(value=False)
    locked = (pl.col("day") <= pl.col("tier_locked_until")).fill_null(value=False)
    rises = dated.filter(has_refund | ((pl.col("up") > pl.col("tier_level")) & ~locked))
    reached = pl.col("up").cum_max().shift(1, fill_value=0).over("one_id")
    return rises.filter(has_refund | (pl.col("up") > reached))


def _replay(busy: pl.DataFrame, as_of: date, tiers: Tiers) -> pl.DataFrame:
    """Step through each customer's days, the n-th days of all customers at once; then look at the grant."""
    done: list[pl.DataFrame] = []
    number = 0
    while busy.height:
        has_day = (pl.col("days").list.len() > number).fill_null(value=False)
        done.append(busy.filter(~has_day))
        busy = busy.filter(has_day).pipe(_step_on_day, number, tiers)
        number += 1
    rest = pl.concat(done) if done else busy
    return rest.pipe(_with_granted_spend, pl.lit(as_of), tiers)


def _step_on_day(rows: pl.DataFrame, number: int, tiers: Tiers) -> pl.DataFrame:
    """One step at each customer's n-th day."""
    spend_at_end = pl.col("tier_spend_fen").alias("_end_fen")
    at_day = rows.with_columns(
        spend_at_end, _on=pl.col("days").list.get(number), tier_spend_fen=pl.col("spends").list.get(number)
    ).pipe(_with_granted_spend, pl.col("_on"), tiers)
    stepped = step(at_day.lazy(), on=pl.col("_on"), is_review=False, tiers=tiers).collect()
    return stepped.with_columns(tier_spend_fen="_end_fen").select(rows.columns)


def _with_granted_spend(rows: pl.DataFrame, on: pl.Expr, tiers: Tiers) -> pl.DataFrame:
    """Add `granted_spend_fen`: the granting window's spend with the refunds up to `on`, null where none came since."""
    window = timedelta(days=tiers.qualify_window_days)
    end, moved_on = pl.col("tier_window_end"), pl.col("moved_on")
    asked = rows.filter(pl.col("moves").is_not_null(), end.is_not_null())
    spent = (
        asked.select("one_id", "tier_window_end", "moves", _at=on)
        .explode("moves")
        .unnest("moves")
        .filter(pl.col("counted_on").is_between(end - window, end, closed="right"), moved_on <= pl.col("_at"))
        .group_by("one_id")
        .agg(granted_spend_fen=pl.col("fen").sum(), _touched=(moved_on > end).any())
        .filter("_touched")
        .drop("_touched")
    )
    return rows.drop("granted_spend_fen", strict=False).join(spent, on="one_id", how="left")


def _with_labels(stepped: pl.LazyFrame, tiers: Tiers) -> pl.LazyFrame:
    """Add the tier's code and the spend still needed for the next one, null at the top and under a flag."""
    codes = {OUT: NO_TIER} | {level: tier.code for level, tier in enumerate(tiers.tiers)}
    next_up = {level: tier.up_fen for level, tier in enumerate(tiers.tiers[1:])}
    goal = pl.col("tier_level").replace_strict(next_up, default=None, return_dtype=pl.Int64)
    gap = pl.max_horizontal(goal - pl.col("tier_spend_fen"), 0)
    return stepped.with_columns(
        tier=pl.col("tier_level").replace_strict(codes, return_dtype=pl.String),
        tier_gap_fen=pl.when(goal.is_not_null()).then(gap),
    )

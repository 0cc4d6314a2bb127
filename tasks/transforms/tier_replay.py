"""From the tiers at one date to those at a later one: each day with a new order, then the review.

A monthly run replays the days between, because an upgrade is due on the day of the order. A
step on a day that can change nothing is not taken: that leaves a handful per customer.
"""

from datetime import date, timedelta

import polars as pl

from tasks.policy.tiers import Tiers
from tasks.transforms.held import in_memory
from tasks.transforms.holds import with_holds
from tasks.transforms.reviews import is_review
from tasks.transforms.tier_spend import spend_changes
from tasks.transforms.tiers import OUT, STATE, level_of, step, ups

TIER_COLUMNS = ("tier", "tier_cause", "tier_spend_fen", "tier_gap_fen", *STATE)
"""What a tier adds to a customer."""
NO_TIER = "none"
"""Tier code under a fraud flag."""


def advance(
    people: pl.LazyFrame, previous: pl.LazyFrame | None, orders: pl.LazyFrame, moves: pl.LazyFrame | None,
    *, after: date, as_of: date, tiers: Tiers, holds: pl.LazyFrame | None = None,
) -> pl.LazyFrame:  # fmt: skip
    """One row per customer as given, in the order given, with the tier at `as_of`, its cause and state.

    `people` has one_id, `tier_spend_fen` at `as_of` and optionally `is_fraud`; `previous` the
    state at `after`, where who is absent, or everyone, stands at the base tier. `orders` are
    net orders with counting days, `moves` what refunds took off them, None where no order was
    ever refunded: then nobody's past is looked through. Only `as_of` may be a day of review.
    `holds` are the rows of `holds_at`, None where the state keeps its own locks. A customer
    under a fraud flag, then or now, is judged at `as_of` alone.
    """
    start = people.pipe(_with_flags).pipe(_with_state, previous, tiers).with_columns(_start_level="tier_level")
    start = in_memory("start", start.pipe(with_holds, holds))
    # Upgrades that wait for the review leave no day to be stepped through before it.
    first = after if tiers.upgrade == "immediate" else as_of
    start = start.pipe(_replay_days, orders, moves, after=first, as_of=as_of, tiers=tiers)
    stepped = step(start, on=pl.lit(as_of), review=is_review(as_of, tiers), tiers=tiers)
    labelled = stepped.with_columns(tier_cause=_cause_of_period()).pipe(_with_labels, tiers)
    given = [name for name in people.collect_schema().names() if name not in TIER_COLUMNS]
    return labelled.select(*given, *TIER_COLUMNS)


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
        pl.when((now != before) & (last == "manual")).then(last)
        .when(now > before).then(pl.lit("upgrade"))
        .when((now < before) & ~last.is_in(["fraud", "refund", "downgrade"])).then(pl.lit("refund"))
        .when((now == before) & moved).then(back_again)
        .otherwise(last)
    )  # fmt: skip


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
    start: pl.LazyFrame, orders: pl.LazyFrame, moves: pl.LazyFrame | None, *, after: date, as_of: date, tiers: Tiers
) -> pl.LazyFrame:
    """Take the steps before the review, and add what refunds have left of the granting window.

    Only customers with a day worth a step, or with a refund, pass through; the state of the
    others stays as it is.
    """
    key = start.collect_schema()["one_id"]
    histories = _no_histories(key) if moves is None else _histories(start, orders, moves, after, tiers)
    changes = spend_changes(orders, moves, after=after, as_of=as_of, tiers=tiers)
    days = _days(start, histories, changes, as_of, tiers)
    marks = days.join(histories, on="one_id", how="full", coalesce=True)
    busy = marks.join(start.select("one_id", "is_fraud", "tier_spend_fen", *STATE), on="one_id")
    schema = pl.Schema({"one_id": key, **STATE, "granted_spend_fen": pl.Int64()})
    replayed = busy.map_batches(
        lambda frame: _replay(frame, as_of, tiers).select(schema.names()), schema=schema,
        predicate_pushdown=False, projection_pushdown=False, slice_pushdown=False,
    ).with_columns(_is_replayed=pl.lit(value=True))  # fmt: skip
    known = _in_order_of(start, replayed).rename({name: f"{name}_replayed" for name in STATE})
    beside = pl.concat([start, known], how="horizontal")
    return beside.with_columns(
        pl.when("_is_replayed").then(f"{name}_replayed").otherwise(name).alias(name) for name in STATE
    )


def _in_order_of(start: pl.LazyFrame, replayed: pl.LazyFrame) -> pl.LazyFrame:
    """One row per customer of `start`, in their order: what was replayed of them without one_id, else null.

    The few are found by one join of their numbers, for one that keeps the order of many columns costs three times it.
    """
    few = replayed.collect(engine="streaming")
    places = few.lazy().select("one_id").with_row_index("place")
    found = start.select("one_id").join(places, on="one_id", how="left", maintain_order="left").select("place")
    return few.lazy().select(pl.exclude("one_id").gather(found.collect().to_series()))


def _no_histories(key: pl.DataType) -> pl.LazyFrame:
    """Nobody's history."""
    move = pl.Struct({"counted_on": pl.Date, "moved_on": pl.Date, "fen": pl.Int64})
    return pl.LazyFrame(schema={"one_id": key, "moves": pl.List(move)})


def _histories(
    start: pl.LazyFrame, orders: pl.LazyFrame, moves: pl.LazyFrame, after: date, tiers: Tiers
) -> pl.LazyFrame:
    """One row per customer whose granting window a refund may have thinned: the movements of their money, as a list.

    A refund thins a window when it comes after the counting day and after the window's end. No window of theirs ends
    before the one that granted their tier, or before `after` where none did; what counted before it began is left out.
    """
    ends = start.select("one_id", _end=pl.coalesce("tier_window_end", pl.lit(after, pl.Date)))
    late = moves.filter(pl.col("moved_on") > pl.col("counted_on"), pl.lit(tiers.refund_effect == "immediate"))
    recent = late.select("one_id", "moved_on").join(ends, on="one_id").filter(pl.col("moved_on") > pl.col("_end"))
    touched = in_memory("touched", recent.select("one_id", "_end").unique())
    paid = orders.select("one_id", "counted_on", moved_on="counted_on", fen="paid_fen")
    back = moves.select("one_id", "counted_on", "moved_on", fen=-pl.col("back_fen"))
    since = pl.col("_end") - timedelta(days=tiers.qualify_window_days)
    theirs = [rows.join(touched, on="one_id").filter(pl.col("counted_on") > since) for rows in (paid, back)]
    return pl.concat(theirs).group_by("one_id").agg(moves=pl.struct("counted_on", "moved_on", "fen"))


def _days(
    start: pl.LazyFrame, histories: pl.LazyFrame, changes: pl.LazyFrame, as_of: date, tiers: Tiers
) -> pl.LazyFrame:
    """One row per customer with a day before `as_of` worth a step: `days` in order, `spends` of the windows up to them.

    The spend is counted back from the one at `as_of`.
    """
    dated = (
        changes.join(_who_may_move(start, histories, changes, tiers), on="one_id")
        .sort("one_id", "day")
        .with_columns(spend_fen=pl.col("tier_spend_fen") - _still_to_come())
        .filter(pl.col("new_fen") > 0, pl.col("day") < as_of)
        .with_columns(up=level_of(pl.col("spend_fen"), ups(tiers)))
    )
    in_order = dated.pipe(_worth_a_step).group_by("one_id", maintain_order=True)
    return in_order.agg(days="day", spends="spend_fen")


def _who_may_move(start: pl.LazyFrame, histories: pl.LazyFrame, changes: pl.LazyFrame, tiers: Tiers) -> pl.LazyFrame:
    """One row per customer with a new order whose spend may have been above their tier, or who had a refund.

    Before the end the spend was at most the spend at the end plus all that fell out since.
    """
    left = pl.when(pl.col("change_fen") < 0).then(-pl.col("change_fen")).otherwise(0)
    totals = changes.group_by("one_id").agg(pl.col("new_fen").sum(), left_fen=left.sum())
    highest = level_of(pl.col("tier_spend_fen") + pl.col("left_fen"), ups(tiers))
    return (
        totals.filter(pl.col("new_fen") > 0)
        .join(start.filter(~pl.col("is_fraud"), pl.col("tier_level") > OUT), on="one_id")
        .join(histories.select("one_id", has_refund=pl.lit(value=True)), on="one_id", how="left")
        .filter((highest > pl.col("tier_level")) | pl.col("has_refund"))
        .select("one_id", "tier_spend_fen", "tier_level", "tier_locked_until", "has_refund")
    )


def _still_to_come() -> pl.Expr:
    """What a customer's spend changes after each day until the end, for rows sorted by customer and day.

    The difference of two running totals over the whole frame: the one at the customer's last
    row, and the one at the row itself.
    """
    running = pl.col("change_fen").cum_sum()
    is_last = (pl.col("one_id") != pl.col("one_id").shift(-1)).fill_null(value=True)
    at_end = pl.when(is_last).then(running).backward_fill()
    return at_end - running


def _worth_a_step(dated: pl.LazyFrame) -> pl.LazyFrame:
    """Keep the days that can change the state, of rows sorted by customer and day; with refunds every day can.

    Without them only a day that reaches more than the present tier and more than the day
    before it can; so one comparison with the row above leaves hardly any.
    """
    has_refund = pl.col("has_refund").fill_null(value=False)
    locked = (pl.col("day") <= pl.col("tier_locked_until")).fill_null(value=False)
    rises = dated.filter(has_refund | ((pl.col("up") > pl.col("tier_level")) & ~locked))
    is_first = (pl.col("one_id") != pl.col("one_id").shift(1)).fill_null(value=True)
    return rises.filter(has_refund | is_first | (pl.col("up") > pl.col("up").shift(1)))


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
    stepped = step(at_day.lazy(), on=pl.col("_on"), review=pl.lit(value=False), tiers=tiers).collect()
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

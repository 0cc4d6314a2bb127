"""For whom a trigger holds at an instant, by events and orders; and who had a message for the same thing already."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from tasks.policy.triggers import ORDER, Trigger
from tasks.transforms.identity import with_owner
from tasks.transforms.orders import ORDER as ORDER_KEY
from tasks.transforms.orders import known_at

FIRED = pl.Schema({"one_id": pl.String(), "since": pl.Datetime("us", "UTC"), "why": pl.String()})
_PRODUCT = ("channel", "shop_id", "product_id")


@dataclass(frozen=True)
class Doings:
    """What people did up to an instant, as known then."""

    events: pl.LazyFrame
    """One row per event: one_id, event, happened_at, category (null: none is known)."""
    orders: pl.LazyFrame
    """One row per order placed: one_id, happened_at."""
    zone: str
    """Business zone, in which days are cut."""


def earliest_of(triggers: Iterable[Trigger], at: datetime) -> datetime:
    """The instant before which nothing that anybody did matters to any of the triggers."""
    spans = (timedelta(minutes=each.within_minutes, days=(each.days_in_a_row or 0) + 1) for each in triggers)
    return at - max(spans, default=timedelta(0))


def doings_of(
    events: pl.LazyFrame,
    orders: pl.LazyFrame,
    products: pl.LazyFrame,
    identities: pl.LazyFrame,
    at: datetime,
    zone: str,
) -> Doings:
    """What the stored tables tell of people at an instant; rows of nobody, and what comes later, are left out.

    An order counts from when it was placed, paid or not: whoever has ordered left no cart.
    """
    known, bought, sold = (rows.pipe(known_at, known_as_of=at) for rows in (events, orders, products))
    placed = bought.filter(pl.col("kind") == "purchase").select("buyer_key", *ORDER_KEY, happened_at="ordered_at")
    categories = sold.select(*_PRODUCT, "category").unique(_PRODUCT, keep="first", maintain_order=True)
    own = _owned(known, "customer_key", identities, at).join(categories, on=_PRODUCT, how="left")
    return Doings(
        own.select("one_id", "event", "happened_at", "category"),
        _owned(placed, "buyer_key", identities, at).select("one_id", "happened_at"),
        zone,
    )


def _owned(rows: pl.LazyFrame, key: str, identities: pl.LazyFrame, at: datetime) -> pl.LazyFrame:
    happened = rows.filter(pl.col("happened_at") <= at, pl.col(key).is_not_null())
    return happened.pipe(with_owner, identities, key=key, at="happened_at").drop_nulls("one_id")


def fired(trigger: Trigger, doings: Doings, at: datetime) -> pl.LazyFrame:
    """One row per person for whom the trigger holds at the instant `at`.

    Held: the last such event is `after_minutes` ago or more and `within_minutes` or less, and none of `without` came
    after it. With `days_in_a_row` there was one on each of so many business days up to that of the last.

    Returns:
        one_id, since (the event, or the start of the first of those days: what a message must come after to be about
        it), why (in words).
    """
    last = _last(trigger, doings) if not trigger.is_streak else _last_of_streak(trigger, doings)
    newest, oldest = at - timedelta(minutes=trigger.after_minutes), at - timedelta(minutes=trigger.within_minutes)
    due = last.filter(pl.col("happened_at") <= newest, pl.col("happened_at") >= oldest)
    answered = _answers(trigger, doings).rename({"happened_at": "_answered"})
    later = due.join(answered, on="one_id").filter(pl.col("_answered") > pl.col("happened_at"))
    open_ones = due.join(later, on="one_id", how="anti")
    return open_ones.select("one_id", "since", "why").cast(FIRED)


def _last(trigger: Trigger, doings: Doings) -> pl.LazyFrame:
    """One row per person who did it: one_id, happened_at of the last time, since, why."""
    mine = doings.events.filter(pl.col("event") == trigger.event)
    last = mine.group_by("one_id").agg(pl.col("happened_at").max())
    local = pl.col("happened_at").dt.convert_time_zone(doings.zone).dt.strftime("%Y-%m-%d %H:%M")
    unanswered = f", no {' or '.join(trigger.without)} since" if trigger.without else ""
    return last.with_columns(since="happened_at", why=pl.format(f"{trigger.event} at {{}}{unanswered}", local))


def _last_of_streak(trigger: Trigger, doings: Doings) -> pl.LazyFrame:
    """One row per person with so many days running: the last event, the start of the first day, why.

    Of several categories that have them the one of the last event counts, then the first by name.
    """
    many = trigger.days_in_a_row or 1
    of = ["one_id", "category"] if trigger.same else ["one_id"]
    day = pl.col("happened_at").dt.convert_time_zone(doings.zone).dt.date()
    mine = doings.events.filter(pl.col("event") == trigger.event).drop_nulls(of).with_columns(_day=day)
    ends = mine.group_by(of).agg(pl.col("happened_at").max(), _last=pl.col("_day").max())
    first = (pl.col("_last") - pl.duration(days=many - 1)).alias("_first")
    days = mine.select(*of, "_day").unique().join(ends.with_columns(first), on=of)
    within = days.filter(pl.col("_day") >= pl.col("_first")).group_by(of).agg(_days=pl.len())
    held = ends.with_columns(first).join(within.filter(pl.col("_days") == many), on=of, how="semi")
    what = pl.format("{} of {}", pl.lit(trigger.event), "category") if trigger.same else pl.lit(trigger.event)
    told = held.with_columns(
        since=_start_of(pl.col("_first"), doings.zone),
        why=pl.format(f"{{}} on {many} days running, up to {{}}", what, "_last"),
    )
    best = told.sort("happened_at", *of, descending=[True, *(False for _ in of)])
    return best.unique("one_id", keep="first", maintain_order=True).select("one_id", "happened_at", "since", "why")


def _start_of(day: pl.Expr, zone: str) -> pl.Expr:
    """The first instant of a day (UTC); where clocks skip midnight, as in Cairo, it begins at one."""
    hours = (day.cast(pl.Datetime("us")) + pl.duration(hours=hour) for hour in (0, 1))
    local = (hour.dt.replace_time_zone(zone, non_existent="null", ambiguous="earliest") for hour in hours)
    return pl.coalesce(*local).dt.convert_time_zone("UTC")


def _answers(trigger: Trigger, doings: Doings) -> pl.LazyFrame:
    """One row per person who did one of `without`: the last time."""
    names = [name for name in trigger.without if name != ORDER]
    done = [doings.events.filter(pl.col("event").is_in(names)).select("one_id", "happened_at")]
    done += [doings.orders.select("one_id", "happened_at")] if ORDER in trigger.without else []
    return pl.concat(done).group_by("one_id").agg(pl.col("happened_at").max())


def still_to_tell(holds: pl.LazyFrame, planned: pl.LazyFrame, published: pl.LazyFrame, send_id: str) -> pl.LazyFrame:
    """One row per person whom the send of the day is for: those who hold and had no message for it, and the reached.

    A message of the campaign planned at `since` or later was for the same thing, unless it is one of this very send
    that waits to go out; so nobody is written to twice for one thing, and a day's send only ever grows.

    Args:
        holds: `fired`.
        planned: one_id, send_id, planned_at of the campaign's messages that count in the ledger.
        published: one_id of whom this send has reached.
        send_id: the send of the day.

    Returns:
        one_id, why.
    """
    others = planned.filter(pl.col("send_id") != send_id)
    told = holds.join(others, on="one_id").filter(pl.col("planned_at") >= pl.col("since"))
    fresh = holds.join(told, on="one_id", how="anti").join(published, on="one_id", how="anti")
    reached = published.unique().with_columns(why=pl.lit("set off earlier on the day"))
    return pl.concat([fresh.select("one_id", "why"), reached.select("one_id", "why")])

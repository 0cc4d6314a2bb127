"""What became of sends: the funnel of each, read from the ledger without waking Prefect."""

from datetime import date
from typing import Any

import polars as pl

from flows.clock import this_instant
from flows.naming import Register, register_of
from tasks.settings import Settings
from tasks.transforms.advisers import confirmations
from tasks.transforms.audience import newest_as_of
from tasks.transforms.funnel import STEPS, WAITING, funnel
from tasks.transforms.lineage import aliases
from tasks.transforms.orders import known_at, owned_orders

_OF_HANDED = ("delivered", "failed", "clicked", "replied", "bought")


def list_sends(uri: str = "", send_on: date | None = None) -> list[dict[str, Any]]:
    """One row per send, oldest first: messages at each step, and how many percent of those handed over came so far.

    A rate is null where nothing was handed over, and where the vendor has reported nothing of anybody.
    """
    register = register_of(uri or Settings().lake, None)
    now, lake, snapshot = this_instant(), register.lake, register.snapshot
    identities = register.identities.lazy()
    orders = owned_orders(known_at(lake.scan("orders", snapshot), now), identities)
    told = funnel(lake.scan("touches", snapshot), orders, aliases(identities), register.policy.brand.zone)
    rows = told.pipe(_of_date, send_on).collect()
    confirming = _confirming(register)
    return [_with_rates(row, must_confirm=row["vendor"] in confirming) for row in rows.iter_rows(named=True)]


def _of_date(sends: pl.LazyFrame, send_on: date | None) -> pl.LazyFrame:
    return sends if send_on is None else sends.filter(pl.col("send_on") == send_on)


def _confirming(register: Register) -> frozenset[str]:
    """The vendors whose sends colleagues must confirm."""
    return frozenset(vendor.code for vendor in register.policy.vendors if vendor.confirmed_by_staff)


def list_confirmations(uri: str = "", send_on: date | None = None) -> list[dict[str, Any]]:
    """One row per send that staff must confirm and adviser, oldest first: what they were given, and what they sent.

    The adviser is the one that the customer had when the send was planned.
    """
    register = register_of(uri or Settings().lake, None)
    lake, snapshot = register.lake, register.snapshot
    touches = lake.scan("touches", snapshot).filter(pl.col("vendor").is_in(sorted(_confirming(register))))
    own = touches.pipe(_of_date, send_on)
    rows = confirmations(own, _advisers(register, own), register.policy.brand.zone).collect()
    return rows.to_dicts()


def _advisers(register: Register, touches: pl.LazyFrame) -> pl.LazyFrame:
    """One row per person whom one of the sends was planned for: send_id, one_id, their adviser of that date."""
    meant = touches.drop_nulls("one_id").select("send_id", "send_on", "one_id").unique().collect()
    dates = register.lake.scan("customers", register.snapshot).select("as_of").unique().collect().to_series()
    seen = {day: newest_as_of(dates, day) for day in meant["send_on"].unique()}
    days = pl.DataFrame({"send_on": [*seen], "as_of": [*seen.values()]}, {"send_on": pl.Date, "as_of": pl.Date})
    traits = register.lake.scan("traits", register.snapshot, partitions=sorted(set(seen.values())))
    named = meant.join(days, on="send_on").lazy().join(traits, on=["one_id", "as_of"], how="left")
    return named.select("send_id", "one_id", "adviser_id")


def _with_rates(row: dict[str, Any], *, must_confirm: bool) -> dict[str, Any]:
    handed = row["handed_over"]
    is_silent = not any(row[step] for step in ("accepted", "failed", "replied"))
    rates = {
        f"{step}_percent": None
        if not handed or (is_silent and step != "bought")
        else round(100 * row[step] / handed, 2)
        for step in _OF_HANDED
    }
    return row | {"state": state_of(row, is_silent=is_silent, must_confirm=must_confirm)} | rates


def state_of(row: dict[str, Any], *, is_silent: bool, must_confirm: bool) -> str:
    """How much is known of a send: planned, handed over (not more: not that it was sent), or reported.

    Where staff must confirm what was handed over, nothing was sent for all that is known, and the word says so.
    """
    if not row["handed_over"]:
        return "planned"
    if row["recalled"] == row["handed_over"]:
        return "cancelled"
    if not is_silent:
        return "reported, staff must confirm the rest" if row[WAITING] else "reported"
    return "handed over, staff must confirm" if must_confirm else "handed over"


def for_people(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows as a terminal shows them: counts with their share behind them, and no step that no send reached."""
    steps = [step for step in STEPS if any(row[step] for row in rows)]
    return [
        {"send": row["send_id"], "state": row["state"]} | {step: _cell(row, step) for step in steps} for row in rows
    ]


def _cell(row: dict[str, Any], step: str) -> int | str:
    percent = row.get(f"{step}_percent")
    return row[step] if percent is None else f"{row[step]:,} ({percent:.1f} %)"

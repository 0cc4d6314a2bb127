"""The members of all sends of a date as one candidate, staged send by send. No task stands here."""

from collections.abc import Iterator, Mapping
from datetime import date

import polars as pl

from expectations.tables import TABLES
from tasks.refs import Candidate, Run
from tasks.steps.house import lake_at, snapshot_of
from tasks.stores.scratch import pieces_of, stage_pieces

TABLE = "audience_members"


def stage_members(run: Run, send_on: date, decided: Mapping[str, pl.LazyFrame]) -> Candidate:
    """Stage the date with the sends (send_id to its members) that were decided anew; the others stand as they are."""
    return stage_pieces(run, TABLE, _pieces(run, send_on, decided), mode="replace", replaces=[send_on])


def of_date(run: Run, send_on: date) -> pl.LazyFrame:
    """The audience_members rows of all sends of a date as the snapshot has them."""
    return lake_at(run.lake).scan(TABLE, snapshot_of(run), partitions=[send_on])


def _pieces(run: Run, send_on: date, decided: Mapping[str, pl.LazyFrame]) -> Iterator[pl.DataFrame]:
    """The rows in the order of the table's key; one send of those that stand is in memory at a time."""
    standing = of_date(run, send_on)
    known = standing.select("send_id").unique().collect(engine="streaming").to_series()
    yield TABLES[TABLE].schema.to_frame()
    for send_id in sorted({*known, *decided}):
        rows = decided.get(send_id, standing.filter(pl.col("send_id") == send_id))
        yield from pieces_of(rows.collect(), TABLE)

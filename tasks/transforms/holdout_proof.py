"""Whether anyone who was held out was sent anything: the log of assignments beside the lists of what was published."""

from dataclasses import dataclass
from datetime import date

import polars as pl

from tasks.policy.variants import HELD_OUT
from tasks.transforms.lineage import follow

SEEN = pl.Schema({"one_id": pl.String(), "is_since": pl.Boolean()})


@dataclass(frozen=True)
class Ids:
    """lineage.aliases of two dates: of the customers that the send read, and of the newest ones."""

    then: pl.LazyFrame
    now: pl.LazyFrame


def held_among(
    people: pl.DataFrame, assignments: pl.LazyFrame, experiment: str, *, send_on: date, ids: Ids
) -> pl.DataFrame:
    """One row per person of a published list who stood as held out in the experiment on the day of the send.

    Ids of before a merge are followed: whoever was one person with a held-out when the send was made is a held-out.
    Who became one with them only later (`is_since`) was sent to rightly, and leaves the analysis.

    Returns:
        one_id (as published), is_since.
    """
    held = (
        assignments.filter(pl.col("experiment") == experiment, pl.col("assigned_on") <= send_on)
        .group_by(one_id="unit")
        .agg(pl.col("variant").sort_by("assigned_on", pl.col("variant") != HELD_OUT).first())
        .filter(pl.col("variant") == HELD_OUT)
        .select("one_id")
    )
    sent = people.lazy().select("one_id").unique()
    found = [_meeting(sent, held, names, is_since=late) for late, names in ((False, ids.then), (True, ids.now))]
    return pl.concat(found).group_by("one_id").agg(pl.col("is_since").all()).sort("one_id").collect()


def _meeting(sent: pl.LazyFrame, held: pl.LazyFrame, names: pl.LazyFrame, *, is_since: bool) -> pl.LazyFrame:
    """Whom both lists name, under these names: one_id as published."""
    persons = follow(held, names).unique()
    told = follow(sent.with_columns(person="one_id"), names, "person")
    return told.join(persons, left_on="person", right_on="one_id", how="semi").select(
        "one_id", is_since=pl.lit(value=is_since)
    )

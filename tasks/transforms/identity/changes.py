"""What moved between two dates: which customer ids were joined, divided, robbed of keys, or left with none."""

from datetime import date

import polars as pl

from expectations.tables import TABLES

_PAIR = ("old_id", "new_id")


def changes_between(previous: pl.LazyFrame, identities: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """One row per old and new customer id between which keys moved, sorted by both; `keys` says how many.

    `merged_into`: the old id is gone, and its anchor belongs to the new one. `split_from`: the new id came out of
    the old one and was not there before. `moved`: both were there. `dissolved`: none of the old id's keys belongs to
    anybody now (they became hubs), and the new id repeats the old one.

    A key's later epoch that was not there before comes out of the epoch in which its time lay then.
    """
    before, now = previous.select("key", "epoch", old_id="one_id"), identities.select("key", "epoch", new_id="one_id")
    same = before.join(now, on=["key", "epoch"]).select(_PAIR)
    pairs = pl.concat([same, _new_epochs(previous, identities)]).group_by(_PAIR).agg(keys=pl.len().cast(pl.Int64))
    gone = previous.select(old_id="one_id").unique().join(identities.select(old_id="one_id"), on="old_id", how="anti")
    moves = pairs.filter(pl.col("old_id") != pl.col("new_id")).pipe(_named, previous, identities, gone)
    dissolved = previous.group_by(old_id="one_id").agg(keys=pl.len().cast(pl.Int64)).join(gone, on="old_id")
    lost = dissolved.join(pairs, on="old_id", how="anti").with_columns(new_id="old_id", change=pl.lit("dissolved"))
    columns = TABLES["identity_changes"].columns
    rows = [frame.with_columns(as_of=pl.lit(as_of)).select(columns) for frame in (moves, lost)]
    return pl.concat(rows).sort(_PAIR)


def _new_epochs(previous: pl.LazyFrame, identities: pl.LazyFrame) -> pl.LazyFrame:
    """One row per epoch that a key did not have before: whose its time was, and whose it is."""
    known = previous.select("key", "epoch")
    fresh = identities.filter(pl.col("epoch") > 1).join(known, on=["key", "epoch"], how="anti")
    then = previous.select("key", old_id="one_id", since="valid_from", until="valid_to")
    start = pl.col("valid_from")
    within = (pl.col("since").is_null() | (pl.col("since") <= start)) & (
        pl.col("until").is_null() | (start < pl.col("until"))
    )
    return fresh.join(then, on="key").filter(within).select("old_id", new_id="one_id")


def _named(moves: pl.LazyFrame, previous: pl.LazyFrame, identities: pl.LazyFrame, gone: pl.LazyFrame) -> pl.LazyFrame:
    """Each move with its code."""
    heirs = identities.select(old_id="own_id", new_id="one_id", is_heir=True)
    is_old = previous.select(new_id="one_id", was_there=True).unique()
    is_gone = gone.with_columns(is_gone=True)
    change = (
        pl.when(pl.col("is_gone") & pl.col("is_heir")).then(pl.lit("merged_into"))
        .when("was_there").then(pl.lit("moved"))
        .otherwise(pl.lit("split_from"))
    )  # fmt: skip
    joined = moves.join(is_gone, on="old_id", how="left").join(heirs, on=_PAIR, how="left")
    return joined.join(is_old, on="new_id", how="left").with_columns(change=change)

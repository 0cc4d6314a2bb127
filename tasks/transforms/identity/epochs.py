"""Numbers that change hands: the stretches of time in which a recycled key is one owner's (algorithms §7.4).

Instants are microseconds here. A key that never changed hands has no row: its one epoch has neither start nor end.
"""

import numpy as np
import polars as pl

EPOCHS = pl.Schema({"key": pl.Int64(), "epoch": pl.Int64(), "since": pl.Int64(), "until": pl.Int64()})
_PAST = -(2**63)
"""Before every instant."""


def split_keys(seen: pl.DataFrame, beside: pl.DataFrame, rebinds: pl.DataFrame, silent_days: int) -> pl.DataFrame:
    """One row per epoch of each key that changed hands, in order: `key, epoch, since, until` (half-open, null is open).

    `seen` (key, at, day, row) are the sightings of recyclable keys, `beside` (row, mate) the strong keys on their
    records. `rebinds` (key, at) are declared: from then on the key is another's. Otherwise it is after a silence,
    when both sides were seen with a strong key and no strong key on both. A side is all that was seen before or
    after the silence, between two rebinds. Epochs in which the key was never seen have no number.
    """
    bounded = seen.pipe(_bounded, rebinds)
    changed = bounded.pipe(_in_bursts, silent_days).pipe(_silent_changes, beside)
    ends = pl.concat([rebinds.select("key", "at"), changed.select("key", at="start")]).unique()
    told = bounded.select("key", since="bound").join(ends.select("key").unique(), on="key", how="semi").unique()
    split = pl.concat([told, changed.select("key", since="start")]).pipe(_until, ends)
    epoch = pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("key")
    return split.sort("key", "since", nulls_last=False).with_columns(epoch=epoch).select(EPOCHS.names()).cast(EPOCHS)


def epoch_at(places: pl.DataFrame, epochs: pl.DataFrame) -> pl.Series:
    """Per row of `places` (key, at), in order, the epoch of the key at that instant; null when it was nobody's."""
    known = epochs.with_columns(pl.col("since").fill_null(_PAST)).sort("since")
    found = places.with_row_index("place").sort("at").join_asof(
        known, left_on="at", right_on="since", by="key", strategy="backward", check_sortedness=False
    ).sort("place")  # fmt: skip
    is_over = (pl.col("until") <= pl.col("at")).fill_null(value=False)
    return found.select(pl.when(~is_over).then("epoch")).to_series()


def _bounded(seen: pl.DataFrame, rebinds: pl.DataFrame) -> pl.DataFrame:
    """Sightings with the last rebind of their key by then, null before the first."""
    if rebinds.is_empty():
        return seen.with_columns(bound=pl.lit(None, pl.Int64))
    bounds = rebinds.select("key", "at", bound="at").sort("at")
    return seen.sort("at").join_asof(bounds, on="at", by="key", strategy="backward", check_sortedness=False)


def _in_bursts(seen: pl.DataFrame, silent_days: int) -> pl.DataFrame:
    """Sightings of stretches with a silence in them, each with the numbers of its stretch and its burst, from 0."""
    ordered = seen[np.lexsort((seen["at"].to_numpy(), seen["key"].to_numpy()))]
    key, day = ordered["key"].to_numpy(), ordered["day"].to_numpy()
    bound = ordered["bound"].fill_null(_PAST).to_numpy()
    is_new = np.r_[True, (key[1:] != key[:-1]) | (bound[1:] != bound[:-1])][: len(key)]
    silent = ~is_new & (np.diff(day, prepend=0) >= silent_days)
    stretch, silences = np.cumsum(is_new) - 1, np.cumsum(silent)
    burst = silences - silences[is_new][stretch]
    held = (burst[np.r_[is_new[1:], True][: len(key)]] > 0)[stretch]
    numbered = ordered.select("key", "at", "row", stretch=pl.Series(stretch), burst=pl.Series(burst))
    return numbered.filter(pl.Series(held))


def _silent_changes(seen: pl.DataFrame, beside: pl.DataFrame) -> pl.DataFrame:
    """One row per silence after which the key is another's: `key, start`."""
    mates = seen.lazy().select("row", "stretch", "burst").join(beside.lazy(), on="row")
    span = pl.col("burst").min().alias("first"), pl.col("burst").max().alias("last")
    spans = mates.group_by("stretch", "mate").agg(span)
    sides = spans.group_by("stretch").agg(pl.col("first").min(), pl.col("last").max())
    two_sided = sides.filter(pl.col("first") < pl.col("last"))
    bursts = seen.lazy().join(two_sided, on="stretch").group_by("stretch", "burst").agg(
        pl.col("key", "first", "last").first(), start=pl.col("at").min()
    ).filter(pl.col("burst") > pl.col("first"), pl.col("burst") <= pl.col("last"))  # fmt: skip
    stays = spans.filter(pl.col("first") < pl.col("last")).select(
        "stretch", burst=pl.int_ranges(pl.col("first") + 1, pl.col("last") + 1)
    ).explode("burst")  # fmt: skip
    return bursts.join(stays, on=["stretch", "burst"], how="anti").select("key", "start").collect()


def _until(starts: pl.DataFrame, ends: pl.DataFrame) -> pl.DataFrame:
    """Each start with the next end after it."""
    after = starts.with_columns(_from=pl.col("since").fill_null(_PAST)).sort("_from")
    return after.join_asof(
        ends.select("key", until="at").sort("until"), left_on="_from", right_on="until", by="key",
        strategy="forward", allow_exact_matches=False, check_sortedness=False,
    ).drop("_from")  # fmt: skip

"""Numbers that change hands: the stretches of time in which a recycled key is one owner's (algorithms §7.4).

Instants are microseconds here. A key that never changed hands has no row: its one epoch has neither start nor end.
"""

import polars as pl

EPOCHS = pl.Schema({"key": pl.Int64(), "epoch": pl.Int64(), "since": pl.Int64(), "until": pl.Int64()})
_PAST = -(2**63)
_STRETCH = ["key", "bound"]


def split_keys(rows: pl.DataFrame, is_strong: pl.Series, rebinds: pl.DataFrame, silent_days: int) -> pl.DataFrame:
    """One row per epoch of each key that changed hands, in order: `key, epoch, since, until` (half-open, null is open).

    `rows` are the sightings of recyclable keys, and those of strong keys on the same records; `is_strong` says
    which. `rebinds` (key, at) are declared: from then on the key is another's. Otherwise it is after a silence,
    when both sides were seen with a strong key and no strong key on both. A side is all that was seen before or
    after the silence, between two rebinds. Epochs in which the key was never seen have no number.
    """
    seen = rows.filter(~is_strong).pipe(_bounded, rebinds).pipe(_in_bursts, silent_days)
    changed = _silent_changes(seen, rows.filter(is_strong))
    starts = pl.concat([seen.select("key", since="bound").unique(), changed.select("key", since="start")])
    ends = pl.concat([rebinds.select("key", "at"), changed.select("key", at="start")]).unique()
    split = starts.join(ends.select("key").unique(), on="key").pipe(_until, ends)
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
    """Sightings of stretches with a silence in them, each with the number of its burst, from 0; others in burst 0."""
    ordered = seen.sort("key", "at")
    same = (pl.col("key") == pl.col("key").shift(1)) & pl.col("bound").eq_missing(pl.col("bound").shift(1))
    silent = (same & (pl.col("day") - pl.col("day").shift(1) >= silent_days)).fill_null(value=False)
    marked = ordered.with_columns(_silent=silent)
    return marked.with_columns(burst=pl.col("_silent").cast(pl.Int64).cum_sum().over(_STRETCH)).drop("_silent")


def _silent_changes(seen: pl.DataFrame, strong: pl.DataFrame) -> pl.DataFrame:
    """One row per silence after which the key is another's: `key, start`."""
    paused = seen.join(
        seen.filter(pl.col("burst") > 0).select(_STRETCH).unique(), on=_STRETCH, how="semi", nulls_equal=True
    )
    bursts = paused.group_by(*_STRETCH, "burst").agg(start=pl.col("at").min())
    mates = paused.join(strong.select("record", mate="key"), on="record")
    spans = mates.group_by(*_STRETCH, "mate").agg(first=pl.col("burst").min(), last=pl.col("burst").max())
    sides = spans.group_by(_STRETCH).agg(pl.col("first").min(), pl.col("last").max())
    two_sided = bursts.join(sides, on=_STRETCH, nulls_equal=True).filter(
        pl.col("burst") > pl.col("first"), pl.col("burst") <= pl.col("last")
    )
    stays = spans.filter(pl.col("first") < pl.col("last")).select(
        *_STRETCH, burst=pl.int_ranges(pl.col("first") + 1, pl.col("last") + 1)
    ).explode("burst")  # fmt: skip
    return two_sided.join(stays, on=[*_STRETCH, "burst"], how="anti", nulls_equal=True).select("key", "start")


def _until(starts: pl.DataFrame, ends: pl.DataFrame) -> pl.DataFrame:
    """Each start with the next end after it."""
    after = starts.with_columns(_from=pl.col("since").fill_null(_PAST)).sort("_from")
    return after.join_asof(
        ends.select("key", until="at").sort("until"), left_on="_from", right_on="until", by="key",
        strategy="forward", allow_exact_matches=False, check_sortedness=False,
    ).drop("_from")  # fmt: skip

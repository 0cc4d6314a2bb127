"""What people declared of two keys, in numbers: one person, never one person, or a number that changed hands."""

import polars as pl

_PAIR = ("one", "other")


def rebinds_of(links: pl.LazyFrame, keys: pl.LazyFrame) -> pl.DataFrame:
    """One row per declared change of hands of a key that was seen: `key, at`."""
    told = links.filter(pl.col("link") == "rebind").select("key_a", at=pl.col("decided_at").to_physical())
    numbers = keys.select(key_a="key", key="number")
    return told.join(numbers, on="key_a").select("key", "at").unique().collect()


def pairs_declared(links: pl.LazyFrame, keys: pl.LazyFrame, zone: str) -> pl.DataFrame:
    """One row per pair of different keys that were seen, with the latest word on it: `one, other, link, at, day`.

    `one` is the smaller number. Of two words at one instant, that they are apart is the one that holds.
    """
    numbers = keys.select("key", "number")
    both = (
        links.filter(pl.col("link") != "rebind", pl.col("key_a") != pl.col("key_b"))
        .join(numbers.rename({"key": "key_a", "number": "a"}), on="key_a")
        .join(numbers.rename({"key": "key_b", "number": "b"}), on="key_b")
        .select("link", "decided_at", one=pl.min_horizontal("a", "b"), other=pl.max_horizontal("a", "b"))
    )
    latest = pl.all().sort_by(["decided_at", "link"], descending=[False, True]).last()
    day = pl.col("decided_at").dt.convert_time_zone(zone).dt.date().to_physical()
    return both.group_by(_PAIR).agg(latest).sort(_PAIR).with_columns(
        at=pl.col("decided_at").to_physical(), day=day
    ).collect()  # fmt: skip

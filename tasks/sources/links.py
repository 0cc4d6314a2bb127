"""Lists of declared links: keys as people write them become keys as the house prints them."""

import polars as pl

from tasks.sources.cells import read_cells
from tasks.sources.layouts import Cell
from tasks.sources.people import Naming, printed_key

_WRITTEN = r"^([a-z_]+):(?:(.*):)?([^:]+)$"
_PSEUDONYM = r"^[0-9a-f]{64}$"
_PARSED = ("phone", "email", "nick")
_IS_REBIND = pl.col("link") == "rebind"


def declared(frame: pl.DataFrame, naming: Naming) -> pl.DataFrame:
    """Rows of a list of links with both keys printed; a key that cannot be one is null.

    The keys of a pair stand in byte order, whichever was written first; a rebind has its one key twice.
    """
    keys = {name: printed(frame[name], naming) for name in ("key_a", "key_b")}
    named = frame.with_columns(**keys)
    second = pl.when(_IS_REBIND).then("key_a").otherwise("key_b")
    pair = named.with_columns(key_b=second)
    is_whole = pl.col("key_a").is_not_null() & pl.col("key_b").is_not_null()
    first, last = pl.min_horizontal("key_a", "key_b"), pl.max_horizontal("key_a", "key_b")
    return pair.with_columns(
        key_a=pl.when(is_whole).then(first).otherwise("key_a"), key_b=pl.when(is_whole).then(last).otherwise("key_b")
    )


def printed(texts: pl.Series, naming: Naming) -> pl.Series:
    """`type:scope:pseudonym` of each text, in order; null where it is no key."""
    parts = texts.alias("text").to_frame().with_row_index("at").with_columns(
        kind=pl.col("text").str.extract(_WRITTEN, 1),
        scope=pl.col("text").str.extract(_WRITTEN, 2).fill_null(""),
        value=pl.col("text").str.extract(_WRITTEN, 3).str.strip_chars(),
    )  # fmt: skip
    groups = parts.drop_nulls("kind").partition_by("kind", "scope")
    done = [_printed(group, naming) for group in groups]
    none = pl.DataFrame(schema={"at": parts.schema["at"], "key": pl.String()})
    return parts.join(pl.concat([none, *done]), on="at", how="left").sort("at")["key"]


def _printed(group: pl.DataFrame, naming: Naming) -> pl.DataFrame:
    """Keys of one type and scope: at, key."""
    kind, scope = group["kind"][0], group["scope"][0]
    if kind in _PARSED:
        is_done = pl.col("value").str.contains(_PSEUDONYM)
        cell = Cell.model_validate({"header": kind, "parse": kind})
        read = read_cells(group["value"], cell, "UTC")["value"]
        group = group.with_columns(value=pl.when(is_done).then("value").otherwise(read))
    is_done = pl.col("value").str.contains(_PSEUDONYM)
    pseudonym = pl.when(is_done).then("value").otherwise(naming.pseudonymise(kind, scope, pl.col("value")))
    return group.select("at", key=printed_key(kind, scope, pseudonym))

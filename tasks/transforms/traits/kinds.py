"""Which kind an event is, as a small number: twenty million texts are compared once, not once for each measure."""

import polars as pl

from expectations.vocabulary import EVENTS

KIND = pl.col("event").cast(pl.Enum(EVENTS)).to_physical().cast(pl.UInt8).alias("kind")
"""The event's place in the vocabulary."""


def is_kind(*names: str) -> pl.Expr:
    """Whether `kind` is one of these events."""
    return pl.col("kind").is_in([EVENTS.index(name) for name in names])


def last_day(*names: str) -> pl.Expr:
    """The last day with one of these events; null where there is none."""
    return pl.when(is_kind(*names)).then("happened_on").max()

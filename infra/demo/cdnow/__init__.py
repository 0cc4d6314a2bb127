"""CDNOW: purchases of a real shop whose published models are known to the last digit (see README.md here)."""

import gzip
from importlib import resources

import polars as pl

_DAY, _DOLLARS = -3, -1
"""Fields from the end: date, CDs, dollars."""


def master() -> pl.DataFrame:
    """One row per purchase of all 23,570 customers: customer (their number), bought_on, paid_fen (cents)."""
    return _purchases("CDNOW_master.txt.gz", customer=0)


def sample() -> pl.DataFrame:
    """The same of the 2,357 customers on whom the published parameters rest, under their own numbers."""
    return _purchases("CDNOW_sample.txt.gz", customer=1)


def _purchases(name: str, customer: int) -> pl.DataFrame:
    """The rows of a file; what does not begin with a number is its heading."""
    text = gzip.decompress((resources.files(__name__) / name).read_bytes()).decode("ascii")
    rows = [line.split() for line in text.splitlines()]
    good = [row for row in rows if row and row[0].isdigit()]
    columns = {
        "customer": [int(row[customer]) for row in good],
        "day": [row[_DAY] for row in good],
        "paid_fen": [round(float(row[_DOLLARS]) * 100) for row in good],
    }
    return pl.DataFrame(columns).select("customer", pl.col("day").str.to_date("%Y%m%d").alias("bought_on"), "paid_fen")

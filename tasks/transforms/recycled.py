"""What a former owner of a recycled number leaves behind: nothing that the next one could inherit."""

import polars as pl


def closings(identities: pl.LazyFrame) -> pl.LazyFrame:
    """One row per key that changed hands, or was given back: the last time at which it did.

    An epoch of a hub has no row, and one of which no record tells neither: then only the start of the next one shows
    that the key was somebody else's before.

    Returns:
        key, closed_at.
    """
    ends = pl.max_horizontal("valid_to", "valid_from")
    return (
        identities.select("key", closed_at=ends).drop_nulls("closed_at").group_by("key").agg(pl.col("closed_at").max())
    )


def since_closing(rows: pl.LazyFrame, identities: pl.LazyFrame, *, key: str, at: str) -> pl.LazyFrame:
    """Rows as given without those that an earlier owner of `key` left before it changed hands."""
    closed = closings(identities).rename({"key": key})
    is_own = pl.col("closed_at").is_null() | (pl.col(at) >= pl.col("closed_at"))
    return rows.join(closed, on=key, how="left").filter(is_own).drop("closed_at")


def without_former_grants(consents: pl.LazyFrame, identities: pl.LazyFrame) -> pl.LazyFrame:
    """Consents as given without the grants of whoever had the number before; their noes go on holding for the number.

    A grant without a time was given under an unknown owner: of a number that changed hands it is none.
    """
    is_grant = pl.col("decision") == "granted"
    timeless = pl.col("decided_at").is_null() & is_grant
    closed = closings(identities).rename({"key": "subject"})
    is_former = (is_grant & (pl.col("decided_at") < pl.col("closed_at"))) | (
        timeless & pl.col("closed_at").is_not_null()
    )
    columns = consents.collect_schema().names()
    return consents.join(closed, on="subject", how="left").filter(~is_former.fill_null(value=False)).select(columns)

"""The customer master as CRM, OMS and tills read it: who is what at a date, and what changed since another."""

import polars as pl

ADDED, CHANGED, REMOVED = "added", "changed", "removed"
VALUES = ("tier", "segment", "stage", "tags", "valid_from", "valid_until")


def master(customers: pl.LazyFrame, tags: pl.LazyFrame, kinds: pl.Schema) -> pl.DataFrame:
    """One row per customer of the date: one_id, tier, segment, stage, tags and for how long that holds, by one_id.

    `tags` are told by code, with `|` between them, in order of code: one that is true by its code, a word or number as
    `code=value`. `valid_from` is the date; `valid_until` the last day on which the tier is safe, null where it has no
    end. Consent is not asked for: nobody is written to.

    `kinds` are the columns of `tags` beside one_id and as_of.
    """
    told = pl.concat_list(_told(name, dtype) for name, dtype in sorted(kinds.items())) if kinds else pl.lit([""])
    words = tags.select("one_id", tags=told.list.drop_nulls().list.join("|"))
    rows = customers.join(words, on="one_id", how="left")
    return rows.select(
        "one_id", "tier", "segment", "stage", pl.col("tags").fill_null(""), valid_from="as_of",
        valid_until="tier_valid_until",
    ).sort("one_id").collect()  # fmt: skip


def _told(name: str, dtype: pl.DataType) -> pl.Expr:
    """One tag of one customer as text; null where it is not theirs."""
    if dtype == pl.Boolean:
        return pl.when(pl.col(name)).then(pl.lit(name))
    return pl.format(f"{name}={{}}", pl.col(name).cast(pl.String))


def changes(before: pl.DataFrame, now: pl.DataFrame) -> pl.DataFrame:
    """One row per customer who came, went or is other than before: change, one_id, the values, and each as `old_…`.

    Of whoever went, the new values are null; of whoever came, the old ones. That another date was refreshed changes
    nobody: `valid_from` alone makes no row. Whoever was merged into another is removed. Neither date knows the id of
    whoever was forgotten any more: their erasure says that a whole master is due.
    """
    told = [name for name in VALUES if name != "valid_from"]
    old = before.rename({name: f"old_{name}" for name in VALUES})
    both = now.with_columns(_is=pl.lit(value=True)).join(
        old.with_columns(_was=pl.lit(value=True)), on="one_id", how="full", coalesce=True
    )
    differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"old_{name}")) for name in told)
    change = (
        pl.when(pl.col("_was").is_null()).then(pl.lit(ADDED))
        .when(pl.col("_is").is_null()).then(pl.lit(REMOVED)).when(differs).then(pl.lit(CHANGED))
    )  # fmt: skip
    rows = both.with_columns(change=change).filter(pl.col("change").is_not_null())
    return rows.select("change", "one_id", *VALUES, *(f"old_{name}" for name in VALUES)).sort("one_id")


def applied(before: pl.DataFrame, told: pl.DataFrame, valid_from: object) -> pl.DataFrame:
    """The master that changes make of an earlier one, as whoever receives them does; `valid_from` their date."""
    stays = before.join(told, on="one_id", how="anti")
    new = told.filter(pl.col("change") != REMOVED).select(before.columns)
    return pl.concat([stays, new]).with_columns(valid_from=pl.lit(valid_from, pl.Date)).sort("one_id")

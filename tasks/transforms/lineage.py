"""Which customer an old id is now, and which earlier customer a present one goes on from.

Ids are functions of the keys, so a merge or a split gives some people another id. Nothing stored under an old
id is rewritten: whoever reads it follows the id to whom it is now.
"""

import polars as pl


def aliases(identities: pl.LazyFrame) -> pl.LazyFrame:
    """One row per id that any key of the date gives or ever gave, and the customer that it is at the date.

    Returns:
        old_id, one_id; equal for whoever kept the id.
    """
    return identities.select("one_id", old_id="own_id").unique("old_id", keep="first", maintain_order=True)


def changed_aliases(identities: pl.LazyFrame) -> pl.LazyFrame:
    """The rows of `aliases` of ids that are another customer's now: all that `follow` and `under_old_ids` ask for."""
    return aliases(identities.filter(pl.col("own_id") != pl.col("one_id")))


def follow(rows: pl.LazyFrame, names: pl.LazyFrame, column: str = "one_id") -> pl.LazyFrame:
    """Rows as given with `column` as it is now; an id that nobody goes on from stays, null stays null."""
    now = names.select(pl.col("old_id").alias(column), _now="one_id")
    followed = rows.join(now, on=column, how="left", maintain_order="left").with_columns(
        pl.coalesce("_now", column).alias(column)
    )
    return followed.drop("_now")


def predecessors(changes: pl.LazyFrame) -> pl.LazyFrame:
    """One row per customer whom a merge or split changed, and each whom they had a part in at the date before.

    `changes` are identity_changes. Who kept the id is among their own predecessors.

    Returns:
        one_id, old_id.
    """
    pairs = changes.select(one_id="new_id", old_id="old_id")
    everyone = pl.concat([pairs.select("one_id"), pairs.select(one_id="old_id")])
    return pl.concat([pairs, everyone.with_columns(old_id="one_id")]).unique()


def under_old_ids(rows: pl.LazyFrame, names: pl.LazyFrame, ids: pl.LazyFrame) -> pl.LazyFrame:
    """Rows as given, and once more under each of `ids` (one_id) that is an old id of their customer.

    For rows that were stored under an old id and are compared with what is known of the person now.
    """
    changed = names.filter(pl.col("old_id") != pl.col("one_id"))
    others = changed.join(ids, left_on="old_id", right_on="one_id", how="semi").collect()
    if others.is_empty():  # on most days; rows are often long in the making, and are not made twice for nobody
        return rows
    columns = rows.collect_schema().names()
    again = rows.join(others.lazy(), on="one_id").with_columns(one_id="old_id").select(columns)
    return pl.concat([rows, again])


def heirs(previous: pl.LazyFrame, names: pl.LazyFrame) -> pl.LazyFrame:
    """One row per customer of the date before: whom they are now, and whether that one goes on from their state.

    Of several who became one, whoever kept the id goes on; where nobody did, the one first seen earliest,
    then the first by id.

    Returns:
        one_id (then), now (null: nobody), is_heir.
    """
    known = (
        previous.select("one_id", "first_seen_at")
        .join(names.select(one_id="old_id", now="one_id"), on="one_id", how="left")
        .with_columns(is_kept=(pl.col("one_id") == pl.col("now")).fill_null(value=False))
    )
    kept = known.filter("is_kept").select("now")
    first = (
        known.filter(~pl.col("is_kept"), pl.col("now").is_not_null())
        .join(kept, on="now", how="anti")
        .sort("first_seen_at", "one_id")
        .unique("now", keep="first", maintain_order=True)
        .select("one_id", is_first=pl.lit(value=True))
    )
    is_heir = pl.col("is_kept") | pl.col("is_first").fill_null(value=False)
    return known.join(first, on="one_id", how="left").select("one_id", "now", is_heir=is_heir)


def inherit(previous: pl.LazyFrame, names: pl.LazyFrame) -> pl.LazyFrame:
    """One row per present customer with a past: the row of the earlier customer whom they go on from, its id theirs."""
    going_on = heirs(previous, names).filter("is_heir").select("one_id", "now")
    return previous.join(going_on, on="one_id").with_columns(one_id="now").drop("now")

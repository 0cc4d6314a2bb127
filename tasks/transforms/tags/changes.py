"""What became of each tag between two dates: counts per tag and value, and one customer's list.

Of a yes-or-no tag, yes is the value and no is none. A tag is *added* where there was none, *kept* where it is the same,
*changed* where it is another, *expired* where nothing confirmed it and its validity ended, else *removed*.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

import polars as pl

from expectations.tables import TABLES
from tasks.policy.tags import Tag

CHANGES = ("added", "kept", "expired", "changed", "removed")
_WAS = "_was_"
_COUNTED = ("tag", "change", "from_value", "to_value", "customers")
_AT_ONCE = 16


def count_changes(
    before: pl.LazyFrame | None, tags: pl.LazyFrame, declared: Sequence[Tag], from_as_of: date | None, as_of: date
) -> pl.LazyFrame:
    """One row per tag, change and pair of values: the table tag_changes, for the tags that the policy declares.

    The values are told of tags that are words; of a yes-or-no tag, a number or a date they are null. Who is gone
    has lost every tag. Without a date before there is no row.

    Args:
        before: the tags of the date before, under present ids (`carry.inherited_tags`).
        tags: those of the date.
        declared: the policy's tags.
        from_as_of: the date before.
        as_of: the date.
    """
    if before is None or from_as_of is None:
        return TABLES["tag_changes"].empty()
    places = _places(before, tags)
    counted = [_counted(before, tags, few, places) for few in _few_at_a_time(declared)]
    return (
        pl.concat([TABLES["tag_changes"].empty().select(_COUNTED), *counted])
        .filter(pl.col("customers") > 0)
        .with_columns(pl.lit(as_of).alias("as_of"), pl.lit(from_as_of).alias("from_as_of"))
        .select(TABLES["tag_changes"].columns)
        .sort(TABLES["tag_changes"].key)
    )


def _few_at_a_time(declared: Sequence[Tag]) -> Iterator[Sequence[Tag]]:
    """Two dates of all tags at once would fill the memory."""
    yield from (declared[start : start + _AT_ONCE] for start in range(0, len(declared), _AT_ONCE))


def _places(before: pl.LazyFrame, tags: pl.LazyFrame) -> pl.Series:
    """For each row of `tags`, then for whoever is gone: where the customer stood at the date before; null: nowhere.

    Customers are paired once: to join every few columns by their ids would cost several times as much.
    """
    now, then = (rows.select("one_id").with_row_index("place") for rows in (tags, before))
    paired = now.join(then, on="one_id", how="full", coalesce=True, suffix="_then", maintain_order="left_right")
    return paired.select("place_then").collect().to_series()


def _counted(before: pl.LazyFrame, tags: pl.LazyFrame, few: Sequence[Tag], places: pl.Series) -> pl.LazyFrame:
    """One row per change and pair of values of a few tags, worked out and held."""
    names = [name for tag in few for name in (tag.code, tag.confirmed_column) if name]
    stored = before.collect_schema()
    then = before.select(name for name in names if name in stored).collect()
    then = then.select(pl.all().gather(places).name.prefix(_WAS))
    both = pl.concat([tags.select("as_of", *names).collect(), then], how="horizontal_extend").lazy()
    schema = both.collect_schema()
    words = [tag for tag in few if schema[tag.code] == pl.String]
    others = [tag for tag in few if schema[tag.code] != pl.String]
    counts = [_sums(both, others, schema)] if others else []
    return pl.concat([*counts, *(_of_words(both, tag, schema) for tag in words)]).collect().lazy()


def side_by_side(before: pl.LazyFrame, tags: pl.LazyFrame) -> pl.LazyFrame:
    """One row per customer of either date: their tags, and those of the date before under `_was_…`."""
    return tags.join(
        before.select("one_id", pl.exclude("one_id").name.prefix(_WAS)), on="one_id", how="full", coalesce=True
    )


def changes_of(before: pl.LazyFrame, tags: pl.LazyFrame, declared: Iterable[Tag]) -> list[dict[str, object]]:
    """One entry per tag that one customer has or had, in the policy's order: tag, change, from_value, to_value."""
    both = side_by_side(before, tags)
    schema = both.collect_schema()
    told = [
        both.select(
            tag=pl.lit(tag.code), change=_change(tag, schema),
            from_value=_was(tag.code, schema).cast(pl.String), to_value=pl.col(tag.code).cast(pl.String),
        )
        for tag in declared
    ]  # fmt: skip
    return pl.concat(told).collect().filter(pl.col("change").is_not_null()).to_dicts() if told else []


def _sums(both: pl.LazyFrame, tags: Iterable[Tag], schema: pl.Schema) -> pl.LazyFrame:
    """One row per tag and change, in one pass over the customers."""
    counted = both.select(
        (_change(tag, schema) == change).sum().cast(pl.Int64).alias(f"{tag.code} {change}")
        for tag in tags
        for change in CHANGES
    )
    code = pl.col("what").str.split(" ")
    nothing = pl.lit(None, pl.String)
    return counted.unpivot(variable_name="what", value_name="customers").select(
        tag=code.list.first(), change=code.list.last(), from_value=nothing, to_value=nothing,
        customers=pl.col("customers").cast(pl.Int64),
    )  # fmt: skip


def _of_words(both: pl.LazyFrame, tag: Tag, schema: pl.Schema) -> pl.LazyFrame:
    """One row per change of one tag and pair of values."""
    pairs = both.select(change=_change(tag, schema), from_value=_was(tag.code, schema), to_value=tag.code)
    counted = pairs.drop_nulls("change").group_by("change", "from_value", "to_value").agg(customers=pl.len())
    return counted.select(
        pl.lit(tag.code).alias("tag"), "change", "from_value", "to_value", pl.col("customers").cast(pl.Int64)
    )


def _change(tag: Tag, schema: pl.Schema) -> pl.Expr:
    """Which of the changes; null for who neither has nor had the tag."""
    then, now = _was(tag.code, schema), pl.col(tag.code)
    had, has = _has(tag, then), _has(tag, now)
    gone = pl.when(_is_expired(tag)).then(pl.lit("expired")).otherwise(pl.lit("removed"))
    return (
        pl.when(has & ~had).then(pl.lit("added"))
        .when(had & ~has).then(gone)
        .when(had & has & (then == now)).then(pl.lit("kept"))
        .when(had & has).then(pl.lit("changed"))
    )  # fmt: skip


def _has(tag: Tag, value: pl.Expr) -> pl.Expr:
    return value.fill_null(value=False) if tag.is_yes_or_no else value.is_not_null()


def _was(code: str, schema: pl.Schema) -> pl.Expr:
    """The value of the date before; null where the policy of that date had no such tag, or one of another type."""
    is_comparable = schema.get(f"{_WAS}{code}") == schema[code]
    return pl.col(f"{_WAS}{code}") if is_comparable else pl.lit(None, schema[code])


def _is_expired(tag: Tag) -> pl.Expr:
    """Whether nothing says anything of a carried tag any more: what is known to be no longer so is removed."""
    if tag.confirmed_column is None:
        return pl.lit(value=False)
    return pl.col(tag.confirmed_column).is_null() & pl.col("as_of").is_not_null()

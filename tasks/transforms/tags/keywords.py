"""Keywords: words in the names that exports give to events, services and products, and in the sources' own tags.

What a person wrote is never stored, so it is never searched either.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta

import polars as pl

from tasks.policy.tags import Keyword, Place, Tag
from tasks.transforms.tags.values import SEEN
from tasks.transforms.tags.windows import rows_of
from tasks.transforms.traits.ground import Ground

_SERVICES = ("service", "survey")
_COVERS: dict[Place, tuple[str, ...]] = {"event_names": ("event_names", "services")}
"""The names of services are names of events too."""


def keyword_tags(tags: Sequence[Tag], ground: Ground) -> Iterator[pl.LazyFrame]:
    """One frame at most: a row per customer near whose name some word stands; true for whose tag it is, else null.

    Returns:
        one_id (the number) and `SEEN + code` for each tag.
    """
    sought = {tag.code: tag.keyword for tag in tags if tag.keyword is not None}
    if not sought:
        return
    words = sorted({word for keyword in sought.values() for word in keyword.words})
    texts = pl.concat(_texts(list(sought.values()), ground)).filter(_has_any(words))
    found = {code: _is_found(keyword, ground.as_of).any() for code, keyword in sought.items()}
    yield texts.group_by("one_id").agg(pl.when(hit).then(hit).alias(f"{SEEN}{code}") for code, hit in found.items())


def _texts(sought: Sequence[Keyword], ground: Ground) -> Iterator[pl.LazyFrame]:
    """One frame per place that is searched: one_id, place, day (null: it stands today), text."""
    places = {place for keyword in sought for place in keyword.places}
    longest = max(keyword.days for keyword in sought)
    if places & {"event_names", "services"}:
        place = pl.when(pl.col("event").is_in(_SERVICES)).then(pl.lit("services")).otherwise(pl.lit("event_names"))
        yield _named(rows_of(ground, "events", longest), place, pl.col("happened_on"), "event_name")
    if "products" in places:
        near = replace(
            ground, lines=_lines_with(ground.lines, sorted({word for each in sought for word in each.words}))
        )
        yield _named(rows_of(near, "lines", longest), pl.lit("products"), pl.col("paid_on"), "product_name")
    if "source_tags" in places:
        always = pl.lit(None, pl.Date)
        yield _named(ground.members, pl.lit("source_tags"), always, "source_tags")
        yield _named(ground.follows, pl.lit("source_tags"), always, "source_tags")


def _lines_with(lines: pl.LazyFrame, words: Sequence[str]) -> pl.LazyFrame:
    """The lines whose product may have one of the words in its name: few names are read, instead of many lines.

    A line without a name of its own goes by the product's, and stays.
    """
    names = lines.select(text=pl.col("product_name").drop_nulls().unique()).filter(_has_any(words))
    told = names.collect(engine="streaming").get_column("text")
    return lines.filter(pl.col("product_name").is_null() | pl.col("product_name").is_in(told.implode()))


def _named(rows: pl.LazyFrame, place: pl.Expr, day: pl.Expr, text: str) -> pl.LazyFrame:
    return rows.select("one_id", place=place, day=day, text=pl.col(text))


def _is_found(keyword: Keyword, as_of: date) -> pl.Expr:
    covered = [covered for place in keyword.places for covered in _COVERS.get(place, (place,))]
    is_recent = pl.col("day").is_null() | (pl.col("day") > as_of - timedelta(days=keyword.days))
    return (_has_any(keyword.words) & pl.col("place").is_in(covered) & is_recent).fill_null(value=False)


def _has_any(words: Sequence[str]) -> pl.Expr:
    return pl.col("text").str.contains_any(list(words), ascii_case_insensitive=True)

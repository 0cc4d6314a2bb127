"""Imported tags: what membership files, advisers and a brand's own lists have put on a person."""

from collections.abc import Iterator, Sequence

import polars as pl

from tasks.policy.tags import Imported, Tag
from tasks.transforms.tags.values import SEEN
from tasks.transforms.traits.ground import Ground

SEPARATOR = "|"
"""Between the tags of one profile."""
_SAID_AT = {"members": "exported_at", "follows": "followed_at"}


def imported_tags(tags: Sequence[Tag], ground: Ground) -> Iterator[pl.LazyFrame]:
    """One frame per imported tag: a row per customer with a profile of the kind.

    A yes-or-no tag is true when any profile has it, false when none does; who has no profile has no row. A tag with
    a prefix is what follows it: of several the newest said, of these the first in byte order.

    Returns:
        one_id (the number) and `SEEN + code`.
    """
    for tag in tags:
        if tag.imported is not None:
            yield _found(tag.imported, ground).rename({"value": f"{SEEN}{tag.code}"})


def _found(imported: Imported, ground: Ground) -> pl.LazyFrame:
    """One row per customer: one_id, value."""
    said = ground.members if imported.table == "members" else ground.follows
    if imported.channel is not None:
        said = said.filter(pl.col("channel") == imported.channel)
    if imported.tag is not None:
        return said.group_by("one_id").agg(value=_has(imported.tag).any())
    return _after(said, str(imported.prefix), _SAID_AT[imported.table])


def _has(tag: str) -> pl.Expr:
    fenced = pl.format("|{}|", pl.col("source_tags"))
    return fenced.str.contains(f"{SEPARATOR}{tag}{SEPARATOR}", literal=True).fill_null(value=False)


def _after(said: pl.LazyFrame, prefix: str, said_at: str) -> pl.LazyFrame:
    """One row per customer of whom some tag begins with the prefix."""
    texts = said.select("one_id", at=said_at, text=pl.col("source_tags").str.split(SEPARATOR)).explode("text")
    values = texts.filter(pl.col("text").str.starts_with(prefix)).with_columns(pl.col("text").str.strip_prefix(prefix))
    newest = pl.col("text").sort_by(["at", "text"], descending=[True, False]).first()
    return values.group_by("one_id").agg(value=newest)

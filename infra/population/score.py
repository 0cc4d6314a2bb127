"""How good an answer is: who is who by somebody's reckoning, held against the population's truth.

What is counted are pairs of items. An item is one identity key of one person: a number that two people
had in turn is two items, a key that is nobody's (a shop's own phone) is an item of nobody. Every item of
the truth counts. An item that the answer gives to nobody stands alone: its pairs are missed, not wrong.
"""

from typing import NamedTuple

import polars as pl


class Score(NamedTuple):
    """Pairs of items that belong together, and that the answer puts together."""

    items: int
    persons: int
    true_pairs: int
    """Pairs of items of one person."""
    told_pairs: int
    """Those of them that the person's own records tie together: what somebody could know."""
    said_pairs: int
    """Pairs that the answer puts together."""
    right_pairs: int
    """Of those: of one person."""
    right_told_pairs: int
    """Of the told pairs: put together."""
    largest: int
    """Keys of the largest person of the answer."""

    @property
    def precision(self) -> float:
        """Share of the pairs put together that belong together."""
        return self.right_pairs / self.said_pairs if self.said_pairs else 1.0

    @property
    def recall(self) -> float:
        """Share of the told pairs that are put together; a person's own key that the answer leaves out is missed."""
        return self.right_told_pairs / self.told_pairs if self.told_pairs else 1.0

    @property
    def recall_of_all(self) -> float:
        """The same of all pairs of a person, also of accounts that no record ever tied together."""
        return self.right_pairs / self.true_pairs if self.true_pairs else 1.0


def score(identities: pl.LazyFrame, truth: pl.LazyFrame) -> Score:
    """Count pairs of an answer: `key, one_id, valid_from, valid_to`, half-open, null is open."""
    items = answered(identities, truth).collect()
    said = items.filter(pl.col("one_id").is_not_null())
    return Score(
        items=items.height,
        persons=items["person"].n_unique(),
        true_pairs=_pairs(items, "person"),
        told_pairs=_pairs(items, "person", "told"),
        said_pairs=_pairs(said, "one_id"),
        right_pairs=_pairs(said, "one_id", "person"),
        right_told_pairs=_pairs(said, "one_id", "person", "told"),
        largest=largest(identities),
    )


def answered(identities: pl.LazyFrame, truth: pl.LazyFrame) -> pl.LazyFrame:
    """One row per item: whose the key is by the answer, when its owner last showed it; null is nobody."""
    said = identities.select("key", "one_id", "valid_from", "valid_to")
    is_then = (pl.col("valid_from").is_null() | (pl.col("valid_from") <= pl.col("at"))) & (
        pl.col("valid_to").is_null() | (pl.col("at") < pl.col("valid_to"))
    )
    found = truth.join(said, on="key").filter(is_then).select("key", "person", "one_id")
    return truth.join(found, on=["key", "person"], how="left")


def largest(identities: pl.LazyFrame) -> int:
    """Keys of the largest person; a key in two epochs of one person counts once."""
    sizes = identities.group_by("one_id").agg(keys=pl.col("key").n_unique())
    return int(sizes.select(pl.col("keys").max().fill_null(0)).collect().item())


def _pairs(items: pl.DataFrame, *within: str) -> int:
    sizes = items.group_by(within).agg(size=pl.len().cast(pl.Int64))["size"]
    return int((sizes * (sizes - 1) // 2).sum())

"""Who every key belongs to, and which of a person's keys their own records tie together."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from infra.population.people import BLOCK


def settled(seen: pl.DataFrame) -> pl.DataFrame:
    """The same rows, where a family's number is the borrower's if its owner never showed it and nobody else did.

    For as far as any record goes that is whose number it is: there are no two persons to keep apart.
    """
    same_house = pl.col("actor") // BLOCK == pl.col("owner") // BLOCK
    never_shown = (pl.col("actor") != pl.col("owner")).all().over("key")
    one_actor = pl.col("actor").n_unique().over("key") == 1
    is_theirs = (pl.col("key_type") == "phone") & same_house & never_shown & one_actor
    return seen.with_columns(owner=pl.when(is_theirs).then("actor").otherwise("owner"))


def truth_of(seen: pl.DataFrame) -> pl.DataFrame:
    """One row per identity key and owner: `key, person, told, at`.

    A number that had two owners has two rows; a key that is nobody's has a negative person of its own. Keys of a
    person with equal `told` are joined by a chain of records, each the person's own and each key on it theirs:
    what no such record tells nobody can know. It is null where only others showed the key. `at` is when the owner
    last showed it, or else anybody did.
    """
    is_own = pl.col("actor") == pl.col("owner")
    keys = seen.filter(pl.col("key_role") == "identity")
    held = keys.with_columns(item=_numbered(keys, "key", "owner"), own_at=pl.when(is_own).then("seen_at"))
    items = held.group_by("item").agg(
        pl.col("key", "owner").first(), at=pl.coalesce(pl.col("own_at").max(), pl.col("seen_at").max()),
        is_own=pl.col("own_at").is_not_null().any(),
    )  # fmt: skip
    named = items.sort("item").with_columns(told=pl.Series(_told(held.filter(is_own), items.height)))
    return named.select("key", person="owner", told=pl.when("is_own").then("told"), at="at")


def strays_of(others: pl.DataFrame, own: pl.LazyFrame) -> pl.DataFrame:
    """One row per key and owner that only others showed, of all pieces; each is told to nobody but itself."""
    once = others.group_by("key", "person").agg(pl.col("at").max()).sort("key", "person")
    left = once.lazy().join(own, on=["key", "person"], how="anti").collect()
    return left.with_columns(told=-1 - pl.int_range(pl.len())).select(others.columns)


def _numbered(frame: pl.DataFrame, *columns: str) -> pl.Series:
    """The rows' values of the columns as numbers from 0 without gaps."""
    hashes = frame.select(pl.struct(columns).hash()).to_series().to_numpy()
    return pl.Series(np.unique(hashes, return_inverse=True)[1])


def _told(own: pl.DataFrame, items: int) -> npt.NDArray[np.int64]:
    """Name every tie by its least item: hand names from keys to records and back until none changes."""
    item, record = own["item"].to_numpy(), _numbered(own, "record").to_numpy()
    by_record, by_item = (_groups(ids) for ids in (record, item))
    names = np.arange(items)
    while True:
        least = np.minimum.reduceat(names[item[by_record.order]], by_record.starts)
        found = names.copy()
        found[by_item.ids] = np.minimum.reduceat(least[record[by_item.order]], by_item.starts)
        if np.array_equal(found, names):
            return names
        names = found


class _Groups(NamedTuple):
    """Rows in the order of an id: where each id begins, and the ids."""

    order: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    ids: npt.NDArray[np.int64]


def _groups(ids: npt.NDArray[np.int64]) -> _Groups:
    order = np.argsort(ids, kind="stable")
    found, starts = np.unique(ids[order], return_index=True)
    return _Groups(order, starts, found)

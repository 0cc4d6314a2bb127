"""Everybody under another name: the pseudonyms of a table under one more key of the chain. Nothing is opened.

A pseudonym is renamed by HMAC under the new key, in every column that holds one; customer ids follow,
because they are functions of pseudonyms; content hashes are taken anew, so that the same row of the next
export still says nothing new. What the rows say stays as it is.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import polars as pl

from expectations.tables import TABLES
from expectations.vocabulary import VOCABULARY
from tasks.transforms.identity.ids import anchor_of, one_id_of

HEX = ("pseudonym",)
"""Columns that are a pseudonym and nothing else."""
IDS = ("one_id", "own_id", "one_id_a", "one_id_b", "old_id", "new_id", "unit")
"""Columns that hold a customer id."""
KEYS = tuple(name for name, column in VOCABULARY.items() if column.pii == "pseudonym" and name not in (*HEX, *IDS))
"""Columns that hold a printed key, `type:scope:pseudonym`, `#n` after it where epochs are told apart."""
NUMBERS = ("order_id", "event_id")
"""Columns that hold a keyed hash where a layout makes the number of a record from its content."""
_TAIL = "[0-9a-f]{64}"
_KEY = rf"^(?<head>.*?)(?<hex>{_TAIL})(?<tail>#\d+)?$"
_SOME_ID = "c_[a-z2-7]{16}"


@dataclass(frozen=True)
class Names:
    """How a value of each sort is renamed."""

    rename: Callable[[pl.Expr], pl.Expr]
    """A pseudonym in hex to the one under the new key."""
    ids: pl.DataFrame
    """old and new, one row per customer id."""
    hashed: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Column of NUMBERS to the channels in which it is a keyed hash."""


def new_ids(keys: pl.DataFrame, rename: Callable[[pl.Expr], pl.Expr]) -> pl.DataFrame:
    """One row per customer id that a key (key_type, key_scope, pseudonym) gives in one of its epochs: old, new."""
    epochs = keys.with_columns(epoch=pl.int_ranges(1, pl.col("epochs") + 1)).explode("epoch")
    renamed = epochs.with_columns(pseudonym=rename(pl.col("pseudonym")))
    old = epochs.select(old=one_id_of(anchor_of(pl.col("epoch"))))
    return old.with_columns(renamed.select(new=one_id_of(anchor_of(pl.col("epoch"))))["new"]).unique("old")


def holds_names(table: str) -> bool:
    """Whether a table has a column that is renamed."""
    return bool(_columns(table, (*HEX, *KEYS, *IDS, *NUMBERS, "record")))


def renamed(rows: pl.DataFrame, table: str, names: Names) -> pl.DataFrame:
    """The same rows in the same order, everybody under the new name; sealed values are no part of this."""
    return rows.with_columns(
        *(names.rename(pl.col(name)).alias(name) for name in _columns(table, HEX)),
        *(printed(pl.col(name), names).alias(name) for name in _columns(table, KEYS)),
        *(_id(name, names) for name in _columns(table, IDS)),
        *(_number(name, names) for name in _columns(table, NUMBERS)),
        *(_record(names) for _ in _columns(table, ("record",))),
        *(_in_words(name, names) for name in _columns(table, ("evidence",)) if table == "audience_members"),
    )


def _columns(table: str, wanted: tuple[str, ...]) -> list[str]:
    return [name for name in TABLES[table].columns if name in wanted]


def printed(key: pl.Expr, names: Names) -> pl.Expr:
    """A printed key under its new name; anything else as it is, null stays null."""
    parts = key.str.extract_groups(_KEY)
    head, hex_, tail = (parts.struct.field(name) for name in ("head", "hex", "tail"))
    return pl.when(hex_.is_null()).then(key).otherwise(pl.concat_str(head, names.rename(hex_), tail.fill_null("")))


def _id(name: str, names: Names) -> pl.Expr:
    """A customer id under its new name; one that no key gives any more gets one that no key gives."""
    other = one_id_of(names.rename(pl.col(name)))
    known = pl.col(name).replace_strict(names.ids["old"], names.ids["new"], default=None, return_dtype=pl.String)
    return pl.when(pl.col(name).is_null()).then(None).otherwise(pl.coalesce(known, other)).alias(name)


def _number(name: str, names: Names) -> pl.Expr:
    is_hash = pl.col("channel").is_in(sorted(names.hashed.get(name, ()))) & pl.col(name).str.contains(f"^{_TAIL}$")
    return pl.when(is_hash).then(names.rename(pl.col(name))).otherwise(pl.col(name)).alias(name)


def _record(names: Names) -> pl.Expr:
    """`member:<channel>:<pseudonym>` always, `order:…` and `event:…` where their number is a keyed hash."""
    record = pl.col("record")
    kind, channel = record.str.split(":").list.get(0), record.str.split(":").list.get(1, null_on_oob=True)
    hashed = [
        (kind == name.removesuffix("_id")) & channel.is_in(sorted(names.hashed.get(name, ()))) for name in NUMBERS
    ]
    return pl.when(pl.any_horizontal(kind == "member", *hashed)).then(printed(record, names)).otherwise(record)


def _in_words(name: str, names: Names) -> pl.Expr:
    """A sentence that names a customer, such as whose the contact also is."""
    said = pl.col(name).str.extract(f"({_SOME_ID})")
    new = said.replace_strict(names.ids["old"], names.ids["new"], default=None, return_dtype=pl.String)
    told = pl.when(new.is_not_null()).then(pl.col(name).str.replace(said, new, literal=True))
    return told.otherwise(pl.col(name)).alias(name)

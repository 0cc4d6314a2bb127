"""Sightings as numbers: keys and records become integers once, and no text is touched again before the answer.

Text costs ten times what numbers cost, in time and in memory. A text's hash of 64 bits stands for it while rows are
sorted and joined; a second hash proves that no two texts share the first, and where two do, texts are ranked instead.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from tasks.policy.identity import Identity
from tasks.transforms.identity.ids import UNIT

CLASSES = ("strong", "linking", "weak")
"""What a key proves, the most first: the rank of a key's class is its place here."""
_WORD = 8
"""Bytes of a number of 64 bits."""
_ODD = 0x9E3779B97F4A7C15
"""An odd number of 64 bits, which spreads small ones."""


@dataclass(frozen=True)
class Seen:
    """What was seen, in numbers."""

    keys: pl.DataFrame
    """One row per identity key: key, `group`.
    A key's number is its place here, which is the order of its bytes `type 0x1F scope 0x1F pseudonym`."""
    groups: pl.DataFrame
    """One row per type and scope, by number: group, key_type, key_scope, `rank` (of the type's class)."""
    rows: pl.DataFrame
    """One row per key and record, by record: key, record, at (microseconds), day, evidence, `place` in `records`."""
    records: pl.Series
    """Texts of the records."""
    receivers: pl.DataFrame
    """One row per phone that a record shows as a contact alone: record, receiver, and key where it is one, too."""


def end_of(day: date, zone: str) -> datetime:
    """The instant at which a business date is over."""
    return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(zone)).astimezone(UTC)


def encode(sightings: pl.LazyFrame, rules: Identity, zone: str) -> Seen:
    """The keys that may join or define somebody, and where they were seen; `sightings` are those that count.

    The same key twice on a record counts once, at its earliest time and by its strongest evidence.
    """
    seen = sightings.pipe(_counting, rules, zone).collect()
    seen = seen.with_columns(label=labels_of(seen["key"]), record_label=labels_of(seen["record"]))
    own = seen.filter(~pl.col("is_receiver")) if seen["is_receiver"].any() else seen
    keys, groups = _keys(own, rules)
    numbers = keys.select("label", key=pl.int_range(pl.len(), dtype=pl.Int64))
    rows = own.select("at", "day", "evidence", "label", record="record_label").with_row_index("place")
    rows = rows.join(numbers, on="label", how="left").drop("label").pipe(_once).sort("record")
    shown = seen.filter("is_receiver").select(record="record_label", receiver="label")
    receivers = shown.join(numbers, left_on="receiver", right_on="label", how="left")
    return Seen(keys.drop("label"), groups, rows, own["record"], receivers)


def _counting(sightings: pl.LazyFrame, rules: Identity, zone: str) -> pl.LazyFrame:
    """Sightings of usable keys, and of the phones that are mere contacts."""
    is_receiver = (pl.col("key_role") == "contact") & (pl.col("key_type") == "phone")
    is_own = (pl.col("key_role") == "identity") & is_used(rules)
    return sightings.filter(is_own | is_receiver).select(
        "key", pl.col("key_type", "key_scope").cast(pl.Categorical), "record",
        at=pl.col("seen_at").to_physical(),
        day=pl.col("seen_at").dt.convert_time_zone(zone).dt.date().to_physical(),
        evidence=pl.col("evidence_rank").cast(pl.UInt8),
        is_receiver=is_receiver,
    )  # fmt: skip


def is_used(rules: Identity) -> pl.Expr:
    """Whether a key of that type may join or define anybody."""
    used = [key_class for key_class in CLASSES if key_class != "weak" or rules.use_weak]
    if rules.unlisted in used:
        return ~pl.col("key_type").is_in([name for name, of in rules.classes.items() if of not in used])
    return pl.col("key_type").is_in([name for name, of in rules.classes.items() if of in used])


def labels_of(texts: pl.Series) -> pl.Series:
    """One number per text, the same for equal texts and for no others; its order means nothing."""
    label = texts.hash(0)
    pairs = pl.LazyFrame({"label": label, "second": texts.hash(1)})
    is_two = pairs.group_by("label").agg(pl.col("second").min() != pl.col("second").max())
    shared = is_two.select(pl.col("second").any()).collect().item()
    return texts.rank("dense").cast(pl.UInt64) if shared else label


def _keys(seen: pl.DataFrame, rules: Identity) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The keys in the order of their bytes (key, group, label), and their groups."""
    places = seen.select("label").with_row_index("place").group_by("label").agg(pl.col("place").min())["place"].sort()
    kinds = seen.select(pl.col("key_type", "key_scope").gather(places)).cast(pl.String)
    groups = _groups(kinds, rules)
    group = kinds.join(groups, on=kinds.columns, how="left", maintain_order="left")["group"]
    texts = seen["key"].gather(places)
    skipped = groups.select(pl.col("key_type").str.len_bytes() + pl.col("key_scope").str.len_bytes() + 2).to_series()
    order = _order(texts, group, skipped)
    label = seen["label"].gather(places.gather(order))
    return pl.DataFrame({"key": texts.gather(order), "group": group.gather(order), "label": label}), groups


def _order(texts: pl.Series, group: pl.Series, skipped: pl.Series) -> pl.Series:
    """Places of keys by group, then by pseudonym: what is left of a key's text when its type and scope are skipped.

    The first 16 bytes of a pseudonym as two numbers nearly always tell; texts are sorted only where they do not.
    """
    start = skipped.gather(group)
    bytes_of = texts.cast(pl.Binary).to_frame("key").with_columns(start=start)
    high, low = (
        bytes_of.select(
            pl.col("key").bin.slice(pl.col("start") + offset, _WORD).bin.reinterpret(
                dtype=pl.UInt64, endianness="big"
            )
        ).to_series()
        for offset in (0, _WORD)
    )  # fmt: skip
    if not high.null_count() and not low.null_count():
        keys = (low.to_numpy(), high.to_numpy(), group.to_numpy())
        order = np.lexsort(keys)
        if not np.all([key[order[1:]] == key[order[:-1]] for key in keys], axis=0).any():
            return pl.Series(order)
    # Keys of one group stand in the order of their pseudonyms when sorted; then the groups come one after another.
    by_text = texts.arg_sort()
    return by_text.gather(np.argsort(group.gather(by_text).to_numpy(), kind="stable"))


def _groups(kinds: pl.DataFrame, rules: Identity) -> pl.DataFrame:
    """One row per type and scope, numbered in the order of their bytes, with the rank of the type's class."""
    groups = kinds.unique().sort(pl.concat_str("key_type", "key_scope", separator=UNIT))
    ranks = [CLASSES.index(rules.class_of(name)) for name in groups["key_type"]]
    return groups.select(
        "key_type", "key_scope", group=pl.int_range(pl.len(), dtype=pl.Int64), rank=pl.Series(ranks, dtype=pl.Int64)
    )


def _once(rows: pl.DataFrame) -> pl.DataFrame:
    """One row per key and record; where a file brought a pair twice, its earliest time and strongest evidence."""
    mixed = rows.select(pl.col("record") ^ (pl.col("key").cast(pl.UInt64) * _ODD)).to_series()
    if mixed.n_unique() == rows.height:
        return rows
    return rows.group_by("record", "key").agg(pl.col("at", "day", "evidence", "place").min()).select(rows.columns)

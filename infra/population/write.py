"""Sightings and their truth, written piece by piece: some thousand people at a time, memory stays flat."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import polars as pl
import polars_hash as plh
import pyarrow.parquet as pq

from infra.population.channels import kinds
from infra.population.people import WHO, invent
from infra.population.shares import Shares
from infra.population.truth import settled, strays_of, truth_of
from infra.population.world import Kind, Slot

START = datetime(2024, 10, 31, 16, tzinfo=UTC)
"""Midnight in Shanghai: two years later it is the end of 31 October 2026 there."""
_PIECE = 50_000
_ZONE = "Asia/Shanghai"
COLUMNS = (
    "key_type", "key_scope", "pseudonym", "key", "key_role", "record", "evidence_rank", "seen_at", "channel",
    "known_from", "file_sha256", "seen_month",
)  # fmt: skip


class Population(NamedTuple):
    """Where a population was written, and its size."""

    sightings: Path
    truth: Path


def write(folder: Path, people: int, *, shares: Shares | None = None, seed: str = "population") -> Population:
    """Write `sightings.parquet` and `truth.parquet`; the same arguments give the same rows."""
    written = Population(folder / "sightings.parquet", folder / "truth.parquet")
    sightings, truth, strays = _Stream(written.sightings), _Stream(written.truth), []
    for piece in pieces(people, shares or Shares(), seed):
        sightings.add(piece.select(COLUMNS))
        items = truth_of(piece)
        truth.add(items.filter(pl.col("told").is_not_null()))
        strays.append(items.filter(pl.col("told").is_null()))
    sightings.close()
    truth.close()
    _add_strays(written.truth, pl.concat(strays))
    return written


def _add_strays(path: Path, strays: pl.DataFrame) -> None:
    """Keys that their owner never showed in their own piece come last."""
    own = pl.scan_parquet(path)
    pl.concat([own, strays_of(strays, own).lazy()]).collect().write_parquet(path, compression_level=1)


def pieces(people: int, shares: Shares, seed: str) -> Iterator[pl.DataFrame]:
    """Sightings with `actor`, whose record it is, and `owner`, whose key it is; all records of a person together."""
    for first in range(0, people, _PIECE):
        some = invent(first, min(first + _PIECE, people), shares, seed)
        seen = [_seen(kind, slot) for kind in kinds(some, people, shares, seed) for slot in kind.slots]
        yield pl.concat(seen).pipe(_dressed, seed).pipe(settled).sort("seen_at", "record", "key")


def _seen(kind: Kind, slot: Slot) -> pl.DataFrame:
    """One row per record that shows the slot's key."""
    shown = kind.records if slot.where is None else kind.records.filter(slot.where)
    return shown.select(
        key_type=pl.lit(slot.key_type), key_scope=pl.lit(slot.scope), value=slot.value, key_role=pl.lit(slot.role),
        kind=pl.lit(kind.name), row="row", evidence_rank=pl.lit(kind.evidence, pl.Int64()), at="at",
        channel=pl.lit(kind.channel), actor=WHO, owner=slot.owner if slot.owner is not None else pl.col(WHO),
    )  # fmt: skip


def _dressed(seen: pl.DataFrame, seed: str) -> pl.DataFrame:
    """Numbers become the texts and instants that the table has."""
    named = pl.concat_str(pl.lit(seed), "key_type", "key_scope", "value", separator="/")
    at = pl.lit(START).dt.cast_time_unit("us") + pl.duration(seconds="at")
    return (
        seen.with_columns(pseudonym=plh.concat_str(named).chash.sha2_256(), seen_at=at)
        .with_columns(
            key=pl.concat_str("key_type", "key_scope", "pseudonym", separator=":"),
            record=pl.format("{}:{}:main:{}", "kind", "channel", "row"),
            known_from=pl.col("seen_at") + pl.duration(days=1),
            seen_month=pl.col("seen_at").dt.convert_time_zone(_ZONE).dt.strftime("%Y-%m"),
            file_sha256=pl.col("channel").replace_strict(_files(seen["channel"].unique().to_list())),
        )
        .unique(["key", "record"], keep="any")
    )


def _files(channels: list[str]) -> dict[str, str]:
    return {channel: hashlib.sha256(channel.encode()).hexdigest() for channel in channels}


class _Stream:
    """A Parquet file that grows by row groups."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: pq.ParquetWriter | None = None

    def add(self, frame: pl.DataFrame) -> None:
        """Write the rows as one row group."""
        table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, table.schema, compression="zstd", compression_level=1)
        self._writer.write_table(table)

    def close(self) -> None:
        """Write the foot."""
        if self._writer is not None:
            self._writer.close()

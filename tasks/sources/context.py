"""What a reader of one export file is told, and what it answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from expectations.tables import TABLES
from tasks.sources.canonical import BOOKKEEPING
from tasks.sources.corrections import Correction
from tasks.sources.opened import CHUNK_BYTES
from tasks.sources.people import CONTACTS, Pseudonymise
from tasks.sources.spill import Cover, waiting

Seal = Callable[[pl.DataFrame], pl.DataFrame]
"""Contact points in plaintext (`CONTACTS`, each once) to the same rows, sealed."""


def _as_it_is(data: bytes) -> bytes:
    return data


@dataclass(frozen=True)
class ReadContext:
    """What the caller knows about a file that its bytes do not say."""

    file_sha256: str
    name: str
    received_at: datetime
    file_month: str
    """Month of receipt, YYYY-MM."""
    zone: str
    currency: str
    pseudonymise: Pseudonymise
    shops: Mapping[str, str | tuple[str, ...]]
    """Channel to its shop, where the file does not say, or to its several shops, of which one must be told."""
    seal: Seal
    """Seals contacts before they touch the disk."""
    channel: str | None = None
    """Only layouts of this channel fit, when given."""
    shop_id: str | None = None
    is_watched: bool = False
    """The caller looks itself, when all is read, whether the file is still the one whose digest it took; else the
    digest is taken again."""
    exported_at: datetime | None = None
    """Overrides the file's name; without either, the time of receipt."""
    corrections: tuple[Correction, ...] = ()
    """Known errors of the brand's sources, declared in its policy."""
    categories: tuple[tuple[str, str], ...] = ()
    """The brand's own mapping of product names to categories: regular expression and category."""
    phone_hashes: tuple[str, ...] = ()
    """Under which vendors' hashes phones are known too."""
    cover: Cover = _as_it_is
    """Encrypts parsed rows of a large file while they wait on disk; `uncover` undoes it."""
    uncover: Cover = _as_it_is
    heard: Callable[[int], object] = int
    """Hears how many bytes more are read, now and then."""
    chunk_bytes: int = CHUNK_BYTES
    """Text read at a time; the result is the same whatever it is."""


@dataclass(frozen=True)
class Export:
    """One file, read."""

    layout: str
    runner_up: str | None
    channel: str
    shop_id: str
    encoding: str | None
    exported_at: datetime
    primary: str
    """The table in which the file's rows are counted, by `row_number`."""
    tables: dict[str, tuple[Path, ...]]
    """Files by table: rows that passed the row rules, the columns of `BOOKKEEPING` beside the table's own."""
    refused: tuple[Path, ...]
    """Files of `quarantine`: one row per refused source row and broken rule, undecodable rows included."""
    contacts: tuple[Path, ...]
    """Those of the contact points of accepted rows, as `ReadContext.seal` made them."""
    rows_read: int
    rows_refused: int
    money_read_fen: int
    money_refused_fen: int
    money_unreadable: int
    drift: dict[str, object]
    about: tuple[str, ...] = ()
    """What a person should know of the file, such as `3 lines above the header were skipped`."""

    def __repr__(self) -> str:
        """Name the file's layout and counts."""
        return f"Export({self.layout}, {self.rows_read} rows, {self.rows_refused} refused)"

    def frame(self, name: str) -> pl.DataFrame:
        """Read all rows of a table, of `quarantine` or of `contacts`, in file order; for small files and tests."""
        paths = {"quarantine": self.refused, "contacts": self.contacts}.get(name, self.tables.get(name, ()))
        return waiting(paths).collect() if paths else _empty(name)


def _empty(name: str) -> pl.DataFrame:
    if name == "contacts":
        return CONTACTS.to_frame()
    kinds = {"row_number": pl.Int64(), "row_money_fen": pl.Int64(), "file_month": pl.String()}
    beside = {} if name == "quarantine" else {column: kinds[column] for column in BOOKKEEPING}
    return pl.DataFrame(schema={**TABLES[name].schema, **beside})

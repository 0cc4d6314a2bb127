"""Overlapping exports of one invented shop, as rows ready to merge, and what must be current in the end."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import polars as pl

from expectations.tables import TABLES
from expectations.vocabulary import ORDER_STATUSES
from tasks.refs import Run, Snapshot
from tasks.sources.spill import lay
from tasks.steps.merging import Merged, merge_table
from tasks.stores.objects import Objects
from tasks.stores.tables import Lake
from tests.support.lakes import run_on

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
RECEIVED = datetime(2028, 1, 1, tzinfo=UTC)
Order = tuple[str, datetime, datetime | None, int, str]
"""Id, export, modified, rank of the status, content hash: what decides which version of an order is current."""


class Seen(NamedTuple):
    """An order as an export shows it; `hours` are those of the export and of the last change."""

    order: int
    status: str
    exported: int
    modified: int | None = None
    paid_fen: int = 100
    month: str | None = "2026-01"

    @property
    def content(self) -> str:
        """What would be its content hash; the export's time is no part of it."""
        return f"{self.status}-{self.modified}-{self.paid_fen}-{self.month}"

    def row(self, number: int, name: str, received: int) -> dict[str, object]:
        """A row of `orders` with the bookkeeping columns."""
        hour = timedelta(hours=1)
        row = dict.fromkeys(TABLES["orders"].columns) | {
            "channel": "youzan", "shop_id": "mall", "order_id": f"E{self.order:09}", "kind": "purchase",
            "ordered_at": NEW_YEAR, "status": self.status, "currency": "CNY", "gross_fen": self.paid_fen,
            "paid_fen": self.paid_fen, "refunded_fen": 0, "exported_at": NEW_YEAR + self.exported * hour,
            "modified_at": None if self.modified is None else NEW_YEAR + self.modified * hour,
            "known_from": RECEIVED + received * hour, "file_sha256": name, "content_hash": self.content,
            "paid_month": self.month,
        }  # fmt: skip
        return row | {"row_number": number, "row_money_fen": self.paid_fen, "file_month": "2028-01"}


def written(folder: Path, rows: Iterable[Seen], name: str, received: int) -> str:
    """Write one export as a step would have read it."""
    schema = TABLES["orders"].schema | {"row_number": pl.Int64, "row_money_fen": pl.Int64, "file_month": pl.String}
    found = [seen.row(number, name, received) for number, seen in enumerate(rows, 1)]
    return str(lay(pl.DataFrame(found, schema, orient="row"), folder / f"{uuid4().hex}.arrow"))


def expected(files: Iterable[Iterable[Seen]]) -> dict[str, tuple[str, datetime]]:
    """Brute force: of all rows of an order ever seen, the one that ranks highest, with the last export that showed it.

    Latest export, then latest change, then status, then content hash; no change known ranks below any.
    """
    never = datetime.min.replace(tzinfo=UTC)
    best: dict[str, tuple[datetime, datetime, int, str]] = {}
    for number, seen in enumerate(seen for rows in files for seen in rows):
        row = seen.row(number, "", 0)
        rank = ORDER_STATUSES.index(seen.status)
        key = (row["exported_at"], row["modified_at"] or never, rank, seen.content)
        order = str(row["order_id"])
        best[order] = max(best.get(order, key), key)
    return {order: (content, exported_at) for order, (exported_at, _, _, content) in best.items()}


def current(orders: pl.DataFrame) -> dict[str, tuple[str, datetime]]:
    """The same of a table's current rows."""
    now = orders.filter(pl.col("known_to").is_null())
    rows = now.select("order_id", "content_hash", "exported_at").rows()
    assert len(rows) == now["order_id"].n_unique()
    return {order: (content, exported_at) for order, content, exported_at in rows}


class Desk:
    """Merges exports into the orders of a lake, as the ingest step does; each call is one run."""

    def __init__(self, objects: Objects, folder: Path, *, range_rows: int = 250_000) -> None:
        """Begin with what the store holds."""
        self._objects, self._folder, self._range_rows = objects, folder, range_rows
        self.lake = Lake(objects)
        self.calls = 0

    def take_in(self, *files: Sequence[Seen], names: Sequence[str] = ()) -> Merged:
        """Merge files that arrive together, and publish what comes of it."""
        self.calls += 1
        called = names or [f"file-{self.calls}-{number}" for number in range(len(files))]
        paths = [written(self._folder, rows, name, self.calls) for rows, name in zip(files, called, strict=True)]
        snapshot = self.lake.snapshot()
        run = run_on(self._objects, snapshot.seq).model_copy(update={"scratch": str(self._folder / uuid4().hex)})
        merged = merge_table(run, self.lake, snapshot, "orders", paths, range_rows=self._range_rows)
        if merged.candidate is not None:
            self._publish(run, merged)
        return merged

    def _publish(self, run: Run, merged: Merged) -> Snapshot:
        with self.lake.writer(run, wait_seconds=10) as writer:
            writer.commit(merged.candidate)
            return writer.move_pointer()

    @property
    def orders(self) -> pl.DataFrame:
        """All versions that stand."""
        return self.lake.scan("orders", self.lake.snapshot()).collect()

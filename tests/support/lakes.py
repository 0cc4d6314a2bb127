"""Small candidates and runs for tests of the lake."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import polars as pl

from expectations.tables import TABLES
from tasks.refs import Candidate, Run, Snapshot
from tasks.stores.digests import digest_rows
from tasks.stores.objects import Objects
from tasks.stores.tables import Lake

RECEIVED = datetime(2026, 7, 1, tzinfo=UTC)
MONTH_END = date(2026, 5, 31)


def run_on(objects: Objects, base_seq: int, run_id: str = "") -> Run:
    """A run that read snapshot `base_seq`."""
    return Run(
        run_id=run_id or uuid4().hex,
        flow="test",
        lake=objects.uri,
        base_seq=base_seq,
        policy_digest="p",
        code_version="c",
        inputs_digest="i",
        scratch="",
    )


def refund(refund_id: str, month: str | None, fen: int = 100) -> dict[str, Any]:
    """One row of `refunds`, which is partitioned by a month that may be null."""
    return {
        "channel": "taobao",
        "shop_id": "s1",
        "order_id": f"o-{refund_id}",
        "refund_id": refund_id,
        "refund_fen": fen,
        "refunded_at": RECEIVED,
        "refunded_on": RECEIVED.date(),
        "exported_at": RECEIVED,
        "known_from": RECEIVED,
        "known_to": None,
        "file_sha256": "f" * 64,
        "content_hash": "c" * 64,
        "paid_month": month,
    }


def cutoff(as_of: date, value: int) -> dict[str, Any]:
    """One row of `cutoffs`, which is partitioned by date and holds a float."""
    row = dict.fromkeys(TABLES["cutoffs"].columns) | {"as_of": as_of, "dimension": "m", "score": 5, "cutoff": value}
    return row | {"base_count": 10, "effective_levels": 5, "max_tie_share": 0.25, "method": "min_rank"}


def contact(pseudonym: str, sealed: bytes) -> dict[str, Any]:
    """One row of `contacts`, which has no partition and holds bytes."""
    row = {"pseudonym": pseudonym, "contact_type": "phone", "nonce": b"\x00\xff", "ciphertext": sealed}
    return row | {"key_id": "demo-1", "known_from": RECEIVED, "file_sha256": "f" * 64}


def candidate(
    folder: Path,
    table: str,
    rows: Sequence[dict[str, Any]] | pl.DataFrame,
    mode: Literal["append", "replace", "overwrite"] = "append",
    replaces: tuple[str | None, ...] = (),
) -> Candidate:
    """Write rows to scratch as a step would."""
    frame = rows if isinstance(rows, pl.DataFrame) else pl.DataFrame(rows, schema=TABLES[table].schema, orient="row")
    path = folder / f"{uuid4().hex}.parquet"
    frame.write_parquet(path)
    return Candidate(
        table=table,
        path=str(path),
        rows=frame.height,
        digest=digest_rows(frame, table),
        mode=mode,
        replaces=replaces,
    )


def publish(lake: Lake, objects: Objects, *candidates: Candidate) -> Snapshot:
    """Publish candidates on top of what stands."""
    with lake.writer(run_on(objects, lake.snapshot().seq), wait_seconds=10) as writer:
        for each in candidates:
            writer.commit(each)
        return writer.move_pointer()


def ids(lake: Lake, snapshot: Snapshot, partitions: Sequence[str | None] | None = None) -> list[str]:
    """The refunds that a reader of this snapshot sees."""
    rows = lake.scan("refunds", snapshot, partitions=partitions)
    return rows.select("refund_id").sort("refund_id").collect().to_series().to_list()

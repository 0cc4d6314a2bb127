"""Small candidates and runs for tests of the lake."""

import os
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import polars as pl

from expectations.tables import TABLES
from tasks.refs import Candidate, Run, Snapshot
from tasks.settings import Settings
from tasks.stores.digests import digest_rows
from tasks.stores.objects import Objects
from tasks.stores.tables import Lake
from tests.support.warm import Forked, fork

Mode = Literal["append", "replace", "overwrite"]
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
        "refund_basis": "itemised",
        "refund_state": "paid_back",
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
    mode: Mode = "append",
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


class Child:
    """A writer in a process of its own, working on one store."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        """Remember the store and where candidates are written."""
        self._settings = settings
        self._folder = folder

    def start(
        self, base_seq: int, *candidates: Candidate, failpoint: str = "", lease: float = 60, wait: float = 30
    ) -> Forked:
        """Start it; its last word is the number it published or the error on which it gave up."""
        told = (self._settings.lake, str(base_seq), str(lease), str(wait), *map(self._written, candidates))
        return fork("tests.support.lake_child", told, self._env(failpoint))

    def finish(self, process: Forked) -> str:
        """Wait for it and return its last word."""
        return process.communicate(timeout=120)[0]

    def _written(self, made: Candidate) -> str:
        path = self._folder / f"{uuid4().hex}.json"
        path.write_text(made.model_dump_json())
        return str(path)

    def _env(self, failpoint: str) -> dict[str, str]:
        named = ("s3_endpoint", "s3_access_key_id", "s3_secret_access_key")
        store = {f"STRATA_{name.upper()}": str(getattr(self._settings, name)) for name in named}
        return os.environ | store | {"STRATA_FAILPOINT": failpoint}

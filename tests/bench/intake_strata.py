"""The export read by the product's own reader: mapping, checks, keys, contacts, quarantine, tables in files."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from tasks.policy.models import Policy
from tasks.sources.read import ReadContext, read_export
from tasks.sources.spill import waiting
from tasks.stores.arrivals import mark_of
from tasks.stores.digests import file_sha256
from tasks.stores.keys import DEMO_KEY_NAME, open_key_ring
from tasks.stores.vault import Pseudonymiser, Sealer


def run(export: Path, result: Path, policy: Policy) -> None:
    """Write the rows of every table below `result`; a refused row would show in the comparison."""
    ring = open_key_ring("demo_cn", DEMO_KEY_NAME)
    sealer = Sealer.of(ring)
    mark = mark_of(export)
    context = ReadContext(
        file_sha256=file_sha256(export), name=export.name, received_at=datetime(2026, 6, 3, tzinfo=UTC),
        file_month="2026-06", zone=policy.brand.zone, currency=policy.brand.currency,
        pseudonymise=Pseudonymiser.of(ring), shops={"taobao": "bench"}, seal=sealer.seal, is_watched=True,
    )  # fmt: skip
    read = read_export(export, context, result)
    if read.rows_refused or mark_of(export) != mark:
        raise ValueError(f"{read.rows_refused} rows refused: {read.frame('quarantine').head(3)}")


def orders(result: Path) -> pl.LazyFrame:
    """The orders that were read."""
    return waiting(sorted(result.glob("orders-*.arrow")))

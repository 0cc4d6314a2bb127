"""Refunds that a later export of the order no longer shows join what is merged. No task stands here."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from expectations.tables import TABLES
from tasks.refs import Run, Snapshot
from tasks.sources.canonical import content_hash_of
from tasks.sources.spill import lay, waiting
from tasks.steps.merging import record_of, related
from tasks.stores.tables import Lake
from tasks.transforms.orders import ORDER
from tasks.transforms.versions import supersede
from tasks.transforms.withdrawals import totals, withdrawn

Incoming = dict[str, list[str]]


def with_withdrawn(run: Run, lake: Lake, snapshot: Snapshot, incoming: Incoming) -> Incoming:
    """The waiting rows by table, and one more of `refunds` where an order takes back what it had shown."""
    if not {"orders", "refunds"} & incoming.keys():
        return incoming
    given = _doubtful(lake, snapshot, incoming, _totals(lake, snapshot, incoming))
    voided = withdrawn(_orders(lake, snapshot, incoming, given), given) if given.height else given
    if voided.is_empty():
        return incoming
    rows = voided.with_columns(
        known_from=pl.lit(_received(incoming)),
        known_to=pl.lit(None, pl.Datetime("us", "UTC")),
        row_number=pl.lit(0, pl.Int64),
    ).with_columns(content_hash_of("refunds"))
    path = lay(rows.select(*TABLES["refunds"].columns, "row_number"), Path(run.scratch) / "withdrawn.arrow")
    return incoming | {"refunds": [*incoming.get("refunds", []), str(path)]}


def _totals(lake: Lake, snapshot: Snapshot, incoming: Incoming) -> pl.DataFrame:
    """What was ever shown as paid back on the orders that these files tell of."""
    touched = [waiting([path]).select(ORDER) for name in ("orders", "refunds") for path in incoming.get(name, [])]
    stored = lake.scan("refunds", snapshot).join(pl.concat(touched), on=ORDER, how="semi")
    fresh = [waiting([path]).select(stored.collect_schema().names()) for path in incoming.get("refunds", [])]
    return totals(pl.concat([stored, *fresh])).collect(engine="streaming")


def _doubtful(lake: Lake, snapshot: Snapshot, incoming: Incoming, given: pl.DataFrame) -> pl.DataFrame:
    """Those of which some row of the order shows nothing, or which are told in two ways: few, as refunds go."""
    if given.is_empty():
        return given
    told = [waiting([path]) for path in incoming.get("orders", [])]
    told += related(lake, snapshot, TABLES["orders"], given.lazy().select(ORDER).unique())
    silent = [rows.filter(pl.col("refunded_fen") == 0).select(ORDER) for rows in told]
    both = given.lazy().group_by(ORDER).len().filter(pl.col("len") > 1).select(ORDER)
    return given.lazy().join(pl.concat([*silent, both]), on=ORDER, how="semi").collect(engine="streaming")


def _orders(lake: Lake, snapshot: Snapshot, incoming: Incoming, given: pl.DataFrame) -> pl.DataFrame:
    """These orders as they will stand: the stored versions with those of the files in them."""
    table, wanted = TABLES["orders"], given.lazy().select(ORDER).unique()
    standing = pl.concat(related(lake, snapshot, table, wanted)).collect(engine="streaming")
    fresh = [waiting([path]).select(*table.columns, "row_number") for path in incoming.get("orders", [])]
    if fresh:
        rows = pl.concat(fresh).join(wanted, on=ORDER, how="semi").collect(engine="streaming")
        result = supersede(standing, rows, record_of(table), content_hash_of("orders"))
        version = [*record_of(table), "content_hash", "known_from"]
        still = standing.join(result.changed.select(version), on=version, how="anti", nulls_equal=True)
        standing = pl.concat([still, *(part.select(table.columns) for part in (result.changed, result.added))])
    return standing.filter(pl.col("known_to").is_null())


def _received(incoming: Mapping[str, Sequence[str]]) -> object:
    """When these files were received."""
    paths = [path for name in ("orders", "refunds") for path in incoming.get(name, [])]
    return waiting(paths[:1]).select(pl.col("known_from").max()).collect().item()

"""The live files of a table as one lazy frame in declared shape. Which files are live is not decided here."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import polars as pl

from expectations.tables import Table
from tasks.stores.candidates import ADDED_TYPES
from tasks.stores.objects import Objects
from tasks.stores.snapshot import LiveFile
from tasks.stores.verified import verified_paths


def read_files(
    objects: Objects, table: Table, files: Sequence[LiveFile], added_columns: Mapping[str, str]
) -> pl.LazyFrame:
    """One row per row of these files, checked against their SHA-256 first.

    Columns in declared order, then those of policy. A file older than a column gives null there; the
    partition's value, which Delta keeps out of the file, comes from the manifest.
    """
    schema = pl.Schema(table.schema | {name: ADDED_TYPES[dtype] for name, dtype in added_columns.items()})
    by_partition: dict[str | None, list[Path]] = defaultdict(list)
    for file, path in zip(files, verified_paths(objects, files), strict=True):
        by_partition[file.partition].append(path)
    if not by_partition:
        return schema.to_frame().lazy()
    return pl.concat(_read_partition(table, schema, value, paths) for value, paths in by_partition.items())


def _read_partition(table: Table, schema: pl.Schema, value: str | None, paths: list[Path]) -> pl.LazyFrame:
    rows = pl.scan_parquet(
        paths,
        schema=pl.Schema({name: dtype for name, dtype in schema.items() if name != table.partition}),
        missing_columns="insert",
        extra_columns="ignore",  # a tag that a later policy dropped
        hive_partitioning=False,  # the root of the lake may itself lie in a folder `x=y`
        glob=False,
    )
    if table.partition:
        rows = rows.with_columns(_constant(value, schema[table.partition]).alias(table.partition))
    return rows.select(schema.names())


def _constant(value: str | None, dtype: pl.DataType) -> pl.Expr:
    typed = date.fromisoformat(value) if value is not None and dtype == pl.Date else value
    return pl.lit(typed, dtype)

"""What a candidate must be before it is committed, and whether what was written is what it held."""

from pathlib import Path

import polars as pl

from expectations.tables import TABLES, Table
from expectations.vocabulary import INSTANT
from tasks.errors import ConfigurationError, GateRefusedError, UnbalancedError
from tasks.refs import Candidate

ADDED_TYPES: dict[str, pl.DataType] = {
    str(dtype): dtype
    for dtype in (pl.String(), pl.Int64(), pl.Int32(), pl.Int16(), pl.Int8(), pl.Float64(), pl.Boolean(), pl.Date())
} | {str(INSTANT): INSTANT}
"""Types that policy may give to columns of its own: those that Delta gives back as they were."""


def declared_table(name: str) -> Table:
    """Return the declaration; ConfigurationError for a table that nobody declared."""
    if name not in TABLES:
        raise ConfigurationError(
            f"there is no table {name}", expected=", ".join(TABLES), next_step="correct the name of the table"
        )
    return TABLES[name]


def check_candidate(candidate: Candidate) -> None:
    """Refuse columns that were not declared, rows that were not announced, and partitions not named."""
    table = declared_table(candidate.table)
    rows = pl.scan_parquet(candidate.path, hive_partitioning=False, glob=False)
    _check_columns(table, rows.collect_schema())
    _check_rows(candidate, rows)
    if candidate.mode == "replace":
        _check_partitions(table, candidate, rows)


def added_columns(candidate: Candidate) -> dict[str, str]:
    """Return the names and types of the columns that policy added, in stored order."""
    schema = pl.read_parquet_schema(candidate.path)
    declared = TABLES[candidate.table].columns
    return {name: str(dtype) for name, dtype in schema.items() if name not in declared}


def merged_columns(table: str, standing: dict[str, str], added: dict[str, str]) -> dict[str, str]:
    """Return the columns of both; ConfigurationError when one would change its type."""
    changed = [name for name in standing.keys() & added.keys() if standing[name] != added[name]]
    if changed:
        name = min(changed)
        raise ConfigurationError(
            f"column {name} of {table} is {added[name]} and was {standing[name]}",
            expected="one type for one name, for all dates",
            next_step="give the changed tag a new name in the policy",
        )
    return standing | added


def _check_columns(table: Table, schema: pl.Schema) -> None:
    wrong = [f"{name} is {schema.get(name, 'missing')}, declared {dtype}" for name, dtype in table.schema.items()
             if schema.get(name) != dtype]  # fmt: skip
    added = {name: dtype for name, dtype in schema.items() if name not in table.columns}
    wrong += [
        f"{name} is {dtype}, which is not declared" for name, dtype in added.items() if not _may_add(table, dtype)
    ]
    if wrong:
        raise GateRefusedError(
            f"candidate of {table.name}: {'; '.join(wrong)}",
            expected="the columns of expectations/tables.py",
            next_step="mend the transform that made it, or declare the column",
        )


def _may_add(table: Table, dtype: pl.DataType) -> bool:
    return table.is_open and str(dtype) in ADDED_TYPES


def _check_rows(candidate: Candidate, rows: pl.LazyFrame) -> None:
    held = rows.select(pl.len()).collect().item()
    if held != candidate.rows:
        raise UnbalancedError(
            f"candidate of {candidate.table} holds {held} rows",
            expected=f"the {candidate.rows} rows that were counted when it was made",
            next_step="run again; scratch may have been full or changed",
        )


def _check_partitions(table: Table, candidate: Candidate, rows: pl.LazyFrame) -> None:
    if table.partition is None or not candidate.replaces:
        raise ConfigurationError(
            f"candidate of {table.name} replaces partitions {candidate.replaces}",
            expected="a partitioned table and at least one value" if table.partition else "append or overwrite",
            next_step="correct the step that made it",
        )
    found = rows.select(pl.col(table.partition).cast(pl.String).unique()).collect().to_series()
    outside = sorted(str(value) for value in set(found) - set(candidate.replaces))
    if outside:
        raise UnbalancedError(
            f"candidate of {table.name} holds rows of {table.partition} {', '.join(outside)}",
            expected=f"rows of {', '.join(map(str, candidate.replaces))} alone, which it replaces",
            next_step="correct the step that made it: the rows of those partitions would be doubled",
        )


def check_written(candidate: Candidate, written: pl.LazyFrame) -> None:
    """Compare what was read back with the candidate, row for row but in any order; UnbalancedError if they differ."""
    columns = sorted(pl.read_parquet_schema(candidate.path))
    held = _fingerprint(pl.scan_parquet(Path(candidate.path), hive_partitioning=False, glob=False), columns)
    if (back := _fingerprint(written, columns)) != held:
        raise UnbalancedError(
            f"{candidate.table} gave back {back[0]} rows that are not those written",
            expected=f"the {held[0]} rows of the candidate, value for value",
            next_step="check the disk or the bucket, then run again; readers stay on the old snapshot",
        )


def _fingerprint(rows: pl.LazyFrame, columns: list[str]) -> tuple[int, int]:
    """Rows, and the wrapping sum of their hashes: the same in any order, within one process."""
    counted = rows.select(pl.len(), pl.struct(columns).hash().sum().alias("hash")).collect(engine="streaming")
    return counted["len"].item(), counted["hash"].item()

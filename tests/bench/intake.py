"""An export as large as memory: read with mapping, checks and quarantine on, beside DuckDB's `read_csv` to Parquet.

DuckDB only reads and types; ours maps, checks every record and row, makes keys, sightings and content
hashes. The same text once more in GB18030, which DuckDB cannot read, is held against DuckDB's UTF-8.
"""

import shutil
import sys
import tempfile
from pathlib import Path

import polars as pl

from tests.bench.intake_strata import orders
from tests.bench.measure import Measured, measure
from tests.bench.taobao import write_export

GOAL_RATIO, GOAL_GB18030_RATIO, GOAL_GIB = 1.0, 1.6, 1.5
"""At most DuckDB's time in UTF-8, 1.6 times that in GB18030, and 1.5 GiB whatever the size."""
_SIDES = {"duckdb": "utf-8", "strata": "utf-8", "strata gb18030": "gb18030"}


def report(megabytes: int, rounds: int) -> bool:
    """Measure and print; False when two results differ."""
    with tempfile.TemporaryDirectory(prefix="strata-bench-") as folder:
        rows = write_files(Path(folder), megabytes)
        best = best_of(Path(folder), rounds)
        is_equal = {side: is_same(Path(folder), side) for side in best if side != "duckdb"}
    _say(f"\nan export of {rows:,} orders, {megabytes:,} MiB of CSV with 54 quoted columns", best, is_equal)
    return all(is_equal.values())


def write_files(folder: Path, megabytes: int) -> int:
    """Write the same rows in both encodings; returns their number."""
    write_export(folder / "gb18030.csv", megabytes, encoding="gb18030")
    return write_export(folder / "utf-8.csv", megabytes)


def best_of(folder: Path, rounds: int) -> dict[str, Measured]:
    """The best round of each side; sides take turns, so that a busy minute hits them all."""
    seen: dict[str, list[Measured]] = {side: [] for side in _SIDES}
    for _ in range(rounds):
        for side, encoding in _SIDES.items():
            child, result = f"intake_{side.split()[0]}", folder / side
            _clear(result)
            seen[side].append(measure(child, folder / f"{encoding}.csv", result))
    return {side: min(measured, key=lambda one: one.seconds) for side, measured in seen.items()}


def _clear(result: Path) -> None:
    """Remove what the round before wrote, outside of what is measured."""
    shutil.rmtree(result) if result.is_dir() else result.unlink(missing_ok=True)


def is_same(folder: Path, side: str) -> bool:
    """Whether a side has as many orders as DuckDB has rows, and as much money."""
    theirs = pl.scan_parquet(folder / "duckdb").select(
        pl.len().alias("rows"), (pl.col("买家实际支付金额").sum() * 100).cast(pl.Int64).alias("paid"),
    )  # fmt: skip
    ours = orders(folder / side).select(pl.len().alias("rows"), pl.col("row_money_fen").sum().alias("paid"))
    return bool(theirs.collect().equals(ours.collect()))


def _say(size: str, best: dict[str, Measured], is_equal: dict[str, bool]) -> None:
    theirs = best["duckdb"]
    lines = [size, f"{'':16}{'seconds':>9}{'cpu':>9}{'peak GiB':>10}{'time ratio':>12}{'cpu ratio':>11}  result"]
    for side, one in best.items():
        verdict = "" if side == "duckdb" else ("equal" if is_equal[side] else "DIFFERS")
        lines.append(
            f"{side:16}{one.seconds:9.2f}{one.cpu_seconds:9.2f}{one.peak_gib:10.2f}"
            f"{one.seconds / theirs.seconds:12.2f}{one.cpu_seconds / theirs.cpu_seconds:11.2f}  {verdict}"
        )
    lines.append(
        f"goal: at most {GOAL_RATIO} of DuckDB's time, {GOAL_GB18030_RATIO} in GB18030, at most {GOAL_GIB} GiB"
    )
    sys.stdout.write("\n".join(lines) + "\n")

"""`make bench`: RFM and tiers on N orders beside DuckDB SQL and pandas; a whole refresh; an ingest; who is who; a send.

Results are compared. Each side runs in a process of its own, in turn, several rounds; the best round counts. All
read the same Parquet file and write the same columns, sorted by customer.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import polars as pl

from tests.bench import campaign, identities, intake, refresh, reingest
from tests.bench.measure import Measured, measure
from tests.bench.orders import write_orders

GOAL_RATIO, GOAL_GIB = 0.6, 2.5
"""At most 0.6 of DuckDB's time and 2.5 GiB at 20 million orders on two cores."""


def main() -> int:
    """Generate, measure, compare, print; the exit code is 1 when two results differ."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="strata-bench-") as folder:
        orders = Path(folder) / "orders.parquet"
        write_orders(orders, options.orders)
        sides = ["strata", "duckdb", *(["pandas"] if options.orders <= options.pandas_up_to else [])]
        best = best_of(sides, orders, Path(folder), options.rounds)
        equal = {side: is_same(Path(folder), side) for side in sides[1:]}
        customers = pl.scan_parquet(Path(folder) / "strata.parquet").select(pl.len()).collect().item()
        size = f"{options.orders:,} orders, {customers:,} customers, {orders.stat().st_size / 1024**2:,.0f} MiB Parquet"
    _say(size, best, equal, pandas_up_to=options.pandas_up_to)
    others = [
        refresh.report(options.orders),
        intake.report(options.megabytes, options.rounds),
        reingest.report(options.orders_a_month),
        identities.report(options.people, options.rounds),
        campaign.report(options.people, options.rounds),
    ]
    return 0 if all(equal.values()) and all(others) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--orders", type=int, default=20_000_000)
    parser.add_argument("--megabytes", type=int, default=2048, help="size of the export that is ingested")
    parser.add_argument("--orders-a-month", type=int, default=50_000, help="a month of a history that comes again")
    parser.add_argument("--people", type=int, default=1_000_000, help="people to resolve and to write to")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pandas-up-to", type=int, default=20_000_000, help="more orders than this: pandas sits out")
    return parser.parse_args()


def best_of(sides: list[str], orders: Path, folder: Path, rounds: int) -> dict[str, Measured]:
    """The best round of each side; sides take turns, so that a busy minute hits them all."""
    seen: dict[str, list[Measured]] = {side: [] for side in sides}
    for _ in range(rounds):
        for side in sides:
            seen[side].append(measure(side, orders, folder / f"{side}.parquet"))
    return {side: min(measured, key=lambda one: one.seconds) for side, measured in seen.items()}


def is_same(folder: Path, side: str) -> bool:
    """Whether that side's result equals ours, row for row and column for column."""
    ours, theirs = (pl.read_parquet(folder / f"{name}.parquet") for name in ("strata", side))
    return ours.equals(theirs.cast(dict(ours.schema)))


def _say(size: str, best: dict[str, Measured], equal: dict[str, bool], *, pandas_up_to: int) -> None:
    ours = best["strata"]
    lines = [size, f"{'':8}{'seconds':>9}{'cpu':>9}{'peak GiB':>10}{'time ratio':>12}{'cpu ratio':>11}  result"]
    for side, one in best.items():
        verdict = "" if side == "strata" else ("equal" if equal[side] else "DIFFERS")
        lines.append(
            f"{side:8}{one.seconds:9.2f}{one.cpu_seconds:9.2f}{one.peak_gib:10.2f}"
            f"{ours.seconds / one.seconds:12.2f}{ours.cpu_seconds / one.cpu_seconds:11.2f}  {verdict}"
        )
    if "pandas" not in best:
        lines.append(f"pandas   not run above {pandas_up_to:,} orders: it holds everything in memory")
    theirs = best["duckdb"]
    ratio, busy = ours.seconds / theirs.seconds, ours.cpu_seconds / theirs.cpu_seconds
    lines.append(
        f"goal: at most {GOAL_RATIO} of DuckDB's time ({ratio:.2f}, {busy:.2f} in processor time), "
        f"at most {GOAL_GIB} GiB ({ours.peak_gib:.2f})"
    )
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())

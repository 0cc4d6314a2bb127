"""One side of the bench in a process of its own: `python -m tests.bench.child SIDE ORDERS RESULT`."""

import importlib
import json
import re
import sys
import time
from pathlib import Path

from tasks.policy.load import load_policy

SIDES = {
    "strata": "tests.bench.ours", "duckdb": "tests.bench.duckdb_sql", "pandas": "tests.bench.in_pandas",
    "intake_strata": "tests.bench.intake_strata", "intake_duckdb": "tests.bench.intake_duckdb",
    "refresh": "tests.bench.stages", "refresh_before": "tests.bench.stages_before",
    "campaign": "tests.bench.campaign_strata",
    "identities_strata": "tests.bench.identities_strata", "identities_scipy": "tests.bench.identities_scipy",
}  # fmt: skip
POLICY = Path(__file__).parents[2] / "infra/demo/demo_cn/policy"
"""A brand that keeps the default tiers: 7 days of maturity, immediate upgrades."""


def main(side: str, orders: str, result: str) -> None:
    """Run one side and print its wall and processor seconds, imports left out, and its peak memory."""
    run = importlib.import_module(SIDES[side]).run
    policy = load_policy(POLICY)
    wall, busy = time.perf_counter(), time.process_time()
    run(Path(orders), Path(result), policy)
    wall, busy = time.perf_counter() - wall, time.process_time() - busy
    sys.stdout.write(json.dumps({"seconds": wall, "cpu_seconds": busy, "peak_gib": _peak_gib()}))


def _peak_gib() -> float:
    """The most memory that this program itself held: `ru_maxrss` would remember whoever forked it, too."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024**2  # type: ignore[index]


if __name__ == "__main__":
    main(*sys.argv[1:])

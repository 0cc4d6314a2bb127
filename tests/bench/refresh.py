"""A whole refresh, stage by stage, beside RFM and tiers alone: time, rows, and the most memory held in each stage.

The brand is that of lake.py: for N orders N / 10 customers, 2 N lines and 0.4 N events. RFM and tiers alone are
the product's side of run.py on as many orders, which come numbered and without refunds.
"""

import json
import sys
import tempfile
from pathlib import Path

from tests.bench.lake import write_lake
from tests.bench.measure import measure
from tests.bench.orders import write_orders
from tests.bench.stages import Stage

GOAL_RATIO, GOAL_GIB = 15.0, 5.58
"""At most 15 times RFM and tiers alone, and 6 GB, at 50 million orders."""
RFM_AND_TIERS = ("net orders", "people", "sums", "facts", "RFM", "tiers")
"""The stages that RFM and tiers rest on when they start from the same lake: owners and refunds are found, days and
categories are not."""


def report(orders: int) -> bool:
    """Measure and print; there is nothing to differ from, so it is always well."""
    with tempfile.TemporaryDirectory(prefix="strata-bench-") as folder:
        stages = stages_of(Path(folder), orders)
        write_orders(Path(folder) / "orders.parquet", orders)
        alone = measure("strata", Path(folder) / "orders.parquet", Path(folder) / "alone.parquet")
    _say(orders, stages, alone.cpu_seconds)
    return True


def stages_of(folder: Path, orders: int) -> list[Stage]:
    """Refresh a brand of so many orders in a process of its own, and before it, in another, the month before."""
    write_lake(folder / "lake", orders)
    measure("refresh_before", folder / "lake", folder / "before.json")
    measure("refresh", folder / "lake", folder / "stages.json")
    return [Stage(**one) for one in json.loads((folder / "stages.json").read_text(encoding="utf-8"))]


def _say(orders: int, stages: list[Stage], alone: float) -> None:
    lines = [f"\na whole refresh of {orders:,} orders", f"{'':24}{'seconds':>9}{'cpu':>9}{'rows':>13}{'peak GiB':>10}"]
    lines += [f"{s.name:24}{s.seconds:9.2f}{s.cpu_seconds:9.2f}{s.rows:13,}{s.peak_gib:10.2f}" for s in stages]
    cpu, peak = sum(one.cpu_seconds for one in stages), max(one.peak_gib for one in stages)
    own = sum(one.cpu_seconds for one in stages if one.name in RFM_AND_TIERS)
    lines.append(
        f"goal: at most {GOAL_RATIO} of RFM and tiers alone ({cpu / alone:.1f} in processor time; {cpu / own:.1f} of "
        f"the stages they rest on here), at most {GOAL_GIB} GiB ({peak:.2f})"
    )
    sys.stdout.write("\n".join(lines) + "\n")

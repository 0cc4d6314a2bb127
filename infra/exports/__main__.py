"""`python -m infra.exports LAYOUT ORDERS`: write one invented export, for a look, a test or a measurement."""

import argparse
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from infra.exports.quirks import PLAIN, quirks_of
from infra.exports.shop import Plan
from infra.exports.stream import stream_export
from tasks.sources.layouts import built_in

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 180


def main() -> None:
    """Write the file and print where it lies."""
    layouts = {layout.name: layout for layout in built_in()}
    parser = argparse.ArgumentParser(prog="python -m infra.exports", description="All people and orders are invented.")
    parser.add_argument("layout", choices=sorted(layouts))
    parser.add_argument("orders", type=int)
    parser.add_argument("--folder", type=Path, default=Path())
    parser.add_argument("--seed", default="1")
    parser.add_argument("--quirks", type=int, default=None, help="seed of a mixture of quirks; none without it")
    told = parser.parse_args()
    layout, until = layouts[told.layout], SINCE + timedelta(days=DAYS)
    plan = Plan(told.seed, layout.channel, "main", told.orders, SINCE, until, people=max(told.orders // 4, 1))
    quirks = PLAIN if told.quirks is None else quirks_of(told.quirks)
    path = stream_export(told.folder, plan, layout, until + timedelta(days=1), quirks=quirks)
    sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()

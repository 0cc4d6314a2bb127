"""A process of its own that renders one profile's file for many people, so that its time and memory can be told.

Usage: python -m tests.support.render_child PROFILE PEOPLE FOLDER
"""

import json
import re
import sys
import time
from pathlib import Path

import polars as pl

from tasks.stores.vendor_files import render_parts
from tests.support.vendor_readers import STORED, profile

SHORT = frozenset({"tencent_sms", "tencent_sms_console"})
"""Of six characters at most."""
TEXTS = ("王小明", "=1+1", 'say "hi"', "逗,号", "", "两\n行", "😀")


def people(name: str, count: int) -> pl.DataFrame:
    """One row per person with the contact as the vault has it, and the variables that the profile writes."""
    vendor = profile(name)
    contact = STORED[vendor.contact_type]
    frame = pl.DataFrame({"contact": pl.Series([contact(number) for number in range(count)])})
    sources = [field.source.split(":") for field in (vendor.request.fields if vendor.request else ())]
    frame = frame.with_columns(pl.lit("t_1").alias(told[1]) for told in sources if told[0] in {"variable", "list"})
    if not any(column.source == "variables" for column in vendor.columns):
        return frame
    number = pl.int_range(count, eager=True)
    tiers = pl.Series(["gold", "silver", "none_yet"]).gather(number % 3)
    free = pl.Series(TEXTS).gather(number % len(TEXTS)) if name not in SHORT else tiers
    return frame.with_columns(name=free, tier=tiers)


def main() -> None:
    """Render, store each part, and print seconds, peak memory and parts."""
    name, count, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    rows, vendor = people(name, count), profile(name)
    before = most_memory()
    start, cpu = time.perf_counter(), time.process_time()
    parts = []
    for part in render_parts(rows, vendor, {"send_id": "v/c/2026-07-01", "seq": "1", "template": "T1"}):
        (folder / part.name).write_bytes(part.data)
        parts.append((part.name, part.rows, len(part.data)))
    told = {"seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu, "parts": parts}
    sys.stdout.write(json.dumps(told | {"mib": most_memory(), "mib_before": before}))


def most_memory() -> float:
    """MiB that this program itself held at most: `ru_maxrss` would remember whoever forked it, too."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024  # type: ignore[index]


if __name__ == "__main__":
    main()

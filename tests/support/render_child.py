"""A process of its own that renders one profile's file for many people, so that its time and memory can be told.

Usage: python -m tests.support.render_child PROFILE PEOPLE FOLDER
"""

import json
import resource
import sys
import time
from pathlib import Path

import polars as pl

from tasks.stores.vendor_files import render_parts
from tests.support.vendor_readers import profile

TEXTS = ("王小明", "=1+1", 'say "hi"', "逗,号", "", "两\n行", "😀")


def people(name: str, count: int) -> pl.DataFrame:
    """One row per person with the contact as the vault has it, and two variables where the profile writes any."""
    number = pl.int_range(count, eager=True).cast(pl.Int64)
    digits = ((number * 7919) % 10**8).cast(pl.String).str.zfill(8)
    shape = {"phone": "138{}", "push_token": "0123456789abcdef0123{}", "member": "V{}", "external_userid": "wmAJ{}"}
    contact = pl.select(pl.format(shape[profile(name).contact_type], digits)).to_series()
    frame = pl.DataFrame({"contact": contact})
    if not any(column.source == "variables" for column in profile(name).columns):
        return frame
    tiers = pl.Series(["gold", "silver", "none_yet"]).gather(number % 3)
    free = pl.Series(TEXTS).gather(number % len(TEXTS)) if name != "tencent_sms" else tiers
    return frame.with_columns(name=free, tier=tiers)


def main() -> None:
    """Render, store each part, and print seconds, peak memory and parts."""
    name, count, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    rows, vendor = people(name, count), profile(name)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start, cpu = time.perf_counter(), time.process_time()
    parts = []
    for part in render_parts(rows, vendor, {"send_id": "v/c/2026-07-01", "seq": "1", "template": "T1"}):
        (folder / part.name).write_bytes(part.data)
        parts.append((part.name, part.rows, len(part.data)))
    told = {"seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu, "parts": parts}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sys.stdout.write(json.dumps(told | {"mib": peak / 1024, "mib_before": before / 1024}))


if __name__ == "__main__":
    main()

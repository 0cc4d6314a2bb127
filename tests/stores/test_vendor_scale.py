"""Files for a million people and for three: within the vendor's limits, in time and memory, each person once."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tasks.policy.vendors import Vendor
from tasks.stores.vendor_files import File
from tests.support.source import ROOT
from tests.support.vendor_readers import STORED, expected_id, ids_in, profile

MILLION = 1_000_000
PROFILES = sorted(path.stem for path in (ROOT / "tasks/policy/presets/vendors").glob("*.yaml"))


@pytest.mark.proof
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("count", [MILLION, 3 * MILLION], ids=["1M", "3M"])
@pytest.mark.parametrize("name", PROFILES)
def test_files_of_millions(name: str, count: int, tmp_path: Path) -> None:
    vendor, told = profile(name), rendered(name, count, tmp_path)
    assert sum(rows for _, rows, _ in told["parts"]) == count
    assert all(rows <= vendor.rows_per_part for _, rows, _ in told["parts"])
    assert all(size <= (vendor.bytes_per_part or size) for _, _, size in told["parts"])
    assert told["mib"] < 2048
    assert told["cpu"] < 60 * count / MILLION
    must_hold_everyone_once(tmp_path, vendor, told, count)


def rendered(name: str, count: int, folder: Path) -> dict[str, Any]:
    """What a process of its own says of its work."""
    command = [sys.executable, "-m", "tests.support.render_child", name, str(count), str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    told: dict[str, Any] = json.loads(done.stdout)
    size = sum(size for *_, size in told["parts"]) / 2**20
    sys.stdout.write(
        f"{name} {count:,}: {told['seconds']:.1f} s, {told['cpu']:.1f} s of a processor, {told['mib']:.0f} MiB, "
        f"{len(told['parts'])} files of {size:.0f} MiB\n"
    )
    return told


def must_hold_everyone_once(folder: Path, vendor: Vendor, told: dict[str, Any], count: int) -> None:
    """Hold the ids that another reader finds against those that the vendor's documents ask for."""
    missing = {expected_id(STORED[vendor.contact_type](number), vendor) for number in range(count)}
    assert len(missing) == count
    for name, rows, _ in told["parts"]:
        found = ids_in(File(name, (folder / name).read_bytes(), rows), vendor)
        assert len(found) == rows
        assert missing.issuperset(found)
        missing.difference_update(found)
    assert not missing

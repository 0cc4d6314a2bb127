"""Files for a million people and for three: within the vendor's limits, in time and memory, each person once."""

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tasks.policy.vendors import Vendor
from tasks.stores.vendor_files import File
from tests.support.source import ROOT
from tests.support.vendor_readers import opened, profile, table

KINDS = ("braze", "tencent_ads", "huawei_sms", "aliyun_sms", "tencent_sms", "umeng", "jpush")
"""A table, digests in a zip, workbooks, requests of arrays and of shared values, one upload per file, ids alone."""
MILLION = 1_000_000


@pytest.mark.proof
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("count", [MILLION, 3 * MILLION], ids=["1M", "3M"])
@pytest.mark.parametrize("name", KINDS)
def test_files_of_millions(name: str, count: int, tmp_path: Path) -> None:
    vendor, told = profile(name), rendered(name, count, tmp_path)
    assert sum(rows for _, rows, _ in told["parts"]) == count
    assert all(rows <= vendor.rows_per_part for _, rows, _ in told["parts"])
    assert all(size <= (vendor.bytes_per_part or size) for _, _, size in told["parts"])
    assert told["mib"] < 2048
    assert told["cpu"] < 60 * count / MILLION
    assert people_in(tmp_path, vendor, told) == (count, count)


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


def people_in(folder: Path, vendor: Vendor, told: dict[str, Any]) -> tuple[int, int]:
    """People in the files, and different ones, as another reader counts them."""
    ids: list[str] = []
    for name, rows, _ in told["parts"]:
        ids += ids_of(File(name, (folder / name).read_bytes(), rows), vendor)
    return len(ids), len(set(ids))


def ids_of(file: File, vendor: Vendor) -> list[str]:
    if vendor.format == "csv":
        with duckdb.connect() as connection:
            found = connection.read_csv(io.BytesIO(file.data), all_varchar=True, header=True, quotechar='"')
            return [row[0] for row in found.fetchall()]
    if vendor.format == "xlsx":
        return [row[0] for row in table(file, vendor)[1:]]
    if vendor.format == "txt":
        return opened(file, vendor).decode().split("\n")
    bodies = [json.loads(line) for line in opened(file, vendor).split(b"\n")]
    naming = vendor.request.fields if vendor.request else ()
    key = next(field.name for field in naming if field.source == "contact")
    return [one for body in bodies for one in (body[key].split("\n") if isinstance(body[key], str) else body[key])]

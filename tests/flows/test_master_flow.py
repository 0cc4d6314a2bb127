"""The customer master as a flow: files that an independent reader opens, once; and what a deployment hands on."""

import csv
import hashlib
import json
from pathlib import Path

import polars as pl
import pytest

from flows.master import master
from flows.parameters import MasterParameters
from tasks.errors import BadPolicyError
from tasks.policy.load import load_policy
from tests.support.quarter import MONTH_ENDS, Brand
from tests.support.winback import copy_policy

pytestmark = [pytest.mark.slow, pytest.mark.acceptance]
JANUARY, FEBRUARY = MONTH_ENDS[:2]


def checked(folder: Path) -> dict[str, Path]:
    """The files of a master by name, each held against the manifest, and that against `_SUCCESS`."""
    manifest = (folder / "manifest.json").read_bytes()
    assert (folder / "_SUCCESS").read_text().strip() == hashlib.sha256(manifest).hexdigest()
    parts = {part["name"]: part["sha256"] for part in json.loads(manifest)["parts"]}
    found = {path.name: path for path in folder.iterdir() if path.name not in {"manifest.json", "_SUCCESS"}}
    assert {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in found.items()} == parts
    return found


def handed(brand: Brand, **told: str) -> Path:
    summary = master(MasterParameters.model_validate({"lake": brand.lake, **told}))
    return Path(brand.lake, "outbox", summary["folder"])


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.open(encoding="utf-8", newline="")))


def test_the_master_is_every_customer_of_the_date_once(brand: Brand):
    folder = handed(brand, as_of=FEBRUARY)
    files = checked(folder)
    assert sorted(files) == ["customers.csv", "customers.parquet"]
    stand = dict(brand.rows("customers", FEBRUARY).select("one_id", "tier").iter_rows())
    assert {row["one_id"]: row["tier"] for row in rows(files["customers.csv"])} == stand
    assert pl.read_parquet(files["customers.parquet"]).height == len(stand) == len(rows(files["customers.csv"]))
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert handed(brand) == folder, "without a date: of the newest one, which stands already"
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_master_and_changes_make_the_later_master(brand: Brand):
    first, second = (
        {row["one_id"]: row["tier"] for row in rows(checked(handed(brand, as_of=day))["customers.csv"])}
        for day in (JANUARY, FEBRUARY)
    )
    files = checked(handed(brand, as_of=FEBRUARY, since=JANUARY))
    changes = rows(files["changes.csv"])
    gone = {row["one_id"] for row in rows(files["removed.csv"])}
    news = {row["one_id"]: row["tier"] for row in changes if row["change"] != "removed"}
    assert {one: tier for one, tier in (first | news).items() if one not in gone} == second
    assert {row["one_id"] for row in changes if row["change"] == "added"} == second.keys() - first.keys() != set()


def test_no_vendor_may_have_the_masters_name(tmp_path: Path):
    folder = copy_policy(tmp_path / "policy", winback_sms={"vendor": "master"})
    path = folder / "vendors" / "demo_sms.yaml"
    (folder / "vendors" / "master.yaml").write_text(path.read_text(encoding="utf-8").replace("demo_sms", "master"))
    with pytest.raises(BadPolicyError, match="vendor master has the name of a folder of the outbox"):
        load_policy(folder)

"""Hand the customer master to CRM, OMS and tills: files of their own in the outbox, whole, or what changed since."""

import io
import json
from datetime import date
from typing import Any, Final

import polars as pl
from prefect import flow

from flows.artifacts import leave_summary
from flows.names import run_name
from flows.naming import Register, register_of
from flows.parameters import MasterParameters
from tasks.settings import Settings
from tasks.steps.house import objects_at
from tasks.stores.manifest import canonical, sha256_of
from tasks.stores.objects import Objects
from tasks.stores.runs import finished_runs
from tasks.stores.sends import MANIFEST, SUCCESS, check_bytes
from tasks.transforms.master import REMOVED, changes
from tasks.transforms.master import master as master_rows

FOLDER: Final = "master"
FORMAT: Final = "strata-master/1"


@flow(name="master", flow_run_name=run_name)
def master(parameters: MasterParameters) -> dict[str, Any]:
    """Publish the customer master of a date, or what changed since an earlier one; twice is once."""
    return leave_summary("master", hand_over(parameters.as_of, parameters.since, parameters.lake))


def hand_over(as_of: date | None, since: date | None = None, uri: str = "") -> dict[str, Any]:
    """Publish the master of a date, or with `since` what changed since that date's; the same twice is once.

    The folder is named by its content, its files are created once and read back, `_SUCCESS` comes last and holds the
    SHA-256 of the manifest. `removed.csv` lists the ids to delete: of who was merged into another, or left. Who was
    forgotten is in neither date; the receipt of the erasure asks for a whole master.
    """
    register = register_of(uri or Settings().lake, as_of)
    rows = master_at(register)
    told = rows if since is None else changes(master_at(register_of(register.uri, since)), rows)
    files = _files(told, is_whole=since is None)
    parts = [{"name": name, "bytes": len(data), "sha256": sha256_of(data)} for name, data in files.items()]
    manifest = canonical({
        "format": FORMAT, "as_of": str(register.day), "since": since and str(since), "rows": told.height,
        "columns": told.columns, "parts": parts, "snapshot_seq": register.snapshot.seq,
        "policy_digest": str(finished_runs(register.lake, register.snapshot)["policy_digest"][-1]),
    })  # fmt: skip
    what = f"since-{since}" if since else "whole"
    folder = f"{FOLDER}/{register.day}/{what}-{sha256_of(json.dumps(parts).encode())[:16]}"
    _publish(objects_at(Settings().outbox or f"{register.uri.rstrip('/')}/outbox"), folder, files, manifest)
    return {"folder": folder, "as_of": str(register.day), "rows": told.height, "files": list(files)} | _by_change(told)


def master_at(register: Register) -> pl.DataFrame:
    """The master of the register's date."""
    customers, tags = (
        register.lake.scan(name, register.snapshot, partitions=[register.day]) for name in ("customers", "tags")
    )
    kinds = {name: dtype for name, dtype in tags.collect_schema().items() if name not in {"one_id", "as_of"}}
    return master_rows(customers, tags, pl.Schema(kinds))


def _by_change(told: pl.DataFrame) -> dict[str, int]:
    return dict(told.group_by("change").len().sort("change").iter_rows()) if "change" in told.columns else {}


def _files(told: pl.DataFrame, *, is_whole: bool) -> dict[str, bytes]:
    parquet = io.BytesIO()
    told.write_parquet(parquet)
    stem = "customers" if is_whole else "changes"
    files = {f"{stem}.csv": told.write_csv().encode(), f"{stem}.parquet": parquet.getvalue()}
    if not is_whole:
        files["removed.csv"] = told.filter(pl.col("change") == REMOVED).select("one_id").write_csv().encode()
    return files


def _publish(objects: Objects, folder: str, files: dict[str, bytes], manifest: bytes) -> None:
    """Every file once, read back, then the manifest, then the mark; what a killed run left is taken up.

    A manifest that stands already says the same of the same files: it stays.
    """
    if objects.head(f"{folder}/{SUCCESS}") is not None:
        return
    for name, data in files.items():
        objects.create(f"{folder}/{name}", data)
        check_bytes(objects, f"{folder}/{name}", sha256_of(data))
    if objects.head(f"{folder}/{MANIFEST}") is None:
        objects.create(f"{folder}/{MANIFEST}", manifest)
    objects.create(f"{folder}/{SUCCESS}", f"{sha256_of(objects.read(f'{folder}/{MANIFEST}'))}\n".encode())

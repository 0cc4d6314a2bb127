"""Prove the past: stored bytes against their SHA-256, recomputed digests against the recorded ones.

Every refresh is computed again from the snapshot that it read, under the policy that it ran
with, by the very functions that its steps call; nothing is written to the lake.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from flows.refreshed import as_it_was
from flows.restated import Restated, is_but_for_the_erased, is_renamed, lost_ground, restated, standing_seq
from tasks.errors import DamagedError, DigestMismatchError, MissingDataError, PolicyChangedError
from tasks.policy.load import digest_of, load_policy
from tasks.steps.house import lake_at, objects_at, policy_of
from tasks.steps.inputs import as_of, refresh_inputs
from tasks.stores.digests import code_version, digest_rows
from tasks.stores.objects import Objects
from tasks.stores.policies import policy_key, restated_key
from tasks.stores.runs import finished_runs, output_digests
from tasks.stores.tables import Lake
from tasks.transforms.refresh import refresh


@dataclass
class Verification:
    """What was checked and what was found."""

    files: int = 0
    runs: int = 0
    damaged: list[str] = field(default_factory=list)
    mismatches: list[str] = field(default_factory=list)
    other_code: list[str] = field(default_factory=list)
    unrepeatable: list[str] = field(default_factory=list)
    """Refreshes from before an erasure or a re-key whose ground was restated since, and why."""
    renamed: list[str] = field(default_factory=list)
    """Refreshes from before a re-key: no damage, but their rows stand under other names and digests."""
    policy_changed: str = ""

    def require_good(self) -> None:
        """Raise the gravest finding: damage, then another result, then a policy edited since.

        Raises:
            DamagedError: stored bytes differ or are gone; the message names the files.
            DigestMismatchError: a recomputation gave another result.
            PolicyChangedError: the past is intact, the policy in force is another one.
        """
        if self.damaged:
            raise DamagedError(
                f"{len(self.damaged)} stored files are damaged: {', '.join(self.damaged[:5])}",
                expected="the bytes whose SHA-256 was recorded",
                next_step="restore them from a backup or from the bucket's versions",
            )
        if self.mismatches:
            raise DigestMismatchError(
                f"recomputed otherwise: {'; '.join(self.mismatches[:5])}",
                expected="the recorded digests",
                next_step="another code version may have made them; see `strata runs --json`",
            )
        if self.policy_changed:
            raise PolicyChangedError(
                self.policy_changed,
                next_step="the past stands; run `strata backfill` to restate it under the new policy",
            )


def verify(uri: str, month: str = "", policy: str = "") -> Verification:
    """Check every stored byte, and recompute every refresh of `month` (of all months when empty)."""
    lake, found = lake_at(uri), Verification()
    runs = finished_runs(lake, lake.snapshot())
    if runs.is_empty():
        raise MissingDataError(f"the lake {uri} has no runs", next_step="run `strata ingest` or `strata demo` first")
    for key, sha256 in _stored(lake, runs):
        found.files += 1
        found.damaged.extend(_damage(objects_at(uri), key, sha256))
    if not found.damaged:
        _recompute(runs, month, found, uri)
    if policy:
        _compare_policy(runs, policy, found)
    return found


def _stored(lake: Lake, runs: pl.DataFrame) -> Iterator[tuple[str, str]]:
    """Key and SHA-256 of every live file of the snapshot, then of policies and raw exports beside the tables.

    A run that puts other objects in the place of some names these among its inputs, under `replaced`.
    """
    manifest = lake.manifest(lake.snapshot())
    replaced = {key for text in runs.get_column("inputs") for key in json.loads(text).get("replaced", ())}
    for table in sorted(manifest):
        yield from ((file.path, file.sha256) for file in manifest[table])
    instead = restated(runs).policies
    for digest in runs.get_column("policy_digest").unique().sort():
        yield (restated_key(digest), instead[digest]) if digest in instead else (policy_key(digest), digest)
    for text in runs.get_column("added_files"):
        yield from (
            (entry["path"], entry["sha256"])
            for entry in json.loads(text)
            if not entry["path"].startswith("tables/") and entry["path"] not in replaced
        )


def _damage(objects: Objects, key: str, sha256: str) -> Iterator[str]:
    try:
        stored = objects.sha256(key)
    except MissingDataError:
        yield f"{key} (missing)"
        return
    if stored != sha256:
        yield key


def _recompute(runs: pl.DataFrame, month: str, found: Verification, uri: str) -> None:
    """Recompute refreshes; only the newest run of each date is still what readers see."""
    lake, changes = lake_at(uri), restated(runs)
    newest = runs.filter(flow="refresh").unique("as_of", keep="last", maintain_order=True)
    for row in newest.iter_rows(named=True):
        if month and f"{row['as_of']:%Y-%m}" != month:
            continue
        if why := lost_ground(lake, row, runs, changes):
            found.unrepeatable.append(f"{row['as_of']}: {why}")
            continue
        found.runs += 1
        if row["code_version"] != code_version():
            found.other_code.append(f"{row['as_of']} by code {row['code_version'][:12]}")
        differ = list(_mismatches(row, uri, changes))
        if is_renamed(row, runs):
            found.renamed.append(f"{row['as_of']} was computed under other names")
            found.mismatches.extend(_stands_otherwise(row, lake, changes))
            if standing_seq(lake, row) != json.loads(row["inputs"])["base_seq"]:
                found.unrepeatable.extend(f"{what}: ties fall otherwise under other names" for what in differ)
                continue
        found.mismatches.extend(differ)


def _stands_otherwise(row: Mapping[str, Any], lake: Lake, changes: Restated) -> Iterator[str]:
    """Tables whose rows of the date are not those that the re-key left."""
    for table, digest in output_digests(row).items():
        rows = lake.scan(table, lake.snapshot(), partitions=[row["as_of"]])
        if digest_rows(rows, table) != changes.now(digest):
            yield f"{table} at {row['as_of']} as it stands"


def _mismatches(row: Mapping[str, Any], uri: str, changes: Restated) -> Iterator[str]:
    run = as_it_was(row, uri)
    policy = policy_of(run)
    again = refresh(refresh_inputs(run, policy), policy, as_of(run))
    is_own = run.base_seq == json.loads(row["inputs"])["base_seq"]
    for table, digest in output_digests(row).items():
        expected = digest if is_own else changes.now(digest)
        is_same = digest_rows(again[table], table) == expected
        if not (is_same or (not is_own and is_but_for_the_erased(again, table, expected, run, changes))):
            yield f"{table} at {row['as_of']}"


def _compare_policy(runs: pl.DataFrame, folder: str, found: Verification) -> None:
    last = str(runs.get_column("policy_digest")[-1])
    current = digest_of(load_policy(Path(folder)))
    if current != last:
        found.policy_changed = f"the policy in {folder} ({current[:12]}) differs from the last run's ({last[:12]})"

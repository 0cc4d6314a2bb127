"""What erasures and re-keys changed of the record: which digest stands for which now, and how a run is repeated since.

An erasure gives up every older snapshot. A refresh of before is repeated from the snapshot that stands:
its rows are bitemporal, so what was known then is still a filter.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from tasks.errors import MissingDataError
from tasks.refs import Run
from tasks.steps.house import lake_at
from tasks.stores.digests import digest_rows
from tasks.stores.runs import REKEY, output_digests
from tasks.stores.tables import Lake

PER_CUSTOMER = ("traits", "tags")
DESCRIBING = (*PER_CUSTOMER, "tag_changes")
"""Tables that rest on what describes a person, which an erasure takes away."""


@dataclass(frozen=True)
class Restated:
    """Everything that erasures and re-keys recorded."""

    digests: Mapping[str, str]
    """Old digest of a table's date to the new one."""
    erased: int = 0
    """How many persons were forgotten."""
    policies: Mapping[str, str] = field(default_factory=dict)
    """Digest of a policy that named somebody who was forgotten, to the SHA-256 of what stands in its place."""

    def now(self, digest: str) -> str:
        """The digest that stands for one that was recorded, however many came since."""
        while digest in self.digests:
            digest = self.digests[digest]
        return digest


def restated(runs: pl.DataFrame) -> Restated:
    """What all erasures and re-keys among finished runs changed, oldest first."""
    told = [json.loads(text) for text in runs["inputs"]]
    links = {one["old"]: one["new"] for run in told for one in run.get("restated", ())}
    policies = {old: new for run in told for old, new in run.get("policies", {}).items()}
    return Restated(links, runs.filter(flow="forget").height, policies)


def is_but_for_the_erased(
    again: Mapping[str, pl.LazyFrame | pl.DataFrame], table: str, expected: str, run: Run, changes: Restated
) -> bool:
    """Whether what describes customers differs from a repetition for no more persons than were forgotten.

    What was said of them is gone, so their traits and tags come out otherwise; the stored rows are those that the
    erasure left, and everybody else's equal the repeated ones. Counts of changed tags rest on their bytes alone then.
    """
    if table not in DESCRIBING or not changes.erased:
        return False
    lake = lake_at(run.lake)
    stored = lake.scan(table, lake.snapshot(), partitions=[run.as_of]).collect()
    if digest_rows(stored, table) != expected:
        return False
    if table not in PER_CUSTOMER:
        return True
    repeated = again[table].lazy().collect().select(stored.columns)
    others = stored.join(repeated, on=stored.columns, how="anti", nulls_equal=True)
    return repeated.height == stored.height and others["one_id"].n_unique() <= changes.erased


def is_renamed(row: Mapping[str, Any], runs: pl.DataFrame) -> bool:
    """Whether everybody got another name since a run: what it computed stands under other digests."""
    seqs = runs.filter(flow=REKEY)["inputs"].str.json_path_match("$.base_seq").cast(pl.Int64)
    return bool((seqs > json.loads(row["inputs"])["base_seq"]).any())


def standing_seq(lake: Lake, row: Mapping[str, Any]) -> int:
    """The snapshot from which a run is repeated: its own, or the one that stands where that was given up."""
    seq: int = json.loads(row["inputs"])["base_seq"]
    try:
        lake.at(seq)
    except MissingDataError:
        return lake.snapshot().seq
    return seq


def lost_ground(lake: Lake, row: Mapping[str, Any], runs: pl.DataFrame, changes: Restated) -> str:
    """Why a refresh whose snapshot was given up cannot be repeated from what stands; empty when it can.

    It started from the customers of an earlier date; those must still be what they were.
    """
    inputs = json.loads(row["inputs"])
    if standing_seq(lake, row) == inputs["base_seq"] or "previous_as_of" not in inputs:
        return ""
    dates = lake.scan("customers", lake.snapshot()).filter(pl.col("as_of") < row["as_of"]).select("as_of")
    before = dates.select(pl.col("as_of").max()).collect().item()
    if str(before) != str(inputs["previous_as_of"]):
        return f"{before} was refreshed since, and lies between it and {inputs['previous_as_of']}"
    if before is None:
        return ""
    newest = runs.filter(flow="refresh").filter(pl.col("as_of") == before)
    stands = output_digests(newest.row(-1, named=True)) if newest.height else {}
    if {table: changes.now(one) for table, one in stands.items()} != {
        table: changes.now(one) for table, one in (inputs["previous"] or {}).items()
    }:
        return f"{before}, from which it started, was restated since"
    return ""

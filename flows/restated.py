"""What erasures and re-keys changed of the record: which digest stands for which now, and how a run is repeated since.

An erasure gives up every older snapshot. A refresh of before is repeated from the snapshot that stands:
its rows are bitemporal, so what was known then is still a filter.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from tasks.errors import MissingDataError
from tasks.stores.runs import REKEY, output_digests
from tasks.stores.tables import Lake


@dataclass(frozen=True)
class Restated:
    """Everything that erasures and re-keys recorded."""

    digests: Mapping[str, str]
    """Old digest of a table's date to the new one."""

    def now(self, digest: str) -> str:
        """The digest that stands for one that was recorded, however many came since."""
        while digest in self.digests:
            digest = self.digests[digest]
        return digest


def restated(runs: pl.DataFrame) -> Restated:
    """What all erasures and re-keys among finished runs changed, oldest first."""
    told = [json.loads(text) for text in runs["inputs"]]
    links = {one["old"]: one["new"] for run in told for one in run.get("restated", ())}
    return Restated(links)


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

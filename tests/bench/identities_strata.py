"""Who is who by the product's own resolver, from sightings to the identities table."""

from datetime import date
from pathlib import Path

import polars as pl

from expectations.tables import TABLES
from tasks.policy.models import Policy
from tasks.transforms.identity import resolve

AS_OF = date(2026, 10, 31)


def run(sightings: Path, result: Path, policy: Policy) -> None:
    """Write `identities`, and the refused links beside it."""
    links = TABLES["identity_links"].empty()
    found = resolve(pl.scan_parquet(sightings), links, policy.identity, as_of=AS_OF, zone=policy.brand.zone)
    found.identities.sink_parquet(result, compression="zstd")
    found.conflicts.sink_parquet(result.with_suffix(".conflicts"), compression="zstd")

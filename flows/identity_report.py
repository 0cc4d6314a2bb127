"""Who is who at one date: the figures that a terminal prints, and the page that the lake keeps. Prefect sleeps on."""

from datetime import date
from typing import Any

import polars as pl

from flows.refreshed import newest_refresh
from tasks.refs import Snapshot
from tasks.reports.identity import IdentityData, identity_figures
from tasks.settings import Settings
from tasks.steps.house import lake_at, objects_at
from tasks.stores.policies import stored_policy
from tasks.stores.tables import Lake
from tasks.transforms.identity.bridges import bridges, ties_of
from tasks.transforms.orders import known_at


def report_identity(as_of: date | None, uri: str = "", *, with_page: bool = True) -> dict[str, Any]:
    """The figures of the date, the newest when none is named; `page` says where the picture of them was put.

    Raises:
        MissingDataError: no refresh of that date has finished.
    """
    uri = uri or Settings().lake
    data = _read(lake_at(uri), as_of, uri)
    figures = identity_figures(data)
    return figures | ({"page": _put(data, figures, uri)} if with_page else {})


def _read(lake: Lake, as_of: date | None, uri: str) -> IdentityData:
    snapshot = lake.snapshot()
    refreshed = newest_refresh(lake, snapshot, as_of, why="it works out who is who")
    day, policy = refreshed["as_of"], stored_policy(objects_at(uri), refreshed["policy_digest"])
    identities = lake.scan("identities", snapshot, partitions=[day])
    previous = _date_before(lake, snapshot, day)
    seen = lake.scan("sightings", snapshot).pipe(known_at, known_as_of=refreshed["known_as_of"])
    end = pl.col("seen_at").dt.convert_time_zone(policy.brand.zone).dt.date() <= day
    ties = seen.filter(end).pipe(ties_of, identities)
    return IdentityData(
        policy=policy,
        as_of=day,
        previous_as_of=previous,
        snapshot_seq=snapshot.seq,
        identities=identities,
        previous=lake.scan("identities", snapshot, partitions=[previous] if previous else []),
        conflicts=lake.scan("identity_conflicts", snapshot, partitions=[day]),
        changes=lake.scan("identity_changes", snapshot, partitions=[day]),
        ties=ties,
        bridges=bridges(ties, identities),
    )


def _date_before(lake: Lake, snapshot: Snapshot, day: date) -> date | None:
    """The newest earlier date of which identities stand."""
    earlier = lake.scan("identities", snapshot).filter(pl.col("as_of") < day)
    newest: date | None = earlier.select(pl.col("as_of").max()).collect().item()
    return newest


def _put(data: IdentityData, figures: dict[str, Any], uri: str) -> str:
    from tasks.reports.identity_page import render_identity  # noqa: PLC0415  charts take seconds to import

    page = f"reports/identity/{data.as_of}.html"
    objects_at(uri).put(page, render_identity(data, figures).encode())
    return f"{uri}/{page}"

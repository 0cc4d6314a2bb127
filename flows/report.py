"""Report: the month's page, from what the last refresh of its last day left."""

from datetime import date
from typing import Any

import polars as pl
from prefect import flow

from flows.artifacts import leave_summary
from flows.begin import House, begin, open_house
from flows.clock import month_end
from flows.names import run_name
from flows.parameters import ReportParameters
from tasks.errors import MissingDataError
from tasks.refs import Snapshot
from tasks.steps.report import is_shown, write_report
from tasks.stores.runs import finished_runs


@flow(name="report", flow_run_name=run_name)
def report(parameters: ReportParameters) -> dict[str, Any]:
    """Write the month's report page."""
    return leave_summary("report", report_once(parameters))


def report_once(parameters: ReportParameters) -> dict[str, Any]:
    """The report itself, so that `month` writes it inside its own flow run."""
    house = open_house(parameters)
    day = month_end(parameters.month)
    snapshot = house.lake.snapshot()
    refreshed = _newest_refresh(house, snapshot, day)
    inputs = {"refresh": refreshed["outputs"], "files": refreshed["inputs"], "sends": _sends(house, snapshot, day)}
    run = begin(house, "report", inputs, snapshot=snapshot, as_of=day, known_as_of=refreshed["known_as_of"])
    return {"month": parameters.month, "page": f"{house.uri}/{write_report(run)}"}


def _newest_refresh(house: House, snapshot: Snapshot, day: date) -> dict[str, Any]:
    """The date's newest refresh: the page shows what that refresh saw."""
    runs = finished_runs(house.lake, snapshot).filter(flow="refresh").filter(pl.col("as_of") == day)
    if runs.is_empty():
        raise MissingDataError(
            f"{day} was never refreshed", expected="a refresh of the month's last day",
            next_step=f"run `strata refresh --as-of {day}`",
        )  # fmt: skip
    return runs.row(-1, named=True)


def _sends(house: House, snapshot: Snapshot, day: date) -> list[str]:
    """Every outcome count and revision of the sends that the page shows; a later send leaves the page as it is."""
    members = house.lake.scan("audience_members", snapshot).filter(is_shown(day))
    counted = members.group_by("send_id", "outcome").len().sort("send_id", "outcome").collect()
    deliveries = house.lake.scan("deliveries", snapshot).filter(is_shown(day))
    revisions = deliveries.select("revision").collect().to_series().sort().to_list()
    return [*(f"{send} {outcome} {count}" for send, outcome, count in counted.iter_rows()), *revisions]

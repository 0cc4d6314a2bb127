"""Refresh a range of months again, oldest first. Recomputing never delivers."""

from typing import Any

from prefect import flow

from flows.artifacts import leave_summary
from flows.begin import open_house
from flows.clock import month_end, months_between
from flows.names import run_name
from flows.parameters import BackfillParameters, RefreshParameters
from flows.refresh import refresh_once
from tasks.steps.house import lake_at
from tasks.stores.runs import finished_runs


@flow(name="backfill", flow_run_name=run_name)
def backfill(parameters: BackfillParameters) -> dict[str, Any]:
    """Refresh every month from first to last, with what is known now or with what each run knew then."""
    knew = _known_then(parameters) if parameters.knowledge == "then" else {}
    house = {"lake": parameters.lake, "policy": parameters.policy}
    months = []
    for name in months_between(parameters.first, parameters.last):
        day = month_end(name)
        summary = refresh_once(RefreshParameters(as_of=day, known_as_of=knew.get(str(day), ""), **house))
        months.append({"month": name, **summary})
    result = {"months": months, "delivered": 0}
    return leave_summary("backfill", result)


def _known_then(parameters: BackfillParameters) -> dict[str, str]:
    """Date to the knowledge limit of its first refresh; a date never refreshed is as known at its own end."""
    house = open_house(parameters)
    known = {
        str(month_end(name)): house.known_at(month_end(name)).isoformat()
        for name in months_between(parameters.first, parameters.last)
    }
    runs = finished_runs(lake_at(house.uri), house.lake.snapshot()).filter(flow="refresh").reverse()
    recorded = {str(row["as_of"]): row["known_as_of"].isoformat() for row in runs.iter_rows(named=True)}
    return known | {day: instant for day, instant in recorded.items() if day in known}

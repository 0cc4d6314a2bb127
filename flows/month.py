"""A business month from inbox to report: ingest, refresh, report. It delivers nothing."""

from typing import Any

from prefect import flow

from flows.artifacts import leave_summary
from flows.begin import House, open_house
from flows.clock import business_date, month_before, month_end
from flows.ingest import ingest_once
from flows.names import run_name
from flows.parameters import IngestParameters, MonthParameters, RefreshParameters, ReportParameters
from flows.refresh import refresh_once
from flows.report import report_once
from tasks.errors import BadFileError
from tasks.settings import Settings


@flow(name="month", flow_run_name=run_name)
def month(parameters: MonthParameters) -> dict[str, Any]:
    """Ingest what lies in the inbox, refresh the month's last day, write the report."""
    return leave_summary("month", month_once(parameters))


def month_once(parameters: MonthParameters) -> dict[str, Any]:
    """The month itself; a step that fails stops all that would rest on it."""
    house = {"lake": parameters.lake, "policy": parameters.policy}
    name = parameters.month or _month_before(open_house(parameters))
    summary: dict[str, Any] = {"month": name}
    if paths := parameters.inbox or _inbox():
        times = {"received_at": parameters.received_at, "exported_at": parameters.exported_at}
        summary["ingest"] = ingest_once(IngestParameters(paths=paths, **times, **house))
        _require_accepted(summary["ingest"]["files"])
    day = month_end(name)
    refreshed = RefreshParameters(as_of=day, known_as_of=parameters.known_as_of, **house)
    summary["refresh"] = refresh_once(refreshed)
    summary["report"] = report_once(ReportParameters(month=name, **house))
    return summary


def _require_accepted(files: list[dict[str, Any]]) -> None:
    """A refused export is money and people that the month would lack: nothing may rest on the rest of the inbox.

    Raises:
        BadFileError: a file was refused; the message gives each one's reason.
    """
    refused = [str(file["reason"]) for file in files if file["outcome"] == "refused"]
    if refused:
        raise BadFileError(
            " | ".join(refused[:5]),
            expected=f"an inbox without refused files, found {len(refused)}",
            next_step="correct each or take it out of the inbox, then run the month again: it was not refreshed",
        )


def _month_before(house: House) -> str:
    """The business month before the one in which the run was due to start, however late it does."""
    return month_before(business_date(house.started_at, house.zone))


def _inbox() -> tuple[str, ...]:
    folder = Settings().inbox
    return (folder,) if folder else ()

"""One described model of parameters per flow: Prefect's form and the command line show the same words."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

MONTH = r"^\d{4}-(0[1-9]|1[0-2])$"
Path = Annotated[str, Field(min_length=1)]  # an empty one would mean the folder that the run happens to work in
_KNOWN = "only what was known then: a date (its end) or an instant; empty means the start of the run"


def _in_order(schema: dict[str, Any]) -> None:
    """Number the fields for Prefect's form, a flow's own ones first: its database forgets the order of keys."""
    names = sorted(schema["properties"], key=lambda name: name in Parameters.model_fields)
    for position, name in enumerate(names):
        schema["properties"][name]["position"] = position


class Parameters(BaseModel):
    """What every flow may be told; empty values come from the environment (`STRATA_…`)."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra=_in_order)

    lake: str = Field(default="", description="lake root: a path, file:// or s3://bucket/prefix")
    policy: str = Field(default="", description="policy folder; empty means the last one used on this lake")


class IngestParameters(Parameters):
    """Read export files into the lake."""

    paths: tuple[Path, ...] = Field(description="export files, archives, folders of them, or s3://bucket/prefix")
    received_at: str = Field(default="", description="when the files came in; empty means now")
    exported_at: str = Field(default="", description="when the shops exported them; empty lets the file tell")
    shop: str = Field(default="", description="shop id, where neither file, folder nor policy says")
    settle_seconds: float = Field(
        default=0, ge=0, le=86_400, description="a local file that changed within this time is left alone"
    )
    dry_run: bool = Field(default=False, description="read and account, write nothing")


class InboxParameters(Parameters):
    """Take up what is new in the inbox; without anything new, change nothing."""

    inbox: tuple[Path, ...] = Field(
        default=(), description="folders or s3://bucket/prefix to look into; empty means STRATA_INBOX, if any"
    )
    settle_seconds: float = Field(
        default=120, ge=0, le=86_400, description="a local file that changed within this time is left for the next look"
    )


class RefreshParameters(Parameters):
    """Work out every customer's scores, tier, stage, tags and moves at one date."""

    as_of: date | None = Field(default=None, description="business date; empty means the day before the run")
    known_as_of: str = Field(default="", description=_KNOWN)


class PlanParameters(Parameters):
    """Allocate all campaigns of a date once, on one contact ledger, and freeze the result."""

    send_on: date = Field(description="business date of the sends")
    known_as_of: str = Field(default="", description=_KNOWN)


class CampaignParameters(PlanParameters):
    """Deliver one campaign's share of the plan to its vendor's outbox."""

    name: str = Field(description="campaign code")
    today: date | None = Field(default=None, description="business date of delivery; empty means today")
    dry_run: bool = Field(default=False, description="show the waterfall, publish nothing")
    override_breaker: str = Field(
        default="", description="why a send may go although it is too unlike the last; signed, for its numbers alone"
    )
    wait_for_approval: bool = Field(
        default=False, description="pause this run in Prefect until an operator approves it, when the campaign is held"
    )


class SendParameters(Parameters):
    """Plan a day and deliver every campaign that is due on it."""

    send_on: date | None = Field(
        default=None,
        description="business date of the sends; empty means that of the run, and only what has a schedule",
    )
    known_as_of: str = Field(default="", description=_KNOWN)
    today: date | None = Field(default=None, description="business date of delivery; empty means today")
    dry_run: bool = Field(default=False, description="count what would go out, publish nothing")


class TriggersParameters(Parameters):
    """Deliver the campaigns that persons set off by what they did; the same thing never sends twice."""

    at: str = Field(default="", description="instant up to which things happened and are known; empty means the start")
    today: date | None = Field(default=None, description="business date of delivery; empty means today")
    dry_run: bool = Field(default=False, description="count whom it would reach, publish nothing")


class CancelParameters(Parameters):
    """Withdraw a published send: the vendor finds a recall file."""

    name: str = Field(description="campaign code")
    send_on: date = Field(description="business date of the send")


class MasterParameters(Parameters):
    """Hand the customer master to CRM, OMS and tills."""

    as_of: date | None = Field(default=None, description="date of a refresh; empty means the newest")
    since: date | None = Field(
        default=None, description="only what changed since the master of this date; empty means all"
    )


class ExpireParameters(Parameters):
    """Delete what vendors may keep no longer."""

    today: date | None = Field(default=None, description="business date; empty means that of the run")
    dry_run: bool = Field(default=False, description="list what is due, delete nothing")


class MonthParameters(Parameters):
    """Ingest what lies in the inbox, refresh the month's last day, write the report. Delivers nothing."""

    month: str = Field(
        default="", pattern=rf"^$|{MONTH}", description="business month, YYYY-MM; empty means the one before the run"
    )
    inbox: tuple[Path, ...] = Field(
        default=(), description="export files and folders to ingest first; empty means the folder STRATA_INBOX, if any"
    )
    received_at: str = Field(default="", description="when the files came in; empty means now")
    exported_at: str = Field(default="", description="when the shops exported them; empty lets the file tell")
    known_as_of: str = Field(default="", description=_KNOWN)


class BackfillParameters(Parameters):
    """Refresh a range of months again, each as known at its own end or as known now. Never delivers."""

    first: str = Field(pattern=MONTH, description="first month, YYYY-MM")
    last: str = Field(pattern=MONTH, description="last month, YYYY-MM")
    knowledge: Literal["now", "then"] = Field(
        default="now", description="`now` restates with all that is known; `then` replays what each run knew"
    )


class ReportParameters(Parameters):
    """Write the month's report page."""

    month: str = Field(pattern=MONTH, description="business month, YYYY-MM")


class ForgetParameters(Parameters):
    """Erase the person of a sealed request. Whom it is about is never a parameter: Prefect keeps those."""

    request: str = Field(
        pattern=r"^fr-[0-9a-f]{16}$", description="id of the request, as `strata forget --request-only` prints it"
    )

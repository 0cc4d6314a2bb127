"""Options that many commands share, with the words that `--help` shows."""

from datetime import date, datetime
from typing import Annotated

import typer

LakeOption = Annotated[
    str, typer.Option("--lake", help="Lake root: a path, file:// or s3://bucket/prefix (STRATA_LAKE).")
]
PolicyOption = Annotated[
    str,
    typer.Option("--policy", help="Policy folder; the last one used on this lake when left out. (STRATA_POLICY)"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document for machines.")]
KnownOption = Annotated[
    str, typer.Option("--known-as-of", help="Only what was known then: a date (its end) or an instant.")
]
ReceivedOption = Annotated[str, typer.Option("--received-at", help="When the files came in; now when left out.")]
ExportedOption = Annotated[
    str, typer.Option("--exported-at", help="When the shops exported them; the file tells when left out.")
]
AsOfOption = Annotated[
    datetime | None, typer.Option("--as-of", formats=["%Y-%m-%d"], help="Business date; yesterday when left out.")
]
SendOnOption = Annotated[datetime, typer.Option("--send-on", formats=["%Y-%m-%d"], help="Business date of the send.")]
TodayOption = Annotated[
    datetime | None,
    typer.Option("--today", formats=["%Y-%m-%d"], help="Business date of delivery; today when left out."),
]


def day(moment: datetime | None) -> date | None:
    """Typer parses dates as datetimes; a business date has no time."""
    return moment.date() if moment else None

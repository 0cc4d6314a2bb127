"""What an ingest tells in the end: one row per file, what was left alone, and totals that balance."""

from collections.abc import Sequence
from typing import Any

from flows.intake import Looked
from tasks.steps.ingest import ACCOUNT, Row
from tasks.stores.arrivals import Told

Summary = dict[str, Any]
COUNTS = tuple(name for name in ACCOUNT if name.startswith(("rows_", "money_")))


def told(summary: Summary, looked: Looked, left: Sequence[Told]) -> Summary:
    """The summary with what was not opened: refused by its name or kind, or left alone; and the totals."""
    files = [*summary["files"], *map(_unopened, looked.refused)]
    about = {"outcome": summary["outcome"], "files": files, "already_ingested": summary["already_ingested"]}
    about |= {"left": [file.model_dump() for file in left], "totals": _totals(files)}
    return about | {name: value for name, value in summary.items() if name not in about}


def is_refused(summary: Summary) -> bool:
    """Whether a file, or a row of one, was refused."""
    totals = summary["totals"]
    return bool(totals["refused"] or totals["rows_quarantined"])


def _unopened(file: Told) -> Row:
    row: Row = dict.fromkeys(ACCOUNT)
    return row | dict.fromkeys(COUNTS, 0) | {"name": file.name, "outcome": "refused", "reason": file.why, "notes": ""}


def _totals(files: Sequence[Row]) -> Row:
    outcomes = [file["outcome"] for file in files]
    counts = {name: sum(file[name] for file in files) for name in COUNTS}
    return {"accepted": outcomes.count("accepted"), "refused": outcomes.count("refused"), **counts}

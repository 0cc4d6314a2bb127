"""The proof over all files of a period that nobody who was held out was sent anything. It changes nothing."""

from datetime import date
from typing import Any

import polars as pl

from tasks.errors import MissingDataError
from tasks.refs import Run
from tasks.settings import Settings
from tasks.steps.holdouts import Finding, findings
from tasks.steps.house import lake_at
from tasks.stores.runs import finished_runs

SHOWN = 4
"""Last characters of an id that a report shows."""
MOST = 20
"""Examples of held-out people who were sent something."""


def check_holdouts(first: date, last: date, lake: str = "") -> dict[str, Any]:
    """Compare every published revision of the period with the log of assignments.

    Returns:
        counts, one row per revision and experiment, and the people found, by the last characters of their ids.

    Raises:
        MissingDataError: nothing has run in the lake yet.
    """
    uri = lake or Settings().lake
    found = list(findings(_reader(uri), Settings().outbox or f"{uri.rstrip('/')}/outbox", first, last))
    rows = [_row(finding) for finding in found]
    sent = sum(row["held_out_sent"] for row in rows)
    return {
        "from": str(first),
        "to": str(last),
        "verdict": "broken" if sent else "held",
        "revisions": len({(row["send"], row["seq"]) for row in rows}),
        "messages_checked": sum(row["people"] for row in rows),
        "held_out_sent": sent,
        "merged_since": sum(row["merged_since"] for row in rows),
        "checks": rows,
        "examples": [example for finding in found for example in _examples(finding)][:MOST],
    }


def _row(finding: Finding) -> dict[str, Any]:
    manifest = finding.listed.manifest
    return {
        "send": finding.listed.send.id, "seq": manifest.seq, "experiment": finding.experiment,
        "people": finding.listed.people.height,
        "held_out_sent": finding.held.filter(~pl.col("is_since")).height,
        "merged_since": finding.held.filter("is_since").height,
    }  # fmt: skip


def _examples(finding: Finding) -> list[dict[str, str]]:
    """Whom it concerns, by the end of their ids: enough to find them with `strata explain`, not to spread them."""
    wrong = finding.held.filter(~pl.col("is_since"))["one_id"]
    return [
        {"send": finding.listed.send.id, "experiment": finding.experiment, "customer": f"…{one_id[-SHOWN:]}"}
        for one_id in wrong
    ]


def _reader(uri: str) -> Run:
    """What reads the lake as it stands, under the policy of the newest run."""
    lake = lake_at(uri)
    snapshot = lake.snapshot()
    runs = finished_runs(lake, snapshot)
    if runs.is_empty():
        raise MissingDataError(
            f"nothing has run in {uri} yet", expected="a lake with published sends",
            next_step="pass --lake, or set STRATA_LAKE",
        )  # fmt: skip
    digest = str(runs.get_column("policy_digest")[-1])
    return Run(
        run_id="holdouts", flow="holdouts", lake=uri, base_seq=snapshot.seq, policy_digest=digest, code_version="",
        inputs_digest="", scratch="",
    )  # fmt: skip

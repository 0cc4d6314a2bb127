"""What the demo shows at its end: the account of the files, the month ends, the sends, and where things lie."""

from pathlib import Path
from typing import Any

import polars as pl

from flows.plan import accounts
from tasks.steps.house import lake_at
from tasks.stores.runs import finished_runs

BRANDS = ("complete_journey", "demo_cn")
_SHORT = {
    "rows_read": "rows", "rows_accepted": "accepted", "rows_duplicate": "double", "rows_quarantined": "refused",
    "money_read_fen": "fen", "money_accepted_fen": "accepted_fen",
}  # fmt: skip


def summary_of(folder: Path) -> dict[str, Any]:
    """Everything the demo says, ready for JSON."""
    journey = folder / "complete_journey"
    lake = lake_at(str(journey))
    members = lake.scan("audience_members", lake.snapshot())
    return {
        "brands": [_brand(folder, code) for code in BRANDS],
        "sends": accounts(members),
        "paths": {
            "report": str(journey / "reports" / "2017-12" / "index.html"),
            "report demo_cn": str(folder / "demo_cn" / "reports" / "2026-05" / "index.html"),
            "audience files": str(journey / "outbox"),
            "why is a customer gold": "strata explain member:complete_journey:1 --lake " + str(journey),
        },
        "digests": _digests(folder),
    }


def _brand(folder: Path, code: str) -> dict[str, Any]:
    lake = lake_at(str(folder / code))
    files = lake.scan("files", lake.snapshot())
    customers = lake.scan("customers", lake.snapshot())
    sums = {short: pl.col(name).sum() for name, short in _SHORT.items()}
    per_layout = files.group_by(source=pl.col("layout").str.strip_prefix(f"{code}_")).agg(files=pl.len(), **sums)
    per_month = customers.group_by("as_of").agg(
        customers=pl.len(),
        buyers=(pl.col("frequency") > 0).sum(),
        spend_fen=pl.col("monetary_fen").sum(),
        above_base_tier=(pl.col("tier_level") > 0).sum(),
    )
    return {
        "brand": code,
        "files": per_layout.sort("source").collect().to_dicts(),
        "months": per_month.sort("as_of").collect().to_dicts(),
    }


def _digests(folder: Path) -> dict[str, str]:
    """The outputs of every refresh: equal after a second demo."""
    digests = {}
    for code in BRANDS:
        lake = lake_at(str(folder / code))
        for row in finished_runs(lake, lake.snapshot()).filter(flow="refresh").iter_rows(named=True):
            digests[f"{code} {row['as_of']}"] = row["outputs"]
    return digests

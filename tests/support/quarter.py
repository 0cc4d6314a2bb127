"""Sixty real households over three months of Complete Journey: their exports, a lake, and the flows that run on it."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from flows.backfill import backfill
from flows.ingest import ingest
from flows.month import month
from flows.parameters import BackfillParameters, IngestParameters, MonthParameters, RefreshParameters
from flows.refresh import refresh
from infra.demo import complete_journey, demo_cn
from infra.demo.complete_journey import exports
from infra.demo.complete_journey.plan import receipt_of
from tasks.steps.house import lake_at
from tasks.stores.digests import digest_rows
from tasks.stores.keys import KeyRing, open_key_ring
from tasks.stores.runs import finished_runs, output_digests
from tasks.stores.tables import Lake
from tasks.stores.vault import pseudonym_of

MONTHS = ("2017-01", "2017-02", "2017-03")
MONTH_ENDS = ("2017-01-31", "2017-02-28", "2017-03-31")
HOUSEHOLDS = tuple(range(1, 61))
JOURNEY = str(Path(str(complete_journey.__file__)).parent / "policy")
QINGHE = str(Path(str(demo_cn.__file__)).parent / "policy")


@dataclass(frozen=True)
class Brand:
    """A lake under a policy, and the flows on it."""

    lake: str
    policy: str

    @property
    def told(self) -> dict[str, str]:
        """What every flow must be told."""
        return {"lake": self.lake, "policy": self.policy}

    @property
    def tables(self) -> Lake:
        """The lake as readers open it."""
        return lake_at(self.lake)

    @property
    def seq(self) -> int:
        """Number of the current snapshot."""
        return self.tables.snapshot().seq

    def ingest(self, *paths: Path, **times: str) -> dict[str, Any]:
        return ingest(IngestParameters(paths=tuple(map(str, paths)), **times, **self.told))

    def refresh(self, as_of: str, known_as_of: str = "") -> dict[str, Any]:
        return refresh(RefreshParameters(as_of=date.fromisoformat(as_of), known_as_of=known_as_of, **self.told))

    def month(self, name: str, *inbox: Path, **times: str) -> dict[str, Any]:
        return month(MonthParameters(month=name, inbox=tuple(map(str, inbox)), **times, **self.told))

    def backfill(self, first: str, last: str, knowledge: Any) -> dict[str, Any]:
        return backfill(BackfillParameters(first=first, last=last, knowledge=knowledge, **self.told))

    def rows(self, table: str, as_of: str | None = None) -> pl.DataFrame:
        """One table as it stands now, all of it or one date's partition."""
        partitions = None if as_of is None else [as_of]
        return self.tables.scan(table, self.tables.snapshot(), partitions=partitions).collect()

    def content(self) -> dict[str, str]:
        """Table to the digest of all its rows; `runs` apart, which says when things happened."""
        names = set(self.tables.snapshot().tables) - {"runs"}
        return {name: digest_rows(self.rows(name), name) for name in sorted(names)}

    def runs(self, flow: str = "refresh") -> pl.DataFrame:
        """The recorded runs of one flow, oldest first."""
        return finished_runs(self.tables, self.tables.snapshot()).filter(flow=flow)

    def recorded(self, as_of: str) -> list[dict[str, str]]:
        """The digests that each refresh of a date put out, oldest first."""
        mine = self.runs().filter(as_of=date.fromisoformat(as_of))
        return [output_digests(row) for row in mine.iter_rows(named=True)]

    def standing(self, as_of: str) -> dict[str, str]:
        """The digests of what readers see of a date."""
        return {table: digest_rows(self.rows(table, as_of), table) for table in self.recorded(as_of)[-1]}

    def copied(self, folder: Path) -> "Brand":
        """The same lake in a folder of its own."""
        return Brand(str(shutil.copytree(self.lake, folder / "lake")), self.policy)

    def with_policy(self, folder: Path, name: str, content: str) -> "Brand":
        """The same lake under a copy of the policy in which one file is another."""
        shutil.copytree(self.policy, folder)
        (folder / name).write_text(content, encoding="utf-8")
        return Brand(self.lake, str(folder))


def standing_in(folder: Path) -> Brand:
    """The small lake that was made in `folder`."""
    return Brand(str(folder / "lake"), JOURNEY)


def standing_brand(folder: Path) -> Brand:
    """Three months received in turn, the first two refreshed as they were known; March waits."""
    brand = standing_in(folder)
    write_quarter(folder / "exports")
    for name in MONTHS:
        brand.ingest(folder / "exports" / name, **received(name))
    for name, as_of in zip(MONTHS[:2], MONTH_ENDS, strict=False):
        brand.refresh(as_of, day_after(name))
    return brand


def write_quarter(folder: Path, months: Sequence[str] = MONTHS, households: Sequence[int] = HOUSEHOLDS) -> None:
    """Write one folder per month: purchases, profiles and invented contacts of a few households."""
    for name, rows in _cut(tuple(households)).items():
        for month_name in months:
            of_month = rows.filter(month=month_name).drop("month")
            if not of_month.is_empty():
                write_export(folder / month_name / f"{name}-{month_name}.csv", of_month)


def write_export(path: Path, rows: pl.DataFrame) -> Path:
    """Write rows as the till's CSV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(exports._csv(rows))
    return path


@cache
def _cut(households: tuple[int, ...]) -> dict[str, pl.DataFrame]:
    chosen = pl.col("household_id").is_in(households)
    tables = exports._month_tables()
    return {name: tables[name].filter(chosen) for name in ("transactions", "members", "contacts")}


def received(name: str) -> dict[str, str]:
    """When the files of a month arrive: six in the morning of the next first."""
    receipt = receipt_of(name)
    return {"received_at": receipt.received_at.isoformat(), "exported_at": receipt.exported_at.isoformat()}


def day_after(name: str) -> str:
    """The date on which a month's files arrive and its refresh runs."""
    return f"{receipt_of(name).received_at:%Y-%m-%d}"


def demo_ring() -> KeyRing:
    """The published keys of both demo brands."""
    return open_key_ring("demo_cn", "demo-1")


def key_of(kind: str, scope: str, value: str) -> str:
    """The printed identity key of a value."""
    return f"{kind}:{scope}:{pl.select(pseudonym_of(kind, scope, pl.lit(value), demo_ring())).item()}"

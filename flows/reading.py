"""What the commands that only read do: explain a customer, list runs. Neither wakes Prefect."""

import json
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from flows.naming import Register, register_of
from flows.who import attributes_of
from tasks.errors import MissingDataError
from tasks.policy.models import Policy
from tasks.reports.explain import Stored, explain
from tasks.reports.telling import sentences
from tasks.reports.words import Language
from tasks.settings import Settings
from tasks.steps.house import lake_at, objects_at
from tasks.stores.policies import stored_policy
from tasks.stores.runs import finished_runs, finished_steps

LAST_DATES = 3
"""Of so many dates the moves are told."""


@dataclass(frozen=True)
class Explanation:
    """One customer explained: the facts for machines, and the rules of the day that words are made with."""

    told: dict[str, Any]
    policy: Policy

    def sentences(self, language: Language) -> list[str]:
        """In plain words."""
        return sentences(self.told, language, self.policy)

    def page(self) -> str:
        """As one HTML file that loads nothing."""
        from tasks.reports.explain_page import render_explanation  # noqa: PLC0415  templates take a while to import

        return render_explanation(self.told, self.policy)


def explain_customer(customer: str, as_of: date | None, uri: str = "") -> dict[str, Any]:
    """Explain a customer given by an id of whatever date, or by a key with its plain value.

    Raises:
        MissingDataError: no such customer at that date.
    """
    return explanation_of(customer, as_of, uri).told


def explanation_of(customer: str, as_of: date | None, uri: str = "") -> Explanation:
    """The same with the words for it."""
    register = register_of(uri or Settings().lake, as_of)
    one_id, day = register.person(customer), register.day
    row = _row(register, "customers", one_id)
    policy = stored_policy(objects_at(register.uri), row["policy_digest"])
    stored = Stored(
        customer=_row(register, "traits", one_id) | row,
        cutoffs=register.lake.scan("cutoffs", register.snapshot, partitions=[day]).collect(),
        tags=_row(register, "tags", one_id),
        moves=_moves(register, one_id),
    )
    attributes = attributes_of(register, one_id).select("attribute", "value", "channel", "rule").to_dicts()
    told = explain(stored, policy) | {"attributes": attributes, "currency": policy.brand.currency}
    return Explanation(told, policy)


def _moves(register: Register, one_id: str) -> pl.DataFrame:
    """The moves of the last dates up to the day, newest first."""
    runs = finished_steps(register.lake, register.snapshot).filter(flow="refresh")
    days = sorted({day for day in runs["as_of"] if day <= register.day})[-LAST_DATES:]
    moves = register.lake.scan("migrations", register.snapshot, partitions=days)
    return moves.filter(pl.col("one_id") == one_id).sort("as_of", "dimension", descending=[True, False]).collect()


def _row(register: Register, table: str, one_id: str) -> dict[str, Any]:
    rows = register.lake.scan(table, register.snapshot, partitions=[register.day])
    found = rows.filter(pl.col("one_id") == one_id).collect()
    if found.is_empty():
        raise MissingDataError(
            f"there is no customer {one_id} in {table} at {register.day}",
            expected="a refresh of that date that finished",
            next_step=f"run `strata refresh --as-of {register.day}`, or pass another --as-of",
        )
    return found.row(0, named=True)


def list_runs(uri: str = "", last: int = 20) -> list[dict[str, Any]]:
    """The newest finished runs, newest first, without the lists of files."""
    lake = lake_at(uri or Settings().lake)
    rows = finished_runs(lake, lake.snapshot()).tail(last).reverse()
    return [
        {
            "run_id": row["run_id"][:16], "flow": row["flow"], "as_of": row["as_of"], "known_as_of": row["known_as_of"],
            "started_at": row["started_at"], "policy": row["policy_digest"][:12], "code": row["code_version"][:12],
            "tables": {table: output["rows"] for table, output in json.loads(row["outputs"]).items()},
            "files": len(json.loads(row["added_files"])),
        }
        for row in rows.iter_rows(named=True)
    ]  # fmt: skip

"""What the commands that only read do: explain a customer, list runs. Neither wakes Prefect."""

import json
from datetime import date
from typing import Any

import polars as pl

from tasks.errors import MissingDataError
from tasks.reports.explain import Stored, explain
from tasks.settings import Settings
from tasks.steps.house import lake_at, objects_at, pseudonymiser_now
from tasks.stores.policies import stored_policy
from tasks.stores.runs import finished_runs
from tasks.stores.tables import Lake


def explain_customer(customer: str, as_of: date | None, uri: str = "") -> dict[str, Any]:
    """Explain a customer given by `c_…` or by a raw key `type:scope:value`.

    Raises:
        MissingDataError: no such customer at that date.
    """
    uri = uri or Settings().lake
    lake = lake_at(uri)
    customers = lake.scan("customers", lake.snapshot())
    day = as_of or customers.select(pl.col("as_of").max()).collect().item()
    if day is None:
        raise MissingDataError("the lake has no customers yet", next_step="run `strata refresh`")
    one_id = customer if customer.startswith("c_") else _one_id(lake, customer, day, uri)
    row = _row(lake, "customers", one_id, day)
    policy = stored_policy(objects_at(uri), row["policy_digest"])
    at = [day]
    stored = Stored(
        customer=row,
        cutoffs=lake.scan("cutoffs", lake.snapshot(), partitions=at).collect(),
        tags=_row(lake, "tags", one_id, day),
        moves=lake.scan("migrations", lake.snapshot(), partitions=at).filter(pl.col("one_id") == one_id).collect(),
    )
    return explain(stored, policy) | {"currency": policy.brand.currency}


def _row(lake: Lake, table: str, one_id: str, day: date) -> dict[str, Any]:
    rows = lake.scan(table, lake.snapshot(), partitions=[day]).filter(pl.col("one_id") == one_id).collect()
    if rows.is_empty():
        raise MissingDataError(
            f"there is no customer {one_id} in {table} at {day}",
            expected="a one_id such as c_abcdefgh12345678, or a key such as member:complete_journey:1",
            next_step="check the id, or pass another --as-of",
        )
    return rows.row(0, named=True)


def _one_id(lake: Lake, customer: str, day: date, uri: str) -> str:
    """The customer that a raw key belonged to at that date."""
    kind, _, rest = customer.partition(":")
    scope, _, value = rest.partition(":")
    digests = finished_runs(lake, lake.snapshot()).get_column("policy_digest")
    named = pseudonymiser_now(stored_policy(objects_at(uri), digests[-1]), uri)
    key = pl.select(pl.concat_str(pl.lit(f"{kind}:{scope}:"), named(kind, scope, pl.lit(value)))).item()
    found = lake.scan("identities", lake.snapshot(), partitions=[day]).filter(pl.col("key") == key).collect()
    if found.is_empty():
        raise MissingDataError(
            f"nobody is known by that {kind} key at {day}",
            expected="`type:scope:value` as in docs/architecture.md",
            next_step="check the value, or ask for a later --as-of",
        )
    return str(found.get_column("one_id")[0])


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

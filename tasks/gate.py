"""The gate: Great Expectations on DuckDB reads a candidate in local scratch and decides whether it may be published.

Write, audit, publish: nothing has reached the lake when the gate speaks. A gate that crashes,
or that evaluated nothing, has refused.
"""

import gc
import logging
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from expectations.results import excesses
from expectations.suites import suite_of
from tasks.errors import GateRefusedError
from tasks.refs import Candidate

_CONNECTION = {"isolation_level": "AUTOCOMMIT", "skip_autocommit_rollback": True}
"""Without these two every metric fails: the results are lost when the connection closes."""


@dataclass(frozen=True)
class Verdict:
    """What the gate found for one candidate; `page` is its Data Docs page, free of values."""

    table: str
    is_good: bool
    checked: int
    failures: tuple[str, ...]
    page: str


def judge(candidates: Sequence[Candidate], least_rows: Mapping[str, int], scratch: Path) -> tuple[Verdict, ...]:
    """Check each candidate against the suite of its table.

    Args:
        candidates: rows in local scratch.
        least_rows: table to the row count below which publication is blocked.
        scratch: folder for the DuckDB file.
    """
    context, database = _context(), _views(candidates, scratch)
    source = context.data_sources.add_sql(
        database.parent.name, connection_string=f"duckdb:///{database}", kwargs=_CONNECTION
    )
    try:
        return tuple(_judge_one(source, candidate, least_rows.get(candidate.table, 0)) for candidate in candidates)
    finally:
        source.get_execution_engine().close()
        context.data_sources.delete(database.parent.name)
        del source
        gc.collect()  # the engine lies in a cycle, and with it what DuckDB has read


def require_good(verdicts: Sequence[Verdict]) -> None:
    """Raise GateRefusedError that names every failed expectation; nothing after it may be published."""
    bad = [verdict for verdict in verdicts if not verdict.is_good]
    if bad:
        found = "; ".join(f"{verdict.table}: {', '.join(verdict.failures)}" for verdict in bad)
        raise GateRefusedError(
            f"the gate refused {found}",
            expected="every expectation of the table to hold",
            next_step="nothing was published; correct the export or the rule, then run again",
        )


def require_steady(results: pl.DataFrame) -> None:
    """Raise GateRefusedError that tells each figure of a refresh beyond its limit; nothing may be published then."""
    if found := excesses(results):
        raise GateRefusedError(
            "the results lie too far from those of the date before: " + "; ".join(found),
            expected="figures within the limits of the policy's drift.yaml",
            next_step="nothing was published; look for a missing or doubled export or a changed rule, and refresh "
            "again; where the change is meant, raise the limit in drift.yaml for this run",
        )


@cache
def _context() -> Any:
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    import great_expectations as gx  # noqa: PLC0415  its import takes seconds

    for name in ("great_expectations", "great_expectations.data_context.types.base"):  # the second sets its own level
        logging.getLogger(name).setLevel(logging.WARNING)
    context: Any = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    return context


def _views(candidates: Sequence[Candidate], scratch: Path) -> Path:
    """A DuckDB file with one view over each candidate's Parquet file."""
    scratch.mkdir(parents=True, exist_ok=True)
    database = Path(tempfile.mkdtemp(prefix="gate-", dir=scratch)) / "candidates.duckdb"
    with duckdb.connect(str(database)) as connection:
        for candidate in candidates:
            path = candidate.path.replace("'", "''")
            connection.execute(f"create view {candidate.table} as select * from read_parquet('{path}')")
    return database


def _judge_one(source: Any, candidate: Candidate, least_rows: int) -> Verdict:
    columns = tuple(pl.scan_parquet(candidate.path).collect_schema().names())
    asset = source.add_table_asset(candidate.table, table_name=candidate.table)
    batch = asset.add_batch_definition_whole_table("all").get_batch()
    suite = suite_of(candidate.table, columns, least_rows, in_detail=False)
    result = batch.validate(suite, result_format="BOOLEAN_ONLY")
    if not result.success:  # once more, rule by rule: the message names the columns
        suite = suite_of(candidate.table, columns, least_rows)
        result = batch.validate(suite, result_format="BOOLEAN_ONLY")
    failures = tuple(_failure(entry) for entry in result.results if not entry.success)
    checked = len(result.results)
    if not checked:
        failures = ("the gate evaluated no expectation",)
    return Verdict(candidate.table, bool(result.success) and not failures, checked, failures, _page(result))


def _failure(entry: Any) -> str:
    """Name the expectation and its column; never a value."""
    config = entry.expectation_config
    column = config.kwargs.get("column") or ", ".join(config.kwargs.get("column_list", []))
    crashed = " (crashed)" if entry.exception_info and entry.exception_info.get("raised_exception") else ""
    return f"{config.type}({column}){crashed}"


def _page(result: Any) -> str:
    """The result as a Data Docs page; the format BOOLEAN_ONLY keeps every value out of it."""
    renderer, view = _pages()
    return str(view.render(renderer.render(result)))


@cache
def _pages() -> tuple[Any, Any]:
    """Renderer and view of Data Docs; one view for all pages, because each compiles its templates anew."""
    from great_expectations.render import renderer, view  # noqa: PLC0415

    made_by: Any = renderer
    shown_by: Any = view
    return made_by.ValidationResultsPageRenderer(), shown_by.DefaultJinjaPageView()

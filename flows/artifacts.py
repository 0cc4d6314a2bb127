"""One markdown artifact per flow run: what it did, in a table that an operator reads."""

from typing import Any

from prefect.artifacts import create_markdown_artifact
from prefect.context import FlowRunContext

ROWS = 50


def leave_summary(flow: str, summary: dict[str, Any]) -> dict[str, Any]:
    """Leave the summary beside the flow run, and hand it on; outside of a flow run only the latter."""
    if FlowRunContext.get() is not None:
        create_markdown_artifact(markdown=as_markdown(flow, summary), key=f"strata-{flow}")
    return summary


def as_markdown(title: str, summary: dict[str, Any], level: int = 1) -> str:
    """Facts as a list, mappings and rows as tables of at most 50 rows, what is nested under its own heading."""
    lines = [f"{'#' * level} {title}", ""]
    for name, value in summary.items():
        lines += _block(name, value, level + 1)
    return "\n".join(lines)


def _block(name: str, value: Any, level: int) -> list[str]:
    head = ["", f"{'#' * level} {name}", ""]
    if isinstance(value, dict) and any(isinstance(entry, (dict, list)) for entry in value.values()):
        return ["", as_markdown(name, value, level), ""]
    if isinstance(value, dict):
        return [*head, *_table([{"what": key, "value": entry} for key, entry in value.items()]), ""]
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [*head, *_table(value), ""]
    return [f"* **{name}**: {value}"]


def _table(rows: list[dict[str, Any]]) -> list[str]:
    if not rows:
        return ["none"]
    names = list(rows[0])
    head = [f"| {' | '.join(names)} |", f"|{' --- |' * len(names)}"]
    body = [f"| {' | '.join(str(row.get(name, '')) for name in names)} |" for row in rows[:ROWS]]
    return [*head, *body, *([f"… {len(rows) - ROWS} more"] if len(rows) > ROWS else [])]

"""What a person sees of an ingest: a bar by file and bytes while it runs, and in the end one row per file."""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from flows.show import console, print_json, rows_table

COLUMNS = ("file", "layout", "read", "accepted", "duplicate", "quarantined", "money", "notes")
FEN = 100


class Bars:
    """Listens to a run and draws one bar for each of its phases; silent for machines and in files."""

    def __init__(self, *, is_quiet: bool) -> None:
        """Draw nothing yet."""
        self._bars = Progress(
            TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TextColumn("files"), _Files(),
            TimeRemainingColumn(), TextColumn("{task.fields[file]}"), console=console,
            disable=is_quiet or not console.is_terminal, transient=True,
        )  # fmt: skip
        self._bar: TaskID | None = None
        self._read = 0
        """Bytes of the present file that the bar counts already."""

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the terminal as it was."""
        self._bars.stop()

    def begin(self, phase: str, files: int, size: int) -> None:
        """See Listener."""
        self._bar = self._bars.add_task(phase, total=size, file="", files=files, done=0)

    def at(self, name: str) -> None:
        """See Listener."""
        self._read = 0
        if self._bar is not None:
            self._bars.update(self._bar, file=name[-60:])

    def read(self, size: int) -> None:
        """See Listener."""
        self._read += size
        if self._bar is not None:
            self._bars.update(self._bar, advance=size)

    def done(self, size: int) -> None:
        """See Listener."""
        if self._bar is not None:
            done = self._bars.tasks[self._bar].fields["done"] + 1
            self._bars.update(self._bar, advance=size - self._read, done=done)


class _Files(MofNCompleteColumn):
    """Files done, of how many; the bar itself counts bytes."""

    def render(self, task: Any) -> Any:
        """Return the two numbers."""
        return f"{task.fields['done']}/{task.fields['files']}"


def show_receipt(summary: Mapping[str, Any], *, as_json: bool) -> None:
    """Print what an ingest did: each file with its rows and money, the totals, and what was left alone."""
    if as_json:
        print_json(summary)
        return
    console.print(f"[bold]outcome[/]: {summary['outcome']}", highlight=False)
    if summary["files"]:
        console.print(_table(summary["files"], summary["totals"]))
    for file in summary["files"]:
        if file["outcome"] == "refused":
            why = file["reason"].removeprefix(f"{file['name']} ").removeprefix(f"{file['name']}: ")
            console.print(f"[bold red]refused[/] {escape(file['name'])}: {escape(why)}", highlight=False)
    if summary["already_ingested"]:
        console.print(f"[bold]already ingested[/]: {escape(', '.join(summary['already_ingested']))}", highlight=False)
    if summary.get("drift"):
        console.print(rows_table("drift", summary["drift"]))
    if summary["left"]:
        console.print(rows_table("left alone", summary["left"]))
    if summary.get("rows"):
        console.print(f"[bold]rows written[/]: {', '.join(f'{name} {n:,}' for name, n in summary['rows'].items())}")


def _table(files: Sequence[Mapping[str, Any]], totals: Mapping[str, Any]) -> Table:
    table = Table(show_footer=True, header_style="dim", footer_style="bold")
    foot = ("total", f"{totals['accepted']} accepted, {totals['refused']} refused", *_counts(totals), "")
    for name, total in zip(COLUMNS, foot, strict=True):
        is_text = name in {"file", "layout", "notes"}
        table.add_column(name, footer=total, justify="left" if is_text else "right", overflow="fold")
    for file in files:
        table.add_row(escape(file["name"]), file["layout"] or file["outcome"], *_counts(file), escape(_notes(file)))
    return table


def _counts(row: Mapping[str, Any]) -> tuple[str, ...]:
    counted = (row[f"rows_{name}"] for name in COLUMNS[2:6])
    return (*(f"{count:,}" for count in counted), f"{row['money_read_fen'] / FEN:,.2f}")


def _notes(file: Mapping[str, Any]) -> str:
    return "; ".join(text for text in (file["notes"], file["drift"]) if text)

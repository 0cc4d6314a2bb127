"""How results look in a terminal: tables for people, one JSON document for machines."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from tasks.errors import StrataError

SHORT, PSEUDONYM = 8, 64
"""Digits of a pseudonym or digest that a terminal shows, and those that it has."""
HEX = frozenset("0123456789abcdef")
console = Console()
problems = Console(stderr=True)


def show(result: Mapping[str, Any], *, as_json: bool) -> None:
    """Print a result: facts line by line, mappings and lists of rows as tables."""
    if as_json:
        print_json(result)
        return
    for name, value in result.items():
        _show_part(name, value)


def print_json(result: Any) -> None:
    """Print one JSON document, dates in ISO form, Chinese as it is."""
    print(json.dumps(result, ensure_ascii=False, indent=1, default=str))  # noqa: T201  the one place for machines


def _show_part(name: str, value: Any) -> None:
    title = name.replace("_", " ")
    if isinstance(value, Mapping) and any(isinstance(entry, (Mapping, list)) for entry in value.values()):
        console.rule(f"[bold]{title}[/]", align="left")
        show(value, as_json=False)
    elif isinstance(value, Mapping) and value:
        console.print(rows_table(title, [{"what": key, "value": entry} for key, entry in value.items()]))
    elif isinstance(value, Sequence) and value and isinstance(value[0], Mapping):
        console.print(rows_table(title, value))
    elif isinstance(value, (list, tuple)):
        console.print(f"[bold]{title}[/]: {', '.join(str(entry) for entry in value) or 'none'}")
    else:
        console.print(f"[bold]{title}[/]: {value}", highlight=False)


def rows_table(title: str, rows: Sequence[Mapping[str, Any]]) -> Table:
    """Rows with the columns of the first one; numbers to the right."""
    table = Table(title=title, title_justify="left", title_style="bold", header_style="dim", box=SIMPLE_HEAD)
    told = {name: next((row[name] for row in rows if row.get(name) is not None), None) for name in rows[0]}
    for name, value in told.items():
        table.add_column(name.replace("_", " "), justify="right" if isinstance(value, int) else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row.get(name)) for name in told))
    return table


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def short(value: Any) -> Any:
    """A value with every pseudonym and digest in it cut to its first digits; a list of texts as one text."""
    if isinstance(value, dict):
        return {name: short(entry) for name, entry in value.items()}
    if isinstance(value, list):
        told = [short(entry) for entry in value]
        return ", ".join(told) if told and all(isinstance(entry, str) for entry in told) else told
    if isinstance(value, str):
        head, colon, last = value.rpartition(":")
        hexes, mark, epoch = last.partition("#")
        return (
            f"{head}{colon}{hexes[:SHORT]}…{mark}{epoch}"
            if len(hexes) == PSEUDONYM and HEX.issuperset(hexes)
            else value
        )
    return value


def show_problem(error: StrataError) -> None:
    """Say what was found, what was expected and what to do next."""
    problems.print(f"[bold red]{type(error).__name__.removesuffix('Error')}[/]: {error.found}", highlight=False)
    if error.expected:
        problems.print(f"  expected: {error.expected}", highlight=False)
    if error.next_step:
        problems.print(f"  next:     {error.next_step}", highlight=False)


@contextmanager
def waiting(words: str, *, is_quiet: bool) -> Iterator[None]:
    """Show what a long command waits for."""
    if is_quiet or not console.is_terminal:
        yield
        return
    with console.status(words):
        yield

"""`strata demo`: both demo brands from export files to audience files, with progress and a summary."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from flows.commands.options import JsonOption
from flows.show import console, print_json, rows_table, show_problem
from tasks.errors import ConfigurationError

app = typer.Typer()
_SHOWN = ("source", "rows", "accepted", "double", "refused", "fen")
"""What of a file's account fits the width of a terminal; `--json` tells the rest."""
NOTICE = (
    "[bold]Invented:[/] Complete Journey has no contact data. The phones, push tokens and consents of this demo "
    "come from a seeded generator; so do all people, orders and amounts of demo_cn: its 200,000 orders over eight "
    "channels and its small samples are invented. Nobody can be reached by them."
)


@app.command()
def demo(
    lake: Annotated[Path, typer.Option("--lake", help="Folder for both lakes.")] = Path("lake"),
    brand: Annotated[str, typer.Option("--brand", help="Only complete_journey, or only demo_cn.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Run a real retailer's year and an invented brand's months through the whole house, side by side.

    A second run finds everything done: no digest changes and nothing is published again.

    Example: strata demo --lake lake
    """
    from flows.demo_summary import BRANDS, summary_of

    if brand not in ("", *BRANDS):
        raise ConfigurationError(f"there is no demo brand {brand}", expected=f"one of {', '.join(BRANDS)}")
    if not as_json:
        console.print("Starting Prefect's own server; that takes 20 to 40 seconds the first time.", highlight=False)
    if brand:
        _run(lake, brand, _say_done)
        return
    _run_both(lake, is_quiet=as_json)
    told = summary_of(lake)
    if as_json:
        print_json(told)
    else:
        _show(told)


def _run(lake: Path, brand: str, on_done: Callable[[str], None]) -> None:
    """Take one brand through the house, step by step."""
    from flows.demo import steps_of

    for words, run in steps_of(lake, brand):
        run()
        on_done(words)


def _run_both(lake: Path, *, is_quiet: bool) -> None:
    """Run both brands side by side, each in a process of its own, with a bar for each."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from flows.beside import BesideError, brand_beside
    from flows.demo import steps_of
    from flows.demo_summary import BRANDS

    columns = (BarColumn(), TextColumn("{task.completed}/{task.total}"), TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.description}"), console=console, disable=is_quiet) as progress:
        bars = {code: progress.add_task(code, total=len(steps_of(lake, code))) for code in BRANDS}

        def advance(code: str, words: str) -> None:
            progress.update(bars[code], advance=1, description=f"{words}, done")
            if not (is_quiet or console.is_terminal):
                _say_done(words)

        first, second = BRANDS
        try:
            with brand_beside(lake, second, partial(advance, second)):
                _run(lake, first, partial(advance, first))
        except BesideError as failed:
            show_problem(failed)
            raise typer.Exit(failed.code) from failed


def _say_done(words: str) -> None:
    """A line for logs, and for the process that waits for this one."""
    from flows.beside import DONE

    print(f"{DONE}{words}", flush=True)  # noqa: T201


def _show(told: dict[str, Any]) -> None:
    for brand in told["brands"]:
        console.print(
            rows_table(f"{brand['brand']}: files", [{name: row[name] for name in _SHOWN} for row in brand["files"]])
        )
        console.print(rows_table(f"{brand['brand']}: month ends", brand["months"]))
    console.print(rows_table("campaigns of 2018-01-01", told["sends"]))
    console.print(NOTICE)
    console.print(rows_table("where to look", [{"what": what, "path": path} for what, path in told["paths"].items()]))

"""`strata demo`: both demo brands from export files to audience files, with progress and a summary."""

from pathlib import Path
from typing import Annotated, Any

import typer

from flows.commands.options import JsonOption
from flows.show import console, print_json, rows_table

app = typer.Typer()
NOTICE = (
    "[bold]Invented:[/] Complete Journey has no contact data. The phones, push tokens and consents of this demo "
    "come from a seeded generator; so does every person of demo_cn. Nobody can be reached by them."
)


@app.command()
def demo(
    lake: Annotated[Path, typer.Option("--lake", help="Folder for both lakes.")] = Path("lake"),
    as_json: JsonOption = False,
) -> None:
    """Run a real retailer's year and a small brand's months through the whole house.

    A second run finds everything done: no digest changes and nothing is published again.

    Example: strata demo --lake lake
    """
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    if not as_json:
        console.print("Starting Prefect's own server; that takes 20 to 40 seconds the first time.", highlight=False)
    from flows.demo import steps_of
    from flows.demo_summary import summary_of

    columns = (
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=console, disable=as_json) as progress:
        steps = steps_of(lake)
        task = progress.add_task("…", total=len(steps))
        for words, run in steps:
            progress.update(task, description=words)
            run()
            progress.advance(task)
    told = summary_of(lake)
    if as_json:
        print_json(told)
    else:
        _show(told)


def _show(told: dict[str, Any]) -> None:
    for brand in told["brands"]:
        console.print(rows_table(f"{brand['brand']}: files", brand["files"]))
        console.print(rows_table(f"{brand['brand']}: month ends", brand["months"]))
    console.print(rows_table("campaigns of 2018-01-01", told["sends"]))
    console.print(NOTICE)
    console.print(rows_table("where to look", [{"what": what, "path": path} for what, path in told["paths"].items()]))

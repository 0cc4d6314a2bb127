"""`strata holdouts check`: the proof that nobody who was held out was sent anything."""

from datetime import datetime
from typing import Annotated

import typer

from flows.commands.options import JsonOption, LakeOption
from flows.show import show

app = typer.Typer(name="holdouts", help="People who are left out on purpose, and that they are.", no_args_is_help=True)
FromOption = Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day of the sends.")]
ToOption = Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day of the sends.")]


@app.callback()
def about() -> None:
    """People who are left out on purpose, and that they are."""


@app.command()
def check(first: FromOption, last: ToOption, lake: LakeOption = "", as_json: JsonOption = False) -> None:
    """Read every file published for a period and say whether anyone who was held out is in it.

    The global holdout and those of the campaigns, through old ids and merges. Exit code 2 when anyone was sent to.

    Example: strata holdouts check --from 2026-01-01 --to 2026-06-30
    """
    from flows.holdouts import check_holdouts

    told = check_holdouts(first.date(), last.date(), lake)
    show(told, as_json=as_json)
    if told["held_out_sent"]:
        raise typer.Exit(2)

"""`strata audiences list|show`: which groups of people the policy names, how many are in each, what each rests on."""

from datetime import datetime
from typing import Annotated

import typer

from flows.commands.options import AsOfOption, JsonOption, LakeOption, PolicyOption, day
from flows.show import console, print_json, rows_table, show

app = typer.Typer(name="audiences", help="Audiences: their rules, sizes, and what they rest on.", no_args_is_help=True)
ForSendOption = Annotated[
    datetime | None,
    typer.Option("--send-on", formats=["%Y-%m-%d"], help="As a send of this day would find them, instead of --as-of."),
]


@app.command("list")
def list_command(
    as_of: AsOfOption = None,
    send_on: ForSendOption = None,
    lake: LakeOption = "",
    policy: PolicyOption = "",
    as_json: JsonOption = False,
) -> None:
    """List every audience with its owner, its rule, and how many customers are in it. Names nobody.

    Example: strata audiences list --send-on 2026-06-01 --policy policy
    """
    from flows.audiences import list_audiences, stand_of

    told = list_audiences(stand_of(lake, policy, day(as_of), day(send_on)))
    if as_json:
        print_json(told)
    elif told:
        console.print(rows_table("audiences", told))
    else:
        console.print("the policy has no audiences; docs/campaigns.md shows how to write one")


@app.command("show")
def show_command(
    code: Annotated[str, typer.Argument(help="Code of the audience, such as silent_vips.")],
    as_of: AsOfOption = None,
    send_on: ForSendOption = None,
    lake: LakeOption = "",
    policy: PolicyOption = "",
    as_json: JsonOption = False,
) -> None:
    """Show one audience: rule, what it reads through other audiences too, who reads it, its size by tier.

    Example: strata audiences show silent_vips --policy policy
    """
    from flows.audiences import show_audience, stand_of

    show(show_audience(stand_of(lake, policy, day(as_of), day(send_on)), code), as_json=as_json)

"""`strata vendors list|check`: what each vendor takes, and whether a brand's profiles and campaigns fit."""

from typing import Annotated

import typer

from flows.commands.options import JsonOption
from flows.commands.policy import show_findings
from flows.show import console, print_json, rows_table

app = typer.Typer(name="vendors", help="Vendors: what their machines accept.", no_args_is_help=True)


@app.command("list")
def list_command(
    policy: Annotated[str, typer.Option("--policy", help="A policy folder: its vendors instead of ours.")] = "",
    as_json: JsonOption = False,
) -> None:
    """List the shipped profiles with their limits: id, file, rows, bytes, people per request, hours, text.

    A brand takes one as `preset: NAME` in vendors/CODE.yaml and adds what is its own.

    Example: strata vendors list
    """
    from flows.vendors import limits

    told = limits(policy)
    if as_json:
        print_json(told)
    else:
        console.print(rows_table("vendors", told))


@app.command()
def check(
    folder: Annotated[str, typer.Argument(help="Policy folder. (STRATA_POLICY)")] = "",
    as_json: JsonOption = False,
) -> None:
    """Check a brand's vendors, and that its campaigns give what they take, each finding with its file and line.

    Exit code 4 when there is an error; warnings alone are told and pass.

    Example: strata vendors check policy
    """
    from flows.vendors import check as run

    told, findings = run(folder)
    if as_json:
        print_json({"vendors": told, "findings": findings})
    elif told:
        console.print(rows_table("vendors", told))
    show_findings(findings, as_json=as_json)

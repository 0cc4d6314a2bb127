"""`strata sources`: which exports are understood, how a file would be read, a layout for a new one, what drifts."""

from pathlib import Path
from typing import Annotated, Any

import typer

from flows.commands.options import JsonOption, LakeOption, PolicyOption
from flows.show import console, print_json, problems, rows_table, show

app = typer.Typer(
    name="sources", no_args_is_help=True, help="Export formats: list them, check a file, add one, see what drifts."
)
WIDE = 140
"""Columns of a terminal from which on whole sentences fit into a table."""
NARROW = ("layout", "channel", "one_row_is", "formats", "state")
FileArgument = Annotated[Path, typer.Argument(help="Export file, or an archive of them.")]


@app.command("list")
def list_(policy: PolicyOption = "", lake: LakeOption = "", as_json: JsonOption = False) -> None:
    """List every layout: what comes with Strata, and the brand's own.

    A template has guessed headers: no file is recognised by it until it is copied beside the policy and verified.

    Example: strata sources list
    """
    from flows.sources import list_layouts

    rows = list_layouts(policy, lake)
    if as_json:
        print_json(rows)
    else:
        wide = console.width >= WIDE
        console.print(rows_table("layouts", [{n: v for n, v in row.items() if wide or n in NARROW} for row in rows]))


@app.command()
def check(
    file: FileArgument,
    shop: Annotated[str, typer.Option("--shop", help="Shop id, where neither file nor policy says.")] = "",
    channel: Annotated[str, typer.Option("--channel", help="Only layouts of this channel.")] = "",
    exported_at: Annotated[str, typer.Option("--exported-at", help="When the shop exported it.")] = "",
    policy: PolicyOption = "",
    lake: LakeOption = "",
    as_json: JsonOption = False,
) -> None:
    """Show how a file would be read: layout, columns, rows, money, problems. Writes nothing.

    Exit code 2 when an ingest would refuse the file, or one file of the archive.

    Example: strata sources check exports/orders.csv --policy policy
    """
    from flows.checking import Look, check_file

    accounts = check_file(file, Look(shop, channel, exported_at, policy, lake))
    if as_json:
        print_json(accounts)
    else:
        for account in accounts:
            _show_account(account)
    if any(account["outcome"] == "refused" for account in accounts):
        raise typer.Exit(2)


def _show_account(account: dict[str, Any]) -> None:
    """One file after the other, a rule between them; what is empty is left out."""
    console.rule(f"[bold]{account['file']}[/]: {account['outcome']}", align="left")
    told = {name: value for name, value in account.items() if name not in {"file", "outcome"} and value != []}
    if "first_rows" in told:
        told["first_rows"] = _turned(told["first_rows"])
    show(told, as_json=False)


def _turned(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A table row for each column: a file has more columns than a terminal has room."""
    return [{"column": name} | {f"row {at}": row[name] for at, row in enumerate(rows, start=1)} for name in rows[0]]


@app.command()
def new(
    file: FileArgument,
    out: Annotated[Path | None, typer.Option("--out", help="File to write; shown when left out.")] = None,
    name: Annotated[str, typer.Option("--name", help="The layout's name; that of the file when left out.")] = "",
    channel: Annotated[str, typer.Option("--channel", help="Code of the sales channel.")] = "",
    policy: PolicyOption = "",
    as_json: JsonOption = False,
) -> None:
    """Draft a layout from a file's headers and what its cells look like, ready to be edited.

    Example: strata sources new exports/till.csv --out policy/layouts/till.yaml
    """
    from flows.sources import new_layout

    text = new_layout(file, name, channel, out, policy)
    if as_json:
        print_json({"layout": text, "written": str(out) if out else None})
        return
    if out is None:
        console.print(text, markup=False, highlight=False, soft_wrap=True, end="")
        return
    console.print(f"wrote {out}", highlight=False)
    console.print(f"next: fill the places marked FILL, then `strata sources check {file}`", highlight=False)


@app.command()
def drift(
    shop: Annotated[str, typer.Option("--shop", help="Shop id, or channel/shop; every shop when left out.")] = "",
    last: Annotated[int, typer.Option("--last", min=0, help="Only the newest files; 0 for all.")] = 20,
    lake: LakeOption = "",
    as_json: JsonOption = False,
) -> None:
    """Show what changed in the files of a shop: against the layout, and against the file before.

    Example: strata sources drift --shop qinghe_tmall
    """
    from flows.sources import list_drift

    rows = list_drift(lake, shop, last)
    if as_json:
        print_json(rows)
    elif rows:
        shown = ("file", "channel", "shop_id", "layout", "against", "kind", "what")
        console.print(rows_table("drift", [{name: row[name] for name in shown} for row in rows]))
    else:
        problems.print("nothing differs")

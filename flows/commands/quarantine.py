"""`strata quarantine`: what was refused and why, and the way back for rows that were corrected."""

from pathlib import Path
from typing import Annotated

import typer

from flows.commands.options import JsonOption, LakeOption
from flows.show import console, print_json, rows_table, show

app = typer.Typer(
    name="quarantine", no_args_is_help=True, help="Refused rows and files: list, explain, export for correction."
)

COUNTED = ("rule", "rows", "money_fen", "first_rows", "found")


@app.command("list")
def list_(
    shop: Annotated[str, typer.Option("--shop", help="Shop id, or channel/shop.")] = "",
    rule: Annotated[str, typer.Option("--rule", help="Only rows that broke this rule.")] = "",
    file: Annotated[str, typer.Option("--file", help="Only files whose name contains this.")] = "",
    lake: LakeOption = "",
    as_json: JsonOption = False,
) -> None:
    """List refused rows by file and rule, with their money, and files refused as a whole.

    Example: strata quarantine list --shop qinghe_tmall
    """
    from flows.quarantine import list_quarantine

    told = list_quarantine(lake, shop, rule, file)
    if as_json:
        print_json(told)
        return
    if told["rows"]:
        shown = ("file", "shop", "rule", "rows", "money_fen")
        console.print(rows_table("refused rows", [{name: row[name] for name in shown} for row in told["rows"]]))
    if told["files"]:
        files = [{"file": row["name"], "why, and what next": row["reason"]} for row in told["files"]]
        console.print(rows_table("refused files", files))
    if not told["rows"] and not told["files"]:
        console.print("nothing is refused")


@app.command()
def explain(
    what: Annotated[str, typer.Argument(metavar="FILE|RULE", help="A file's name or SHA-256, or a rule's name.")],
    lake: LakeOption = "",
    as_json: JsonOption = False,
) -> None:
    """Say what a rule means, or why rows of a file were refused; what was found is masked.

    Example: strata quarantine explain ordered_at_unreadable
    """
    from flows.quarantine import explain_refusal

    told = explain_refusal(what, lake)
    if as_json or "rules" not in told:
        show(told, as_json=as_json)
        return
    counted = [{name: entry[name] for name in COUNTED} for entry in told["rules"]]
    show({**told, "rules": counted}, as_json=False)
    for entry in told["rules"]:
        console.print(f"[bold]{entry['rule']}[/]: {entry['means']} What to do: {entry['what_to_do']}.", highlight=False)


@app.command()
def export(
    what: Annotated[str, typer.Argument(metavar="FILE", help="A file's name or SHA-256.")],
    out: Annotated[Path, typer.Option("--out", help="File to write; it must not exist yet.")],
    role: Annotated[str, typer.Option("--role", help="In which role you ask, one of `raw_roles` in brand.yaml.")],
    lake: LakeOption = "",
    as_json: JsonOption = False,
) -> None:
    """Write a file's refused rows as they stood, to be corrected and ingested again. Personal data in clear.

    Who took what and when stands in the lake, see `strata runs`.

    Example: strata quarantine export orders.csv --out corrected.csv --role data_engineer
    """
    from flows.exporting import export_refused

    told = export_refused(what, out, role, lake)
    show(told, as_json=as_json)

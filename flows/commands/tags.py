"""`strata tags list|show|diff|lineage`: what tags there are, what each says and rests on, and what moved in a month."""

from typing import Annotated, Any

import typer

from flows.commands.options import AsOfOption, JsonOption, LakeOption, day
from flows.show import console, print_json, rows_table, show

app = typer.Typer(name="tags", help="Tags: their rules, values, origins, and what moved.", no_args_is_help=True)
TagArgument = Annotated[str, typer.Argument(help="Code of the tag, such as is_silent_vip.")]
FolderOption = Annotated[str, typer.Option("--policy", help="A policy folder, instead of what stands in the lake.")]
KINDS = ("added", "kept", "changed", "expired", "removed")


@app.command("list")
def list_command(
    as_of: AsOfOption = None,
    lake: LakeOption = "",
    policy: FolderOption = "",
    as_json: JsonOption = False,
) -> None:
    """List every tag with its type, owner, rule, and how many customers have it.

    Example: strata tags list --as-of 2026-05-31
    """
    from flows.tagging import list_tags, shelf_of

    told = list_tags(shelf_of(lake, policy, day(as_of)))
    if as_json:
        print_json(told)
    else:
        console.print(rows_table("tags", told))


@app.command("show")
def show_command(
    tag: TagArgument,
    as_of: AsOfOption = None,
    lake: LakeOption = "",
    policy: FolderOption = "",
    as_json: JsonOption = False,
) -> None:
    """Show one tag: meaning, rule, values and who has them, what happens where nothing is known, what it rests on.

    Example: strata tags show spending_power
    """
    from flows.tagging import shelf_of, show_tag

    show(show_tag(shelf_of(lake, policy, day(as_of)), tag), as_json=as_json)


@app.command()
def lineage(
    tag: TagArgument,
    lake: LakeOption = "",
    policy: FolderOption = "",
    as_json: JsonOption = False,
) -> None:
    """Trace one tag down: through which tags, to which columns of which tables, and what these are made from.

    Example: strata tags lineage is_champion_weekend
    """
    from flows.tagging import shelf_of, trace_tag

    show(trace_tag(shelf_of(lake, policy), tag), as_json=as_json)


@app.command()
def diff(
    month: Annotated[str, typer.Argument(help="Month, YYYY-MM: its last date against the date before.")],
    customer: Annotated[str, typer.Option("--customer", help="Only this one: `c_…`, or a key and its value.")] = "",
    tag: Annotated[str, typer.Option("--tag", help="Only this tag, with its values.")] = "",
    lake: LakeOption = "",
    as_json: JsonOption = False,
) -> None:
    """Count what became of each tag in a month: added, kept, changed, expired, removed; or list one customer's.

    Example: strata tags diff 2026-05 --customer member:qinghe:42
    """
    from flows.tagging import diff_customer, diff_tags

    told = diff_customer(month, customer, lake) if customer else diff_tags(month, lake, tag)
    if as_json or customer or tag:
        show(told, as_json=as_json)
        return
    show(told | {"changes": _one_line_each(told["changes"])}, as_json=False)


def _one_line_each(changes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row per tag, a column per kind of change: what a terminal has room for."""
    rows: dict[str, dict[str, Any]] = {}
    for change in changes:
        row = rows.setdefault(change["tag"], {"tag": change["tag"], **dict.fromkeys(KINDS, 0)})
        row[change["change"]] += change["customers"]
    return list(rows.values())

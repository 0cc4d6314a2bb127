"""`strata keys`: which keys a brand has, new ones for what is sealed, another name for everybody."""

from pathlib import Path
from typing import Annotated

import typer

from flows.commands.options import JsonOption, LakeOption
from flows.show import console, print_json, rows_table, show

app = typer.Typer(name="keys", no_args_is_help=True, help="The brand's keys, by their ids; secrets never show.")

DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and change nothing.")]


@app.command("show")
def show_(lake: LakeOption = "", as_json: JsonOption = False) -> None:
    """List the ids of the brand's keys, where they are kept, and what stands under each.

    Example: strata keys show
    """
    from flows.keys import show_keys

    show(show_keys(lake), as_json=as_json)


@app.command()
def rotate(
    out: Annotated[
        Path | None, typer.Option("--out", help="Only write the ring with new keys there, to be installed by you.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Make new keys though the present ones are of today.")] = False,
    dry_run: DryRunOption = False,
    lake: LakeOption = "",
    as_json: JsonOption = False,
) -> None:
    """Seal contacts and raw files under new keys; readers see no gap. Stopped half-way, run it again.

    Example: strata keys rotate --dry-run
    """
    from flows.rotation import rotate as do

    show(do(lake, out=out, again=again, dry_run=dry_run), as_json=as_json)


@app.command()
def rekey(
    out: Annotated[
        Path | None, typer.Option("--out", help="Only write the ring with a further key there, to be installed by you.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Make a new key though the present one is of today.")] = False,
    dry_run: DryRunOption = False,
    lake: LakeOption = "",
    as_json: JsonOption = False,
) -> None:
    """Give everybody another pseudonym and customer id: rewrites all tables, as one recorded run.

    For when the pseudonym key became known. Digests are others afterwards; `strata verify` says so.

    Example: strata keys rekey --dry-run
    """
    from flows.rekeying import rekey as do

    show(do(lake, out=out, again=again, dry_run=dry_run), as_json=as_json)


@app.command()
def export(
    out: Annotated[Path, typer.Option("--out", help="File to write, of mode 0600; it must not exist yet.")],
    analysis: Annotated[
        bool, typer.Option("--analysis", help="Only what names people: with that ring nothing can be opened.")
    ] = False,
    kms_key: Annotated[str, typer.Option("--kms-key", help="Seal it under this key of AWS KMS.")] = "",
    lake: LakeOption = "",
    as_json: JsonOption = False,
) -> None:
    """Write the ring to a file, to keep a copy or to install it elsewhere. It holds secrets unless KMS seals it.

    Example: strata keys export --analysis --out analysis.key
    """
    from flows.keys import export_keys

    show(export_keys(out, lake, analysis=analysis, kms_key=kms_key), as_json=as_json)


top = typer.Typer()


@top.command("access-log")
def access_log(
    since: Annotated[str, typer.Option("--since", help="Only from this date on, YYYY-MM-DD (UTC).")] = "",
    lake: LakeOption = "",
    as_json: JsonOption = False,
) -> None:
    """List who opened sealed contacts or raw files: when, in which role, for what, how many.

    Example: strata access-log --since 2026-11-01
    """
    from flows.keys import access_log as read

    rows = read(lake, since)
    if as_json:
        print_json(rows)
    elif rows:
        shown = ("at", "by", "role", "what", "contact_type", "count")
        console.print(rows_table("access log", [{name: row[name] for name in shown} for row in rows]))
    else:
        console.print("nothing was opened")

"""`strata consent`: who said yes and no to what, taken down with its proof, shown as intervals, in and out as lists."""

from pathlib import Path
from typing import Annotated, Any

import typer

from flows.commands.options import AsOfOption, JsonOption, KnownOption, LakeOption, PolicyOption, day
from flows.show import console, print_json, rows_table, short, show

app = typer.Typer(name="consent", no_args_is_help=True, help="Consents: show, grant, withdraw, import, export.")

KeyOption = Annotated[
    str,
    typer.Option(
        "--key",
        help="Who: a printed key, phone:…, email:…, member:SCOPE:…, or `c_…`. Asked for, unseen, when left out.",
    ),
]
ChannelOption = Annotated[
    str, typer.Option("--channel", help="sms, push, wecom, email, phone, print or `*`; sms when left out.")
]
PurposeOption = Annotated[
    str, typer.Option("--purpose", help="marketing, service, third_party, profiling, or `*` for everything.")
]
EvidenceOption = Annotated[str, typer.Option("--evidence", help="Where the proof lies. No name, no number.")]
ByOption = Annotated[str, typer.Option("--by", help="Who takes it down; your account when left out.")]
AtOption = Annotated[str, typer.Option("--at", help="When it was said: a date or an instant; now when left out.")]
DryOption = Annotated[bool, typer.Option("--dry-run", help="Show what would be taken down, write nothing.")]


@app.command("show")
def show_(
    who: Annotated[str, typer.Argument(help="`c_…` or a key. Asked for, unseen, when left out.")] = "",
    as_of: AsOfOption = None,
    known_as_of: KnownOption = "",
    lake: LakeOption = "",
    as_json: JsonOption = False,
) -> None:
    """Show a person's consents as intervals: what held from when to when, who said it, and which rule decides.

    Example: strata consent show member:complete_journey:1 --as-of 2017-12-31
    """
    from flows.consent import show_consent

    told = show_consent(who or _asked(), day(as_of), known_as_of, lake)
    if as_json:
        print_json(told)
        return
    brief = short(told)
    show({name: brief[name] for name in ("customer", "as_of", "known_as_of", "contacts")}, as_json=False)
    for title in ("now", "ledger"):
        if brief[title]:
            console.print(rows_table(title, [_timed(row) for row in brief[title]]))
    console.print(f"anything else: {told['anything_else']}", highlight=False)


@app.command()
def grant(
    key: KeyOption = "",
    channel: ChannelOption = "",
    purpose: PurposeOption = "marketing",
    evidence: EvidenceOption = "",
    by: ByOption = "",
    at: AtOption = "",
    dry_run: DryOption = False,
    lake: LakeOption = "",
    policy: PolicyOption = "",
    as_json: JsonOption = False,
) -> None:
    """Take down a yes, with its proof. It opens nothing that another key of the person has closed: see what is told.

    Example: strata consent grant --key member:complete_journey:1 --channel sms --evidence "form 17" --by lin
    """
    from flows.consenting import take_down

    told = take_down("granted", key or _asked(), channel=channel, purpose=purpose, evidence=evidence, by=by, at=at,
                     dry_run=dry_run, uri=lake, policy=policy)  # fmt: skip
    _tell(told, as_json=as_json)


@app.command()
def withdraw(
    key: KeyOption = "",
    channel: ChannelOption = "",
    purpose: PurposeOption = "marketing",
    evidence: EvidenceOption = "",
    by: ByOption = "",
    at: AtOption = "",
    dry_run: DryOption = False,
    lake: LakeOption = "",
    policy: PolicyOption = "",
    as_json: JsonOption = False,
) -> None:
    """Take down a no. It is never refused, and holds for all who share the contact; `--purpose "*"` is a no to all.

    Example: strata consent withdraw --key member:complete_journey:1 --purpose "*" --evidence "call 4711" --by lin
    """
    from flows.consenting import take_down

    told = take_down("withdrawn", key or _asked(), channel=channel, purpose=purpose, evidence=evidence, by=by, at=at,
                     dry_run=dry_run, uri=lake, policy=policy)  # fmt: skip
    _tell(told, as_json=as_json)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV of the layout `consents`, see docs/consent.md.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and account, write nothing.")] = False,
    lake: LakeOption = "",
    policy: PolicyOption = "",
    as_json: JsonOption = False,
) -> None:
    """Take in a list of consents, as any export is ingested; exit code 2 when a row was refused.

    Example: strata consent import consents.csv --dry-run
    """
    from flows.accounting import is_refused
    from flows.commands.receipt import show_receipt
    from flows.consenting import import_consents

    summary = import_consents(file, dry_run=dry_run, uri=lake, policy=policy)
    show_receipt(summary, as_json=as_json)
    if is_refused(summary):
        raise typer.Exit(2)


@app.command()
def export(
    out: Annotated[Path, typer.Option("--out", help="New file, .csv or .json.")],
    role: Annotated[
        str, typer.Option("--role", help="With contacts in clear, in this role of `raw_roles`; on the record.")
    ] = "",
    as_of: AsOfOption = None,
    known_as_of: KnownOption = "",
    lake: LakeOption = "",
    as_json: JsonOption = False,
) -> None:
    """Write every word that counts, in the format that `import` reads: under pseudonyms, unless a role is named.

    Example: strata consent export --out consents.csv --as-of 2017-12-31
    """
    from flows.consent import export_consents

    show(export_consents(out, day(as_of), known_as_of, lake, role), as_json=as_json)


def _asked() -> str:
    """A number or address from the keyboard, which is not shown."""
    return str(typer.prompt("Phone number or e-mail address (not shown)", hide_input=True))


def _tell(told: dict[str, Any], *, as_json: bool) -> None:
    brief = told if as_json else short(told)
    show(brief if as_json else brief | {"holds_now": [_timed(row) for row in brief["holds_now"]]}, as_json=as_json)


def _timed(row: dict[str, Any]) -> dict[str, Any]:
    """A row of the ledger with instants that fit a terminal."""
    return row | {name: f"{row[name]:%Y-%m-%d %H:%M}" if row[name] else "–" for name in ("from", "to")}

"""`strata identity explain|link|unlink|rebind`: why keys are one customer, and what people know better."""

from typing import Annotated, Any

import typer

from flows.commands.options import AsOfOption, JsonOption, LakeOption, PolicyOption, ReceivedOption, day
from flows.show import short, show

app = typer.Typer()
KeyArgument = Annotated[
    str, typer.Argument(help="`c_…`, a printed key, or a type and its value: phone:13912345678, member:qinghe:42.")
]
OtherArgument = Annotated[str, typer.Argument(help="The other key.")]
EvidenceOption = Annotated[
    str, typer.Option("--evidence", help="Who or what says so: a form, a call. No name, no number.")
]
AtOption = Annotated[str, typer.Option("--at", help="From when on it holds: a date or an instant; now when left out.")]
DryOption = Annotated[bool, typer.Option("--dry-run", help="Show what would be declared, write nothing.")]
SHOWN = 20


@app.command()
def explain(
    who: KeyArgument,
    as_of: AsOfOption = None,
    lake: LakeOption = "",
    as_json: JsonOption = False,
) -> None:
    """Show a customer's keys, and the records and links that made them one; what was refused; what they were before.

    A plain value is hashed with the brand's key and never printed. Old ids lead to whom they are now. Every key and
    record is in the JSON; the text shortens keys and shows the newest 20 records.

    Example: strata identity explain phone:13912345678 --as-of 2026-05-31
    """
    from flows.who import explain_identity

    told = explain_identity(who, day(as_of), lake)
    show(told if as_json else _shortened(told), as_json=as_json)


@app.command()
def link(
    first: KeyArgument,
    second: OtherArgument,
    evidence: EvidenceOption,
    at: AtOption = "",
    received_at: ReceivedOption = "",
    dry_run: DryOption = False,
    lake: LakeOption = "",
    policy: PolicyOption = "",
    as_json: JsonOption = False,
) -> None:
    """Declare that two keys are one person, at every date from --at on; the next refresh shows it.

    Example: strata identity link member:qinghe:42 phone:13912345678 --evidence "form 17"
    """
    from flows.linking import declare

    told = declare(
        "must", first, second, evidence, at=at, received_at=received_at, dry_run=dry_run, uri=lake, policy=policy
    )
    show(told, as_json=as_json)


@app.command()
def unlink(
    first: KeyArgument,
    second: OtherArgument,
    evidence: EvidenceOption,
    at: AtOption = "",
    received_at: ReceivedOption = "",
    dry_run: DryOption = False,
    lake: LakeOption = "",
    policy: PolicyOption = "",
    as_json: JsonOption = False,
) -> None:
    """Declare that two keys are two persons, whatever stands beside them, at every date from --at on.

    Example: strata identity unlink member:qinghe:42 phone:13912345678 --evidence "call of 2 May" --dry-run
    """
    from flows.linking import declare

    told = declare(
        "cannot", first, second, evidence, at=at, received_at=received_at, dry_run=dry_run, uri=lake, policy=policy
    )
    show(told, as_json=as_json)


@app.command()
def rebind(
    number: KeyArgument,
    evidence: EvidenceOption,
    at: AtOption = "",
    received_at: ReceivedOption = "",
    dry_run: DryOption = False,
    lake: LakeOption = "",
    policy: PolicyOption = "",
    as_json: JsonOption = False,
) -> None:
    """Declare that a number changed hands: what came before --at stays with its old owner.

    Example: strata identity rebind phone:13912345678 --at 2026-05-02 --evidence "the carrier's notice"
    """
    from flows.linking import declare

    told = declare(
        "rebind", number, "", evidence, at=at, received_at=received_at, dry_run=dry_run, uri=lake, policy=policy
    )
    show(told, as_json=as_json)


def _shortened(told: dict[str, Any]) -> dict[str, Any]:
    """What fits a terminal: short keys, the newest records, no empty part."""
    shown = {name: short(value) for name, value in told.items() if value not in ([], None)}
    if len(told.get("records", [])) > SHOWN:
        shown["records"] = short(told["records"][:SHOWN])
        shown["more_records"] = len(told["records"]) - SHOWN
    return shown

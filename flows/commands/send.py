"""Commands about sends: plan a date, deliver a campaign, approve, cancel, and sweep what dead runs left."""

from datetime import datetime
from typing import Annotated

import typer

from flows.commands import master, send_due
from flows.commands.options import JsonOption, KnownOption, LakeOption, PolicyOption, SendOnOption, TodayOption, day
from flows.commands.write import STARTING
from flows.show import console, print_json, show, waiting

app = typer.Typer()
app.registered_commands += master.app.registered_commands + send_due.app.registered_commands
NameArgument = Annotated[str, typer.Argument(help="Campaign code.")]


@app.command()
def plan(
    send_on: SendOnOption,
    known_as_of: KnownOption = "",
    lake: LakeOption = "",
    policy: PolicyOption = "",
    as_json: JsonOption = False,
) -> None:
    """Allocate all campaigns of a date once, on one contact ledger, and freeze the result.

    Example: strata plan --send-on 2018-01-01
    """
    from flows.parameters import PlanParameters

    with waiting(STARTING, is_quiet=as_json):
        from flows.plan import plan as run
    told = PlanParameters(send_on=send_on.date(), known_as_of=known_as_of, lake=lake, policy=policy)
    with waiting(f"Planning {send_on:%Y-%m-%d} …", is_quiet=as_json):
        summary = run(told)
    show(summary, as_json=as_json)


@app.command()
def campaign(
    name: NameArgument,
    send_on: SendOnOption,
    today: TodayOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would go out, write nothing.")] = False,
    override_breaker: Annotated[
        str, typer.Option(help="Why the send may go although it is too unlike the last: signed, for its numbers alone.")
    ] = "",
    known_as_of: KnownOption = "",
    lake: LakeOption = "",
    policy: PolicyOption = "",
    as_json: JsonOption = False,
) -> None:
    """Deliver one campaign's share of the plan to its vendor's outbox; twice is once.

    Example: strata campaign winback_sms --send-on 2018-01-01 --dry-run
    """
    from flows.parameters import CampaignParameters

    with waiting(STARTING, is_quiet=as_json):
        from flows.campaign import campaign as run
        from flows.rehearsal import for_people
    told = CampaignParameters(
        name=name,
        send_on=send_on.date(),
        today=day(today),
        dry_run=dry_run,
        override_breaker=override_breaker,
        known_as_of=known_as_of,
        lake=lake,
        policy=policy,
    )
    with waiting(f"Working on {name} …", is_quiet=as_json):
        summary = run(told)
    show(summary if as_json else for_people(summary), as_json=as_json)


@app.command()
def approve(
    name: NameArgument,
    send_on: SendOnOption,
    by: Annotated[str, typer.Option("--by", help="Who approves; your account when left out.")] = "",
    lake: LakeOption = "",
    policy: PolicyOption = "",
    as_json: JsonOption = False,
) -> None:
    """Say yes to a held campaign as it is planned, and see its waterfall; deliver it then with `strata campaign`.

    The yes is one to these numbers and to the campaign as it is written: for others it must be said again.

    Example: strata approve winback_sms --send-on 2018-01-01 --by lin
    """
    from flows.approval import approve_send

    show(approve_send(name, send_on.date(), by, lake, policy), as_json=as_json)


@app.command()
def cancel(
    name: NameArgument,
    send_on: SendOnOption,
    lake: LakeOption = "",
    policy: PolicyOption = "",
    as_json: JsonOption = False,
) -> None:
    """Withdraw a published send: the vendor finds a recall file, and the send stays closed.

    Example: strata cancel winback_sms --send-on 2018-01-01
    """
    from flows.parameters import CancelParameters

    with waiting(STARTING, is_quiet=as_json):
        from flows.campaign import cancel as run
    summary = run(CancelParameters(name=name, send_on=send_on.date(), lake=lake, policy=policy))
    show(summary, as_json=as_json)


@app.command()
def sends(
    send_on: Annotated[
        datetime | None, typer.Option("--send-on", formats=["%Y-%m-%d"], help="Only the sends of this date.")
    ] = None,
    by_adviser: Annotated[
        bool, typer.Option("--by-adviser", help="Of sends that staff must confirm: who has, and how many were reached.")
    ] = False,
    lake: LakeOption = "",
    as_json: JsonOption = False,
) -> None:
    """List what became of each send: planned, handed over, accepted, delivered, failed, clicked, replied, bought.

    Handed over is not sent: of a vendor who reports sums alone, or of colleagues who must confirm, no more is known.

    Example: strata sends --send-on 2018-01-01
    """
    from flows.sends import for_people, list_confirmations, list_sends

    if by_adviser:
        show({"advisers": list_confirmations(lake, day(send_on))}, as_json=as_json)
        return
    rows = list_sends(lake, day(send_on))
    show({"sends": rows if as_json else for_people(rows)}, as_json=as_json)


@app.command()
def gc(
    delete: Annotated[bool, typer.Option("--delete", help="Delete what is listed; only a list without it.")] = False,
    lake: LakeOption = "",
    as_json: JsonOption = False,
) -> None:
    """List what dead runs left behind and no snapshot or vendor can see; delete it with --delete.

    Example: strata gc
    """
    from flows.sweep import sweep

    orphans = sweep(lake, delete=delete)
    if as_json:
        print_json({"orphans": orphans, "deleted": delete})
        return
    for key in orphans:
        console.print(key, highlight=False)
    console.print(f"{len(orphans)} orphans {'deleted' if delete else 'found; pass --delete to remove them'}")

"""`strata send-due`: plan a day and deliver all that is due on it."""

from datetime import datetime
from typing import Annotated

import typer

from flows.commands.options import JsonOption, KnownOption, LakeOption, PolicyOption, TodayOption, day
from flows.commands.write import STARTING
from flows.show import show, waiting

app = typer.Typer()


@app.command("send-due")
def send_due(
    send_on: Annotated[
        datetime | None,
        typer.Option(
            "--send-on",
            formats=["%Y-%m-%d"],
            help="Business date of the sends; today and only what has a schedule when left out.",
        ),
    ] = None,
    today: TodayOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count what would go out, write nothing.")] = False,
    known_as_of: KnownOption = "",
    lake: LakeOption = "",
    policy: PolicyOption = "",
    as_json: JsonOption = False,
) -> None:
    """Plan a day and deliver every campaign that is due, the most important first; twice is once.

    What is held or stopped is told with its next step and stops no other; the exit code is that of the worst.

    Example: strata send-due --send-on 2018-01-01 --dry-run
    """  # fmt: skip
    from flows.parameters import SendParameters

    with waiting(STARTING, is_quiet=as_json):
        from flows.send_due import NotAllSentError
        from flows.send_due import send as run
    told = SendParameters(
        send_on=day(send_on), today=day(today), dry_run=dry_run, known_as_of=known_as_of, lake=lake, policy=policy
    )
    try:
        with waiting("Sending what is due …", is_quiet=as_json):
            summary = run(told)
    except NotAllSentError as stopped:
        summary = stopped.summary
    show(summary, as_json=as_json)
    if summary["exit_code"]:
        raise typer.Exit(summary["exit_code"])

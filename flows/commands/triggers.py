"""`strata triggers`: deliver the campaigns that persons set off by what they did."""

from typing import Annotated

import typer

from flows.commands.options import JsonOption, LakeOption, PolicyOption, TodayOption, day
from flows.commands.write import STARTING
from flows.show import show, waiting

app = typer.Typer()


@app.command()
def triggers(
    at: Annotated[
        str, typer.Option("--at", help="Instant up to which things happened and are known; now if empty.")
    ] = "",
    today: TodayOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count whom it would reach, write nothing.")] = False,
    lake: LakeOption = "",
    policy: PolicyOption = "",
    as_json: JsonOption = False,
) -> None:
    """Deliver campaigns with a `trigger` to whom it holds for now: a cart left, a coupon unopened. Twice is once.

    Example: strata triggers --at 2026-07-01T14:00:00+08:00 --dry-run
    """
    from flows.parameters import TriggersParameters

    with waiting(STARTING, is_quiet=as_json):
        from flows.triggers import triggers as run
    told = TriggersParameters(at=at, today=day(today), dry_run=dry_run, lake=lake, policy=policy)
    with waiting("Looking who set something off …", is_quiet=as_json):
        summary = run(told)
    show(summary, as_json=as_json)

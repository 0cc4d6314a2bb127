"""Commands about what vendors can reach: links to a send's files, and letting go what they may keep no longer."""

from typing import Annotated

import typer

from flows.commands.options import JsonOption, LakeOption, PolicyOption, TodayOption, day
from flows.commands.write import STARTING
from flows.show import print_json, show, waiting

app = typer.Typer()


@app.command()
def links(
    send: Annotated[str, typer.Argument(metavar="VENDOR/CAMPAIGN/DATE", help="The send.")],
    minutes: Annotated[int, typer.Option("--minutes", help="How long each link works.")] = 30,
    lake: LakeOption = "",
    as_json: JsonOption = False,
) -> None:
    """Sign a link to each file of a send, for a vendor without keys. Whoever has a link can read that file.

    They are printed and kept nowhere. Only for an outbox in a bucket.

    Example: strata links demo_sms/winback_sms/2018-01-01 --minutes 30
    """
    from flows.links import links as sign

    signed = sign(send, minutes, lake)
    if as_json:
        print_json(signed)
        return
    for link in signed:
        # Plain, so that no terminal breaks a link; a console that records would keep it.
        typer.echo(f"{link['file']}\n  sha256 {link['sha256']}\n  until {link['until']}\n  {link['link']}")


@app.command()
def expire(
    today: TodayOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List what is due, delete nothing.")] = False,
    lake: LakeOption = "",
    policy: PolicyOption = "",
    as_json: JsonOption = False,
) -> None:
    """Delete what vendors may keep no longer, and say so in CURRENT.json; manifests and the account stay.

    Example: strata expire --dry-run
    """
    from flows.parameters import ExpireParameters

    with waiting(STARTING, is_quiet=as_json):
        from flows.expire import expire as run
    told = ExpireParameters(today=day(today), dry_run=dry_run, lake=lake, policy=policy)
    show(run(told), as_json=as_json)

"""`strata forget` and `strata access`: one person erased, or everything held about one person handed to them."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from flows.commands.options import JsonOption, LakeOption, PolicyOption
from flows.show import console, print_json, problems, short, show, waiting

app = typer.Typer()
WhoArgument = Annotated[
    str,
    typer.Argument(
        metavar="[WHO]",
        help="Customer id (c_…) or printed key. Leave it out for a phone number, an e-mail address or a plain member "
        "number: those are asked for, or read from standard input, so that no history keeps them.",
    ),
]


@app.command()
def forget(
    who: WhoArgument = "",
    request: Annotated[str, typer.Option("--resume", help="Go on with a request that was interrupted.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would go, change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before erasing.")] = False,
    request_only: Annotated[
        bool, typer.Option("--request-only", help="Seal the request and print its id, for the deployment `forget`.")
    ] = False,
    waiting_only: Annotated[bool, typer.Option("--waiting", help="List requests that are not done.")] = False,
    lake: LakeOption = "",
    policy: PolicyOption = "",
    as_json: JsonOption = False,
) -> None:
    """Erase one person: tables, their past, raw files, sends. Sums stay; nobody else's numbers move.

    Asks before it erases. What cannot be undone: the person's rows stay under names that lead nowhere. Vendors
    find a recall file. The receipt names nobody; show it to whoever asked.

    Example: strata forget c_abcdefgh12345678 --dry-run

    Example: strata forget --resume fr-0123456789abcdef
    """
    from flows.forgetting import Wish

    wish = Wish(lake=lake, policy=policy)
    if waiting_only:
        _show_waiting(wish.waiting(), as_json=as_json)
        return
    asked = "" if request else wish.whom(_told(who))
    if dry_run:
        with waiting("Looking at every table, file and send …", is_quiet=as_json):
            told = wish.rehearsed(asked)
        show(told, as_json=as_json)
        return
    if not yes and not request_only:
        _confirm(wish.found(asked) if asked else {})
    sealed = request or wish.sealed(asked)
    if request_only:
        show({"request": sealed, "next": "start the deployment `forget` with this id"}, as_json=as_json)
        return
    _carry_out(wish, sealed, as_json=as_json)


def _carry_out(wish: Any, request: str, *, as_json: bool) -> None:
    problems.print(f"request {request}; if this is interrupted: strata forget --resume {request}", highlight=False)
    with waiting("Forgetting …", is_quiet=as_json):
        told = wish.carried_out(request)
    show(told if as_json else short(told), as_json=as_json)


def _confirm(found: dict[str, Any]) -> None:
    """Ask with the numbers of what was found; a no leaves everything as it is."""
    words = ", ".join(f"{count} {name}" for name, count in found.items()) or "what the request found"
    typer.confirm(f"Erase {words} for good?", abort=True, err=True)


def _show_waiting(requests: list[str], *, as_json: bool) -> None:
    if as_json:
        print_json({"waiting": requests})
        return
    for request in requests:
        console.print(f"{request}: strata forget --resume {request}", highlight=False)
    if not requests:
        console.print("every request is done")


def _told(who: str) -> str:
    """Whom the caller means: from the command line only what names nobody by itself, else from a prompt or a pipe.

    Raises:
        SecurityRefusedError: a phone number or the like stands on the command line; it is not repeated.
    """
    from flows.erasure_requests import is_safe_to_type
    from tasks.errors import SecurityRefusedError

    if who and not is_safe_to_type(who):
        raise SecurityRefusedError(
            "the command line names somebody in clear, and shells keep what is typed",
            expected="a customer id (c_…) or a printed key, or nothing",
            next_step="leave it out: you are asked for it. Then clear it from your shell's history",
        )
    if who:
        return who
    if not sys.stdin.isatty():
        return sys.stdin.readline()
    return str(typer.prompt("Phone number, e-mail address, id or type:scope:value", hide_input=True, err=True))


@app.command()
def access(
    who: WhoArgument = "",
    out: Annotated[Path, typer.Option("--out", help="Folder to make; it must not exist yet.")] = Path("access"),
    role: Annotated[str, typer.Option("--role", help="In which role you ask, one of `raw_roles` in brand.yaml.")] = "",
    lake: LakeOption = "",
    policy: PolicyOption = "",
    as_json: JsonOption = False,
) -> None:
    """Write everything held about one person: a page to read and JSON for machines. Personal data in clear.

    Contacts are opened on the record, see `strata access-log`.

    Example: strata access c_abcdefgh12345678 --role privacy_officer --out for_lin
    """
    from flows.access import write_access
    from flows.forgetting import Wish

    wish = Wish(lake=lake, policy=policy)
    told = write_access(wish.whom(_told(who)), out, role, wish)
    show(told, as_json=as_json)

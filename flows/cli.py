"""The command line `strata`: commands that change the lake are thin calls of the flows that deployments run."""

import atexit
import os
import sys
from pathlib import Path

import typer
from click.exceptions import Abort, ClickException
from typer.exceptions import TyperException

from flows.commands import (
    audiences,
    consent,
    delivery,
    demo,
    evaluate,
    forget,
    holdouts,
    identity,
    keys,
    policy,
    quarantine,
    read,
    send,
    simulate,
    sources,
    tags,
    triggers,
    vendors,
    write,
)
from flows.show import problems, show_problem
from tasks.errors import ConfigurationError, StrataError

app = typer.Typer(
    name="strata",
    help="Customer layers for retail brands: exports in, audience files out, every number replayable.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
for commands in (
    demo.app,
    write.app,
    send.app,
    triggers.app,
    delivery.app,
    read.app,
    evaluate.app,
    simulate.app,
    keys.top,
    forget.app,
):
    app.registered_commands += commands.registered_commands
for group in (
    sources.app,
    quarantine.app,
    identity.app,
    tags.app,
    audiences.app,
    holdouts.app,
    consent.app,
    keys.app,
    policy.app,
    vendors.app,
):
    app.add_typer(group)

QUIET = {
    "GX_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_TASKS_DEFAULT_NO_CACHE": "true",
}
"""Nothing phones home; Prefect's own server may take its time on a loaded machine."""


def main() -> None:
    """Run a command; a known error becomes three lines and its exit code."""
    _prepare_environment()
    outcome = {"code": 0}
    # Registered first, so it runs last, after Prefect's own clean-up: DuckDB's bindings would print pages
    # about leaked types on the way out of an interpreter that has run the gate.
    atexit.register(lambda: _leave(outcome["code"]))
    outcome["code"] = _run()
    sys.exit(outcome["code"])


def _leave(code: int) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _run() -> int:
    try:
        return int(app(standalone_mode=False) or 0)
    except StrataError as error:
        show_problem(error)
        return error.exit_code
    except typer.Exit as leave:
        return leave.exit_code
    except (ClickException, TyperException) as misuse:  # Typer brings its own Click: one of them raises
        getattr(misuse, "show", str)()
        return ConfigurationError.exit_code
    except (KeyboardInterrupt, Abort, typer.Abort):
        problems.print("stopped; nothing half-done is visible, run the same command again")
        return 130


def _prepare_environment() -> None:
    """Keep Prefect quiet and its database in the working folder, unless the user decided otherwise."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    if "PREFECT_API_URL" not in os.environ and "PREFECT_HOME" not in os.environ:
        home = Path(".strata/prefect").absolute()
        home.mkdir(parents=True, exist_ok=True)  # Prefect makes the last folder only
        os.environ["PREFECT_HOME"] = str(home)


if __name__ == "__main__":
    main()

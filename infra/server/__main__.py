"""`python -m infra.server up` and `… down`: what the Makefile calls."""

import os
from pathlib import Path
from typing import Annotated

import typer

from flows.show import console, show_problem
from infra.server.house import DEMO_LAKE, DEMO_POLICY, ROOT, Place, down, up
from tasks.errors import StrataError

app = typer.Typer(pretty_exceptions_enable=False, help="Prefect on this machine: server, worker, deployments.")
Port = Annotated[int, typer.Option("--port", help="Port of the dashboard, on 127.0.0.1.")]


@app.command("up")
def bring_up(port: Port = 4200) -> None:
    """Start what does not run yet, and register the deployments."""
    place = _place(port)
    up(place, lambda words: console.print(words, highlight=False))
    console.print(_next_steps(place), highlight=False, soft_wrap=True)


@app.command("down")
def take_down() -> None:
    """End everything that `up` started, and what it left behind."""
    ended = down(Place())
    console.print(f"ended: {', '.join(ended) or 'nothing ran'}", highlight=False)


def _place(port: int) -> Place:
    """Read what to work on from the environment; the demo's retailer when it says nothing."""
    lake = os.environ.get("STRATA_LAKE", "")
    policy = os.environ.get("STRATA_POLICY", "" if lake else str(DEMO_POLICY))
    inbox = Path(os.environ.get("STRATA_INBOX", ROOT / "inbox")).absolute()
    inbox.mkdir(parents=True, exist_ok=True)
    return Place(
        port=port, lake=_absolute(lake or str(DEMO_LAKE)), policy=policy and _absolute(policy), inbox=str(inbox)
    )


def _absolute(root: str) -> str:
    """Runs work in another folder than the one of this command."""
    return root if "://" in root else str(Path(root).absolute())


def _next_steps(place: Place) -> str:
    first = "" if "://" in place.lake or Path(place.lake).exists() else "\n  first `make demo`: the lake is still empty"
    month = "2017-12" if place.lake == str(DEMO_LAKE) else "YYYY-MM"
    return (
        f"\ndashboard  {place.dashboard}\nlake       {place.lake}\ninbox      {place.inbox}\n\nnext:{first}"
        f"\n  open {place.dashboard}/deployments, choose `month`, Run > Custom run, type {month} as the month, Submit"
        "\n  the run's page shows its steps, and under Artifacts what it did"
        "\n  schedules are on: `month` on the 1st at 06:00, `refresh` daily at 04:30 (Asia/Shanghai)"
        "\n  `make down` ends all of it; runs and their record stay in .strata/server"
    )


def main() -> int:
    """Run a command; a known error becomes three lines and its exit code."""
    try:
        app(standalone_mode=False)
    except StrataError as error:
        show_problem(error)
        return error.exit_code
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

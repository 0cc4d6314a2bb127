"""Commands that change the lake: each one calls the flow that the deployment of the same name runs."""

from pathlib import Path
from typing import Annotated, Any

import typer

from flows.commands.options import (
    AsOfOption,
    ExportedOption,
    JsonOption,
    KnownOption,
    LakeOption,
    PolicyOption,
    ReceivedOption,
    day,
)
from flows.show import console, show, waiting

app = typer.Typer()
SETTLE_SECONDS = 2.0
STARTING = "Starting Prefect (20 to 40 seconds the first time) …"


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="Folder to make; it must not exist yet or be empty.")],
    brand: Annotated[str, typer.Option("--brand", help="English code of the brand.")] = "my_brand",
) -> None:
    """Scaffold a brand's policy: every file with its defaults, ready to edit.

    Example: strata init policy --brand qinghe
    """
    from flows.scaffold import scaffold

    for path in scaffold(folder, brand):
        console.print(f"wrote {path}", highlight=False)
    console.print(f"next: edit {folder}/brand.yaml, then `strata ingest EXPORTS --policy {folder}`", highlight=False)


@app.command()
def ingest(
    paths: Annotated[
        list[str] | None,
        typer.Argument(help="Export files, archives, folders, s3://bucket/prefix. (STRATA_INBOX)"),
    ] = None,
    received_at: ReceivedOption = "",
    exported_at: ExportedOption = "",
    shop: Annotated[str, typer.Option("--shop", help="Shop id, where neither file, folder nor policy says.")] = "",
    settle: Annotated[
        float,
        typer.Option("--settle", help="Seconds that a file must have lain unchanged; else it is left alone."),
    ] = SETTLE_SECONDS,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and account, write nothing.")] = False,
    lake: LakeOption = "",
    policy: PolicyOption = "",
    as_json: JsonOption = False,
) -> None:
    """Read export files into the lake; the same file again changes nothing.

    Folders CHANNEL/SHOP/… below what is named tell channel and shop. A bad file stops no other.
    Exit code 2 when a file, or a row of one, was refused; everything else is in. What is still
    being uploaded is left alone and told.

    Example: strata ingest exports/2026-05 --policy policy --received-at 2026-06-01
    """
    from flows.accounting import is_refused
    from flows.commands.receipt import Bars, show_receipt
    from flows.parameters import IngestParameters
    from tasks.progress import told_to

    with waiting(STARTING, is_quiet=as_json):
        from flows.ingest import ingest as run
    told = IngestParameters(
        paths=named_or_inbox(paths), received_at=received_at, exported_at=exported_at, shop=shop,
        settle_seconds=settle, dry_run=dry_run, lake=lake, policy=policy,
    )  # fmt: skip
    with Bars(is_quiet=as_json) as bars, told_to(bars):
        summary = run(told)
    show_receipt(summary, as_json=as_json)
    if is_refused(summary):
        raise typer.Exit(2)


def named_or_inbox(paths: list[str] | None) -> tuple[str, ...]:
    """What was named, else the inbox of the settings.

    Raises:
        ConfigurationError: neither.
    """
    from tasks.errors import ConfigurationError
    from tasks.settings import Settings

    if found := tuple(paths or ()) or (Settings().inbox,) * bool(Settings().inbox):
        return found
    raise ConfigurationError(
        "nothing is named to ingest",
        expected="files, folders or s3://bucket/prefix, or STRATA_INBOX",
        next_step="strata ingest EXPORTS",
    )


@app.command()
def refresh(
    as_of: AsOfOption = None,
    known_as_of: KnownOption = "",
    lake: LakeOption = "",
    policy: PolicyOption = "",
    as_json: JsonOption = False,
) -> None:
    """Work out every customer's scores, tier, stage, tags and moves at one date.

    Example: strata refresh --as-of 2026-05-31 --known-as-of 2026-06-01
    """
    from flows.parameters import RefreshParameters

    with waiting(STARTING, is_quiet=as_json):
        from flows.refresh import refresh as run
    told = RefreshParameters(as_of=day(as_of), known_as_of=known_as_of, lake=lake, policy=policy)
    _run(run, told, f"Refreshing {as_of or 'yesterday'} …", as_json=as_json)


@app.command()
def month(
    name: Annotated[str, typer.Argument(metavar="MONTH", help="Business month, YYYY-MM.")],
    inbox: Annotated[list[str] | None, typer.Option("--inbox", help="Export file or folder to ingest first.")] = None,
    received_at: ReceivedOption = "",
    exported_at: ExportedOption = "",
    known_as_of: KnownOption = "",
    lake: LakeOption = "",
    policy: PolicyOption = "",
    as_json: JsonOption = False,
) -> None:
    """Run a business month: ingest the inbox, refresh the last day, write the report. Delivers nothing.

    Example: strata month 2026-05 --inbox exports/2026-05
    """
    from flows.parameters import MonthParameters

    with waiting(STARTING, is_quiet=as_json):
        from flows.month import month as run
    told = MonthParameters(
        month=name,
        inbox=tuple(inbox or ()),
        received_at=received_at,
        exported_at=exported_at,
        known_as_of=known_as_of,
        lake=lake,
        policy=policy,
    )
    _run(run, told, f"Running {name} …", as_json=as_json)


@app.command()
def backfill(
    first: Annotated[str, typer.Argument(help="First month, YYYY-MM.")],
    last: Annotated[str, typer.Argument(help="Last month, YYYY-MM.")],
    knowledge: Annotated[str, typer.Option("--knowledge", help="`now` restates, `then` replays.")] = "now",
    lake: LakeOption = "",
    policy: PolicyOption = "",
    as_json: JsonOption = False,
) -> None:
    """Refresh a range of months again, oldest first. Recomputing never delivers.

    Example: strata backfill 2026-01 2026-10 --policy policy
    """
    from flows.parameters import BackfillParameters

    with waiting(STARTING, is_quiet=as_json):
        from flows.backfill import backfill as run
    told = BackfillParameters.model_validate(
        {"first": first, "last": last, "knowledge": knowledge, "lake": lake, "policy": policy}
    )
    _run(run, told, f"Backfilling {first} to {last} …", as_json=as_json)


@app.command()
def report(
    name: Annotated[str, typer.Argument(metavar="MONTH", help="Business month, YYYY-MM.")],
    lake: LakeOption = "",
    policy: PolicyOption = "",
    as_json: JsonOption = False,
) -> None:
    """Write the month's report page.

    Example: strata report 2026-05
    """
    from flows.parameters import ReportParameters

    with waiting(STARTING, is_quiet=as_json):
        from flows.report import report as run
    _run(run, ReportParameters(month=name, lake=lake, policy=policy), f"Drawing {name} …", as_json=as_json)


def _run(flow: Any, parameters: Any, words: str, *, as_json: bool) -> None:
    """Run a flow and show its summary."""
    with waiting(words, is_quiet=as_json):
        summary = flow(parameters)
    show(summary, as_json=as_json)

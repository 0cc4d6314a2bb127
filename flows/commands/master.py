"""The command that hands the customer master to the brand's other systems."""

from datetime import datetime
from typing import Annotated

import typer

from flows.commands.options import AsOfOption, JsonOption, LakeOption, day
from flows.commands.write import STARTING
from flows.show import show, waiting

app = typer.Typer()


@app.command()
def master(
    as_of: AsOfOption = None,
    since: Annotated[
        datetime | None,
        typer.Option("--since", formats=["%Y-%m-%d"], help="Only what changed since the master of this date."),
    ] = None,
    lake: LakeOption = "",
    as_json: JsonOption = False,
) -> None:
    """Publish who is in which tier, stage and segment, with which tags, for CRM, OMS and tills; twice is once.

    Consent is not asked for: nobody is written to. Who was forgotten stands in `removed.csv` of the changes.

    Example: strata master --as-of 2017-12-31
    """
    from flows.parameters import MasterParameters

    with waiting(STARTING, is_quiet=as_json):
        from flows.master import master as run
    show(run(MasterParameters(as_of=day(as_of), since=day(since), lake=lake)), as_json=as_json)

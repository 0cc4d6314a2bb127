"""`strata evaluate`: how well the models of customer value did on what came after them."""

from datetime import datetime
from typing import Annotated

import typer

from flows.commands.options import JsonOption, LakeOption, day
from flows.show import show

app = typer.Typer()
FitOption = Annotated[
    datetime | None,
    typer.Option("--fit-on", formats=["%Y-%m-%d"], help="Fit on what was known then; the last refreshed date at least "
                 "180 days before --until when left out."),
]  # fmt: skip
UntilOption = Annotated[
    datetime | None,
    typer.Option("--until", formats=["%Y-%m-%d"], help="Last day held against; the newest when left out."),
]


@app.command()
def evaluate(
    on: Annotated[str, typer.Option("--on", help="lake, or cdnow: a public data set that comes with Strata.")] = "lake",
    fit_on: FitOption = None,
    until: UntilOption = None,
    model: Annotated[str, typer.Option("--model", help="bg_nbd or mbg_nbd; on a lake the policy's.")] = "bg_nbd",
    lake: LakeOption = "",
    as_json: JsonOption = False,
) -> None:
    """Judge expected value and the chance to buy by a later period, and print how much of each promise was kept.

    The models are fitted on the past alone. Beside them stands the spend rate so far, as the naive forecast.

    Example: strata evaluate --on cdnow --model mbg_nbd
    """
    from flows.evaluate import Dates, evaluate_cdnow, evaluate_lake
    from tasks.errors import ConfigurationError
    from tasks.policy.value import Value

    dates = Dates(day(fit_on), day(until))
    if on not in ("lake", "cdnow") or model not in ("bg_nbd", "mbg_nbd"):
        raise ConfigurationError(f"--on {on} --model {model}", expected="--on lake or cdnow; --model bg_nbd or mbg_nbd")
    told = evaluate_lake(lake, dates) if on == "lake" else evaluate_cdnow(dates, Value(model=model))
    show(told, as_json=as_json)

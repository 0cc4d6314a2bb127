"""The commands about who is who: report here, explain and the declarations in who.py."""

from typing import Annotated

import typer

from flows.commands import who
from flows.commands.options import AsOfOption, JsonOption, LakeOption, day
from flows.show import print_json, show

app = typer.Typer(name="identity", help="Who is who: which keys are one customer, and why.", no_args_is_help=True)
app.registered_commands += who.app.registered_commands


@app.command()
def report(
    as_of: AsOfOption = None,
    lake: LakeOption = "",
    page: Annotated[bool, typer.Option("--page/--no-page", help="Also write the page with pictures.")] = True,
    as_json: JsonOption = False,
) -> None:
    """Say how many keys make a customer, which are hubs and bridges, what was refused, and what moved.

    Writes `reports/identity/<date>.html` into the lake: the same with pictures, and without any id or key.

    Example: strata identity report --as-of 2026-05-31
    """
    from flows.identity_report import report_identity
    from tasks.reports.identity import told

    figures = report_identity(day(as_of), lake, with_page=page)
    if as_json:
        print_json(figures)
        return
    show(told(figures), as_json=False)

"""The commands about the brand's rules: check a policy folder, tell two policies apart."""

from typing import Annotated, Any

import typer

from flows.commands.options import JsonOption, LakeOption
from flows.show import console, print_json, rows_table

app = typer.Typer(name="policy", help="The brand's rules: are they sound, and what was changed?", no_args_is_help=True)


@app.command()
def check(
    folder: Annotated[str, typer.Argument(help="Policy folder. (STRATA_POLICY)")] = "",
    as_json: JsonOption = False,
) -> None:
    """Look for everything that is wrong with a policy, each finding with its file and line.

    Segments complete and each reached, tiers that rise and are kept for no more than they are reached with, no two
    groups with one condition, no unknown column or code, no threshold in a wrong unit, no condition that holds for
    nobody. Exit code 4 when there is an error; warnings alone are told and pass.

    Example: strata policy check policy
    """
    from flows.policies import check as run

    findings = run(folder)
    if as_json:
        print_json(findings)
    show_findings(findings, as_json=as_json)


def show_findings(findings: list[dict[str, Any]], *, as_json: bool) -> None:
    """Print each finding with its place and next step, unless JSON was printed; leave when one is an error."""
    from tasks.errors import BadPolicyError

    errors = [one for one in findings if one["severity"] == "error"]
    for one in [] if as_json else findings:
        where = f"{one['file']}:{one['line']}" if one["line"] else one["file"]
        console.print(f"{where}: [bold]{one['severity']}[/]: {one['found']} ({one['rule']})", highlight=False)
        console.print(f"  next: {one['next']}", highlight=False, markup=False)
    if not as_json:
        console.print(f"{len(errors)} errors, {len(findings) - len(errors)} warnings", highlight=False)
    if errors:
        raise typer.Exit(BadPolicyError.exit_code)


@app.command()
def diff(
    before: Annotated[
        str, typer.Argument(help="A folder, the start of a run's id or of a policy's digest, or `last`.")
    ],
    after: Annotated[str, typer.Argument(help="The same; compared with the first.")],
    lake: LakeOption = "",
    as_json: JsonOption = False,
) -> None:
    """Tell what differs between two policies: each rule that was added, removed, changed or moved.

    Example: strata policy diff last policy
    """
    from flows.policies import compare

    told = compare(before, after, lake)
    if as_json:
        print_json(told)
    elif told["differences"]:
        console.print(rows_table(f"{told['before']} → {told['after']}", [_row(one) for one in told["differences"]]))
    else:
        console.print(f"{told['before']} and {told['after']} say the same", highlight=False)


def _row(one: dict[str, Any]) -> dict[str, str]:
    import json

    told = {
        name: "–" if one[name] is None else json.dumps(one[name], ensure_ascii=False) for name in ("before", "after")
    }
    return {"rule": one["path"], "change": one["change"], **told}

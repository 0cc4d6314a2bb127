"""The command that tries a policy out: who would move, and what hangs on it."""

from typing import Annotated, Any

import typer

from flows.commands.options import AsOfOption, JsonOption, LakeOption, day
from flows.show import console, print_json, rows_table

app = typer.Typer()


@app.command()
def simulate(
    policy: Annotated[str, typer.Option("--policy", help="Folder of the policy to try.")],
    as_of: AsOfOption = None,
    language: Annotated[str, typer.Option("--lang", help="zh or en")] = "zh",
    lake: LakeOption = "",
    as_json: JsonOption = False,
) -> None:
    """Try a policy on a date that was refreshed: who would move, their spend, coupons and messages. Writes nothing.

    Prints moves of tier, segment and stage, people and message costs of each campaign before consent and caps, and
    the 20 most valuable movers with the reason.

    Example: strata simulate --policy policy-next --as-of 2026-05-31 --lang en
    """
    from flows.simulate import simulate as run

    told = run(policy, day(as_of), lake)
    if as_json:
        print_json(told)
        return
    _print(told, "en" if language == "en" else "zh")


def _print(told: dict[str, Any], language: str) -> None:
    console.print(
        f"{told['as_of']}: of {told['customers']:,} customers {told['movers']['any']['customers']:,} would move",
        highlight=False,
    )
    kinds = [{"what": name.replace("_", " "), **totals} for name, totals in told["movers"].items()]
    for title, rows in (
        ("who would move", kinds),
        ("moves", told["moves"]),
        ("campaigns, before consent and caps", told["campaigns"]),
        ("coupons that come with a tier", told["coupons"]),
    ):
        if rows:
            console.print(rows_table(title, rows))
    console.print(
        f"coupons taken by those who would change tier: {told['coupon_fen_of_tier_movers']:,} fen", highlight=False
    )
    for one in told["explained"]:
        console.print(f"{one['one_id']}: {' '.join(one['why'][language])}", highlight=False, markup=False)

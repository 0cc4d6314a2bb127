"""Commands that only read: explain, runs, verify, doctor. None of them starts Prefect."""

from pathlib import Path
from typing import Annotated, Any

import typer

from flows.commands.options import AsOfOption, JsonOption, LakeOption, PolicyOption, day
from flows.show import console, print_json, rows_table, show
from tasks.settings import Settings

app = typer.Typer()


@app.command()
def explain(
    customer: Annotated[str, typer.Argument(help="`c_…`, also an old one, or a key: `member:complete_journey:1`.")],
    as_of: AsOfOption = None,
    language: Annotated[str, typer.Option("--lang", "--language", help="zh or en")] = "zh",
    page: Annotated[str, typer.Option("--page", help="Write a self-contained HTML page to this file instead.")] = "",
    lake: LakeOption = "",
    as_json: JsonOption = False,
) -> None:
    """Say why a customer has this score, tier, stage and these tags, how they came there, and why not the tier above.

    Example: strata explain member:complete_journey:1 --as-of 2017-12-31 --lang en --page why.html
    """
    from flows.reading import explanation_of

    explained = explanation_of(customer, day(as_of), lake)
    told = explained.told
    if page:
        Path(page).write_text(explained.page(), encoding="utf-8")
    if as_json:
        print_json(told)
        return
    if page:
        console.print(f"wrote {page}", highlight=False)
        return
    for line in explained.sentences("en" if language == "en" else "zh"):
        console.print(line, highlight=False, markup=False)
    show({"facts": told["facts"], "scores": _score_rows(told["scores"]),
          "tags": [_tag_row(entry) for entry in told["tags"] if entry["value"] not in (None, False)],
          "attributes": told["attributes"], "moves": told["moves"], "policy": told["policy_digest"][:12]},
         as_json=False)  # fmt: skip
    console.print("The tags that are not set, each with what its rule saw, are in --page and --json.", style="dim")


def _score_rows(scores: dict[str, Any]) -> list[dict[str, Any]]:
    """What fits a terminal's width; `--json` tells how each dimension was cut."""
    return [
        {"dimension": name, "value": entry["value"], "score": entry["score"],
         "asks for": entry["least_value_of_this_score"], "next": entry["value_of_the_next_score"]}
        for name, entry in scores.items()
    ]  # fmt: skip


def _tag_row(entry: dict[str, Any]) -> dict[str, str]:
    saw = ", ".join(f"{name}={value}" for name, value in entry["saw"].items())
    return {"tag": entry["code"], "value": str(entry["value"]), "rule": entry["rule"], "saw": saw}


@app.command()
def runs(
    last: Annotated[int, typer.Option("--last", help="How many, newest first.")] = 20,
    lake: LakeOption = "",
    as_json: JsonOption = False,
) -> None:
    """List finished runs with what they read and wrote.

    Example: strata runs --last 5
    """
    from flows.reading import list_runs

    rows = list_runs(lake, last)
    if as_json:
        print_json(rows)
    elif rows:
        console.print(rows_table("runs", [_run_row(row) for row in rows]))
    else:
        console.print("no run has finished on this lake yet")


def _run_row(row: dict[str, Any]) -> dict[str, str]:
    knew = f"{row['known_as_of']:%Y-%m-%d %H:%M}" if row["known_as_of"] else "–"
    rows = ", ".join(f"{table} {count:,}" for table, count in row["tables"].items())
    return {
        "run": row["run_id"][:8],
        "flow": row["flow"],
        "as of": str(row["as_of"] or "–"),
        "knew until (UTC)": knew,
        "started (UTC)": f"{row['started_at']:%Y-%m-%d %H:%M}",
        "rows": rows,
    }


@app.command()
def verify(
    month: Annotated[str, typer.Option("--month", help="Only this month, YYYY-MM; every month when left out.")] = "",
    lake: LakeOption = "",
    policy: PolicyOption = "",
    as_json: JsonOption = False,
) -> None:
    """Prove the past: hash every stored file, recompute every refresh, compare digests.

    Exit codes: 0 all the same, 2 another result, 3 damaged bytes (named), 6 the same, but the policy was edited.

    Example: strata verify --month 2017-06
    """
    from flows.verify import verify as prove

    settings = Settings()
    found = prove(lake or settings.lake, month, policy or settings.policy)
    show({"stored_files_checked": found.files, "refreshes_recomputed": found.runs, "damaged": found.damaged,
          "mismatches": found.mismatches, "made_by_other_code": found.other_code,
          "not_repeatable_since_an_erasure": found.unrepeatable, "under_other_names": found.renamed,
          "policy_changed": found.policy_changed or "no"}, as_json=as_json)  # fmt: skip
    found.require_good()


@app.command()
def doctor(
    repair: Annotated[
        bool, typer.Option("--repair", help="Finish and record sends that a killed run left; delivers nothing.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="With --repair: only list what it would do.")] = False,
    lake: LakeOption = "",
    as_json: JsonOption = False,
) -> None:
    """Check that this machine, the store, the lake and the sends are fit, and say what to mend.

    Example: strata doctor --repair --dry-run
    """
    from flows.doctor import examine, is_left, mend

    if repair:
        mended = mend(lake, is_rehearsal=dry_run)
        if as_json:
            print_json(mended)
        elif mended:
            console.print(rows_table("would repair" if dry_run else "repaired", mended))
        else:
            console.print("nothing to repair")
        if is_left(mended):
            raise typer.Exit(4)
        return
    findings = examine(lake)
    if as_json:
        print_json(findings)
    else:
        console.print(rows_table("doctor", findings))
    if any(finding["state"] == "bad" for finding in findings):
        raise typer.Exit(4)

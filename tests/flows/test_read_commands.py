"""The commands that only read: explain a customer, list runs, verify. They answer without waking Prefect."""

import os
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from flows.reading import explain_customer, list_runs
from flows.simulate import simulate
from flows.tagging import diff_customer, diff_tags
from tasks.errors import MissingDataError
from tests.support.quarter import JOURNEY, Brand, key_of
from tests.support.strata import strata

pytestmark = pytest.mark.slow

AS_OF = "2017-02-28"
HOUSEHOLD = "member:complete_journey:1"


@pytest.fixture(scope="module")
def told(standing: Brand) -> dict[str, Any]:
    """Household 1 explained, by the command, as a machine reads it."""
    answer = strata("explain", HOUSEHOLD, "--as-of", AS_OF, "--lake", standing.lake, "--json", env=os.environ)
    assert (answer.code, answer.problem) == (0, "")
    return dict(answer.told)


@pytest.fixture(scope="module")
def customer(standing: Brand) -> dict[str, Any]:
    """Household 1 as the table has it."""
    key = key_of("member", "complete_journey", "1")
    one_id = standing.rows("identities", AS_OF).filter(key=key)["one_id"].item()
    return standing.rows("customers", AS_OF).filter(one_id=one_id).row(0, named=True)


def test_the_facts_are_those_of_the_table(told: dict[str, Any], customer: dict[str, Any]):
    assert (told["one_id"], told["as_of"], told["policy_digest"]) == (
        customer["one_id"], AS_OF, customer["policy_digest"],
    )  # fmt: skip
    assert {name: str(value) for name, value in told["facts"].items()} == {
        name: str(customer[name]) for name in told["facts"]
    }


def test_every_score_stands_beside_the_cutoff_that_it_met(standing: Brand, told: dict[str, Any]):
    cutoffs = {(row[0], row[1]): row[2] for row in standing.rows("cutoffs", AS_OF).select(
        "dimension", "score", "cutoff").iter_rows()}  # fmt: skip
    for dimension, entry in told["scores"].items():
        sign = -1 if dimension == "r" else 1
        assert entry["least_value_of_this_score"] == sign * cutoffs[dimension, entry["score"]]
        assert sign * entry["value"] >= cutoffs[dimension, entry["score"]]
        if entry["score"] < 5:
            assert sign * entry["value"] < cutoffs[dimension, entry["score"] + 1]
            assert entry["value_of_the_next_score"] == sign * cutoffs[dimension, entry["score"] + 1]


def test_the_tier_says_what_the_next_one_takes(told: dict[str, Any], customer: dict[str, Any]):
    """The ladder of the demo: silver from 500.00, gold from 2,000.00, diamond from 5,000.00."""
    tier = told["tier"]
    ladder = {"silver": 50_000, "gold": 200_000, "diamond": 500_000}
    assert (tier["code"], tier["spend_fen"]) == (customer["tier"], customer["tier_spend_fen"])
    assert tier["next_up_fen"] == ladder[tier["next"]]
    assert tier["gap_fen"] == tier["next_up_fen"] - tier["spend_fen"]


def test_every_tag_names_its_rule_and_what_the_rule_saw(standing: Brand, told: dict[str, Any]):
    row = standing.rows("tags", AS_OF).filter(one_id=told["one_id"]).row(0, named=True)
    codes = {tag["code"] for tag in told["tags"]}
    beside = {f"{code}_on" for code in codes} | {"one_id", "as_of"}
    assert {tag["code"]: tag["value"] for tag in told["tags"]} == {
        name: value for name, value in row.items() if name not in beside
    }
    assert all(tag["rule"] and tag["zh"] and tag["en"] for tag in told["tags"])
    silent = next(tag for tag in told["tags"] if tag["code"] == "is_silent_30")
    assert (silent["rule"], silent["saw"]) == (
        "days_since_order > 30", {"days_since_order": told["facts"]["days_since_order"]},
    )  # fmt: skip


def test_a_raw_key_and_the_one_id_explain_the_same_customer(standing: Brand, customer: dict[str, Any]):
    by_key = explain_customer(HOUSEHOLD, customer["as_of"], standing.lake)
    assert by_key == explain_customer(customer["one_id"], customer["as_of"], standing.lake)


@pytest.mark.parametrize("unknown", ["member:complete_journey:999999", "c_aaaaaaaaaaaaaaaa", "nonsense"])
def test_an_unknown_customer_is_missing_data(standing: Brand, unknown: str):
    with pytest.raises(MissingDataError) as missing:
        explain_customer(unknown, None, standing.lake)
    assert missing.value.exit_code == 2
    assert missing.value.next_step


def test_an_unknown_customer_ends_with_2_and_the_next_step(standing: Brand):
    answer = strata("explain", "member:complete_journey:999999", "--lake", standing.lake, env=os.environ)
    assert (answer.code, answer.out) == (2, "")
    assert "nobody is known by that member key" in answer.problem
    assert "next: check the value" in answer.problem
    assert "999999" not in answer.problem


def test_every_move_between_the_two_months_has_its_cause(standing: Brand):
    moves = standing.rows("migrations", AS_OF)
    moved = pl.col("from_code") != pl.col("to_code")
    assert moves.filter(moved).height > 0
    assert moves.filter(moved != pl.col("cause").is_not_null()).is_empty()
    assert not {"config", "late_data", "identity", "manual"} & set(moves["cause"])


def test_the_explanation_is_also_a_page(standing: Brand, tmp_path: Path):
    page = tmp_path / "why.html"
    answer = strata(
        "explain",
        HOUSEHOLD,
        "--as-of",
        AS_OF,
        "--lake",
        standing.lake,
        "--lang",
        "en",
        "--page",
        str(page),
        env=os.environ,
    )
    assert (answer.code, answer.problem) == (0, "")
    assert "On 2017-02-28: tier" in page.read_text(encoding="utf-8")


def test_the_policy_that_holds_moves_nobody(standing: Brand):
    told = simulate(JOURNEY, None, standing.lake)
    assert (told["movers"]["any"]["customers"], told["moves"], told["explained"]) == (0, [], [])
    assert all(row["people"] == row["people_then"] for row in told["campaigns"])


def test_a_cheaper_tier_is_told_with_who_would_reach_it_and_nothing_is_written(standing: Brand, tmp_path: Path):
    folder = Path(shutil.copytree(JOURNEY, tmp_path / "policy"))
    tiers = folder / "tiers.yaml"
    cheaper = tiers.read_text(encoding="utf-8").replace("up_fen: 50000,", "up_fen: 20000,").replace("40000}", "10000}")
    tiers.write_text(cheaper, encoding="utf-8")
    seq = standing.seq
    answer = strata(
        "simulate", "--policy", str(folder), "--as-of", AS_OF, "--lake", standing.lake, "--json", env=os.environ
    )
    assert (answer.code, answer.problem) == (0, "")
    told = dict(answer.told)
    up = told["movers"]["tier_up"]
    assert up["customers"] == told["movers"]["tier"]["customers"] > 0
    assert up["spend_fen"] == sum(move["monetary_fen"] for move in told["moves"] if move["dimension"] == "tier")
    assert told["explained"][0]["why"]["en"][0].startswith("Tier Base → Silver")
    assert standing.seq == seq


def test_runs_lists_the_newest_first(standing: Brand):
    rows = list_runs(standing.lake)
    assert [(row["flow"], str(row["as_of"])) for row in rows] == [
        ("refresh", "2017-02-28"), ("refresh", "2017-01-31"), *[("ingest", "None")] * 3,
    ]  # fmt: skip
    assert rows[0]["tables"]["customers"] == standing.rows("customers", AS_OF).height


def test_the_identity_report_counts_the_stored_rows_and_keeps_its_page(standing: Brand):
    answer = strata("identity", "report", "--as-of", AS_OF, "--lake", standing.lake, "--json", env=os.environ)
    assert (answer.code, answer.problem) == (0, "")
    known = standing.rows("identities", AS_OF)
    assert (answer.told["customers"], answer.told["keys"]) == (known["one_id"].n_unique(), known["key"].n_unique())
    assert answer.told["previous_as_of"] == "2017-01-31"
    page = Path(answer.told["page"]).read_text(encoding="utf-8")
    assert "Who is who" in page
    assert not any(one_id in page for one_id in known["one_id"])


def test_what_became_of_tags_in_a_month_is_told_in_counts_and_for_one_customer(standing: Brand):
    """By the functions behind `strata tags diff`, against the rows of both months one by one."""
    then, now = ({row.pop("one_id"): row for row in standing.rows("tags", day).iter_rows(named=True)}
                 for day in ("2017-01-31", AS_OF))  # fmt: skip
    told = diff_tags("2017-02", standing.lake, "is_silent_30")
    counts = {change["change"]: change["customers"] for change in told["changes"]}
    pairs = [(then.get(one_id, {}).get("is_silent_30", False), row["is_silent_30"]) for one_id, row in now.items()]
    expected = {"added": pairs.count((False, True)), "kept": pairs.count((True, True)),
                "removed": pairs.count((True, False))}  # fmt: skip
    assert counts == {change: count for change, count in expected.items() if count}
    one = diff_customer("2017-02", HOUSEHOLD, standing.lake)
    levels = [change for change in one["changes"] if change["tag"] == "spending_power"]
    assert [(change["from_value"], change["to_value"]) for change in levels] == [
        (then[one["one_id"]]["spending_power"], now[one["one_id"]]["spending_power"])
    ]


LOOKING = [
    ["explain", HOUSEHOLD], ["runs"], ["verify"], ["--help"], ["sources", "list"], ["sources", "drift"],
    ["sources", "check", "tests/samples/youzan_orders_20260601.csv", "--shop", "mall"], ["quarantine", "list"],
    ["quarantine", "explain", "no_usable_key"], ["identity", "report", "--no-page"],
    ["tags", "list"], ["tags", "diff", "2017-02"],
]  # fmt: skip


@pytest.mark.acceptance
@pytest.mark.parametrize("command", LOOKING, ids=lambda command: " ".join(command[:2]))
def test_a_command_that_only_reads_never_imports_prefect(standing: Brand, command: list[str]):
    """Nor what else takes seconds: Great Expectations, charts, Delta, boto3."""
    lake = [] if command == ["--help"] else ["--lake", standing.lake]
    answer = strata(*command, *lake, env=os.environ, PYTHONPROFILEIMPORTTIME="1")
    assert answer.code == 0, answer.problem
    imported = {name for name in answer.problem.split() if name in SLOW | {"polars", "typer"}}
    assert imported & SLOW == set()
    assert "typer" in imported


SLOW = {"prefect", "great_expectations", "altair", "deltalake", "boto3", "pandas"}

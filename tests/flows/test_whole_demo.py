"""`strata demo` as a user runs it, once: every number that it arrives at, worked out again from the raw data."""

import csv
import hashlib
import json
import re
import shlex
import sqlite3
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from infra.demo.demo_cn.plan import EXPORTS, RECEIPTS
from tests.support.canaries import seen_in
from tests.support.demo_run import YEAR_END, Demo
from tests.support.journey import MONTH_ENDS, ROOT, Contact, facts_at, is_held_out, tier_code, tiers_by_month
from tests.support.qinghe import newest, read_and_spoiled

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(3600)]

KNOWN = datetime(2018, 1, 2, 5, tzinfo=UTC) - timedelta(microseconds=1)
"""The end of the day of the sends in New York: up to then a no is heard."""


@dataclass(frozen=True)
class Send:
    """What the issue says of a campaign."""

    vendor: str
    name: str
    experiment: str
    waterfall: dict[str, int]

    def chosen(self) -> set[int]:
        """The households whom the campaign is meant for."""
        everyone = facts_at(YEAR_END).values()
        if self.name == "winback_sms":
            return {each.household for each in everyone if each.m >= 3 and each.recency > 30}
        return {each.household for each in everyone if (YEAR_END - each.first_on).days <= 90}

    def consent(self, contact: Contact) -> str:
        """The word about this channel."""
        return contact.sms_consent if self.name == "winback_sms" else contact.push_consent

    def outcome(self, contact: Contact, one_id: str) -> str:
        """Why a chosen household gets it or not."""
        if not contact.said_yes(self.consent(contact), KNOWN):
            return "no_consent"
        return "holdout" if is_held_out(one_id, self.experiment, 10) else "delivered"


WINBACK = Send("demo_sms", "winback_sms", "exp:winback-sms-2018", {"delivered": 53, "no_consent": 10, "holdout": 3})
WELCOME = Send("demo_push", "welcome_push", "exp:welcome-push-2018", {"delivered": 15, "no_consent": 4, "holdout": 3})
SENDS = pytest.mark.parametrize("send", [WINBACK, WELCOME], ids=lambda send: send.name)


@pytest.fixture(autouse=True)
def _served() -> None:
    """The demo starts a server of its own, as a user's does; these tests run no flow in process."""


def test_every_line_and_every_cent_is_accounted_for(demo: Demo):
    files = demo.rows("files").filter(layout="complete_journey_transactions")
    rows = files.select(pl.col("^rows_.*$").sum()).row(0, named=True)
    money = files.select(pl.col("^money_.*_fen$").sum()).row(0, named=True)
    assert rows["rows_read"] == 1_469_307
    assert rows["rows_read"] == rows["rows_accepted"] + rows["rows_duplicate"] + rows["rows_quarantined"]
    assert money["money_accepted_fen"] + money["money_quarantined_fen"] == 459_603_958
    assert demo.rows("files").filter(pl.col("outcome") != "accepted").is_empty()


def test_the_baskets_are_orders_and_those_of_no_value_do_not_qualify(demo: Demo):
    orders = demo.rows("orders").filter(pl.col("known_to").is_null())
    assert (orders.height, orders["order_id"].n_unique()) == (155_848, 155_848)
    assert orders.filter(paid_fen=0).height == 478
    assert demo.rows("customers", YEAR_END)["frequency"].sum() == 155_848 - 478


def by_household(demo: Demo, day: date, *columns: str) -> dict[int, tuple[Any, ...]]:
    """The columns of every customer of a date."""
    customers = demo.rows("customers", day).select("one_id", *columns)
    return {demo.households[one_id]: tuple(row) for one_id, *row in customers.iter_rows()}


@pytest.mark.parametrize("day", MONTH_ENDS, ids=str)
def test_facts_and_scores_of_every_household_equal_sql_over_the_raw_data(demo: Demo, day: date):
    columns = ("recency_days", "frequency", "monetary_fen", "r_score", "f_score", "m_score")
    stored = by_household(demo, day, *columns)
    expected = {household: tuple(facts[1:7]) for household, facts in facts_at(day).items()}
    without = dict.fromkeys(stored.keys() - expected.keys(), (None, 0, 0, 0, 0, 0))
    assert stored == expected | without


def test_tiers_of_every_household_equal_the_rule_followed_day_by_day(demo: Demo):
    columns = ("tier", "tier_level", "tier_cause", "tier_since", "tier_valid_until", "tier_spend_fen")
    for day, tiers in tiers_by_month():
        stored = by_household(demo, day, *columns)
        assert stored == {household: (tier_code(tiers[household].level), *tiers[household]) for household in stored}


def test_a_fifth_of_the_households_bring_more_than_half(demo: Demo):
    spend = sorted((facts.monetary for facts in facts_at(YEAR_END).values()), reverse=True)
    share = sum(spend[:493]) / sum(spend)
    (basis_points,) = demo.rows("metrics", YEAR_END).filter(metric="pareto_20_bp")["value"]
    assert (len(spend), len(spend) * 20 // 100, basis_points, round(share, 4)) == (2_469, 493, 5_451, 0.5451)


@SENDS
def test_everyone_chosen_comes_to_the_end_that_the_exports_and_the_hash_say(demo: Demo, send: Send):
    expected = {
        household: send.outcome(demo.contacts[household], demo.one_ids[household]) for household in send.chosen()
    }
    members = demo.rows("audience_members").filter(campaign=send.name)
    stored = {demo.households[one_id]: end for one_id, end in members.select("one_id", "outcome").iter_rows()}
    assert len(stored) == 2_469
    assert {household: end for household, end in stored.items() if end != "rule_not_met"} == expected
    assert {end: list(expected.values()).count(end) for end in expected.values()} == send.waterfall


def delivered(demo: Demo, send: Send) -> list[list[str]]:
    """The rows of the files to which the send's pointer leads, headers included."""
    folder = demo.root / "complete_journey" / "outbox" / send.vendor / send.name / "2018-01-01"
    revisions = json.loads((folder / "CURRENT.json").read_bytes())["revisions"]
    parts = [path for each in revisions for path in sorted((folder / each["revision"]).glob("part-*.csv"))]
    assert not list(folder.glob("*/recall.csv"))
    return [row for path in parts for row in csv.reader(path.open(encoding="utf-8", newline=""))]


def test_the_sms_file_holds_exactly_the_phones_due_with_tier_and_days(demo: Demo):
    _, tiers = list(tiers_by_month())[-1]
    facts, due = facts_at(YEAR_END), due_households(demo, WINBACK)
    expected = [[demo.contacts[n].phone, tier_code(tiers[n].level), str(facts[n].recency)] for n in due]
    header, *rows = delivered(demo, WINBACK)
    assert header == ["phone", "tier", "days"]
    assert sorted(rows) == sorted(expected)


def test_the_push_file_holds_exactly_the_tokens_due(demo: Demo):
    tokens = [demo.contacts[n].push_token for n in due_households(demo, WELCOME)]
    assert sorted(delivered(demo, WELCOME)) == sorted([token] for token in tokens)


def due_households(demo: Demo, send: Send) -> list[int]:
    return [n for n in send.chosen() if send.outcome(demo.contacts[n], demo.one_ids[n]) == "delivered"]


def test_a_second_demo_is_faster_and_changes_nothing(demo: Demo):
    first, second = demo.told
    assert second["digests"] == first["digests"]
    assert len(first["digests"]) == 16
    assert {key: sha for key, sha in second["stored"].items() if first["stored"].get(key) != sha} == {}
    assert first["stored"].keys() == second["stored"].keys()
    assert second["seconds"] < first["seconds"]


def samples() -> list[str]:
    """SHA-256 of each small sample; a generated file may have the same name."""
    paths = [EXPORTS / path for receipt in RECEIPTS for path in receipt.paths]
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]


def generated(demo: Demo, table: str) -> pl.DataFrame:
    """The current rows of demo_cn that came out of generated files."""
    rows = demo.rows(table, brand="demo_cn")
    return rows.filter(pl.col("known_to").is_null() & ~pl.col("file_sha256").is_in(samples()))


def test_every_invented_row_is_read_and_exactly_the_spoiled_ones_are_refused(demo: Demo):
    files = demo.rows("files", brand="demo_cn").filter(~pl.col("sha256").is_in(samples()))
    told = files.group_by("layout").agg(pl.col("rows_read", "rows_quarantined").sum())
    assert {layout: (read, refused) for layout, read, refused in told.iter_rows()} == read_and_spoiled()
    assert files.filter(pl.col("outcome") != "accepted").is_empty()
    parts = pl.sum_horizontal("rows_accepted", "rows_duplicate", "rows_quarantined")
    assert files.filter(parts != pl.col("rows_read")).is_empty()


def test_the_orders_of_eight_channels_are_those_that_were_invented_to_the_fen(demo: Demo):
    orders = generated(demo, "orders")
    net = (pl.col("paid_fen") - pl.col("refunded_fen")).sum()
    found = orders.group_by("channel").agg(pl.len(), fen=net).sort("channel").rows()
    assert found == newest("orders")
    assert len(found) == 8
    assert 199_000 < orders.height < 200_000


def test_everyone_whom_shops_and_advisers_know_came_in(demo: Demo):
    for table in ("members", "follows"):
        found = generated(demo, table).group_by("channel").agg(pl.len()).sort("channel").rows()
        assert found == [(channel, rows) for channel, rows, _ in newest(table)]


@pytest.mark.parametrize("brand", ["complete_journey", "demo_cn"])
def test_the_past_can_be_proved(demo: Demo, brand: str):
    done = demo.strata("verify", "--lake", str(demo.root / brand), "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["damaged"], told["mismatches"]) == (0, [], [])
    assert told["refreshes_recomputed"] == {"complete_journey": 12, "demo_cn": 4}[brand]


def test_every_month_has_its_page(demo: Demo):
    pages = [str(path.relative_to(demo.root)) for path in sorted(demo.root.glob("*/reports/*/index.html"))]
    months = [("complete_journey", f"{day:%Y-%m}") for day in MONTH_ENDS]
    months += [("demo_cn", f"2026-{month:02d}") for month in (3, 4, 5, 6)]
    assert pages == [f"{brand}/reports/{month}/index.html" for brand, month in months]


def test_no_contact_can_be_read_outside_the_exports_and_the_vendors_files(demo: Demo):
    """Tables decoded, reports, validations, logs and Prefect's database included."""
    outbox = demo.root / "complete_journey" / "outbox"
    apart = (demo.root / "exports", outbox / "demo_sms", outbox / "demo_push")
    assert len(demo.canaries()) == 2 * 2_469
    assert seen_in(demo.folder, demo.canaries(), apart) == []


def test_the_search_finds_what_it_seeks(demo: Demo, tmp_path: Path):
    canary = max(demo.canaries())
    told = pl.DataFrame({"words": ["nothing", f"reach {canary} now"], "sealed": [b"\x00\xff", b"\x01"]})
    told.write_parquet(tmp_path / "hidden.parquet", compression="zstd")
    told.select(sealed=pl.col("words").cast(pl.Binary)).write_parquet(tmp_path / "bytes.parquet")
    told.select(pl.struct(pl.concat_list("words")).alias("deep")).write_parquet(tmp_path / "deep.parquet")
    (tmp_path / "page.html").write_text(f"<p>{canary}</p>")
    told.select(sealed=pl.lit(b"\xfe")).write_parquet(tmp_path / "clean.parquet")
    plant_in_database(tmp_path / "prefect.db", canary)
    assert seen_in(tmp_path, demo.canaries()) == sorted(
        ["hidden.parquet", "bytes.parquet", "deep.parquet", "page.html", "prefect.db"]
    )
    vendors = demo.root / "complete_journey" / "outbox" / "demo_sms"
    assert seen_in(vendors, demo.canaries()) != []


def plant_in_database(path: Path, value: str) -> None:
    """One row whose text is so long that it is spread over several pages."""
    with sqlite3.connect(path) as database:
        database.execute("create table log (message text)")
        database.execute("insert into log values (?)", ("x" * 4085 + value,))


def commands_of(page: str) -> list[str]:
    """Every `strata …` line of the page's shell blocks."""
    blocks = re.findall(r"```bash\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL)
    return [
        line.removeprefix("strata ") for block in blocks for line in block.splitlines() if line.startswith("strata ")
    ]


def test_both_readmes_show_the_same_commands():
    english, chinese = commands_of("README.md"), commands_of("README.zh.md")
    assert [line.replace("--language zh", "--language en") for line in chinese] == english
    assert len(english) >= 5


@pytest.mark.parametrize("line", commands_of("README.md"))
def test_a_command_of_the_readme_does_what_it_says(demo: Demo, line: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STRATA_LAKE", str(demo.root / "complete_journey"))
    words = shlex.split(line)
    if words[0] == "init":
        words[1] = f"policy-{words[1]}"
    done = demo.strata(*words)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_the_models_of_value_keep_their_promises_on_a_real_year(demo: Demo):
    """The command of docs/evaluation.md, and the numbers beside it."""
    page = (ROOT / "docs" / "evaluation.md").read_text(encoding="utf-8")
    line = next(line for line in page.splitlines() if line.startswith("strata evaluate --lake"))
    words = shlex.split(line.replace("lake/complete_journey", str(demo.root / "complete_journey")))[1:]
    told = json.loads(demo.strata(*words, "--json").stdout)
    assert told["fitted_on"] == "2017-06-30"
    assert {row["kept"] for row in told["promises"]} == {"yes"}
    assert f"{100 * told['value_ahead'][0]['accuracy_by_decile']:.1f} %" in page
    assert f"{100 * told['pareto_20']:.2f} %" in page
    assert sum(row["customers"] for row in told["by_tier"]) == told["customers"]
    assert {row["month"] for row in told["forecast"]} == {f"2017-{month:02}" for month in range(7, 13)}

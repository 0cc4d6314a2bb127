"""The shipped plays on a real, if small, lake: who is in each audience, and a balanced account of every campaign."""

import json
import shutil
import warnings
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from flows.commands.audiences import app
from flows.parameters import PlanParameters, RefreshParameters, SendParameters, TriggersParameters
from flows.plan import plan
from flows.refresh import refresh
from flows.send_due import send
from flows.triggers import triggers
from tasks.policy.load import load_policy
from tests.support.journey import POLICY
from tests.support.winback import AS_OF, SEND_ON, Brand, write_contacts

pytestmark = [pytest.mark.slow, pytest.mark.acceptance]
PLAYS = Path(__file__).parents[2] / "infra" / "plays"
SILENT_VIPS, COUPONS, OTHERS = range(1, 11), range(27, 41), range(41, 61)
NEW = {1: range(11, 15), 7: range(15, 19), 14: range(19, 23), 30: range(23, 27)}
"""Households by the day after their first order on which the send falls."""
HOUSEHOLDS = range(1, 61)
HEADER = (
    "household_id,store_id,basket_id,product_id,quantity,sales_value,retail_disc,coupon_disc,coupon_match_disc,"
    "week,transaction_timestamp"
)
FILLED = {
    "silent_vips": len(SILENT_VIPS),
    **{f"new_day_{days}": len(homes) for days, homes in NEW.items()},
    "coupon_sensitive": len(COUPONS),
    "near_next_tier": len(HOUSEHOLDS) - len(SILENT_VIPS),
    "recall_first": len(COUPONS) + len(OTHERS),
}
"""Audiences that purchases alone can fill, with whom the file of purchases puts there; the others are empty."""


def baskets() -> Iterator[tuple[int, date, int, int]]:
    """Household, day, dollars, coupons in dollars: one basket each."""
    yield from ((n, date(2017, 10, 1), 1000 + n, 0) for n in SILENT_VIPS)
    yield from ((n, SEND_ON - timedelta(days=days), 20, 0) for days, homes in NEW.items() for n in homes)
    yield from ((n, date(2017, 12, 1), 60, 5) for n in COUPONS)
    yield from ((n, date(2017, 11, 20), 300, 0) for n in OTHERS)


def write_exports(folder: Path) -> Path:
    folder.mkdir(parents=True)
    write_contacts(folder / "contacts-2017-11.csv", HOUSEHOLDS)
    lines = [f"{n},1,9{n:04d},77,1,{paid}.00,0.00,{off}.00,0.00,45,{day} 12:00:00" for n, day, paid, off in baskets()]
    (folder / "transactions-2017-12.csv").write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
    return folder


def write_policy(folder: Path) -> Path:
    """The plays over a demo brand; every one that has a schedule is due every day."""
    shutil.copytree(PLAYS, folder)
    for name in ("brand.yaml", "tiers.yaml"):
        shutil.copy(POLICY / name, folder)
    for path in (folder / "campaigns").glob("*.yaml"):
        told = yaml.safe_load(path.read_text(encoding="utf-8"))
        if "schedule" in told:
            path.write_text(yaml.safe_dump(told | {"schedule": {"every": "day"}}, allow_unicode=True), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def brand(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Brand:
    """Sixty households under the plays, before any send."""
    request.getfixturevalue("prefect_harness")
    folder = tmp_path_factory.mktemp("plays")
    brand = Brand(folder, write_policy(folder / "policy"))
    brand.take_in(write_exports(folder / "exports"), "2018-01-01T06:00:00-05:00")
    refresh(RefreshParameters(as_of=AS_OF, known_as_of=str(SEND_ON), lake=brand.uri, policy=str(brand.policy)))
    return brand


def asked(brand: Brand, *command: str) -> str:
    told = ("--lake", brand.uri, "--policy", str(brand.policy), "--send-on", str(SEND_ON))
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        answer = CliRunner().invoke(app, [*command, *told], catch_exceptions=False)
    assert answer.exit_code == 0
    return answer.stdout


def test_the_list_counts_whom_the_purchases_put_there(brand: Brand):
    told = json.loads(asked(brand, "list", "--json"))
    assert {row["audience"] for row in told} == {path.stem for path in (PLAYS / "audiences").glob("*.yaml")}
    assert {row["audience"]: row["customers"] for row in told if row["customers"]} == FILLED
    assert "silent_vips" in asked(brand, "list")


def test_one_audience_shown_says_what_it_rests_on_and_who_reads_it(brand: Brand):
    told = json.loads(asked(brand, "show", "silent_vips", "--json"))
    assert (told["customers"], told["rests_on_audiences"]) == (len(SILENT_VIPS), ["written_this_week"])
    assert told["read_by_campaigns"] == ["winback_vips"]
    sizes = {row["tier"]: (row["customers"], row["of"]) for row in told["by_tier"]}
    assert sizes == {"silver": (10, 10), "base": (0, 50)}
    assert "winback_vips" in asked(brand, "show", "silent_vips")


def test_before_anything_is_refreshed_the_rules_alone_are_listed(brand: Brand, tmp_path: Path):
    told = ["list", "--json", "--lake", str(tmp_path / "lake"), "--policy", str(brand.policy)]
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        answer = CliRunner().invoke(app, told, catch_exceptions=False)
    assert (answer.exit_code, answer.stderr) == (0, "")
    assert all("customers" not in row and row["rule"] for row in json.loads(answer.stdout))


def test_every_play_is_rehearsed_and_planned_with_a_balanced_account(brand: Brand):
    common: dict[str, Any] = {"known_as_of": str(SEND_ON), "lake": brand.uri, "policy": str(brand.policy)}
    campaigns = {one.code: one for one in load_policy(brand.policy).campaigns}
    by_date = {code for code, one in campaigns.items() if one.trigger is None}
    rehearsed = send(SendParameters(send_on=SEND_ON, today=SEND_ON, dry_run=True, **common))
    assert {row["campaign"]: row["status"] for row in rehearsed["sends"]} == dict.fromkeys(by_date, "would send")
    assert brand.rows("audience_members").is_empty()

    told = plan(PlanParameters(send_on=SEND_ON, **common))
    accounts = {account.pop("send").split("/")[1]: account for account in told["waterfalls"]}
    assert accounts.keys() == by_date
    for code, account in accounts.items():
        assert account.pop("base") == len(HOUSEHOLDS) == sum(account.values()), code
        met = len(HOUSEHOLDS) - account.get("rule_not_met", 0)
        assert met == FILLED.get(campaigns[code].audience.removeprefix("in_"), 0), code
    assert {row["campaign"]: row["rows"] for row in rehearsed["sends"]} == {
        code: account.get("planned", 0) for code, account in accounts.items()
    }
    members = brand.rows("audience_members")
    assert set(Counter(members.select("campaign", "one_id").iter_rows()).values()) == {1}

    looked = triggers(TriggersParameters(at="2018-01-01T12:00:00-05:00", today=SEND_ON, dry_run=True,
                                         lake=brand.uri, policy=str(brand.policy)))  # fmt: skip
    assert looked["outcome"] == "dry run"

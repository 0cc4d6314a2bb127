"""The shipped plays: each loads over the default policy, and each audience is what plain SQL says it is."""

import random
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from tasks.errors import BadPolicyError
from tasks.policy.lint.check import check_folder
from tasks.policy.load import load_policy
from tasks.policy.models import Policy
from tasks.transforms.audience import message_variables, select_audience
from tasks.transforms.history import Messages
from tasks.transforms.seen import Past, seen_columns, with_seen
from tests.support.campaigns import rows

ROOT = Path(__file__).parents[3]
PLAYS = ROOT / "infra" / "plays"
SEND_ON, AS_OF = date(2026, 7, 1), date(2026, 6, 30)
TIERS = ("base", "silver", "gold", "diamond")
PEOPLE = 900
AUDIENCES = sorted(path.stem for path in (PLAYS / "audiences").glob("*.yaml"))
PLAYED = {
    "winback_vips", "first_purchase", "new_customer_1", "new_customer_7", "new_customer_14", "new_customer_30",
    "restock", "birthday", "upgrade_nudge", "keep_tier", "recall_first", "recall_second", "koc_invitation",
    "coupon_offer", "adviser_call_list", "wecom_tags", "cart_left", "category_watched", "coupon_unopened",
}  # fmt: skip
"""One for each play of the handbooks."""

_QUIET = "one_id NOT IN (SELECT one_id FROM sent WHERE day BETWEEN DATE '2026-06-24' AND DATE '2026-06-30')"
_SILENT_VIPS = f"""SELECT one_id FROM people WHERE m_score >= 4 AND days_since_order BETWEEN 61 AND 365 AND {_QUIET}
    AND life_net_fen IS NOT NULL ORDER BY life_net_fen DESC, one_id LIMIT 5000"""
_NEW = "SELECT one_id FROM people WHERE date_diff('day', first_order_on, DATE '2026-07-01') = {} AND purchase_days = 1"
_RECALLED = (
    "SELECT one_id, max(day) AS day FROM sent WHERE campaign = 'recall_first' AND day >= DATE '2026-06-01' GROUP BY 1"
)
_BOUGHT = """SELECT o.one_id FROM orders o JOIN (SELECT one_id, min(day) AS day FROM sent
    WHERE campaign LIKE 'recall\\_%' ESCAPE '\\' AND day >= DATE '2026-06-01' GROUP BY 1) s
    ON o.one_id = s.one_id AND o.paid_on >= s.day WHERE o.paid_on BETWEEN DATE '2026-06-01' AND DATE '2026-06-30'"""
_FALLEN = """SELECT p.one_id FROM people p JOIN last_month l USING (one_id)
    WHERE l.tier_level >= 2 AND p.tier_level < l.tier_level"""
SQL = {
    "written_this_week": f"SELECT one_id FROM people WHERE NOT ({_QUIET})",
    "silent_vips": _SILENT_VIPS,
    "potential_buyers": f"""SELECT one_id FROM people WHERE life_orders = 0 AND {_QUIET}
        AND (activity = 'high' OR activity = 'middle' OR early_warning OR carts_30d >= 1)""",
    **{f"new_day_{days}": _NEW.format(days) for days in (1, 7, 14, 30)},
    "restock_due": f"""SELECT one_id FROM people WHERE {_QUIET}
        AND date_diff('day', DATE '2026-07-01', restock_due_on) BETWEEN 0 AND 6""",
    "birthday_month": """SELECT one_id FROM people WHERE birth_month = '07' AND one_id NOT IN
        (SELECT one_id FROM sent WHERE campaign = 'birthday')""",
    "near_next_tier": f"""SELECT one_id FROM people WHERE {_QUIET} AND tier_gap_fen BETWEEN 1 AND 50000
        AND days_since_order < 91""",
    "tier_at_end": """SELECT one_id FROM people
        WHERE date_diff('day', DATE '2026-07-01', tier_valid_until) BETWEEN 0 AND 29
        AND tier_spend_fen < list_extract([0, 40000, 160000, 400000], tier_level + 1)""",
    "recall_first": f"""SELECT one_id FROM people WHERE {_QUIET} AND (silent_behaviour OR silent_value)
        AND one_id NOT IN (SELECT one_id FROM ({_RECALLED})) AND one_id NOT IN ({_SILENT_VIPS})""",
    "recall_second": f"""SELECT one_id FROM ({_RECALLED}) WHERE day <= DATE '2026-06-24' AND one_id NOT IN ({_BOUGHT})
        AND one_id NOT IN (SELECT one_id FROM sent WHERE campaign = 'recall_second' AND day >= DATE '2026-05-02')""",
    "koc_candidates": """SELECT one_id FROM people WHERE koc_level <> 'none' AND koc_score IS NOT NULL
        ORDER BY koc_score DESC, one_id LIMIT 200""",
    "coupon_sensitive": f"""SELECT one_id FROM people WHERE days_since_order BETWEEN 15 AND 60 AND {_QUIET}
        AND (coalesce(coupon_rate, 0) >= 0.3 OR coalesce(price_sensitivity, '') = 'high')
        AND one_id NOT IN ({_NEW.format(30)})""",
    "fallen_vips": _FALLEN,
    "adviser_calls": f"""SELECT one_id FROM people WHERE adviser_id IS NOT NULL AND
        (one_id IN ({_SILENT_VIPS}) OR one_id IN ({_FALLEN})) ORDER BY monetary_fen DESC, one_id LIMIT 50""",
    "adviser_customers": "SELECT one_id FROM people WHERE adviser_id IS NOT NULL",
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plays laid over a brand that says nothing else."""
    folder = Path(shutil.copytree(PLAYS, tmp_path_factory.mktemp("plays") / "policy"))
    shutil.copy(ROOT / "infra/demo/demo_cn/policy/brand.yaml", folder)
    return folder


@cache
def loaded(folder: Path) -> Policy:
    return load_policy(folder)


def test_the_plays_are_sound_over_the_default_policy(folder: Path):
    assert check_folder(folder) == ()
    assert {campaign.code for campaign in loaded(folder).campaigns} == PLAYED
    assert {each.code for each in loaded(folder).audiences} == SQL.keys() == set(AUDIENCES)


def persons() -> Iterator[dict[str, Any]]:
    """People of all sorts, some of nothing known."""
    chance = random.Random(6)  # noqa: S311  no secret hangs on it

    def maybe(value: Any, share: float = 0.8) -> Any:
        return value if chance.random() < share else None

    for number in range(PEOPLE):
        level, bought = chance.randrange(4), chance.random() < 0.7
        since = chance.choice([1, 7, 14, 30, *range(2, 200)])
        yield {
            "one_id": f"c_{number:04d}", "as_of": AS_OF, "tier": TIERS[level], "tier_level": level,
            "m_score": chance.randint(1, 5) if bought else None, "life_orders": chance.randint(1, 9) if bought else 0,
            "purchase_days": chance.choice([1, 1, 2, 5]) if bought else 0,
            "first_order_on": AS_OF - timedelta(days=since - 1) if bought else None,
            "days_since_order": chance.randint(0, 400) if bought else None,
            "life_net_fen": chance.randrange(5) * 10000, "monetary_fen": chance.randrange(9) * 1000,
            "stage": "active" if bought else "prospect", "activity": chance.choice(["high", "low", "none", "unknown"]),
            "early_warning": chance.random() < 0.1, "carts_30d": chance.randrange(2),
            "restock_due_on": maybe(AS_OF + timedelta(days=chance.randint(-3, 12))), "restock_category": maybe("奶粉"),
            "birth_month": maybe(f"{chance.randint(5, 8):02d}"), "tier_gap_fen": maybe(chance.randint(0, 80000)),
            "tier_valid_until": maybe(AS_OF + timedelta(days=chance.randint(-2, 45))),
            "tier_spend_fen": chance.randrange(50) * 10000, "silent_behaviour": chance.random() < 0.5,
            "silent_value": chance.random() < 0.2, "koc_level": chance.choice(["none", "none", "star", "trainee"]),
            "koc_score": maybe(chance.randint(0, 99)), "coupon_rate": maybe(chance.random()),
            "price_sensitivity": maybe(chance.choice(["high", "low"])), "adviser_id": maybe(f"a{number % 7}", 0.5),
            "preferred_category": maybe("面霜"), "first_seen_at": datetime(2025, 1, 1, tzinfo=UTC),
        }  # fmt: skip


def messages(people: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Messages handed over in the last hundred days; every third person had some."""
    chance = random.Random(7)  # noqa: S311  no secret hangs on it
    for person in people[::3]:
        for code in chance.sample(["recall_first", "recall_second", "birthday", "winback_vips"], chance.randint(1, 2)):
            day = SEND_ON - timedelta(days=chance.choice([*range(1, 20), 45, 80]))
            yield {
                "send_id": f"plays_sms/{code}/{day}", "campaign": code, "vendor": "plays_sms", "touch_channel": "sms",
                "recipient_key": f"phone::{person['one_id']}", "one_id": person["one_id"], "kind": "handed_over",
                "happened_at": datetime(day.year, day.month, day.day, 2, tzinfo=UTC), "send_on": day,
            }  # fmt: skip


@cache
def world() -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """People, the same at last month's end, messages, and orders."""
    people = list(persons())
    chance = random.Random(8)  # noqa: S311  no secret hangs on it
    before = [
        {"one_id": one["one_id"], "tier": TIERS[level], "tier_level": level, "first_seen_at": one["first_seen_at"]}
        for one in people[10:] for level in [min(3, max(0, one["tier_level"] + chance.choice([-1, 0, 0, 1])))]
    ]  # fmt: skip
    orders = [
        (one["one_id"], SEND_ON - timedelta(days=chance.randint(1, 60)), str(n)) for n, one in enumerate(people[::2])
    ]
    bought = pl.DataFrame(orders, ["one_id", "paid_on", "order_id"], orient="row").with_columns(
        channel=pl.lit("youzan"), shop_id=pl.lit("main")
    )
    sent = rows("touches", messages(people)).collect()
    return pl.DataFrame(people, infer_schema_length=None), rows("customers", before).collect(), sent, bought


@pytest.fixture(scope="module")
def base(folder: Path) -> pl.DataFrame:
    """The invented people with every audience, as Strata works it out."""
    people, before, sent, bought = world()
    names = before.lazy().select("one_id", old_id="one_id")
    followed = people.lazy().drop_nulls("adviser_id").select("one_id", userid="adviser_id", known_from="first_seen_at")
    messages = Messages(sent.lazy(), bought.lazy(), "Asia/Shanghai")
    past = Past(SEND_ON, before.lazy(), before.lazy(), names, messages, contacts=followed)
    policy = loaded(folder)
    return with_seen(people.lazy(), policy, past, seen_columns(policy)).collect()


@pytest.mark.parametrize("code", AUDIENCES)
def test_an_audience_is_what_plain_sql_says(base: pl.DataFrame, code: str):
    people, before, sent, bought = world()
    with duckdb.connect() as database:
        database.register("people", people.to_arrow())
        database.register("last_month", before.to_arrow())
        database.register("sent", sent.select("one_id", "campaign", day="send_on").to_arrow())
        database.register("orders", bought.to_arrow())
        expected = {one for (one,) in database.execute(SQL[code]).fetchall()}
    found = set(base.filter(pl.col(f"in_{code}"))["one_id"])
    assert found == expected
    assert found, "nobody: this would prove nothing"


def test_every_play_finds_somebody_and_says_its_variables(base: pl.DataFrame, folder: Path):
    for campaign in loaded(folder).campaigns:
        met = select_audience(base.lazy(), campaign.model_copy(update={"trigger": None})).filter("is_met")
        told = message_variables(base.lazy(), campaign).join(met, on="one_id", how="semi").collect()
        assert told.height, campaign.code
        assert set(told.columns) == {"one_id", *campaign.variables}


def test_the_nudge_says_the_sum_in_whole_yuan_and_the_tier(folder: Path):
    nudge = loaded(folder).campaign("upgrade_nudge")
    people = pl.LazyFrame({"one_id": ["a", "b"], "tier_gap_fen": [31150, 31200], "tier": ["silver", "gold"]})
    told = message_variables(people, nudge).collect().rows()
    assert told == [("a", "¥312", "黄金"), ("b", "¥312", "钻石")]


def test_one_campaign_keeps_tags_and_by_columns_that_are_stored(folder: Path, tmp_path: Path):
    own = Path(shutil.copytree(folder, tmp_path / "policy"))
    sync = (own / "campaigns/wecom_tags.yaml").read_text(encoding="utf-8")
    second = own / "campaigns/again.yaml"
    second.write_text(sync.replace("code: wecom_tags", "code: again"), encoding="utf-8")
    with pytest.raises(BadPolicyError, match="again, wecom_tags have `tag_sync`"):
        load_policy(own)
    second.unlink()
    (own / "campaigns/wecom_tags.yaml").write_text(sync.replace("[tier]", "[in_silent_vips]"), encoding="utf-8")
    with pytest.raises(BadPolicyError, match="tag_sync"):
        load_policy(own)

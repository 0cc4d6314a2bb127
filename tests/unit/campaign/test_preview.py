"""What an operator sees before a send: counts against plain Python, examples that name nobody, hours by the clock."""

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.policy.variants import Variant
from tasks.transforms.preview import account_rows, cost_of, difference, examples, hide, overlap, variant_rows
from tasks.transforms.waterfall import GOING, OUTCOMES, waterfall
from tasks.transforms.windows import hours_of, next_window
from tests.support.campaigns import campaign
from tests.support.examples import examples as examples_of

SHANGHAI = "Asia/Shanghai"
IDS = st.sets(st.text("0123456789abcdef", min_size=8, max_size=8), max_size=30)
MEMBERS = st.lists(st.tuples(st.sampled_from(OUTCOMES), st.sampled_from(["a", "b", None])), max_size=60)
TWO = campaign(
    percent=0, message_cost_fen=4, incentive_fen=100, template="T1",
    variants=(Variant(code="a"), Variant(code="b", template="T2", incentive_fen=500)),
)  # fmt: skip


def members_of(drawn: list[tuple[str, str | None]]) -> pl.DataFrame:
    rows = [{"one_id": f"{n:064x}", "outcome": outcome, "variant": variant}
            for n, (outcome, variant) in enumerate(drawn)]  # fmt: skip
    return pl.DataFrame(rows, {"one_id": pl.String, "outcome": pl.String, "variant": pl.String})


@settings(max_examples=examples_of(40), deadline=None)
@given(MEMBERS)
def test_the_account_leads_from_everybody_to_those_who_get_a_message(drawn):
    counts = Counter(outcome for outcome, _ in drawn)
    base, *rows = account_rows(waterfall(members_of(drawn)))
    assert {row["outcome"]: row["customers"] for row in rows} == counts
    assert base["customers"] == sum(row["customers"] for row in rows) == len(drawn)
    if drawn:
        assert rows[-1]["left"] == sum(counts[end] for end in GOING)
        assert all(row["percent"] == round(100 * row["customers"] / len(drawn), 2) for row in rows)


@settings(max_examples=examples_of(40), deadline=None)
@given(MEMBERS)
def test_variants_and_cost_against_a_count_one_by_one(drawn):
    going = [variant for outcome, variant in drawn if outcome in GOING]
    told = {row["variant"]: (row["customers"], row["template"]) for row in variant_rows(members_of(drawn), TWO)}
    assert told == {code: (going.count(code), {"a": "T1", "b": "T2"}[code]) for code in {"a", "b"} & set(going)}
    price, worth = 4 * len(going), sum({"a": 100, "b": 500, None: 100}[variant] for variant in going)
    assert cost_of(members_of(drawn), TWO) == {
        "messages": len(going), "price_fen": price, "incentives_fen": worth, "cost_fen": price + worth,
    }  # fmt: skip


def test_where_the_texts_are_known_their_parts_are_charged():
    told = cost_of(members_of([("planned", "a"), ("delivered", "b"), ("holdout", None)]), TWO, price_fen=24)
    assert told == {"messages": 2, "price_fen": 24, "incentives_fen": 600, "cost_fen": 624}


@settings(max_examples=examples_of(40), deadline=None)
@given(IDS, IDS)
def test_what_was_sent_and_what_changes_make_what_is_wanted(reached, wanted):
    told = difference(pl.DataFrame({"one_id": sorted(reached)}), pl.DataFrame({"one_id": sorted(wanted)}))
    assert len(reached) - told["recalled"] + told["added"] == len(wanted) == told["kept"] + told["added"]


def test_whoever_merged_since_the_last_send_is_still_the_same_person():
    names = pl.LazyFrame({"old_id": ["a", "b", "c"], "one_id": ["a", "a", "c"]})
    told = overlap(pl.DataFrame({"one_id": ["b", "x"]}), pl.DataFrame({"one_id": ["a", "c"]}), names)
    assert told == {"reached": 2, "again": 1, "percent_of_this": 50.0}


def test_twenty_people_of_all_variants_whom_nobody_can_recognise():
    drawn = [("planned", "a" if n % 3 else "b") for n in range(1000)] + [("holdout", "holdout")] * 5
    members = members_of(drawn)
    told = members.select("one_id", tier=pl.lit("gold"), who="one_id", to=pl.lit("call 138-0000-1111 or a@b.cn"))
    shown = examples(members, told, "phone")
    assert (len(shown), shown) == (20, examples(members.reverse(), told, "phone"))
    assert Counter(row["variant"] for row in shown) == {"a": 14, "b": 6}
    assert not [one_id for one_id in members["one_id"] if one_id in str(shown)]
    first = {"customer": "…0001", "contact": "phone …", "variant": "a", "tier": "gold"}
    assert shown[0] == first | {"who": "…", "to": "call … or …"}


def test_a_variable_of_another_variants_message_is_not_shown():
    members = members_of([("planned", "a"), ("planned", "b")])
    told = members.select("one_id", tier=pl.lit("gold"), days=pl.lit(""), gift=pl.Series([None, "tea"]))
    assert [row.keys() & {"days", "gift"} for row in examples(members, told, "phone")] == [{"days"}, {"days", "gift"}]


def test_days_and_amounts_stay_readable():
    assert hide("312.50 until 2026-07-01, 3 days, gold") == "312.50 until 2026-07-01, 3 days, gold"
    assert hide("13800001111") == hide("+86 138 0000 1111") == "…"


@settings(max_examples=examples_of(40), deadline=None)
@given(
    st.integers(0, 300 * 86_400).map(lambda seconds: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)),
    st.integers(-5, 5), st.integers(0, 22), st.integers(1, 23),
)  # fmt: skip
def test_the_window_is_the_first_minute_that_is_allowed(now, days, opens, closes):
    hours = hours_of((time(opens), time(max(closes, opens + 1))))
    send_on = now.astimezone(ZoneInfo(SHANGHAI)).date() + timedelta(days=days)
    window = next_window(send_on, now, hours, SHANGHAI)
    minutes = (now.astimezone(ZoneInfo(SHANGHAI)) + timedelta(minutes=n) for n in range(8 * 1440))
    first = next(at for at in minutes if at.date() >= send_on and hours[0] <= at.time() < hours[1])
    assert window.opens <= first < window.closes
    assert (first - window.opens) <= timedelta(minutes=1)
    assert window.opens.time() >= hours[0]


def test_hours_of_vendor_and_campaign_are_shared_ones():
    assert hours_of(None, None) == (time(9), time(20))
    assert hours_of((time(8), time(22)), None) == (time(8), time(22))
    assert hours_of((time(8), time(18)), (time(10), time(21))) == (time(10), time(18))
    assert hours_of((time(8), time(10)), (time(10), time(21))) is None
    summer = next_window(date(2026, 7, 1), datetime(2026, 7, 1, 13, tzinfo=UTC), (time(9), time(20)), SHANGHAI)
    assert summer.opens.isoformat() == "2026-07-02T09:00:00+08:00"

"""For whom a trigger holds, against plain Python over all that people did; and that nothing is told twice."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.policy.triggers import Trigger
from tasks.transforms.audience import select_audience, trigger_column, was_meant
from tasks.transforms.triggers import Doings, doings_of, earliest_of, fired, still_to_tell
from tests.support.campaigns import campaign, owned, rows
from tests.support.examples import examples

ZONE = "Asia/Shanghai"
START = datetime(2026, 6, 26, 10, tzinfo=UTC)
AT = datetime(2026, 7, 1, 6, tzinfo=UTC)
CART = Trigger(event="cart_add", without=("checkout", "order"), after_minutes=120, within_minutes=1440)
COUPON = Trigger(event="coupon_claim", without=("coupon_use", "login"), after_minutes=2880, within_minutes=4320)
LOOKS = Trigger(event="view", without=("order",), days_in_a_row=3, same="category", within_minutes=1440)
DAYS = Trigger(event="view", days_in_a_row=2, after_minutes=30, within_minutes=2000)
KINDS = ("cart_add", "checkout", "coupon_claim", "coupon_use", "login", "view", "order")
did = st.tuples(
    st.sampled_from(["c_1", "c_2"]), st.sampled_from(KINDS), st.sampled_from(["面霜", "奶粉", None]),
    st.integers(0, 8 * 48).map(lambda half_hours: START + timedelta(minutes=30 * half_hours)),
)  # fmt: skip
Did = tuple[str, str, str | None, datetime]


def doings(did: list[Did]) -> Doings:
    schema = {"one_id": pl.String, "event": pl.String, "category": pl.String, "happened_at": pl.Datetime("us", "UTC")}
    every = pl.DataFrame([each for each in did if each[3] <= AT], schema, orient="row").lazy()
    is_order = pl.col("event") == "order"
    return Doings(every.filter(~is_order), every.filter(is_order).select("one_id", "happened_at"), ZONE)


def instances(trigger: Trigger, mine: list[Did]) -> dict[str | None, datetime]:
    """The last event of each sameness that holds as far as its days go."""
    last: dict[str | None, datetime] = {}
    for _, event, category, happened_at in mine:
        same = category if trigger.same else None
        if event == trigger.event and not (trigger.same and category is None):
            last[same] = max(last.get(same, happened_at), happened_at)
    many = trigger.days_in_a_row or 1
    return {same: at for same, at in last.items() if _has_days(trigger, mine, same, at, many)}


def day_of(moment: datetime) -> date:
    return moment.astimezone(ZoneInfo(ZONE)).date()


def _has_days(trigger: Trigger, mine: list[Did], same: str | None, last: datetime, many: int) -> bool:
    days = {day_of(at) for _, event, cat, at in mine if event == trigger.event and (not trigger.same or cat == same)}
    return all(day_of(last) - timedelta(days=n) in days for n in range(many))


def by_hand(trigger: Trigger, did: list[Did], one_id: str) -> bool:
    mine = [each for each in did if each[0] == one_id and each[3] <= AT]
    for last in instances(trigger, mine).values():
        minutes = (AT - last).total_seconds() / 60
        answered = any(event in trigger.without and at > last for _, event, _, at in mine)
        if trigger.after_minutes <= minutes <= trigger.within_minutes and not answered:
            return True
    return False


@settings(max_examples=examples(60))
@given(did=st.lists(did, max_size=14), trigger=st.sampled_from([CART, COUPON, DAYS]))
def test_whom_a_trigger_holds_for_is_what_plain_python_says(did, trigger):
    found = set(fired(trigger, doings(did), AT).collect()["one_id"])
    assert found == {one for one in ("c_1", "c_2") if by_hand(trigger, did, one)}


@settings(max_examples=examples(60))
@given(days=st.lists(st.tuples(st.integers(0, 4), st.sampled_from(["面霜", "奶粉", None])), max_size=9))
def test_days_running_are_of_one_category(days):
    did = [("c_1", "view", category, AT - timedelta(days=ago, hours=1)) for ago, category in days]
    found = fired(LOOKS, doings(did), AT).collect()
    assert bool(found.height) == by_hand(LOOKS, did, "c_1")
    if found.height:
        assert found["since"][0] == datetime(2026, 6, 29, tzinfo=ZoneInfo(ZONE))
        assert "on 3 days running, up to 2026-07-01" in found["why"][0]


@settings(max_examples=examples(40))
@given(did=st.lists(did, max_size=10), trigger=st.sampled_from([CART, COUPON, LOOKS, DAYS]))
def test_what_came_before_the_earliest_instant_changes_nothing(did, trigger):
    since = earliest_of([trigger], AT)
    recent = [each for each in did if each[3] >= since]
    assert fired(trigger, doings(did), AT).collect().sort("one_id").equals(
        fired(trigger, doings(recent), AT).collect().sort("one_id")
    )  # fmt: skip


def test_rows_of_nobody_rows_of_later_and_rows_not_yet_known_are_left_out():
    def event(key: str, minutes_ago: int, known_ago: int = 0) -> dict[str, object]:
        at = AT - timedelta(minutes=minutes_ago)
        return {
            "channel": "app", "shop_id": "main", "event_id": f"{key}{minutes_ago}", "event": "cart_add",
            "event_name": "x", "customer_key": key, "happened_at": at, "known_from": AT - timedelta(minutes=known_ago),
        }  # fmt: skip

    events = rows(
        "events", [event("member:a", 200), event("member:b", -5), event("member:c", 200, -1), event("nobody", 200)]
    )
    order = {"kind": "purchase", "buyer_key": "member:a", "ordered_at": AT - timedelta(minutes=100), "known_from": AT}
    identities = owned({"member:a": "c_1", "member:b": "c_2", "member:c": "c_3"})
    found = [
        fired(CART, doings_of(events, rows("orders", given), rows("products", []), identities, AT, ZONE), AT).collect()
        for given in ([], [order], [order | {"known_from": AT + timedelta(minutes=1)}])
    ]
    assert [each["one_id"].to_list() for each in found] == [["c_1"], [], ["c_1"]]


def test_one_thing_is_told_once_and_a_send_of_the_day_only_grows():
    since = AT - timedelta(hours=3)
    names = ["fresh", "told_before", "told_since", "waits", "reached"]
    holds = pl.LazyFrame(
        {"one_id": names, "since": [since] * 5, "why": ["w"] * 5}, schema_overrides={"since": pl.Datetime("us", "UTC")}
    )
    planned = pl.LazyFrame(
        {"one_id": ["told_before", "told_since", "waits", "reached"], "send_id": ["v/c/1", "v/c/1", "v/c/2", "v/c/2"],
         "planned_at": [since - timedelta(hours=1), since, since + timedelta(hours=1), since]},
        schema_overrides={"planned_at": pl.Datetime("us", "UTC")},
    )  # fmt: skip
    reached = pl.LazyFrame({"one_id": ["reached", "gone"]})
    told = still_to_tell(holds, planned, reached, "v/c/2").collect()
    assert sorted(told["one_id"]) == ["fresh", "gone", "reached", "told_before", "waits"]
    again = still_to_tell(holds, planned, told.lazy().select("one_id"), "v/c/2").collect()
    assert sorted(again["one_id"]) == sorted(told["one_id"])


def test_a_triggered_campaign_is_for_nobody_whom_nothing_set_off():
    base = pl.LazyFrame({"one_id": ["a", "b", "c"], "m_score": [5, 5, 1]})
    cart = campaign("cart", audience="m_score >= 3", trigger=CART.model_dump())
    assert not select_audience(base, cart).collect()["is_met"].any()
    told = base.with_columns(pl.Series(trigger_column("cart"), ["cart_add at 10:00", None, "cart_add at 11:00"]))
    met = select_audience(told, cart).collect()
    assert met["is_met"].to_list() == [True, False, False]
    assert met["facts"].to_list() == [
        "cart_add at 10:00, m_score=5", "nothing set it off, m_score=5", "cart_add at 11:00, m_score=1"
    ]  # fmt: skip
    changed = pl.LazyFrame({"one_id": ["new"], "old_id": ["a"]})
    assert was_meant(base, changed, cart).collect()["was_met"].to_list() == [True], "a merge does not silence a trigger"


def test_days_running_that_begin_where_clocks_skip_midnight_are_told_once():
    """In Cairo the 24th of April 2026 begins at one o'clock."""
    trigger = Trigger(event="view", days_in_a_row=3, same="category", within_minutes=1440)
    days = [datetime(2026, 4, day, 12, tzinfo=UTC) for day in (24, 25, 26)]
    seen = pl.LazyFrame({"one_id": "a", "event": "view", "happened_at": days, "category": "milk"})
    orders = pl.LazyFrame(schema={"one_id": pl.String, "happened_at": pl.Datetime("us", "UTC")})
    events = seen.with_columns(pl.col("happened_at").cast(pl.Datetime("us", "UTC")))
    held = fired(trigger, Doings(events, orders, "Africa/Cairo"), datetime(2026, 4, 26, 20, tzinfo=UTC))
    assert held.collect()["since"].to_list() == [datetime(2026, 4, 23, 22, tzinfo=UTC)]

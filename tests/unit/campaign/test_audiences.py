"""Audiences against plain Python over invented people, moves and histories; and what the policy refuses of them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expectations.tables import TABLES
from tasks.errors import BadPolicyError
from tasks.policy.audience_graph import check_audiences, closure, in_order
from tasks.policy.audiences import Audience
from tasks.policy.history import History
from tasks.policy.load import customer_columns, digest_of, parse_policy
from tasks.policy.profiling import check_profiling
from tasks.policy.seen import MOVES
from tasks.transforms.audience_columns import add_audiences
from tasks.transforms.history import Messages, add_history
from tasks.transforms.moves import earlier_labels
from tasks.transforms.seen import Past, with_seen
from tests.support.campaigns import campaign, policy, rows, shipped_policy
from tests.support.examples import examples

SEND_ON = date(2026, 7, 1)
ZONE = "Asia/Shanghai"
COLUMNS = ("one_id", "spend", "days")


def audience(code: str, **more: Any) -> Audience:
    given = {"code": code, "label": {"zh": code, "en": code}}
    return Audience.model_validate(given | more)


BUYERS = audience("buyers", where="spend > 0")
RECENT = audience("recent", where="days < 3")
FEW = audience("few", where="in_buyers AND NOT in_recent", top={"by": "spend", "most": 2})
HALF = audience("half", include=["buyers", "recent"], exclude=["few"], top={"by": "spend + days", "percent": "50"})
OTHERS = audience("others", exclude=["half"])
ALL = (OTHERS, HALF, FEW, RECENT, BUYERS)
people = st.lists(
    st.tuples(st.one_of(st.none(), st.integers(0, 3)), st.one_of(st.none(), st.integers(0, 5))), min_size=0, max_size=12
)


def by_hand(base: list[tuple[str, int | None, int | None]]) -> dict[str, set[str]]:
    """The same five audiences, said in Python."""
    buyers = {one for one, spend, _ in base if spend is not None and spend > 0}
    recent = {one for one, _, days in base if days is not None and days < 3}
    ranked = sorted((-spend, one) for one, spend, _ in base if spend is not None and one in buyers - recent)
    few = {one for _, one in ranked[:2]}
    able = [
        (-(spend + days), one) for one, spend, days in base
        if one in (buyers | recent) - few and spend is not None and days is not None
    ]  # fmt: skip
    half = {one for _, one in sorted(able)[: len(able) // 2]}
    return {"buyers": buyers, "recent": recent, "few": few, "half": half, "others": {one for one, *_ in base} - half}


@settings(max_examples=examples(40))
@given(people=people, order=st.permutations(ALL))
def test_audiences_are_what_plain_python_says_in_any_order_of_files(people, order):
    base = [(f"c_{n:02d}", *each) for n, each in enumerate(people)]
    schema = {"one_id": pl.String, "spend": pl.Int64, "days": pl.Int64}
    told = add_audiences(pl.DataFrame(base, schema, orient="row").lazy(), order).collect()
    assert told.height == len(base)
    assert {code: set(told.filter(pl.col(f"in_{code}"))["one_id"]) for code in by_hand(base)} == by_hand(base)


def test_only_what_is_asked_for_and_what_it_rests_on_is_worked_out():
    assert closure(["in_few"], ALL) == {"in_few", "in_buyers", "in_recent", "spend", "days"}
    assert [each.code for each in in_order(ALL)].index("others") == len(ALL) - 1


def test_a_circle_and_an_unknown_name_are_refused():
    one, other = audience("one", where="in_other"), audience("other", exclude=["one"])
    with pytest.raises(BadPolicyError, match="audiences read each other in a circle: in_one reads in_other reads"):
        check_audiences((one, other), ("in_one", "in_other"), "policy")
    with pytest.raises(BadPolicyError, match="there is no audience `buyer`") as refused:
        check_audiences((BUYERS, audience("rest", exclude=["buyer"])), ("spend",), "policy")
    assert "did you mean buyers?" in str(refused.value)
    with pytest.raises(BadPolicyError, match="there is no column `in_bayers`") as refused:
        check_audiences((BUYERS, audience("rest", where="in_bayers")), ("spend", "in_buyers"), "policy")
    assert "did you mean in_buyers?" in str(refused.value)


@pytest.mark.parametrize(
    "fields", [{}, {"include": ["a"], "exclude": ["a"]}, {"top": {"by": "spend"}},
               {"top": {"by": "spend", "most": 1, "percent": 1}}],
)  # fmt: skip
def test_an_audience_that_says_nothing_or_contradicts_itself_is_refused(fields: dict[str, Any]):
    with pytest.raises(ValueError, match=r"needs one of|includes and excludes|exactly one"):
        audience("a1", **fields)


def test_a_policy_without_audiences_is_stored_as_before_there_were_any():
    content = shipped_policy().model_dump(mode="json")
    assert content.keys().isdisjoint({"audiences", "history"})
    with_one = parse_policy(content | {"audiences": [FEW_OF_COLUMNS.model_dump(mode="json")]}, "policy")
    again = parse_policy(with_one.model_dump(mode="json"), "policy")
    assert digest_of(with_one) == digest_of(again) != digest_of(shipped_policy())
    assert "in_rich" in customer_columns(with_one)


FEW_OF_COLUMNS = audience("rich", where="m_score >= 4 AND tier_moved = 'down'", top={"by": "clv_fen", "most": 5})


@pytest.mark.parametrize(("rule", "is_refused"), [("m_score = 5", True), ("days_since_order < 9", False)])
def test_profiling_is_seen_through_audiences(rule, is_refused):
    behind, front = audience("behind", where=rule), audience("front", include=["behind"], where="life_orders > 0")
    rules = policy(campaign(audience="in_front", profiling=False)).model_copy(update={"audiences": (front, behind)})
    if is_refused:
        with pytest.raises(BadPolicyError, match=r"its audience reads m_score"):
            check_profiling(rules)
    else:
        check_profiling(rules)


def test_moves_tell_up_down_same_and_new_through_merges():
    def customers(given: dict[str, int]) -> pl.LazyFrame:
        seen = datetime(2026, 1, 1, tzinfo=UTC)
        common = {"segment": "loyal", "stage": "active", "first_seen_at": seen}
        return rows("customers", ({"one_id": o, "tier": f"t{n}", "tier_level": n} | common for o, n in given.items()))

    now, before = customers({"up": 2, "down": 0, "same": 1, "new": 1, "one": 3}), {"up": 1, "down": 1, "same": 1}
    names = pl.LazyFrame({"old_id": ["up", "down", "same", "old"], "one_id": ["up", "down", "same", "one"]})
    told = earlier_labels(now, customers(before | {"old": 1, "gone": 1}), names, MOVES).collect()
    assert dict(told.select("one_id", "tier_moved").iter_rows()) == {
        "up": "up", "down": "down", "same": "same", "new": "new", "one": "up"
    }  # fmt: skip
    assert dict(told.select("one_id", "tier_before").iter_rows())["one"] == "t1"
    assert set(earlier_labels(now, None, names, MOVES).collect()["tier_moved"]) == {"new"}


KINDS = ("planned", "cancelled", "handed_over", "delivered", "failed", "clicked", "replied")
touched = st.lists(
    st.tuples(
        st.sampled_from(["c_1", "c_2"]), st.sampled_from(["winback_a", "winback_b", "welcome"]), st.integers(0, 12),
        st.sampled_from(KINDS), st.integers(0, 30), st.booleans(),
    ),
    max_size=14,
)  # fmt: skip
bought = st.lists(st.tuples(st.sampled_from(["c_1", "c_2", None]), st.integers(0, 12)), max_size=6)
ENTRIES = tuple(
    History(name=f"h_{kind}", campaigns="^winback", kind=kind, days=9)
    for kind in ("planned", "handed_over", "delivered", "clicked", "replied", "bought")
)


def touch_row(one_id: str, code: str, ago: int, kind: str, hours: int, *, is_named: bool = True) -> dict[str, Any]:
    send_on = SEND_ON - timedelta(days=ago)
    at = datetime(send_on.year, send_on.month, send_on.day, tzinfo=UTC) + timedelta(hours=hours)
    return {
        "send_id": f"v/{code}/{send_on}", "campaign": code, "touch_channel": "sms", "recipient_key": f"phone::{one_id}",
        "one_id": one_id if is_named else None, "kind": kind, "happened_at": at, "send_on": send_on,
    }  # fmt: skip


def told_by_hand(one_id: str, kind: str, touches: list[dict[str, Any]], orders: list[tuple[str | None, int]]) -> Any:
    """How often, and days since the last, from the rows themselves."""
    first = SEND_ON - timedelta(days=9)
    meant = {(t["send_id"], t["recipient_key"]): t["one_id"] for t in touches if t["one_id"]}
    mine: dict[str, list[dict[str, Any]]] = {}
    for each in touches:
        owner = each["one_id"] or meant.get((each["send_id"], each["recipient_key"]))
        if owner == one_id and each["campaign"].startswith("winback"):
            mine.setdefault(each["send_id"], []).append(each)
    proof = {"accepted", "delivered", "failed", "clicked", "replied"}
    live, handed = {}, {}
    for send, parts in mine.items():
        cancelled = [p["happened_at"] for p in parts if p["kind"] == "cancelled"]
        alive = [p["happened_at"] for p in parts if p["kind"] in {"planned", "handed_over"}]
        counts = not cancelled or (alive and max(alive) >= max(cancelled)) or any(p["kind"] in proof for p in parts)
        if counts:
            live[send] = parts[0]["send_on"]
            if any(p["kind"] in proof | {"handed_over"} for p in parts):
                handed[send] = parts[0]["send_on"]
    if kind == "bought":
        starts = [day for day in handed.values() if first <= day < SEND_ON]
        paid = [SEND_ON - timedelta(days=ago) for one, ago in orders if one == one_id]
        days = [day for day in paid if starts and min(starts) <= day < SEND_ON]
        return (len(days), (SEND_ON - max(days)).days if days else None)
    days_of = {"planned": live, "handed_over": handed}.get(kind)
    if days_of is None:
        pairs = [
            (send, (p["happened_at"] + timedelta(hours=8)).date()) for send, ps in mine.items() for p in ps
            if p["kind"] == kind
        ]  # fmt: skip
    else:
        pairs = list(days_of.items())
    within = [(send, day) for send, day in pairs if first <= day < SEND_ON]
    return (len({send for send, _ in within}), min(((SEND_ON - day).days for _, day in within), default=None))


@settings(max_examples=examples(40))
@given(touched=touched, bought=bought)
def test_history_is_what_the_rows_say(touched, bought):
    touches = [touch_row(*each, is_named=is_named) for *each, is_named in touched]
    orders = pl.DataFrame(
        [("youzan", "main", str(n), one, SEND_ON - timedelta(days=ago)) for n, (one, ago) in enumerate(bought)],
        {"channel": pl.String, "shop_id": pl.String, "order_id": pl.String, "one_id": pl.String, "paid_on": pl.Date},
        orient="row",
    )
    people = pl.LazyFrame({"one_id": ["c_1", "c_2", "c_3"]})
    told = add_history(people, ENTRIES, Messages(rows("touches", touches), orders.lazy(), ZONE), SEND_ON).collect()
    for row in told.iter_rows(named=True):
        for entry in ENTRIES:
            expected = told_by_hand(row["one_id"], entry.kind, touches, bought)
            assert (row[entry.name], row[f"{entry.name}_days"]) == expected, (entry.kind, row["one_id"])


def test_history_never_reads_the_day_of_the_send_or_later():
    touches = [touch_row("c_1", "winback_a", ago, "handed_over", 1) for ago in (-1, 0)]
    orders = TABLES["orders"].empty().select("channel", "shop_id", "order_id", "paid_on", one_id="buyer_key")
    people = pl.LazyFrame({"one_id": ["c_1"]})
    told = add_history(people, ENTRIES, Messages(rows("touches", touches), orders, ZONE), SEND_ON).collect()
    assert told.select(entry.name for entry in ENTRIES).row(0) == (0,) * len(ENTRIES)


@pytest.mark.parametrize(("pattern", "expected"), [(".", 0), ("^wecom_tags$", 1), ("^wecom", 0)])
def test_what_tells_nobody_is_no_message_unless_an_entry_names_it(pattern: str, expected: int):
    entry = History(name="written", campaigns=pattern, kind="handed_over", days=7)
    touches = rows("touches", [touch_row("c_1", "wecom_tags", 2, "handed_over", 1)])
    told = Messages(touches, _no_orders(), ZONE, frozenset({"wecom_tags"}))
    counted = add_history(pl.LazyFrame({"one_id": ["c_1"]}), [entry], told, SEND_ON).collect()
    assert counted["written"].to_list() == [expected]


def test_columns_of_history_leave_out_the_campaign_that_keeps_tags():
    sync = campaign("wecom_tags", tag_sync=("tier",), vendor="sms_vendor")
    entry = History(name="written", campaigns=".", kind="handed_over", days=7)
    brand = policy(sync).model_copy(update={"history": (entry,)})
    touches = rows("touches", [touch_row("c_1", "wecom_tags", 2, "handed_over", 1)])
    nothing = pl.LazyFrame(schema={"old_id": pl.String, "one_id": pl.String})
    past = Past(send_on=SEND_ON, before=None, last_month=None, names=nothing,
                messages=Messages(touches, _no_orders(), ZONE))  # fmt: skip
    seen = with_seen(pl.LazyFrame({"one_id": ["c_1"]}), brand, past, {"written"}).collect()
    assert seen["written"].to_list() == [0]


def _no_orders() -> pl.LazyFrame:
    return TABLES["orders"].empty().select("channel", "shop_id", "order_id", "paid_on", one_id="buyer_key")

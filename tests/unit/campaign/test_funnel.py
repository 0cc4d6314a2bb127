"""The funnel of a send: receipts in any order, twice, late and for strangers, against a count message by message."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.transforms.funnel import BOUGHT_DAYS, REPLY_DAYS, STEPS, funnel
from tests.support.campaigns import rows
from tests.support.examples import examples

ZONE = "Asia/Shanghai"
FIRST = date(2026, 7, 1)
SENDS = {f"v/c{n}/{FIRST + timedelta(days=n)}": FIRST + timedelta(days=n) for n in range(3)}
WHO = ("k1", "k2", "k3")
KINDS = ("planned", "handed_over", "waiting", "accepted", "delivered", "failed", "clicked", "replied")


def touch(send: str, key: str, kind: str, day: date, **more: Any) -> dict[str, Any]:
    on = SENDS.get(send, day)
    at = datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=4)
    return {
        "send_id": send, "campaign": send.split("/")[1], "vendor": "v", "touch_channel": "sms", "recipient_key": key,
        "one_id": f"c_{key}" if kind in {"planned", "handed_over", "cancelled"} else None, "kind": kind,
        "happened_at": at, "send_on": on, "send_month": f"{on:%Y-%m}",
    } | more  # fmt: skip


def counted(touches: list[dict[str, Any]], paid: list[tuple[str, date]] = ()) -> dict[str, dict[str, int]]:
    orders = pl.LazyFrame(
        [{"one_id": f"c_{key}", "paid_on": day} for key, day in paid], {"one_id": pl.String, "paid_on": pl.Date}
    )
    names = pl.LazyFrame(schema={"old_id": pl.String, "one_id": pl.String})
    told = funnel(rows("touches", touches), orders, names, ZONE).collect()
    return {row["send_id"]: {step: row[step] for step in STEPS} for row in told.iter_rows(named=True)}


def by_hand(touches: list[dict[str, Any]], paid: list[tuple[str, date]]) -> dict[str, dict[str, int]]:
    """One message after the other."""
    told: dict[tuple[str, str], set[str]] = {}
    for one in touches:
        told.setdefault((one["send_id"], one["recipient_key"]), set()).add(one["kind"])
    ours = {message: kinds for message, kinds in told.items() if kinds & {"planned", "handed_over"}}
    sums = {send: dict.fromkeys(STEPS, 0) for send, _ in ours}
    for (send, key), kinds in ours.items():
        is_delivered = bool(kinds & {"delivered", "clicked"})
        days = [(day - SENDS[send]).days for who, day in paid if who == key]
        came = {
            "planned": True, "handed_over": "handed_over" in kinds, "delivered": is_delivered,
            "accepted": is_delivered or "accepted" in kinds, "failed": "failed" in kinds and not is_delivered,
            "clicked": "clicked" in kinds, "replied": "replied" in kinds,
            "bought": "handed_over" in kinds and any(0 <= after < BOUGHT_DAYS for after in days),
        }  # fmt: skip
        for step, is_so in came.items():
            sums[send][step] += is_so
    return sums


TOUCHES = st.lists(
    st.builds(touch, st.sampled_from(sorted(SENDS)), st.sampled_from(WHO), st.sampled_from(KINDS), st.just(FIRST)),
    max_size=40,
)
PAID = st.lists(
    st.tuples(st.sampled_from(WHO), st.integers(-2, 12).map(lambda n: FIRST + timedelta(days=n))), max_size=5
)


@settings(max_examples=examples(40), deadline=None)
@given(TOUCHES, PAID, st.randoms(use_true_random=False))
def test_whatever_comes_in_whatever_order_and_how_often(touches, paid, shuffled):
    touches = [*touches, *(touch(send, "k0", "planned", FIRST) for send in SENDS)]  # no reply is to none of ours
    expected = by_hand(touches, paid)
    again = [*touches, *touches[: len(touches) // 2]]
    shuffled.shuffle(again)
    assert counted(touches, paid) == counted(again, paid) == expected
    for sums in expected.values():
        assert sums["planned"] >= sums["handed_over"] >= sums["bought"]
        assert sums["accepted"] >= sums["delivered"] >= sums["clicked"]


def test_a_reply_that_names_no_message_answers_the_newest_one():
    first, second, third = sorted(SENDS)
    sent = [touch(send, "k1", "handed_over", SENDS[send]) for send in (first, second)]
    late = touch("v/replies/2026-07-02", "k1", "replied", FIRST + timedelta(days=1))
    told = counted([*sent, touch(third, "k2", "handed_over", SENDS[third]), late, late])
    assert [told[send]["replied"] for send in (first, second, third)] == [0, 1, 0]
    never = touch("v/replies/2026-07-09", "k1", "replied", FIRST + timedelta(days=2 + REPLY_DAYS))
    assert counted([*sent, never])[second]["replied"] == 0


def test_a_seed_is_in_no_count_and_a_recalled_message_buys_nothing():
    send = min(SENDS)
    touches = [
        touch(send, "k1", "handed_over", FIRST), touch(send, "k1", "cancelled", FIRST + timedelta(days=1)),
        touch(send, "seed", "delivered", FIRST), touch("v/other/2026-07-01", "k1", "delivered", FIRST),
    ]  # fmt: skip
    told = counted(touches, [("k1", FIRST + timedelta(days=2))])
    assert list(told) == [send]
    assert told[send] == dict.fromkeys(STEPS, 0) | {"planned": 1, "handed_over": 1, "recalled": 1}

"""Who of the staff has confirmed their part of a send, and how many of their customers it reached."""

from datetime import UTC, date, datetime
from typing import Any

import polars as pl

from tasks.transforms.advisers import confirmations
from tasks.transforms.caps import ledger
from tasks.transforms.funnel import funnel
from tests.support.campaigns import rows

SEND, ZONE = "w/spring/2026-07-01", "Asia/Shanghai"
NIGHT, NOON = datetime(2026, 6, 30, 16, tzinfo=UTC), datetime(2026, 7, 1, 4, tzinfo=UTC)
ADVISERS = {"a": "li", "b": "li", "c": "wu", "d": "wu", "e": "he", "f": None}


def touch(who: str, kind: str, at: datetime = NIGHT) -> dict[str, Any]:
    """Ours know whom they are for; WeCom's know the contact alone."""
    ours = kind in {"planned", "handed_over", "cancelled"}
    return {"send_id": SEND, "campaign": "spring", "vendor": "w", "touch_channel": "wecom", "kind": kind,
            "recipient_key": f"k{who}", "one_id": who if ours else None, "happened_at": at,
            "send_on": date(2026, 7, 1), "send_month": "2026-07"}  # fmt: skip


def ledger_rows() -> list[dict[str, Any]]:
    """Li has confirmed: a got it, b is no friend any more; wu and he have not; e was called back, f has no adviser."""
    told = [touch(who, kind) for who in ADVISERS for kind in ("planned", "handed_over")]
    told += [touch(who, "waiting") for who in "abcdez"]
    return [*told, touch("a", "delivered", NOON), touch("b", "failed"), touch("e", "cancelled", NOON)]


def test_each_adviser_with_what_they_were_given_and_what_they_sent():
    advisers = pl.LazyFrame({"send_id": [SEND] * 6, "one_id": [*ADVISERS], "adviser_id": [*ADVISERS.values()]})
    told = confirmations(rows("touches", ledger_rows()), advisers, ZONE).collect()
    assert told.drop("send_on", "send_id").rows() == [
        ("li", 2, 0, 1, 1, True, NOON), ("wu", 2, 2, 0, 0, False, None), (None, 1, 0, 0, 0, False, None),
    ]  # fmt: skip


def test_what_waits_has_come_no_further_than_handed_over():
    orders = pl.LazyFrame(schema={"one_id": pl.String, "paid_on": pl.Date})
    names = pl.LazyFrame(schema={"old_id": pl.String, "one_id": pl.String})
    (row,) = funnel(rows("touches", ledger_rows()), orders, names, ZONE).collect().to_dicts()
    assert (row["handed_over"], row["waiting"], row["accepted"], row["delivered"], row["failed"]) == (6, 3, 1, 1, 1)


def test_a_word_that_somebody_waits_is_no_message():
    """It neither counts for a stranger nor brings back what was cancelled."""
    keys = pl.LazyFrame({"key": [f"k{who}" for who in "abcdefz"], "one_id": [*"abcdefz"]})
    counted = ledger(rows("touches", ledger_rows()), keys).collect()
    assert sorted(counted["one_id"].unique()) == ["a", "b", "c", "d", "f"]

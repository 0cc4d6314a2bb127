"""Who of a published list was held out: through old ids, and told apart from those who merged with one only later."""

from datetime import date
from typing import Any

import polars as pl

from tasks.transforms.holdout_proof import Ids, held_among
from tests.support.campaigns import rows

DAY = date(2026, 7, 1)


def names(**now: str) -> pl.LazyFrame:
    return pl.LazyFrame({"old_id": list(now), "one_id": list(now.values())}, {"old_id": pl.String, "one_id": pl.String})


def log(*places: tuple[str, str], on: date = date(2026, 1, 1)) -> pl.LazyFrame:
    told: list[dict[str, Any]] = [
        {"experiment": "e", "unit": unit, "variant": variant, "bucket": 1, "assigned_on": on}
        for unit, variant in places
    ]
    return rows("assignments", told)


def found(sent: list[str], places: pl.LazyFrame, then: pl.LazyFrame, now: pl.LazyFrame) -> list[tuple[Any, ...]]:
    people = pl.DataFrame({"one_id": sent}, {"one_id": pl.String})
    return held_among(people, places, "e", send_on=DAY, ids=Ids(then, now)).rows()


def test_a_held_out_in_a_published_list_is_found_and_a_treated_is_not() -> None:
    places = log(("a", "holdout"), ("b", "treated"))
    assert found(["a", "b", "c"], places, names(a="a"), names(a="a")) == [("a", False)]
    assert found(["b", "c"], places, names(), names()) == []


def test_an_old_id_of_a_held_out_is_followed_as_of_the_send() -> None:
    """`a` was held out, and was one person with `b` when `b` was sent to."""
    assert found(["b"], log(("a", "holdout")), names(a="b", b="b"), names(a="b", b="b")) == [("b", False)]


def test_who_became_one_with_a_held_out_after_the_send_was_sent_to_rightly() -> None:
    assert found(["b"], log(("a", "holdout")), names(a="a", b="b"), names(a="b", b="b")) == [("b", True)]


def test_who_was_held_out_only_after_the_send_is_none() -> None:
    assert found(["a"], log(("a", "holdout"), on=date(2026, 7, 2)), names(), names()) == []

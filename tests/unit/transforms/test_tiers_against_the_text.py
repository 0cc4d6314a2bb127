"""The frame's tiers equal a plain reading of algorithms §4, month after month, and its laws hold."""

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from random import Random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.policy.tiers import Tiers
from tasks.transforms.orders import net_orders
from tasks.transforms.reviews import reviews_between
from tasks.transforms.tier_replay import advance
from tasks.transforms.tier_spend import refund_moves, spend_at, with_counting_days
from tests.support.examples import examples
from tests.unit.transforms import builders, tier_oracle
from tests.unit.transforms.tier_oracle import Customer, Order, State, month

MONTHS = [date(2023, 12, 31), date(2024, 1, 31), date(2024, 2, 29), date(2024, 3, 31), date(2024, 4, 30)]
FIRST = date(2023, 11, 1)
DAYS = st.integers(0, 180).map(lambda number: FIRST + timedelta(days=number))
AMOUNTS = st.sampled_from([0, 100, 400, 500, 800, 1200, 2000])


@st.composite
def an_order(draw: st.DrawFn) -> Order:
    paid_on, paid_fen = draw(DAYS), draw(AMOUNTS)
    back = st.tuples(st.integers(0, 60).map(lambda days: paid_on + timedelta(days=days)), st.integers(1, 1500))
    return Order(paid_on, paid_fen, tuple(draw(st.lists(back, max_size=2))))


PEOPLE = st.lists(
    st.builds(
        Customer,
        st.lists(an_order(), max_size=6).map(tuple),
        st.builds(State, locked_until=st.none() | st.none() | DAYS),
    ),
    min_size=1,
    max_size=8,
)
POLICIES = st.builds(
    builders.ladder,
    qualify_window_days=st.sampled_from([30, 60, 365]),
    maturity_days=st.sampled_from([0, 7]),
    grace_days=st.sampled_from([0, 0, 20, 45]),
    downgrade=st.sampled_from(["none", "one_down", "to_match"]),
    upgrade=st.sampled_from(["immediate", "immediate", "at_review"]),
    refund_effect=st.sampled_from(["immediate", "immediate", "at_review", "none"]),
)


def frames(people: list[Customer]) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """Orders and refunds of the customers, who are called by their number."""
    bought = [(f"{who}-{n}", name_of(who), o) for who, c in enumerate(people) for n, o in enumerate(c.orders)]
    orders = builders.orders(*((name, who, order.paid_on, order.paid_fen) for name, who, order in bought))
    refunds = builders.refunds(*((name, on, fen) for name, _, order in bought for on, fen in order.refunds))
    return orders, refunds


def name_of(number: int) -> str:
    """Names in the order of the numbers."""
    return f"{number:04}"


def first_state(people: list[Customer]) -> pl.LazyFrame:
    locks = [c.state.locked_until for c in people]
    return pl.LazyFrame(
        {
            "one_id": [name_of(who) for who in range(len(people))],
            "tier": "base",
            "tier_level": 0,
            "tier_locked_until": locks,
        },
        schema_overrides={"tier_level": pl.Int64, "tier_locked_until": pl.Date},
    ).with_columns(
        *(pl.lit(None, pl.Date).alias(f"tier_{n}") for n in ("since", "valid_until", "grace_until", "window_end")),
        *(pl.lit(None, pl.String).alias(f"tier_{n}") for n in ("granted_by", "lock_reason")),
    )


def advanced(
    state: pl.LazyFrame, orders: pl.LazyFrame, refunds: pl.LazyFrame, after: date, as_of: date, tiers: Tiers
) -> pl.DataFrame:
    """One month by the transforms."""
    everyone = state.select("one_id")
    keys = builders.identities(*everyone.collect()["one_id"])
    net = net_orders(orders, refunds, keys, as_of=as_of).pipe(with_counting_days, refunds, as_of=as_of, tiers=tiers)
    spend = net.group_by("one_id").agg(spend_at(as_of, tiers))
    people = everyone.join(spend, on="one_id", how="left").with_columns(pl.col("tier_spend_fen").fill_null(0))
    moves = refund_moves(net, refunds, as_of=as_of, tiers=tiers)
    return advance(people, state, net, moves, after=after, as_of=as_of, tiers=tiers).sort("one_id").collect()


@settings(max_examples=examples(5), deadline=None)
@given(PEOPLE, POLICIES)
def test_every_month_equals_the_plain_reading(people: list[Customer], tiers: Tiers):
    check_months(people, tiers)


@pytest.mark.slow
@pytest.mark.parametrize("downgrade", ["none", "one_down", "to_match"])
@pytest.mark.parametrize("upgrade", ["immediate", "at_review"])
@pytest.mark.parametrize("refund_effect", ["immediate", "at_review", "none"])
@pytest.mark.parametrize(("grace_days", "maturity_days"), [(0, 0), (20, 7), (45, 0)])
def test_every_kind_of_policy_with_many_customers(
    downgrade: str, upgrade: str, refund_effect: str, grace_days: int, maturity_days: int
):
    draw = Random(f"{downgrade} {upgrade} {refund_effect} {grace_days}")  # noqa: S311
    tiers = builders.ladder(
        downgrade=downgrade, upgrade=upgrade, refund_effect=refund_effect,
        grace_days=grace_days, maturity_days=maturity_days, qualify_window_days=draw.choice([30, 60]),
    )  # fmt: skip
    check_months([random_customer(draw) for _ in range(examples(100))], tiers)


YEAR = [*MONTHS, *(date(2024, month, monthrange(2024, month)[1]) for month in range(5, 13)), date(2025, 1, 31)]
"""Tiers of January and February 2024 have their first anniversary at its end."""


@pytest.mark.slow
@pytest.mark.parametrize(("upgrade", "downgrade"), [("immediate", "to_match"), ("at_review", "one_down")])
def test_anniversaries_are_reviews(upgrade: str, downgrade: str):
    draw = Random(f"{upgrade} {downgrade}")  # noqa: S311
    tiers = builders.ladder(
        review="tier_anniversary", upgrade=upgrade, downgrade=downgrade, maturity_days=7, qualify_window_days=120
    )
    check_months([random_customer(draw) for _ in range(40)], tiers, YEAR)


@pytest.mark.parametrize("upgrade", ["immediate", "at_review"])
def test_fixed_dates_are_reviews_and_nothing_else_is(upgrade: str):
    draw = Random(upgrade)  # noqa: S311
    tiers = builders.ladder(review="fixed_dates", review_on=("02-29", "04-10"), upgrade=upgrade, grace_days=20)
    legs = sorted({*MONTHS, *reviews_between(MONTHS[0], MONTHS[-1], tiers)})
    assert [day for day in legs if day not in MONTHS] == [date(2024, 4, 10)]
    check_months([random_customer(draw) for _ in range(40)], tiers, legs)


def random_customer(draw: Random) -> Customer:
    orders = [random_order(draw) for _ in range(draw.choice([0, 2, 5, 12]))]
    locked_until = FIRST + timedelta(days=draw.randrange(180)) if draw.random() < 0.1 else None
    return Customer(tuple(orders), State(locked_until=locked_until))


def random_order(draw: Random) -> Order:
    paid_on = FIRST + timedelta(days=draw.randrange(180))
    back = [
        (paid_on + timedelta(days=draw.randrange(60)), draw.randrange(1, 1500))
        for _ in range(draw.choice([0, 0, 1, 2]))
    ]
    return Order(paid_on, draw.choice([0, 100, 400, 500, 800, 1200, 2000]), tuple(back))


def check_months(people: list[Customer], tiers: Tiers, dates: Sequence[date] = MONTHS) -> None:
    """Walk the months with both, and compare everything that is remembered."""
    orders, refunds = frames(people)
    state = first_state(people)
    for after, as_of in pairwise(dates):
        got = advanced(state, orders, refunds, after, as_of, tiers)
        read = [month(customer, after, as_of, tiers) for customer in people]
        people = [replace(customer, state=new) for customer, (new, _) in zip(people, read, strict=True)]
        assert states_of(got) == [customer.state for customer in people]
        assert got["tier_spend_fen"].to_list() == [
            tier_oracle.spend(customer.orders, as_of, as_of, tiers) for customer in people
        ]
        check_laws(state.sort("one_id").collect(), got, [causes for _, causes in read], tiers)
        state = got.lazy()


def states_of(got: pl.DataFrame) -> list[State]:
    columns = ("level", "since", "valid_until", "grace_until", "granted_by", "window_end", "locked_until")
    return [State(*row) for row in got.select(f"tier_{name}" for name in columns).iter_rows()]


def check_laws(before: pl.DataFrame, after: pl.DataFrame, causes: list[list[str]], tiers: Tiers) -> None:
    """What the text promises of every month, whatever the policy."""
    keep = [tier.keep_fen for tier in tiers.tiers]
    olds = before.sort("one_id")["tier_level"]
    for old, row, taken in zip(olds, after.iter_rows(named=True), causes, strict=True):
        new, cause = row["tier_level"], row["tier_cause"]
        assert 0 <= new < len(tiers.tiers)
        assert (new > old) == (cause == "upgrade")
        assert (new < old) == (cause in {"refund", "downgrade"})
        if cause == "downgrade":
            assert row["tier_spend_fen"] < keep[old]
            assert "upgrade" not in taken
        if cause == "refund":
            assert "refund" in taken
        assert (new == 0) == (row["tier_valid_until"] is None)

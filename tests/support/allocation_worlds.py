"""Random people, consents, merges, ledgers, campaigns and rules for the laws of allocation."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
from hypothesis import strategies as st

from tasks.policy.campaigns import Campaign
from tasks.policy.contacting import Cap
from tasks.policy.models import Policy
from tasks.transforms.allocation import Allocation, allocate
from tasks.transforms.coupons import Pools
from tasks.transforms.known import Known
from tests.support.campaigns import NOW, SEEN, SEND_ON, campaign, consent, known, member, phone, policy, touch

PEOPLE = ("a", "b", "c", "d", "e", "f", "g", "h")
FORMER = ("x", "y")
"""Ids that somebody had before a merge."""
NUMBERS = (1, 2, 3, 4, 5, 6)
TIERS = ("gold", "silver")
GLOBAL = "global-holdout:test"

World = dict[str, Any]
NEEDS = pl.Schema({"send_id": pl.String(), "one_id": pl.String()})
consents = st.builds(
    lambda subject, decision, channel, purpose, day: consent(
        subject, decision, touch_channel=channel, purpose=purpose, decided_at=SEEN + timedelta(days=day)
    ),
    st.sampled_from([*map(phone, NUMBERS), *map(member, PEOPLE)]),
    st.sampled_from(["granted", "granted", "granted", "withdrawn"]),
    st.sampled_from(["sms", "sms", "sms", "push", "*"]),
    st.sampled_from(["marketing", "marketing", "marketing", "*"]),
    st.integers(0, 3),
)
_codes = st.sampled_from(["one", "two", "three"])
touches = st.builds(
    lambda one_id, key, days_ago, kind, code: touch(
        one_id, key, days_ago, kind, campaign=code, send_id=f"sms_vendor/{code}/{SEND_ON - timedelta(days=days_ago)}"
    ),
    st.sampled_from([*PEOPLE, *FORMER, None]),
    st.sampled_from([*map(phone, NUMBERS), member("a")]),
    st.sampled_from([-8, -3, -1, 1, 2, 3, 5, 7, 8]),
    st.sampled_from(["planned", "handed_over", "handed_over", "cancelled", "clicked", "delivered"]),
    st.sampled_from(["one", "two", "earlier", "replies"]),
)


@st.composite
def drawn_campaigns(draw: st.DrawFn) -> Campaign:
    """One SMS campaign with some of the parts that a campaign may have."""
    more: dict[str, Any] = {
        "priority": draw(st.integers(1, 2)),
        "audience": draw(st.sampled_from(["m_score >= 0", "m_score >= 3"])),
        "exclusive_group": draw(st.sampled_from([None, "g", "g"])),
        "percent": draw(st.sampled_from([None, "30", "60"])),
        "purpose": "marketing",
        "message_cost_fen": draw(st.sampled_from([0, 5])),
        "incentive_fen": draw(st.sampled_from([0, 7])),
        "budget_fen": draw(st.sampled_from([None, None, 0, 15, 24, 60])),
        "budget_days": draw(st.sampled_from([None, 3])),
        "stop_if": draw(st.sampled_from([(), ("bought",)])),
        "coupon_pool": draw(st.sampled_from([None, None, {"pool": "spring", "when_empty": "leave_out"}])),
        "caps": draw(st.sampled_from([(), ({"days": 3, "most": 1},), ({"days": 6, "most": 2, "counts": "all"},)])),
    }
    if more["percent"] is not None:
        more["variants"] = draw(
            st.sampled_from([
                (), ({"code": "a", "weight": 2}, {"code": "b", "incentive_fen": 20}),
                ({"code": "a"}, {"code": "b"}, {"code": "z", "incentive_fen": 0}),
            ])
        )  # fmt: skip
        more["split"] = draw(st.sampled_from(["hash", {"coverage": 50}, {"by": ["tier"]}]))
    return campaign(draw(_codes), **more)


_assignments = st.builds(
    lambda experiment, unit, variant, day: {
        "experiment": experiment, "unit": unit, "variant": variant, "bucket": 1,
        "assigned_on": date(2026, 5, 1) + timedelta(days=day),
    },
    st.sampled_from([GLOBAL, "exp:one", "exp:two"]),
    st.sampled_from([*PEOPLE, *FORMER]),
    st.sampled_from(["holdout", "treated", "a", "b"]),
    st.integers(0, 2),
)  # fmt: skip
worlds = st.fixed_dictionaries(
    {
        "people": st.dictionaries(st.sampled_from(PEOPLE), st.integers(1, 5), min_size=2),
        "tiers": st.fixed_dictionaries({p: st.sampled_from(TIERS) for p in PEOPLE}),
        "phones": st.fixed_dictionaries({p: st.sampled_from([*NUMBERS, *NUMBERS, None]) for p in PEOPLE}),
        "merges": st.fixed_dictionaries({old: st.sampled_from(PEOPLE) for old in FORMER}),
        "bought": st.sets(st.sampled_from(PEOPLE), max_size=2),
        "consents": st.lists(consents, max_size=5),
        "all_said_yes": st.sampled_from([True, True, True, False]),
        "touches": st.lists(touches, max_size=5),
        "assignments": st.lists(_assignments, max_size=5, unique_by=lambda row: (row["experiment"], row["unit"])),
        "campaigns": st.lists(drawn_campaigns(), min_size=1, max_size=3, unique_by=lambda c: c.code),
        "codes": st.integers(0, 5),
        "holders": st.sets(st.tuples(_codes, st.sampled_from([*PEOPLE, *FORMER])), max_size=3),
        "global_percent": st.sampled_from([None, "20", "50"]),
        "caps": st.lists(
            st.builds(Cap, touch_channel=st.sampled_from(["sms", "*"]), days=st.integers(1, 8), most=st.integers(1, 2)),
            max_size=2,
        ),
    }
)


def words_of(world: World) -> list[dict[str, Any]]:
    """The consents of a world; in most worlds every number has said yes first."""
    yes = [consent(phone(n), decided_at=SEEN - timedelta(days=1)) for n in NUMBERS] if world["all_said_yes"] else []
    return [*yes, *world["consents"]]


def facts(world: World) -> Known:
    """What is known in a world."""
    people = world["people"]
    told = known(
        people,
        {p: world["phones"][p] for p in people},
        words_of(world),
        world["touches"],
        world["assignments"],
    )
    tiers = pl.LazyFrame({"one_id": list(people), "tier": [world["tiers"][p] for p in people]})
    names = {p: p for p in people} | {old: now for old, now in world["merges"].items() if now in people}
    bought = sorted(world["bought"])
    held = [(f"sms_vendor/{code}/{SEND_ON}", one_id) for code, one_id in sorted(world["holders"])]
    return Known(
        **{
            **vars(told),
            "base": told.base.join(tiers, on="one_id", maintain_order="left"),
            "names": pl.LazyFrame({"old_id": list(names), "one_id": list(names.values())}),
            "bought": pl.LazyFrame(
                {"one_id": bought, "bought_on": [SEND_ON] * len(bought)}, {"one_id": pl.String, "bought_on": pl.Date}
            ),
            "pools": Pools({"spring": world["codes"]}, pl.LazyFrame(held, NEEDS, orient="row")),
        }
    )


def rules(world: World) -> Policy:
    """The policy of a world."""
    percent = world["global_percent"]
    held = None if percent is None else {"experiment": GLOBAL, "percent": Decimal(percent)}
    return policy(*world["campaigns"], caps=world["caps"], global_holdout=held)


def run(people: Known, world: World) -> Allocation:
    """The allocation of a world."""
    return allocate(people, rules(world), send_on=SEND_ON, at=NOW)


def with_log(people: Known, done: Allocation) -> Known:
    """The same with what an allocation appended to ledger and assignments."""
    ledger = pl.concat([people.touches, done.touches.lazy()])
    log = pl.concat([people.assignments, done.assignments.lazy()])
    return Known(**{**vars(people), "touches": ledger, "assignments": log})

"""Moves that rest on others or on people: cut-offs that moved, and tiers that were given or taken by hand."""

from dataclasses import replace
from datetime import date

from tasks.policy.holds import Fraud, Holds, Lock
from tests.unit.causes.world import FEBRUARY, MARCH, World, policy

Order = tuple[str, str, date, int, date]


def bought(who: str, *days: date) -> tuple[Order, ...]:
    return tuple((f"{who}-{day}", who, day, 100, day) for day in days)


def test_who_stood_still_while_all_others_bought_moved_by_the_cutoffs():
    """Ann's two orders are the most in February; in March everybody else has three, and nothing of hers is enough."""
    first, later = date(2026, 2, 20), (date(2026, 3, 1), date(2026, 3, 2))
    others = [order for number in range(9) for order in bought(f"b{number}", first, *later)]
    world = World((*others, *bought("ann", date(2026, 2, 1), first)))
    moves = world.moves().filter(dimension="segment", who="ann")
    assert moves.select("from_code", "to_code", "cause", "label_path").rows() == [
        ("cannot_lose", "lost", "cutoffs", "cutoffs=lost")
    ]


def test_locks_and_flags_of_fraud_are_by_hand():
    world = World((*bought("ann", date(2026, 2, 1)), *bought("bob", date(2026, 2, 1))))
    ids = world.ids()
    lock = Lock(one_id=ids["ann"], tier="gold", starts_on=date(2026, 3, 1), ends_on=MARCH, reason="a founder")
    fraud = Fraud(one_id=ids["bob"], starts_on=date(2026, 3, 3), reason="stolen cards")
    decided = replace(world, rules=(policy(), policy(holds=Holds(locks=(lock,), frauds=(fraud,)))))
    assert decided.causes() == {"ann": ["base", "gold", "manual"], "bob": ["base", "none", "manual"]}


def test_a_lock_that_is_taken_away_is_by_hand_and_one_that_ends_by_its_date_is_time():
    """All were gold by a lock. Dan bought and was paid back meanwhile; Cat's lock stands."""
    old = date(2026, 2, 1)
    orders = tuple(order for who in ("ann", "bob", "cat", "dan") for order in bought(who, old))
    spent, back = ("big", "dan", date(2026, 3, 6), 600, date(2026, 3, 6)), (f"dan-{old}", date(2026, 3, 7), 50, MARCH)
    world = World((*orders, spent), refunds=(back,))
    ids, year_end = world.ids(), date(2026, 12, 31)
    ends = {"ann": year_end, "bob": FEBRUARY, "cat": year_end, "dan": MARCH}
    locks = {
        who: Lock(one_id=ids[who], tier="gold", starts_on=old, ends_on=ends_on, reason="a founder")
        for who, ends_on in ends.items()
    }
    then, now = (Holds(locks=tuple(locks[who] for who in whose)) for whose in (("ann", "bob", "cat", "dan"), ("cat",)))
    assert replace(world, rules=(policy(holds=then), policy(holds=now))).causes() == {
        "ann": ["gold", "base", "manual"], "bob": ["gold", "base", "time"], "cat": ["gold", "gold", None],
        "dan": ["gold", "silver", "manual"],
    }  # fmt: skip

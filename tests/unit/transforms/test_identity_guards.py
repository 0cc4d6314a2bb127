"""A resolution that cannot be true is refused, with the figure, the guard and the next step."""

from dataclasses import dataclass, field

import polars as pl
import pytest

from tasks.errors import GateRefusedError
from tasks.policy.identity import Guards
from tasks.transforms.customers import Layers
from tasks.transforms.identity_guards import is_too_many, require_sane
from tasks.transforms.inputs import Inputs
from tests.unit.transforms import builders

GUARDS = Guards(max_component=3, spare=1)


@dataclass(frozen=True)
class Who:
    """Keys to customers now and before, refused links by rule, and the old ids that moved."""

    now: dict[str, str]
    before: dict[str, str] | None = None
    refused: tuple[str, ...] = ()
    moved: tuple[str, ...] = field(default=())


def check(who: Who) -> None:
    def identities(owners: dict[str, str]) -> pl.LazyFrame:
        return builders.rows("identities", *({"key": key, "one_id": one_id} for key, one_id in owners.items()))

    conflicts = builders.rows("identity_conflicts", *({"rule": rule} for rule in who.refused))
    changes = builders.rows("identity_changes", *({"old_id": old} for old in who.moved))
    nobody = builders.rows("customers")
    layers = Layers(identities(who.now), conflicts, changes, nobody, builders.rows("models"), builders.rows("cutoffs"))
    nothing = [builders.rows(name) for name in ("orders", "order_lines", "refunds", "products", "sightings")]
    previous = None if who.before is None else identities(who.before)
    require_sane(layers, Inputs(*nothing, zone="UTC", currency="CNY", previous_identities=previous), GUARDS)


def people(count: int) -> dict[str, str]:
    return {f"k{n}": f"c{n}" for n in range(count)}


def test_what_is_within_the_guards_passes():
    check(Who({"a": "x", "b": "x", "c": "x"}, before=people(100), moved=("c1", "c2"), refused=("cap",)))


def test_a_person_of_too_many_keys_is_named():
    with pytest.raises(GateRefusedError, match="customer x would have 4 keys") as refused:
        check(Who(dict.fromkeys("abcd", "x") | {"e": "y"}))
    assert "strata identity unlink" in refused.value.next_step


def test_too_many_changed_customers_are_counted_against_the_date_before():
    with pytest.raises(GateRefusedError, match="6 of 100 customers"):
        check(Who(people(100), before=people(100), moved=tuple(f"c{n}" for n in range(6))))
    check(Who(people(100), before=None, moved=tuple(f"c{n}" for n in range(6))))


def test_contradictions_are_counted_and_hubs_are_not():
    with pytest.raises(GateRefusedError, match="2 of 4 links"):
        check(Who({"a": "x", "b": "x", "c": "x"}, refused=("cap", "cannot_link")))
    check(Who({"a": "x", "b": "x", "c": "x"}, refused=("hub",) * 9))


@pytest.mark.parametrize(("part", "whole", "too_many"), [(1, 1, False), (2, 40, False), (3, 40, True), (0, 0, False)])
def test_few_say_nothing_about_a_share(part: int, whole: int, too_many: bool):  # noqa: FBT001
    assert is_too_many(part, whole, GUARDS.max_changed_share, GUARDS.spare) is too_many

"""The resolver's answer is that of a plain reading of algorithms §7, on random graphs small enough to follow."""

from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.transforms.identity import resolve
from tests.unit.identity import strategies as of
from tests.unit.identity.oracle import Oracle

AS_OF = date(2024, 3, 12)
COLUMNS = ("key", "epoch", "one_id", "own_id", "key_type", "key_class", "first_seen_at", "valid_from", "valid_to")
REFUSED = ("rule", "key_a", "key_b", "one_id_a", "one_id_b", "evidence_rank", "distinct_days", "first_seen_at",
           "evidence")  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(of.sightings(), of.links(), of.policies(), st.frozensets(of.KEYS.map(of.printed), max_size=1))
def test_the_same_persons_and_the_same_refusals(sightings, links, rules, blocked):
    told = Oracle(sightings, links, rules, AS_OF, of.ZONE, blocked)
    found = resolve(
        of.frame("sightings", sightings), of.frame("identity_links", links), rules,
        as_of=AS_OF, zone=of.ZONE, blocked=blocked,
    )  # fmt: skip
    identities, conflicts = found.identities.collect(), found.conflicts.collect()
    assert set(identities.select(COLUMNS).iter_rows()) == told.identities
    assert set(conflicts.select(REFUSED).iter_rows()) == told.conflicts
    assert identities.height == len(told.identities)
    assert conflicts.height == len(told.conflicts)
    assert identities.equals(identities.sort("key", "epoch"))

"""Two policies told apart: by the codes of their entries, not by their places."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.policy.difference import differences
from tasks.policy.models import Policy
from tests.support.examples import examples
from tests.unit.transforms.builders import demo_policy

POLICY = demo_policy()


def changed(**parts: object) -> Policy:
    return POLICY.model_copy(update=parts)


def test_a_policy_does_not_differ_from_itself():
    assert differences(POLICY, POLICY) == ()


def test_a_threshold_is_told_by_the_code_of_its_tier():
    silver = POLICY.tiers.tiers[1]
    tiers = (POLICY.tiers.tiers[0], silver.model_copy(update={"up_fen": silver.up_fen + 1}), *POLICY.tiers.tiers[2:])
    (one,) = differences(POLICY, changed(tiers=POLICY.tiers.model_copy(update={"tiers": tiers})))
    assert (one.path, one.change) == (f"tiers.tiers.{silver.code}.up_fen", "changed")
    assert (one.before, one.after) == (silver.up_fen, silver.up_fen + 1)


def test_a_tag_that_is_gone_changes_no_other():
    (one,) = differences(POLICY, changed(tags=POLICY.tags[1:]))
    assert (one.path, one.change, one.after) == (f"tags.{POLICY.tags[0].code}", "removed", None)


def test_another_order_of_rules_is_told_once():
    rules = tuple(reversed(POLICY.segments.rules))
    (one,) = differences(POLICY, changed(segments=POLICY.segments.model_copy(update={"rules": rules})))
    assert (one.path, one.change) == ("segments.rules", "moved")


@settings(max_examples=examples(20), deadline=None)
@given(st.sets(st.integers(0, len(POLICY.tags) - 1)), st.integers(1, 900))
def test_forwards_and_backwards_are_mirror_images(gone: set[int], days: int):
    other = changed(
        tags=tuple(tag for number, tag in enumerate(POLICY.tags) if number not in gone),
        rfm=POLICY.rfm.model_copy(update={"window_days": days}),
    )
    mirror = {"added": "removed", "removed": "added"}
    there = {(one.path, one.change, str(one.before), str(one.after)) for one in differences(POLICY, other)}
    back = {
        (one.path, mirror.get(one.change, one.change), str(one.after), str(one.before))
        for one in differences(other, POLICY)
    }
    assert there == back

"""Which campaigns are profiling (PIPL art. 24), and which may say that they are not."""

import pytest

from tasks.errors import BadPolicyError
from tasks.policy.base import Label
from tasks.policy.profiling import check_profiling, is_profiling
from tasks.policy.tags import Tag
from tests.support.campaigns import campaign, policy

TAGS = tuple(
    Tag(code=code, label=Label(zh=code, en=code), meaning=Label(zh=code, en=code), when=when)
    for code, when in (("recent", "days_since_order < 9"), ("rich", "m_score = 5"), ("both", "recent and rich"))
)


@pytest.mark.parametrize(
    ("audience", "told", "expected"),
    [("m_score >= 3", None, True), ("days_since_order < 9", None, True), ("true", None, False),
     ("days_since_order < 9", False, False), ("true", True, True)],
)  # fmt: skip
def test_a_campaign_that_reads_facts_is_profiling_unless_it_says_otherwise(audience, told, expected):
    assert is_profiling(campaign(audience=audience, profiling=told)) is expected


@pytest.mark.parametrize("audience", ["m_score >= 3", "segment = 'champions'", "tier = 'gold'", "rich", "both"])
def test_scores_segments_tiers_and_tags_on_them_are_profiling_whatever_is_said(audience: str) -> None:
    rules = policy(campaign(audience=audience, profiling=False)).model_copy(update={"tags": TAGS})
    with pytest.raises(BadPolicyError, match="profiling: false, but its audience reads"):
        check_profiling(rules)


@pytest.mark.parametrize("audience", ["recent", "last_order_on > '2026-01-01' and recent", "true"])
def test_plain_facts_are_not(audience: str) -> None:
    check_profiling(policy(campaign(audience=audience, profiling=False)).model_copy(update={"tags": TAGS}))

"""Which campaigns choose people by what the brand worked out about them (PIPL art. 24), and which do not."""

from collections.abc import Iterable, Mapping

from tasks.errors import BadPolicyError
from tasks.policy import audience_graph
from tasks.policy.campaigns import Campaign
from tasks.policy.conditions import names_in
from tasks.policy.models import Policy
from tasks.policy.tag_graph import names_read
from tasks.policy.tags import Tag

PLAIN_FACTS = frozenset({
    "one_id", "as_of", "first_seen_at", "first_order_on", "last_order_on", "days_since_order", "gross_orders",
    "life_orders", "policy_digest", "send_on",
})  # fmt: skip
"""Columns of `customers` that record what happened and appraise nobody; a column that is not here is an appraisal."""


def is_profiling(campaign: Campaign) -> bool:
    """Whether a no to profiling removes people from this campaign: as it says, else when it reads facts about them."""
    return bool(names_in(campaign.audience)) if campaign.profiling is None else campaign.profiling


def check_profiling(policy: Policy) -> None:
    """Refuse a campaign that says `profiling: false` and chooses people by scores, segments, tiers or their like.

    Raises:
        BadPolicyError: names the campaign and the columns, those behind its tags included.
    """
    for campaign in policy.campaigns:
        if campaign.profiling is False and (read := appraisals(names_in(campaign.audience), policy)):
            raise BadPolicyError(
                f"campaign {campaign.code}: profiling: false, but its audience reads {', '.join(read)}",
                expected=f"nothing but {', '.join(sorted(PLAIN_FACTS))}, through tags and audiences too",
                next_step="leave `profiling` out: whoever refused profiling is then left out of this campaign",
            )


def appraisals(names: Iterable[str], policy: Policy) -> tuple[str, ...]:
    """The columns that appraise people, and that these names rest on through tags and audiences too, sorted."""
    made_of = {tag.code: _reads(tag) for tag in policy.tags}
    made_of |= {audience.column: audience_graph.names_read(audience) for audience in policy.audiences}
    return tuple(sorted(_columns(names, made_of) - PLAIN_FACTS))


def _reads(tag: Tag) -> frozenset[str]:
    """What a tag's conditions name; a tag without one, which counts or seeks, names itself: it appraises."""
    return names_read(tag) or frozenset({tag.code})


def _columns(names: Iterable[str], tags: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """The columns of `customers` that names rest on; tags and audiences stand for what they read themselves."""
    found: set[str] = set()
    waiting = set(names)
    while waiting:
        found.add(name := waiting.pop())
        waiting |= tags.get(name, frozenset()) - found
    return frozenset(name for name in found if tags.get(name, frozenset({name})) == frozenset({name}))

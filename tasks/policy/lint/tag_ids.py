"""Whether the ids that WeCom gave the tags and the tags that a campaign keeps in step are of one another."""

from collections.abc import Iterator, Mapping

import polars as pl

from expectations.tables import TABLES
from tasks.policy.campaigns import TAG_NAME_MOST, Campaign
from tasks.policy.lint.conditions import codes_of
from tasks.policy.lint.finding import Problem
from tasks.policy.models import Policy
from tasks.policy.tag_graph import PEOPLE


def check_tag_ids(policy: Policy) -> Iterator[Problem]:
    """A tag that may come to hold and has no id, at which the send would stop; an id of a tag that nobody ever has."""
    codes = codes_of(policy)
    flags = {tag.code for tag in policy.tags if tag.when}
    flags |= {name for table in PEOPLE for name, kind in TABLES[table].schema.items() if kind == pl.Boolean}
    for number, campaign in enumerate(policy.campaigns):
        if campaign.tag_ids:
            expected = {name for column in campaign.tag_sync for name in _tags_of(column, codes, flags)}
            yield from _of_campaign(("campaigns", number, "tag_ids"), campaign, expected, flags | codes.keys())


def _tags_of(column: str, codes: Mapping[str, frozenset[str]], flags: set[str]) -> set[str]:
    """The tags that the column can make, as far as the policy says."""
    names = [column] if column in flags else [f"{column}_{code}" for code in codes.get(column, ())]
    return {name[:TAG_NAME_MOST] for name in names}


def _of_campaign(
    path: tuple[str | int, ...], campaign: Campaign, expected: set[str], told: set[str]
) -> Iterator[Problem]:
    lacking = sorted(expected - campaign.tag_ids.keys())
    if lacking:
        yield Problem(
            path, "tag_ids",
            f"campaign {campaign.code}: no id of {', '.join(lacking)}; the first who has it stops the send",
            "make the tag in WeCom's console and write its id here", "warning",
        )  # fmt: skip
    free = tuple(name for column in campaign.tag_sync if column not in told for name in (column, f"{column}_"))
    strange = sorted(name for name in campaign.tag_ids.keys() - expected if not name.startswith(free))
    if strange:
        yield Problem(
            path, "tag_ids",
            f"campaign {campaign.code}: {', '.join(strange)} is no tag of {', '.join(campaign.tag_sync)}",
            "correct the name; keep it if an earlier policy set the tag, or it is never taken off", "warning",
        )  # fmt: skip

"""All campaigns of one date, one after the other, on one ledger."""

from dataclasses import dataclass, replace
from datetime import date, datetime

import polars as pl

from tasks.policy.models import Policy
from tasks.transforms.allocation.codes import NEEDS, left_after
from tasks.transforms.allocation.decide import decide
from tasks.transforms.allocation.rows import drawn_globally, in_order, part_of, side_by_side
from tasks.transforms.allocation.walk import messages_at_start, start
from tasks.transforms.caps import ledger
from tasks.transforms.known import Known, under_present_ids


@dataclass(frozen=True)
class Allocation:
    """Rows for audience_members (all of each send), and rows to append to assignments and touches.

    `codes` has send_id and one_id of everybody to whom a coupon code is to be given.
    """

    members: pl.DataFrame
    assignments: pl.DataFrame
    touches: pl.DataFrame
    codes: pl.DataFrame


def allocate(
    known: Known, policy: Policy, *, send_on: date, at: datetime, campaigns: frozenset[str] | None = None
) -> Allocation:
    """Decide every campaign of a date; twice with the same knowledge gives no new ledger rows.

    `campaigns` names a part of the policy's campaigns: a late one then gets what the planned sends of
    the others have left. Sends named here are decided anew, except for people who are in a published
    revision already: those keep their place, whatever the caps say now.

    Args:
        known: everything that is known about people.
        policy: the brand's rules.
        send_on: business date of the sends.
        at: instant written into the planned touches: the start of the run.
        campaigns: codes to decide; all when None.
    """
    chosen = [c for c in policy.campaigns if campaigns is None or c.code in campaigns]
    walk = start(under_present_ids(known), policy, chosen, send_on)
    before = ledger(walk.known.touches, walk.keys.lazy()).collect()
    walk = replace(walk, messages=messages_at_start(before, walk.published, chosen, send_on))
    parts = []
    for campaign in sorted(chosen, key=lambda c: (c.priority, c.code)):
        people = decide(walk, campaign, policy.vendor(campaign.vendor))
        parts.append(part_of(people, campaign, walk, before, at))
        left = left_after(walk, campaign, parts[-1].codes)
        walk = replace(walk, messages=pl.concat([walk.messages, parts[-1].messages]), codes_left=left)
    return Allocation(
        members=side_by_side([part.members for part in parts]),
        assignments=in_order([drawn_globally(parts, walk), *(part.drawn for part in parts)], "assignments"),
        touches=in_order([part.touches for part in parts], "touches"),
        codes=pl.concat([pl.DataFrame(schema=dict.fromkeys(NEEDS, pl.String)), *(part.codes for part in parts)]),
    )

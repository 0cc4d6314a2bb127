"""All campaigns of one date, one after the other, on one ledger."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import polars as pl

from expectations.tables import TABLES
from tasks.policy.models import Policy
from tasks.transforms.allocation.codes import NEEDS, left_after
from tasks.transforms.allocation.decide import decide
from tasks.transforms.allocation.rows import Before, drawn_globally, in_order, part_of, side_by_side
from tasks.transforms.allocation.walk import messages_at_start, send_id_of, start
from tasks.transforms.caps import Changes
from tasks.transforms.held import Hold, in_memory
from tasks.transforms.known import Known, under_present_ids


@dataclass(frozen=True)
class Allocation:
    """What was decided of a date, send by send, and what is to be written down of it."""

    sends: Mapping[str, pl.LazyFrame]
    """Id of each send to all of its members: rows of audience_members."""
    assignments: pl.DataFrame
    """Rows to append."""
    changes: Sequence[Changes]
    """What changes in the ledger, in order of the sends' ids."""
    codes: pl.DataFrame
    """send_id and one_id of everybody to whom a coupon code is to be given."""

    @property
    def members(self) -> pl.DataFrame:
        """The members of all sends in the order of their table's key."""
        return side_by_side([rows.collect() for rows in self.sends.values()])

    @property
    def moves_ledger(self) -> bool:
        """Whether there is a row to append to the ledger."""
        return any(changes.people.height for changes in self.changes)

    @property
    def touches(self) -> pl.DataFrame:
        """The rows to append to the ledger."""
        return pl.concat([TABLES["touches"].schema.to_frame(), *self.touch_pieces()])

    def touch_pieces(self) -> Iterator[pl.DataFrame]:
        """The same piece by piece, in the order of the ledger's key."""
        return (piece for changes in self.changes for piece in changes.pieces())


def allocate(
    known: Known,
    policy: Policy,
    *,
    send_on: date,
    at: datetime,
    campaigns: frozenset[str] | None = None,
    hold: Hold = in_memory,
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
        hold: keeps the members of a send, a row for every customer, until all campaigns are decided.
    """
    chosen = [c for c in policy.campaigns if campaigns is None or c.code in campaigns]
    walk = start(under_present_ids(known), policy, chosen, send_on)
    before = Before.read(walk, chosen, at)
    walk = replace(walk, messages=messages_at_start(before.messages, walk.published, chosen, send_on))
    parts = []
    for campaign in sorted(chosen, key=lambda c: (c.priority, c.code)):
        people = decide(walk, campaign, policy.vendor(campaign.vendor))
        part = part_of(people, campaign, walk, before)
        parts.append(part._replace(members=hold(f"members_{campaign.code}", part.members)))
        del people, part
        left = left_after(walk, campaign, parts[-1].codes)
        walk = replace(walk, messages=pl.concat([walk.messages, parts[-1].messages]), codes_left=left)
    sends = {send_id_of(part.changes.campaign, send_on): part for part in parts}
    return Allocation(
        sends={send_id: sends[send_id].members for send_id in sorted(sends)},
        assignments=in_order([drawn_globally(parts, walk), *(part.drawn for part in parts)], "assignments"),
        changes=[sends[send_id].changes for send_id in sorted(sends)],
        codes=pl.concat([pl.DataFrame(schema=dict.fromkeys(NEEDS, pl.String)), *(part.codes for part in parts)]),
    )

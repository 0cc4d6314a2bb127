"""What is known when a date is allocated, and all of it under the ids that people have now."""

from dataclasses import dataclass, replace

import polars as pl

from tasks.policy.campaigns import Campaign
from tasks.transforms.audience import was_meant
from tasks.transforms.coupons import NO_POOLS, Pools
from tasks.transforms.lineage import follow


@dataclass(frozen=True)
class Former:
    """Whom a merge or a split changed since the date before, and what the campaigns would have read of them then."""

    changed: pl.LazyFrame
    """lineage.predecessors: one_id, old_id."""
    base: pl.LazyFrame
    """audience.base_of at the date before."""


@dataclass(frozen=True)
class Known:
    """What is known when a date is allocated; each frame in the shape that its maker documents."""

    base: pl.LazyFrame
    """audience.base_of: customers of the newest date with their tags."""
    points: pl.LazyFrame
    """contact_points.contact_points."""
    identities: pl.LazyFrame
    """key, one_id of the same date."""
    words: pl.LazyFrame
    """consent.standing."""
    touches: pl.LazyFrame
    """The ledger table, as it is stored."""
    assignments: pl.LazyFrame
    """The assignments table."""
    published: pl.LazyFrame
    """send_id, one_id, recipient_key: who is in a published revision of one of the sends, less the recalled."""
    closed: frozenset[str] = frozenset()
    """Ids of the sends that were cancelled: nobody is planned for them again."""
    names: pl.LazyFrame | None = None
    """lineage.aliases of the same date; None: every stored id is a present one."""
    former: Former | None = None
    """None: a merge may put people into a campaign, or there is no date before."""
    bought: pl.LazyFrame | None = None
    """freshness.buyers_since: who has paid an order since the date of the base; None where no campaign asks."""
    pools: Pools = NO_POOLS
    """The codes of coupon pools; none where no campaign draws."""


def under_present_ids(known: Known) -> Known:
    """The same with ledger and publications under the ids of today; assignments follow where they are read."""
    if known.names is None:
        return known
    touches, published = (follow(rows, known.names) for rows in (known.touches, known.published))
    return replace(known, touches=touches, published=published, pools=known.pools.under(known.names))


def surprised(known: Known, campaign: Campaign) -> pl.LazyFrame:
    """One row per customer whom a merge or split changed, and of whom no part was meant for the campaign before it.

    A merge alone never puts anyone into a campaign.

    Returns:
        one_id, changed_from: the ids that they had, in words.
    """
    if known.former is None:
        return pl.LazyFrame(schema={"one_id": pl.String, "changed_from": pl.String})
    return (
        was_meant(known.former.base, known.former.changed, campaign)
        .filter(~pl.col("was_met"))
        .select("one_id", changed_from=pl.col("old_ids").list.join(", "))
    )


def bought_since(known: Known, campaign: Campaign) -> pl.LazyFrame:
    """One row per customer whom the campaign must not write to because they have bought since the scoring.

    Returns:
        one_id, bought_on.
    """
    if known.bought is None or "bought" not in campaign.stop_if:
        return pl.LazyFrame(schema={"one_id": pl.String, "bought_on": pl.Date})
    return known.bought

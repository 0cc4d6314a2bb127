"""What is known when a date is allocated or a send goes out. No task stands here."""

from dataclasses import dataclass, replace
from datetime import date, datetime

import polars as pl

from tasks.errors import MissingDataError
from tasks.policy.campaigns import Campaign
from tasks.refs import Run
from tasks.steps.coupons import pools_of
from tasks.steps.house import lake_at, objects_at, policy_of, snapshot_of
from tasks.steps.inputs import previous_as_of
from tasks.steps.past import past_of, with_all_seen
from tasks.steps.rekeyed import rename_of
from tasks.steps.stale import stale_sends
from tasks.stores.sends import REACHED, Send, SendState, reached, read_send
from tasks.transforms.audience import base_of, newest_as_of
from tasks.transforms.caps import heard_at
from tasks.transforms.consent import standing
from tasks.transforms.contact_points import CONTACT_TYPES, contact_points
from tasks.transforms.freshness import buyers_since
from tasks.transforms.known import Former, Known
from tasks.transforms.lineage import changed_aliases, predecessors
from tasks.transforms.orders import known_at
from tasks.transforms.recycled import without_former_grants
from tasks.transforms.seen import Past


@dataclass(frozen=True)
class Horizon:
    """Up to when things are known, and which customers the campaigns of a date read."""

    send_on: date
    as_of: date
    known_as_of: datetime


def horizon_of(run: Run, send_on: date) -> Horizon:
    """The newest customers before the day of the send, with knowledge up to the run's limit."""
    if run.known_as_of is None:
        raise MissingDataError("a send needs to know up to when it knows", next_step="pass --known-as-of")
    dates = lake_at(run.lake).scan("customers", snapshot_of(run)).select("as_of").unique().collect().to_series()
    return Horizon(send_on, newest_as_of(dates, send_on), run.known_as_of)


def newest_horizon(run: Run, horizon: Horizon) -> Horizon:
    """The horizon of a delivery: a run may look back, but whatever the lake has heard by now is heard."""
    heard = (lake_at(run.lake).scan(table, snapshot_of(run)) for table in ("consents", "sightings"))
    heard_at = [rows.select(pl.col("known_from").max()) for rows in heard]
    latest = [instant for rows in heard_at for instant in rows.collect().to_series() if instant]
    return replace(horizon, known_as_of=max(horizon.known_as_of, *latest))


def people_of(run: Run, horizon: Horizon) -> pl.LazyFrame:
    """One row per customer of the horizon's date: facts, traits, tags, and what else the campaigns read of them."""
    lake, snapshot, at = lake_at(run.lake), snapshot_of(run), [horizon.as_of]
    base = base_of(*(lake.scan(table, snapshot, partitions=at) for table in ("customers", "traits", "tags")))
    return with_all_seen(base, policy_of(run), past_at(run, horizon))


def past_at(run: Run, horizon: Horizon) -> Past:
    """What was before the day of the horizon's send, as known at the horizon."""
    return past_of(
        run, policy_of(run), as_of=horizon.as_of, send_on=horizon.send_on, known_as_of=horizon.known_as_of,
        identities=identities_of(run, horizon),
    )  # fmt: skip


def points_of(run: Run, horizon: Horizon) -> pl.LazyFrame:
    """One row per customer and contact point known at the horizon."""
    sightings = lake_at(run.lake).scan("sightings", snapshot_of(run))
    known = horizon.known_as_of
    return contact_points(
        sightings,
        identities_of(run, horizon),
        known=known,
        seen_before=known,
        marketplaces=policy_of(run).contacting.marketplaces,
        types={*CONTACT_TYPES, *(vendor.contact_type for vendor in policy_of(run).vendors)},
    )


def identities_of(run: Run, horizon: Horizon) -> pl.LazyFrame:
    """One row per identity key of the horizon's date."""
    return lake_at(run.lake).scan("identities", snapshot_of(run), partitions=[horizon.as_of])


def words_of(run: Run, horizon: Horizon) -> pl.LazyFrame:
    """One row per subject, channel and purpose: the latest word at the horizon, without those of former owners.

    A no that is dated after the horizon is heard too.
    """
    consents = lake_at(run.lake).scan("consents", snapshot_of(run))
    consents = consents.pipe(without_former_grants, identities_of(run, horizon))
    marketplaces = policy_of(run).contacting.marketplaces
    known = horizon.known_as_of
    return standing(consents, at=known, known=known, marketplaces=marketplaces, hears_ahead=True)


def known_for(run: Run, horizon: Horizon, outbox: str, campaigns: tuple[Campaign, ...]) -> Known:
    """Everything that the allocation of a date asks for."""
    lake, snapshot = lake_at(run.lake), snapshot_of(run)
    sends = _sends(outbox, campaigns, horizon.send_on)
    stale = [send.id for send in stale_sends(run, outbox, horizon.send_on)]
    return Known(
        base=people_of(run, horizon),
        points=points_of(run, horizon),
        identities=identities_of(run, horizon),
        words=words_of(run, horizon),
        touches=heard_at(lake.scan("touches", snapshot), horizon.known_as_of).filter(~pl.col("send_id").is_in(stale)),
        assignments=lake.scan("assignments", snapshot),
        published=_published(run, outbox, sends),
        closed=frozenset(send.id for send, state in sends.items() if state.published.is_cancelled),
        names=changed_names_at(run, horizon),
        former=former_of(run, horizon),
        bought=buyers_of(run, horizon, known_at(lake.scan("orders", snapshot), horizon.known_as_of)),
        pools=pools_of(run, campaigns, horizon.send_on),
    )


def buyers_of(run: Run, horizon: Horizon, orders: pl.LazyFrame) -> pl.LazyFrame:
    """One row per customer who has bought since the horizon's date, by these versions of orders."""
    return buyers_since(orders, identities_of(run, horizon), as_of=horizon.as_of)


def orders_by_now(run: Run) -> pl.LazyFrame:
    """The newest version of every order that the lake has heard of, whatever the run's limit."""
    return lake_at(run.lake).scan("orders", snapshot_of(run)).filter(pl.col("known_to").is_null())


def former_of(run: Run, horizon: Horizon) -> Former | None:
    """Whom a merge or split changed since the date before, and the customers of that date."""
    lake, snapshot = lake_at(run.lake), snapshot_of(run)
    before = previous_as_of(lake, snapshot, horizon.as_of)
    if before is None or not policy_of(run).identity.merge_quiet:
        return None
    changes = lake.scan("identity_changes", snapshot, partitions=[horizon.as_of])
    return Former(predecessors(changes), people_of(run, replace(horizon, as_of=before)))


def changed_names_at(run: Run, horizon: Horizon) -> pl.LazyFrame:
    """One row per old id of somebody who has another at the horizon's date, worked out once: enough to follow ids."""
    return changed_aliases(identities_of(run, horizon)).collect().lazy()


def _sends(outbox: str, campaigns: tuple[Campaign, ...], send_on: date) -> dict[Send, SendState]:
    """What the outbox says of every campaign's send of the date."""
    sends = [Send(campaign.vendor, campaign.code, send_on) for campaign in campaigns]
    return {send: read_send(objects_at(outbox), send) for send in sends}


def _published(run: Run, outbox: str, sends: dict[Send, SendState]) -> pl.LazyFrame:
    """One row per send and person in its published revisions, less the recalled."""
    rows = [pl.DataFrame(schema={"send_id": pl.String(), **REACHED}).lazy()]
    rename = rename_of(run)
    for send, state in sends.items():
        people = reached(objects_at(outbox), send, state.published, rename)
        rows.append(people.select(pl.lit(send.id).alias("send_id"), *REACHED).lazy())
    return pl.concat(rows).drop("seq")

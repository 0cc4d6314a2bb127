"""Who gets which message: all campaigns of one date in one walk, one outcome per customer and campaign.

Campaigns come by (priority, code), whatever the order of their files. Each campaign is worked out
over whole columns, because inside one campaign people compete for a shared contact alone; what a
campaign takes is in the ledger before the next one asks.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime

import polars as pl

from expectations.tables import TABLES
from tasks.policy.campaigns import Campaign
from tasks.policy.contacting import Contacting
from tasks.policy.models import Policy
from tasks.policy.vendors import Vendor
from tasks.transforms.audience import select_audience
from tasks.transforms.caps import LEDGER, ledger, over_cap, touch_rows
from tasks.transforms.consent import question_of, verdicts
from tasks.transforms.contact_points import keys_of_people, preferred_contacts
from tasks.transforms.holdout import HELD_OUT, TREATED, bucket, new_assignments, standing_variants, variant
from tasks.transforms.known import Known, surprised, under_present_ids
from tasks.transforms.reasons import evidence, outcome, reason_of_their_own


@dataclass(frozen=True)
class Allocation:
    """Rows for audience_members (all of each send), and rows to append to assignments and touches."""

    members: pl.DataFrame
    assignments: pl.DataFrame
    touches: pl.DataFrame


@dataclass(frozen=True)
class _Walk:
    """The state between two campaigns, and what all of them share."""

    known: Known
    contacting: Contacting
    send_on: date
    groups: dict[str, str | None]
    points: pl.DataFrame
    keys: pl.DataFrame
    published: pl.DataFrame
    messages: pl.DataFrame


def send_id_of(campaign: Campaign, send_on: date) -> str:
    """The name of one send, `<vendor>/<campaign>/<send_on>`."""
    return f"{campaign.vendor}/{campaign.code}/{send_on}"


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
    known = under_present_ids(known)
    walk = _start(known, policy, chosen, send_on)
    before = ledger(known.touches, walk.keys.lazy()).collect()
    walk = replace(walk, messages=_messages_at_start(before, walk.published, chosen, send_on))
    decided = []
    for campaign in sorted(chosen, key=lambda c: (c.priority, c.code)):
        people = _decide(walk, campaign, policy.vendor(campaign.vendor))
        walk = replace(walk, messages=pl.concat([walk.messages, _taken(people, campaign, send_on)]))
        decided.append((campaign, people))
    return Allocation(
        members=_concat((_members(p, c, send_on) for c, p in decided), "audience_members"),
        assignments=_concat((_drawn(p, c, send_on) for c, p in decided), "assignments"),
        touches=_concat((_ledger_rows(p, c, walk, before, at) for c, p in decided), "touches"),
    )


def _start(known: Known, policy: Policy, chosen: list[Campaign], send_on: date) -> _Walk:
    """Read once what every campaign needs."""
    ids = [send_id_of(c, send_on) for c in chosen]
    keys = keys_of_people(known.identities, known.points)
    points, key_rows, published = pl.collect_all(
        [known.points, keys, known.published.filter(pl.col("send_id").is_in(ids))]
    )
    groups = {c.code: c.exclusive_group for c in policy.campaigns}
    nothing = pl.DataFrame(schema={name: TABLES["touches"].schema[name] for name in LEDGER})
    return _Walk(known, policy.contacting, send_on, groups, points, key_rows, published, nothing)


def _messages_at_start(
    before: pl.DataFrame, published: pl.DataFrame, chosen: list[Campaign], send_on: date
) -> pl.DataFrame:
    """The ledger without what this run decides anew, but with whom its sends have reached already."""
    names = pl.DataFrame(
        {
            "send_id": [send_id_of(c, send_on) for c in chosen],
            "campaign": [c.code for c in chosen],
            "touch_channel": [c.touch_channel for c in chosen],
            "send_on": [send_on] * len(chosen),
        },
        schema_overrides={"send_id": pl.String, "campaign": pl.String, "touch_channel": pl.String, "send_on": pl.Date},
    )
    others = before.join(names, on="send_id", how="anti").select(LEDGER)
    return pl.concat([others, published.join(names, on="send_id").select(LEDGER)])


def _decide(walk: _Walk, campaign: Campaign, vendor: Vendor) -> pl.DataFrame:
    """One row per customer of the base, with outcome and evidence and all that they rest on."""
    people = _candidates(walk, campaign, vendor).collect()
    return (
        people.pipe(_draw, walk, campaign)
        .pipe(_share_contacts, walk, campaign)
        .pipe(_meet_limits, walk, campaign)
        .with_columns(outcome=outcome(is_closed=send_id_of(campaign, walk.send_on) in walk.known.closed))
        .with_columns(evidence=evidence(campaign.holdout))
    )


def _candidates(walk: _Walk, campaign: Campaign, vendor: Vendor) -> pl.LazyFrame:
    """Audience, contact, consent and earlier publication side by side."""
    points = walk.points.lazy().filter(pl.col("contact_type") == vendor.contact_type)
    reached = _reached(walk, campaign).lazy().select("one_id", contact_key="recipient_key", is_published=pl.lit(True))
    preferred = preferred_contacts(points).select("one_id", "contact_key", is_published=pl.lit(False))
    contacts = pl.concat([reached, preferred.join(reached, on="one_id", how="anti")])
    said = verdicts(walk.known.words, walk.keys.lazy(), points, contacts, question_of(campaign, vendor))
    return (
        select_audience(walk.known.base, campaign)
        .join(contacts, on="one_id", how="left")
        .join(said, on="one_id", how="left")
        .join(surprised(walk.known, campaign), on="one_id", how="left")
        .rename({"contact_key": "recipient_key"})
        .with_columns(
            pl.col("is_granted", "is_published", "lacks_separate").fill_null(False),
            contact_type=pl.lit(vendor.contact_type),
        )
        .with_columns(reason=reason_of_their_own())
        .with_columns(is_eligible=pl.col("reason").is_null())
    )


def _reached(walk: _Walk, campaign: Campaign) -> pl.DataFrame:
    """Who is in a published revision of this send, with a contact used then: two who became one may have had two."""
    mine = _messages_of(walk, campaign).sort("one_id", "recipient_key")
    return mine.unique("one_id", keep="first", maintain_order=True)


def _messages_of(walk: _Walk, campaign: Campaign) -> pl.DataFrame:
    """One row per message in the published revisions of this send: one_id, recipient_key."""
    mine = walk.published.filter(pl.col("send_id") == send_id_of(campaign, walk.send_on))
    return mine.select("one_id", "recipient_key")


def _draw(people: pl.DataFrame, walk: _Walk, campaign: Campaign) -> pl.DataFrame:
    """Add the bucket, and with a holdout the variant: the standing one, else the one drawn.

    Without a holdout the bucket only orders people of equal score. Whoever was sent a message before
    the campaign had a holdout stays treated.
    """
    salt = campaign.holdout.experiment if campaign.holdout else f"order:{campaign.code}"
    people = people.with_columns(bucket=bucket(pl.col("one_id"), salt))
    if campaign.holdout is None:
        nothing = pl.lit(None, dtype=pl.String)
        return people.with_columns(standing_variant=nothing, variant=nothing)
    stands = standing_variants(walk.known.assignments, salt, names=walk.known.names).collect()
    was_sent = pl.when("is_published").then(pl.lit(TREATED))
    drawn = pl.coalesce("standing_variant", was_sent, variant(pl.col("bucket"), campaign.holdout))
    return people.join(stands, on="one_id", how="left").with_columns(variant=drawn)


def _share_contacts(people: pl.DataFrame, walk: _Walk, campaign: Campaign) -> pl.DataFrame:
    """Add `other_owner`: the customer who has the contact instead; null for whoever has it.

    Of the people of one contact the one whom this send reached already comes first, then a held-out
    one (else the message would reach a holdout through a relative), then by score, bucket and one_id.
    Whoever was reached or held out before keeps the contact even if the rule selects them no more.
    """
    is_held = (pl.col("variant") == HELD_OUT).fill_null(False)
    was_held = is_held & pl.col("standing_variant").is_not_null()
    claims = people.with_columns(is_held=is_held).filter(
        pl.col("is_eligible") | pl.col("is_published") | was_held, pl.col("recipient_key").is_not_null()
    )
    gone = _messages_of(walk, campaign).join(people, on=["one_id", "recipient_key"], how="anti")
    gone = gone.with_columns(is_published=pl.lit(True))
    owners = (
        pl.concat([gone, claims], how="diagonal")
        .sort("is_published", "is_held", "m_score", "bucket", "one_id", descending=[True, True, True, False, False])
        .unique(subset="recipient_key", keep="first", maintain_order=True)
        .select("recipient_key", owner="one_id")
    )
    other = pl.when((pl.col("owner") != pl.col("one_id")) & ~pl.col("is_published")).then("owner")
    return people.join(owners, on="recipient_key", how="left").with_columns(other_owner=other).drop("owner")


def _meet_limits(people: pl.DataFrame, walk: _Walk, campaign: Campaign) -> pl.DataFrame:
    """Add `over_cap` and `taken_by`: what the ledger says against one more message, by person or by contact."""
    group = walk.groups[campaign.code]
    rivals = [code for code, of in walk.groups.items() if group and of == group and code != campaign.code]
    today = walk.messages.filter(pl.col("send_on") == walk.send_on, pl.col("campaign").is_in(rivals))
    for by in ("one_id", "recipient_key"):
        full = over_cap(walk.messages, walk.contacting.caps, campaign, walk.send_on, by)
        taken = today.filter(pl.col(by).is_not_null()).group_by(by).agg(taken_by=pl.col("campaign").min())
        people = people.join(full.rename({"over_cap": f"over_cap_{by}"}), on=by, how="left")
        people = people.join(taken.rename({"taken_by": f"taken_by_{by}"}), on=by, how="left")
    is_free = ~pl.col("is_published")  # what was published keeps its place, whatever was planned since
    return people.with_columns(
        over_cap=pl.when(is_free).then(pl.coalesce("over_cap_one_id", "over_cap_recipient_key")),
        taken_by=pl.when(is_free).then(pl.coalesce("taken_by_one_id", "taken_by_recipient_key")),
    )


def _taken(people: pl.DataFrame, campaign: Campaign, send_on: date) -> pl.DataFrame:
    """The ledger rows that this campaign adds for the campaigns after it."""
    mine = people.filter(pl.col("outcome") == "planned", ~pl.col("is_published"))
    return mine.select(
        pl.lit(send_id_of(campaign, send_on)).alias("send_id"),
        pl.lit(campaign.code).alias("campaign"),
        pl.lit(campaign.touch_channel).alias("touch_channel"),
        "recipient_key",
        "one_id",
        pl.lit(send_on).alias("send_on"),
    )


def _members(people: pl.DataFrame, campaign: Campaign, send_on: date) -> pl.DataFrame:
    """The audience_members rows of one send; the variant is that of whoever takes part in the experiment."""
    takes_part = pl.col("outcome").is_in(["planned", "holdout"])
    return people.select(
        pl.lit(send_id_of(campaign, send_on)).alias("send_id"),
        "one_id",
        pl.lit(send_on).alias("send_on"),
        pl.lit(campaign.code).alias("campaign"),
        "outcome",
        "evidence",
        "recipient_key",
        pl.when(takes_part).then("variant").alias("variant"),
        pl.lit(None).alias("seq"),
    ).sort("one_id")


def _drawn(people: pl.DataFrame, campaign: Campaign, send_on: date) -> pl.DataFrame:
    """The rows to append to the assignment log: of those who would be sent, whoever has none yet."""
    if campaign.holdout is None:
        return TABLES["assignments"].schema.to_frame()
    drawn = people.filter(pl.col("outcome").is_in(["planned", "holdout"]))
    return new_assignments(drawn, campaign.holdout.experiment, assigned_on=send_on)


def _ledger_rows(
    people: pl.DataFrame, campaign: Campaign, walk: _Walk, before: pl.DataFrame, at: datetime
) -> pl.DataFrame:
    """What changes in the ledger: newly planned messages, and plans that no longer hold.

    A plan of someone whom the send reached is left alone, also while its hand-over is not recorded yet.
    """
    on = ["send_id", "one_id", "recipient_key"]
    planned = _taken(people, campaign, walk.send_on)
    stood = before.filter(pl.col("send_id") == send_id_of(campaign, walk.send_on))
    fresh = planned.join(stood, on=on, how="anti").select(on)
    open_plans = stood.filter(~pl.col("is_handed_over")).join(walk.published, on=["send_id", "one_id"], how="anti")
    void = open_plans.join(planned, on=on, how="anti").select(on)
    return pl.concat(
        [
            touch_rows(void, campaign, kind="cancelled", send_on=walk.send_on, at=at),
            touch_rows(fresh, campaign, kind="planned", send_on=walk.send_on, at=at),
        ]
    )


def _concat(parts: Iterator[pl.DataFrame], table: str) -> pl.DataFrame:
    """All rows of one table in the total order of its key."""
    schema = TABLES[table].schema
    rows = pl.concat([schema.to_frame(), *(part.cast(schema) for part in parts)])
    return rows.sort(TABLES[table].key)

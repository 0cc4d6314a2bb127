"""The parts of a delivery: who is reached, what the vendor is told, what a revision holds. No task stands here."""

from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import polars as pl
import yaml

from tasks.errors import ConfigurationError
from tasks.policy.campaigns import Campaign
from tasks.policy.hours import hours_for
from tasks.policy.models import Policy
from tasks.policy.offers import COUPON
from tasks.policy.vendors import Vendor
from tasks.refs import Run
from tasks.settings import Settings
from tasks.steps.coupons import codes_of
from tasks.steps.house import lake_at, objects_at, policy_of, pseudonymiser_of, snapshot_of
from tasks.steps.knowledge import (
    Horizon,
    buyers_of,
    changed_names_at,
    identities_of,
    newest_horizon,
    orders_by_now,
    people_of,
    points_of,
    words_of,
)
from tasks.steps.rekeyed import rename_of
from tasks.steps.unsealing import Contacts
from tasks.steps.wording import without_refused_texts
from tasks.stores.manifest import Origin, Terms, terms_of
from tasks.stores.revision import Publication
from tasks.stores.sends import Send, SendState, reached
from tasks.stores.vendor_files import CONTACT
from tasks.transforms.allocation.against import Rules
from tasks.transforms.consent import about, question_of
from tasks.transforms.contact_points import keys_of_people
from tasks.transforms.delivery import Increment, increment, planned, recheck
from tasks.transforms.held import tight
from tasks.transforms.holdout import held_now
from tasks.transforms.lineage import under_old_ids
from tasks.transforms.links import with_links
from tasks.transforms.renamed import NOBODY_MOVED, as_members_are, as_published, renamed
from tasks.transforms.since_merge import Around, within_limits
from tasks.transforms.since_plan import one_message_each, still_in_it, still_theirs
from tasks.transforms.spellings import one_of_each_id
from tasks.transforms.variables import variables_by_variant
from tasks.transforms.waterfall import counts_by_variant, waterfall


class Stood(NamedTuple):
    """Whom a send has reached before it goes on."""

    reached: pl.DataFrame
    """REACHED, under the ids with which they were published."""
    moved: pl.DataFrame
    """renamed.renamed: of these ids those that the members do not have, and theirs."""

    @property
    def now(self) -> pl.DataFrame:
        """The same as the members name them."""
        return as_members_are(self.reached, self.moved)


def contacts_of(run: Run, send: Send, vendor: Vendor | None = None) -> Contacts:
    """The vault, for the people of one send and its vendor's kind of contact; `vendor` as it was when the send went."""
    return Contacts(run, send, vendor or policy_of(run).vendor(send.vendor))


def members_now(run: Run, horizon: Horizon, send: Send, reached_now: pl.DataFrame, contacts: Contacts) -> pl.DataFrame:
    """The planned members of a send after the last look at consent and at the vault."""
    checked = members_heard(run, horizon, send, reached_now)
    known = _without_a_value(checked, _with_a_value(planned(checked), reached_now, contacts))
    return one_of_each_id(known, contacts.doubled(planned(known), reached_now))


def members_heard(run: Run, horizon: Horizon, send: Send, reached_now: pl.DataFrame) -> pl.DataFrame:
    """The planned members of a send after the last look at what has happened since; no contact is opened."""
    newest, policy = newest_horizon(run, horizon), policy_of(run)
    members, names = asked_again(stored_members(run, send)), changed_names_at(run, newest)
    ids = members.lazy().select("one_id")
    moved = tight(names.join(ids, left_on="old_id", right_on="one_id", how="semi")).lazy()  # few
    held = tight(points_of(run, newest)).lazy()  # asked four times, and long in the making
    known = (keys_of_people(identities_of(run, newest), held), held)
    keys, points = (under_old_ids(rows, moved, ids) for rows in known)
    question = question_of(policy.campaign(send.campaign), policy.vendor(send.vendor))
    checked = recheck(
        members,
        reached_now,
        question,
        words=tight(words_of(run, newest).pipe(about, question)).lazy(),
        keys=keys,
        points=points,
        bought=_buyers_now(run, newest, policy.campaign(send.campaign), moved, ids),
    )
    for outcome, held in _held_now(run, policy, policy.campaign(send.campaign), names, ids).items():
        checked = still_in_it(checked, held, reached_now, outcome)
    heard = checked.pipe(still_theirs, points).pipe(one_message_each, reached_now, moved)
    around = Around(lake_at(run.lake).scan("touches", snapshot_of(run)), names, moved, known[0], Rules.of(policy))
    heard = within_limits(heard, reached_now, around, policy.campaign(send.campaign), send.send_on)
    return without_refused_texts(run, horizon, policy.campaign(send.campaign), heard, reached_now)


def _buyers_now(
    run: Run, newest: Horizon, campaign: Campaign, names: pl.LazyFrame, ids: pl.LazyFrame
) -> pl.LazyFrame | None:
    """Who has bought since the scoring by all that the lake has heard, for a campaign that stops for them."""
    if "bought" not in campaign.stop_if:
        return None
    return under_old_ids(buyers_of(run, newest, orders_by_now(run)), names, ids)


def _held_now(
    run: Run, policy: Policy, campaign: Campaign, names: pl.LazyFrame, ids: pl.LazyFrame
) -> dict[str, pl.LazyFrame]:
    """By outcome, who stands as held out of this campaign now: a merge since the plan may have made somebody so."""
    everywhere = None if campaign.purpose == "service" else policy.contacting.global_holdout
    log = lake_at(run.lake).scan("assignments", snapshot_of(run))
    return {
        outcome: under_old_ids(held_now(log, holdout.experiment, names), names, ids)
        for outcome, holdout in (("global_holdout", everywhere), ("holdout", campaign.holdout))
        if holdout is not None
    }


def _with_a_value(people: pl.DataFrame, reached_now: pl.DataFrame, contacts: Contacts) -> pl.DataFrame:
    """Those of `people` whom a file can reach; who stands in one is not looked up again: a rerun opens nothing."""
    on = ["one_id", "recipient_key"]
    stands = people.select(on).join(reached_now, on=on, how="semi")
    return pl.concat([stands, contacts.of(people.join(stands, on=on, how="anti")).select(on)])


def asked_again(members: pl.DataFrame) -> pl.DataFrame:
    """Whoever was delivered is planned once more: a no since then must call the message back."""
    was_sent = pl.col("outcome") == "delivered"
    return members.with_columns(
        outcome=pl.when(was_sent).then(pl.lit("planned")).otherwise("outcome"),
        seq=pl.when(was_sent).then(None).otherwise("seq"),
    )


def stored_members(run: Run, send: Send) -> pl.DataFrame:
    """The audience_members rows of one send as the snapshot has them."""
    rows = lake_at(run.lake).scan("audience_members", snapshot_of(run), partitions=[send.send_on])
    return tight(rows.filter(pl.col("send_id") == send.id))


def _without_a_value(members: pl.DataFrame, values: pl.DataFrame) -> pl.DataFrame:
    """Whoever is planned but has no contact that can be written gets nothing, and is told apart."""
    known = values.select("recipient_key", has_value=pl.lit(value=True))
    is_lost = (pl.col("outcome") == "planned") & pl.col("has_value").is_null()
    return (
        members.join(known, on="recipient_key", how="left")
        .with_columns(
            outcome=pl.when(is_lost).then(pl.lit("no_contact")).otherwise("outcome"),
            evidence=pl.when(is_lost)
            .then(pl.lit("the vault holds no value that a file can carry"))
            .otherwise("evidence"),
        )
        .select(members.columns)
    )


def publication_of(
    run: Run,
    horizon: Horizon,
    send: Send,
    state: SendState,
    members: pl.DataFrame,
    stood: Stood,
    contacts: Contacts,
) -> Publication:
    """The increment that brings the vendor from what it has to what it should have.

    Raises:
        BadPolicyError: somebody is to be added, and there is no hour in which a message may arrive.
    """
    policy = policy_of(run)
    change: Increment = increment(stood.now.drop("seq"), planned(members))
    if change.added.height:
        hours_for(policy.campaign(send.campaign), policy.vendor(send.vendor))
    names = changed_names_at(run, horizon)
    people = under_old_ids(people_of(run, horizon), names, members.lazy().select("one_id"))
    campaign = policy.campaign(send.campaign)
    variables = tight(variables_by_variant(people, campaign, members.lazy())).pipe(with_links, members, campaign)
    vendor, added = policy.vendor(send.vendor), contacts.of(change.added).join(variables, on="one_id")
    if campaign.coupon_pool is not None:
        added = added.drop(COUPON, strict=False).join(codes_of(run, send, added, names), on="one_id")
    return Publication(
        send=send,
        base=state,
        vendor=vendor,
        terms=terms(policy, send),
        origin=origin(run, horizon, send, members),
        added=added,
        recalled=contacts.of(as_published(change.recalled, stood.reached, stood.moved)),
        seeds=seeds_of(vendor),
        rename=rename_of(run),
    )


def terms(policy: Policy, send: Send) -> Terms:
    """What the vendor is bound to, with the day on which the file must be gone."""
    campaign = policy.campaign(send.campaign)
    last_day = send.send_on + timedelta(days=campaign.expires_days)
    return terms_of(campaign, policy.vendor(send.vendor), last_day, policy.brand.zone)


def origin(run: Run, horizon: Horizon, send: Send, members: pl.DataFrame) -> Origin:
    """What the revision was made from."""
    campaign, contacting = policy_of(run).campaign(send.campaign), policy_of(run).contacting
    holdout, everywhere = campaign.holdout, None if campaign.purpose == "service" else contacting.global_holdout
    return Origin(
        policy_digest=run.policy_digest,
        code_version=run.code_version,
        snapshot_seq=run.base_seq,
        as_of=horizon.as_of,
        consent_known_as_of=newest_horizon(run, horizon).known_as_of,
        holdout_experiment=holdout.experiment if holdout else None,
        holdout_percent=holdout.percent if holdout else None,
        global_holdout_experiment=everywhere.experiment if everywhere else None,
        global_holdout_percent=everywhere.percent if everywhere else None,
        variants=counts_by_variant(members) if campaign.variants else {},
        key_id=pseudonymiser_of(run).key_id,
        waterfall=waterfall(members),
    )


def seeds_of(vendor: Vendor) -> pl.DataFrame:
    """The brand's own test contacts at a vendor, from a file that is no part of the policy: they are personal data."""
    contacts: list[str] = []
    path = Settings().seeds
    if path:
        listed = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        if not isinstance(listed, dict):
            raise ConfigurationError(f"{path} is no list of seeds", expected="`vendor: [contact, …]` as YAML")
        contacts = [str(contact) for contact in listed.get(vendor.code, [])]
    return pl.DataFrame({CONTACT: contacts}, {CONTACT: pl.String})


def reached_by(run: Run, outbox: str, send: Send, state: SendState) -> pl.DataFrame:
    """Who is in the published revisions of a send, less the recalled."""
    return reached(objects_at(outbox), send, state.published, rename_of(run))


def stood_of(
    run: Run, horizon: Horizon, outbox: str, send: Send, state: SendState, members: pl.DataFrame | None = None
) -> Stood:
    """Whom a send has reached, and under which ids its members (None: those that are stored) have them now."""
    reached_now = reached_by(run, outbox, send, state)
    if reached_now.is_empty():
        return Stood(reached_now, NOBODY_MOVED)
    members = stored_members(run, send) if members is None else members
    return Stood(reached_now, renamed(reached_now, members, changed_names_at(run, horizon)))


def send_of(campaign: Campaign, horizon: Horizon) -> Send:
    """The send of a campaign at the horizon's date."""
    return Send(campaign.vendor, campaign.code, horizon.send_on)

"""One campaign of the walk: everyone of the base side by side with what is known, in the order of the reasons."""

import polars as pl

from tasks.policy import conditions
from tasks.policy.campaigns import Campaign
from tasks.policy.vendors import Vendor
from tasks.transforms.allocation.codes import keep_codes
from tasks.transforms.allocation.draw import with_holdouts, with_strata, with_variants
from tasks.transforms.allocation.limits import keep_budget, meet_limits, share_contacts
from tasks.transforms.allocation.walk import Walk, send_id_of
from tasks.transforms.audience import select_audience
from tasks.transforms.consent import question_of, verdicts
from tasks.transforms.contact_points import preferred_contacts
from tasks.transforms.held import tight
from tasks.transforms.known import bought_since, surprised
from tasks.transforms.reasons import evidence, evidence_of_their_own, outcome, reason_of_their_own


def decide(walk: Walk, campaign: Campaign, vendor: Vendor) -> pl.DataFrame:
    """One row per customer of the base, with outcome and evidence and all that they rest on."""
    everybody, known = walk.global_draw(campaign), walk.known
    return (
        candidates(walk, campaign, vendor)
        .pipe(with_holdouts, campaign, everybody, known.assignments, known.names)
        .pipe(share_contacts, walk, campaign)
        .pipe(with_variants, campaign)
        .pipe(meet_limits, walk, campaign)
        .pipe(keep_budget, walk, campaign, vendor)
        .pipe(keep_codes, walk, campaign)
        .pipe(with_strata, campaign)
        .with_columns(outcome=outcome(is_closed=send_id_of(campaign, walk.send_on) in known.closed))
        .with_columns(evidence=evidence(campaign, everybody.holdout if everybody else None))
    )


def candidates(walk: Walk, campaign: Campaign, vendor: Vendor) -> pl.DataFrame:
    """One row per customer of the base, with the contact that would be used and what speaks against them alone.

    Returns:
        one_id, m_score, recipient_key, is_published, stratum, reason, why (the evidence of the reason), is_eligible.
    """
    points = walk.points.lazy().filter(pl.col("contact_type") == vendor.contact_type)
    reached = _reached(walk, campaign).lazy().select("one_id", contact_key="recipient_key", is_published=pl.lit(True))
    preferred = preferred_contacts(points).select("one_id", "contact_key", is_published=pl.lit(False))
    contacts = pl.concat([reached, preferred.join(reached, on="one_id", how="anti")])
    contacts = tight(contacts).lazy()  # asked twice
    audience = tight(_audience(walk, campaign)).lazy()
    meant = contacts.join(audience.filter("is_met"), on="one_id", how="semi")  # nobody else's consent is asked for
    said = verdicts(walk.words.lazy(), walk.keys.lazy(), points, meant, question_of(campaign, vendor))
    return (
        audience.join(contacts, on="one_id", how="left")
        .join(said, on="one_id", how="left")
        .join(surprised(walk.known, campaign), on="one_id", how="left")
        .join(bought_since(walk.known, campaign), on="one_id", how="left")
        .pipe(_with_strata, walk.known.base, campaign)
        .rename({"contact_key": "recipient_key"})
        .with_columns(
            pl.col("is_granted", "is_published", "lacks_separate").fill_null(False),
            contact_type=pl.lit(vendor.contact_type),
        )
        .with_columns(reason=reason_of_their_own())
        .with_columns(why=evidence_of_their_own(), is_eligible=pl.col("reason").is_null())
        .select("one_id", "m_score", "recipient_key", "is_published", "stratum", "reason", "why", "is_eligible")
        .pipe(tight)
    )


def _audience(walk: Walk, campaign: Campaign) -> pl.LazyFrame:
    """Whom the rule selects, with the facts of those alone whom it does not: nobody asks for the others'."""
    audience = select_audience(walk.known.base, campaign)
    return audience.with_columns(facts=pl.when(~pl.col("is_met")).then("facts"))


def _reached(walk: Walk, campaign: Campaign) -> pl.DataFrame:
    """Who is in a published revision of this send, with a contact used then: two who became one may have had two."""
    mine = walk.sent(campaign).sort("one_id", "recipient_key")
    return mine.unique("one_id", keep="first", maintain_order=True)


def _with_strata(people: pl.LazyFrame, base: pl.LazyFrame, campaign: Campaign) -> pl.LazyFrame:
    """Add `stratum` (text): the part of the people in which each variant gets its exact share; all are one without."""
    if not campaign.split.by:
        return people.with_columns(stratum=pl.lit(""))
    columns = base.collect_schema().names()
    parts = [
        conditions.parse(name, columns, where=f"campaign {campaign.code}: split by").cast(pl.String).fill_null("-")
        for name in campaign.split.by
    ]
    strata = base.select("one_id", stratum=pl.concat_str(parts, separator="\x1f"))
    return people.join(strata, on="one_id", how="left")

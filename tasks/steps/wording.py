"""What a send's messages say: whom the vendor would refuse for it, and what they come to. No task stands here."""

from typing import Any

import polars as pl

from tasks.policy.campaigns import Campaign
from tasks.policy.message_text import texts_of
from tasks.policy.offers import COUPON
from tasks.refs import Run
from tasks.steps.house import policy_of
from tasks.steps.knowledge import Horizon, changed_names_at, people_of
from tasks.transforms.held import tight
from tasks.transforms.lineage import under_old_ids
from tasks.transforms.links import with_links
from tasks.transforms.messages import bill_by_variant, cost_by_person, without_refused
from tasks.transforms.variables import variables_by_variant
from tasks.transforms.waterfall import GOING

CODE_CHARS = 12
"""Characters that a coupon code is taken to have when messages are counted before they go."""


def without_refused_texts(
    run: Run, horizon: Horizon, campaign: Campaign, members: pl.DataFrame, reached: pl.DataFrame | None = None
) -> pl.DataFrame:
    """The members, those planned whose variables hold what the vendor refuses (a link, too long a text) told apart.

    Whom a published revision has `reached` (one_id) has the message already: it is not called back for its words.
    """
    sms, names = policy_of(run).vendor(campaign.vendor).sms, _names(campaign)
    if sms is None or not names:
        return members
    told = _variables(run, horizon, campaign, members)
    fresh = told if reached is None else told.join(reached, on="one_id", how="anti")
    return without_refused(members, fresh, names, sms)


def message_bill(run: Run, horizon: Horizon, campaign: Campaign, members: pl.DataFrame) -> dict[str, Any] | None:
    """Longest message, people by parts, parts billed and their price in fen; None where no text is said."""
    vendor = policy_of(run).vendor(campaign.vendor)
    texts = texts_of(campaign, vendor)
    if not texts:
        return None
    people = _with_values(run, horizon, campaign, members.filter(pl.col("outcome").is_in(GOING)))
    found = bill_by_variant(people, texts, campaign, vendor.sms)
    if found is None:
        return None
    by_parts = {str(parts): people for parts, people in found.parts.items()}
    return {"longest": found.longest, "people_by_parts": by_parts, "parts": found.messages, "cost_fen": found.cost_fen}


def prices_of(
    run: Run, horizon: Horizon, campaign: Campaign, members: pl.DataFrame, people: pl.DataFrame
) -> pl.DataFrame | None:
    """What the message of each of `people` (one_id) costs by its parts: one_id, cost_fen; None where no text is said.

    `members` are those of the send; who is none of them is left out.
    """
    vendor = policy_of(run).vendor(campaign.vendor)
    texts = texts_of(campaign, vendor)
    going = members.select("one_id", "variant").join(people.select("one_id"), on="one_id", how="semi")
    if not texts or going.is_empty():
        return None
    return cost_by_person(_with_values(run, horizon, campaign, going), texts, campaign, vendor.sms)


def _with_values(run: Run, horizon: Horizon, campaign: Campaign, going: pl.DataFrame) -> pl.DataFrame:
    """One row per member given: one_id, variant, and what stands in their message."""
    told = _variables(run, horizon, campaign, going).pipe(with_links, going, campaign)
    told = told.drop("variant", strict=False).with_columns(_code(campaign))
    return going.select("one_id", "variant").join(told, on="one_id", how="left")


def _code(campaign: Campaign) -> list[pl.Expr]:
    """What stands for a person's coupon code: to be counted, it is not opened."""
    return [pl.lit("X" * CODE_CHARS).alias(COUPON)] if campaign.coupon_pool is not None else []


def _names(campaign: Campaign) -> list[str]:
    """The variables that a person's message may hold."""
    own = campaign.variables.keys()
    return sorted(own | {name for variant in campaign.variants for name in variant.variables})


def _variables(run: Run, horizon: Horizon, campaign: Campaign, members: pl.DataFrame) -> pl.DataFrame:
    people = under_old_ids(people_of(run, horizon), changed_names_at(run, horizon), members.lazy().select("one_id"))
    return tight(variables_by_variant(people, campaign, members.lazy()))

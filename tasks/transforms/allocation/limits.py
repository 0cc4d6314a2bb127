"""What stands against one more message: somebody else's claim on the contact, caps, rivals, and the budget."""

from datetime import timedelta

import polars as pl

from tasks.policy.campaigns import Campaign
from tasks.policy.vendors import Vendor
from tasks.transforms.allocation.against import against
from tasks.transforms.allocation.prices import flat_price, price_in_queue, price_of, with_prices
from tasks.transforms.allocation.walk import Walk
from tasks.transforms.holdout import held_now


def share_contacts(people: pl.DataFrame, walk: Walk, campaign: Campaign) -> pl.DataFrame:
    """Add `other_owner`: the customer who has the contact instead; null for whoever has it.

    Of the people of one contact the one whom this send reached already comes first, then a held-out
    one (else the message would reach a holdout through a relative), then by score, bucket and one_id.
    Whoever was reached or held out before keeps the contact even if the rule selects them no more; out of everything,
    before this date: what another campaign of the date held out tells this one nothing, also when it is decided again.
    """
    is_out = pl.col("is_held") | pl.col("is_held_globally")
    everywhere = pl.col("one_id").is_in(_held_before(walk, campaign).implode())
    was_held = (pl.col("is_held") & pl.col("standing_variant").is_not_null()) | everywhere
    claims = people.with_columns(is_out=is_out).filter(
        pl.col("is_eligible") | pl.col("is_published") | was_held, pl.col("recipient_key").is_not_null()
    )
    gone = walk.sent(campaign).join(people, on=["one_id", "recipient_key"], how="anti")
    gone = gone.with_columns(is_published=pl.lit(True))
    owners = (
        pl.concat([gone, claims], how="diagonal")
        .sort("is_published", "is_out", "m_score", "bucket", "one_id", descending=[True, True, True, False, False])
        .unique(subset="recipient_key", keep="first", maintain_order=True)
        .select("recipient_key", owner="one_id")
    )
    other = pl.when((pl.col("owner") != pl.col("one_id")) & ~pl.col("is_published")).then("owner")
    return people.join(owners, on="recipient_key", how="left").with_columns(other_owner=other).drop("owner")


def _held_before(walk: Walk, campaign: Campaign) -> pl.Series:
    """Who was held out of everything on an earlier date, by one_id."""
    everybody = walk.global_draw(campaign)
    if everybody is None:
        return pl.Series(dtype=pl.String)
    earlier = walk.known.assignments.filter(pl.col("assigned_on") < walk.send_on)
    return held_now(earlier, everybody.holdout.experiment, walk.known.names).collect()["one_id"]


def meet_limits(people: pl.DataFrame, walk: Walk, campaign: Campaign) -> pl.DataFrame:
    """Add `over_cap` and `taken_by`: what the ledger says against one more message, by person or by contact."""
    for by in ("one_id", "recipient_key"):
        said = against(walk.messages, walk.rules, campaign, walk.send_on, by)
        people = people.join(
            said.rename({name: f"{name}_{by}" for name in ("over_cap", "taken_by")}), on=by, how="left"
        )
    is_free = ~pl.col("is_published")  # what was published keeps its place, whatever was planned since
    return people.with_columns(
        over_cap=pl.when(is_free).then(pl.coalesce("over_cap_one_id", "over_cap_recipient_key")),
        taken_by=pl.when(is_free).then(pl.coalesce("taken_by_one_id", "taken_by_recipient_key")),
    ).with_columns(is_left=pl.all_horizontal(pl.col("reason", "other_owner", "over_cap", "taken_by").is_null()))


def keep_budget(people: pl.DataFrame, walk: Walk, campaign: Campaign, vendor: Vendor) -> pl.DataFrame:
    """Add `budget_left` (fen, before the message; null: it can be paid) and `is_going`: nothing speaks against them.

    Served by score, bucket and id until the first message that cannot be paid; who comes after gets nothing, the
    held-out too, so that they stay comparable with those who are sent to. What the campaign's sends have cost or
    will cost in the days of its budget counts first, and what this send has published keeps its place.
    """
    is_out = pl.col("is_held") | pl.col("is_held_globally") | ~pl.col("is_covered")
    if campaign.budget_fen is None:
        nothing = pl.lit(None, dtype=pl.Int64)
        return people.with_columns(budget_left=nothing, is_going=pl.col("is_left") & ~is_out)
    people = with_prices(people, walk.known.base, campaign, vendor)
    left = campaign.budget_fen - _spent(people, walk, campaign)
    cost = price_in_queue(campaign)
    queue = (
        people.filter("is_left", ~pl.col("is_published"))
        .sort("m_score", "bucket", "one_id", descending=[True, False, False], nulls_last=True)
        .with_columns(cost=cost, paid=pl.when(is_out).then(0).otherwise(cost))
        .with_columns(before=pl.col("paid").cum_sum() - pl.col("paid"))
        .with_columns(is_over=(pl.col("before") + pl.col("cost") > left).cum_max())
    )
    over = queue.filter("is_over").select("one_id", budget_left=(left - pl.col("before")).clip(lower_bound=0))
    joined = people.join(over, on="one_id", how="left", maintain_order="left")
    return joined.with_columns(is_going=pl.col("is_left") & ~is_out & pl.col("budget_left").is_null())


def _spent(people: pl.DataFrame, walk: Walk, campaign: Campaign) -> int:
    """Fen of the campaign's messages that count: a price that was paid for one part where it is known, else today's."""
    days = campaign.budget_days
    mine = walk.messages.filter(pl.col("campaign") == campaign.code)
    if days is not None:
        mine = mine.filter(pl.col("send_on") > walk.send_on - timedelta(days=days))
    messages = mine.sort("one_id").unique(["send_id", "recipient_key"], keep="first", maintain_order=True)
    given = messages.join(people.select("one_id", today=price_of(campaign)), on="one_id", how="left")
    change = pl.coalesce("cost_fen", pl.lit(campaign.message_cost_fen)) - campaign.message_cost_fen
    return int(given.select((pl.col("today").fill_null(flat_price(campaign)) + change).sum()).item() or 0)

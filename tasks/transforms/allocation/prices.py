"""What one message costs each person: parts of its text at the vendor's price, and what it gives away."""

from collections.abc import Mapping
from typing import NamedTuple

import polars as pl

from tasks.policy import conditions
from tasks.policy.campaigns import Campaign
from tasks.policy.message_text import VARIABLE, texts_of
from tasks.policy.vendors import Vendor
from tasks.transforms.messages import message_units, parts

_PRICE = "price of "
_LATER = 20
"""Characters that a coupon's code or a link may take, which nobody has before the file is made."""


class _Message(NamedTuple):
    """One message of a campaign as it is paid for."""

    text: str | None
    variables: dict[str, str]
    incentive_fen: int


def with_prices(people: pl.DataFrame, base: pl.LazyFrame, campaign: Campaign, vendor: Vendor) -> pl.DataFrame:
    """People with what each message of the campaign would cost them, in fen; a message without a text is one part."""
    columns = base.collect_schema().names()
    told = [
        base.select("one_id", **_values(message, campaign, columns)).select(
            "one_id", _price(message, campaign, vendor).alias(_PRICE + code)
        )
        for code, message in _messages(campaign, texts_of(campaign, vendor)).items()
    ]
    for prices in told:
        people = people.join(prices.collect(), on="one_id", how="left", maintain_order="left")
    return people


def price_of(campaign: Campaign) -> pl.Expr:
    """Fen that a person's message costs, by the columns of `with_prices`; without a variant yet the dearest one."""
    codes = list(_messages(campaign))
    dearest = pl.max_horizontal(_PRICE + code for code in codes)
    chosen = [pl.when(pl.col("variant") == code).then(pl.col(_PRICE + code)) for code in codes]
    return pl.coalesce(*chosen, dearest)


def price_in_queue(campaign: Campaign) -> pl.Expr:
    """Fen that a message may cost whoever waits for the budget: in a stratified split the dearest one, for everybody.

    Newcomers get their variants after the budget; were those who have one priced by it, the same day decided again
    would have money left.
    """
    if not (campaign.split.by and campaign.variants):
        return price_of(campaign)
    return pl.max_horizontal(_PRICE + code for code in _messages(campaign))


def flat_price(campaign: Campaign) -> int:
    """Fen of a message of one part to somebody who is no customer any more: the dearest one."""
    return campaign.message_cost_fen + max(message.incentive_fen for message in _messages(campaign).values())


def _messages(campaign: Campaign, texts: Mapping[str, str] | None = None) -> dict[str, _Message]:
    """Variant code to its message, with its text of `texts`; one without a code where there are no variants."""
    said = texts or {}
    own = _Message(said.get(""), campaign.variables, campaign.incentive_fen)
    told = {
        variant.code: _Message(
            said.get(variant.code),
            {**campaign.variables, **variant.variables},
            campaign.incentive_fen if variant.incentive_fen is None else variant.incentive_fen,
        )
        for variant in campaign.variants
    }
    return told or {"": own}


def _values(message: _Message, campaign: Campaign, columns: list[str]) -> dict[str, pl.Expr]:
    """The variables that the text's length rests on; none without a text."""
    if message.text is None:
        return {}
    where = f"campaign {campaign.code}: variable"
    own = {
        name: conditions.parse(text, columns, where=f"{where} {name}").cast(pl.String)
        for name, text in message.variables.items()
    }
    later = set(VARIABLE.findall(message.text)) - own.keys()
    return own | {name: pl.lit("x" * _LATER) for name in sorted(later)}


def _price(message: _Message, campaign: Campaign, vendor: Vendor) -> pl.Expr:
    if message.text is None:
        return pl.lit(campaign.message_cost_fen + message.incentive_fen, pl.Int64)
    length = message_units(message.text, vendor.sms, is_marketing=campaign.purpose == "marketing")
    return parts(length, vendor.sms) * campaign.message_cost_fen + message.incentive_fen

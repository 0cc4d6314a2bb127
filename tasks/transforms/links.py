"""The link of a message with its UTM parameters, by variant."""

from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import polars as pl

from tasks.policy.campaigns import Campaign
from tasks.policy.offers import LINK, Utm

_UTM = "utm_"


def link_of(utm: Utm, campaign: str, variant: str | None) -> str:
    """The base with its own query and fragment, and the campaign's parameters in place of any that it has.

    >>> link_of(Utm(base="https://a.cn/x?id=1#top", source="sms", medium="sms"), "spring", "b")
    'https://a.cn/x?id=1&utm_source=sms&utm_medium=sms&utm_campaign=spring&utm_content=b#top'
    """
    parts = urlsplit(utm.base)
    own = {"source": utm.source, "medium": utm.medium, "campaign": utm.campaign or campaign}
    if variant:
        own["content"] = utm.content.get(variant, variant)
    kept = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name[4:] not in own
            or not name.startswith(_UTM)]  # fmt: skip
    query = urlencode([*kept, *((f"{_UTM}{name}", value) for name, value in own.items())], quote_via=quote)
    return urlunsplit(parts._replace(query=query))


def with_links(variables: pl.DataFrame, members: pl.DataFrame, campaign: Campaign) -> pl.DataFrame:
    """One row per person as given, with their variant's link as `link`; unchanged for a campaign without one."""
    if campaign.utm is None:
        return variables
    codes = [variant.code for variant in campaign.variants]
    told = variables.join(members.select("one_id", _variant="variant"), on="one_id", how="left", maintain_order="left")
    link = pl.lit(link_of(campaign.utm, campaign.code, None))
    for code in codes:
        link = (
            pl.when(pl.col("_variant") == code).then(pl.lit(link_of(campaign.utm, campaign.code, code))).otherwise(link)
        )
    return told.with_columns(link.alias(LINK)).drop("_variant")

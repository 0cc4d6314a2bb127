"""What a message says to each person: the template's variables of the variant that they get."""

import polars as pl

from tasks.policy import conditions
from tasks.policy.campaigns import Campaign
from tasks.policy.variants import Variant
from tasks.transforms.audience import message_variables


def variables_by_variant(base: pl.LazyFrame, campaign: Campaign, members: pl.LazyFrame) -> pl.LazyFrame:
    """One row per customer of the base: `audience.message_variables` as their variant has them.

    Beside the variables of campaign and variants, a campaign with variants gives `variant` (its code), `template` and
    `hour`, unless it has variables of those names: one file holds all variants.

    `members` has one_id and variant (null, and whoever is none: the campaign's own variables).
    """
    if not campaign.variants:
        return message_variables(base, campaign)
    columns = base.collect_schema().names()
    texts = {variant.code: _texts(variant, campaign, columns) for variant in campaign.variants}
    own = _parsed(campaign.variables, campaign, columns)
    told = members.select("one_id", _variant="variant")
    names = sorted(own.keys() | {name for of in texts.values() for name in of})
    chosen = {
        name: _chosen({code: of[name] for code, of in texts.items() if name in of}, own.get(name)) for name in names
    }
    return base.join(told, on="one_id", how="left").select("one_id", **chosen)


def _texts(variant: Variant, campaign: Campaign, columns: list[str]) -> dict[str, pl.Expr]:
    """The variables of one variant: what the campaign says, over that what the variant says."""
    given = {
        "variant": pl.lit(variant.code),
        "template": pl.lit(variant.template or campaign.template),
        "hour": pl.lit("" if variant.hour is None else str(variant.hour)),
    }
    return given | _parsed({**campaign.variables, **variant.variables}, campaign, columns)


def _parsed(variables: dict[str, str], campaign: Campaign, columns: list[str]) -> dict[str, pl.Expr]:
    """Each variable as text; null where not known."""
    return {
        name: conditions.parse(text, columns, where=f"campaign {campaign.code}: variable {name}").cast(pl.String)
        for name, text in variables.items()
    }


def _chosen(by_variant: dict[str, pl.Expr], own: pl.Expr | None) -> pl.Expr:
    """The text of the person's variant, else the campaign's own, empty where not known."""
    is_one = pl.col("_variant")
    text = pl.lit("") if own is None else own
    for code, of_variant in by_variant.items():
        text = pl.when(is_one == code).then(of_variant).otherwise(text)
    return text.fill_null("")

"""What a message says to each person: the template's variables of the variant that they get."""

from collections.abc import Set as AbstractSet

import polars as pl

from tasks.policy import conditions
from tasks.policy.campaigns import Campaign
from tasks.policy.variants import BESIDE, OF_VARIANT, Variant
from tasks.transforms.audience import message_variables


def variables_by_variant(base: pl.LazyFrame, campaign: Campaign, members: pl.LazyFrame) -> pl.LazyFrame:
    """One row per customer of the base: `audience.message_variables` as their variant has them.

    Beside the variables of campaign and variants, a campaign with variants tells `variant` (its code), `template` and
    `hour`, each as `@variant` and so on where it has a variable of that name: one file holds all variants. They are no
    variables of the message. A variable of other variants than the person's is null, one that is not known is empty.

    `members` has one_id and variant (null, and whoever is none: the campaign's own template and variables).
    """
    if not campaign.variants:
        return message_variables(base, campaign)
    columns = base.collect_schema().names()
    texts = {variant.code: _parsed(_own(campaign, variant), campaign, columns) for variant in campaign.variants}
    own = _parsed(campaign.variables, campaign, columns)
    taken = own.keys() | {name for of in texts.values() for name in of}
    own |= _beside("", campaign.template, None, taken)
    for variant in campaign.variants:
        texts[variant.code] |= _beside(variant.code, variant.template or campaign.template, variant.hour, taken)
    told = members.select("one_id", _variant="variant")
    names = sorted(own.keys() | {name for of in texts.values() for name in of})
    chosen = {
        name: _chosen({code: of[name] for code, of in texts.items() if name in of}, own.get(name)) for name in names
    }
    return base.join(told, on="one_id", how="left").select("one_id", **chosen)


def _own(campaign: Campaign, variant: Variant) -> dict[str, str]:
    """The variables of one variant: what it says goes before what the campaign says."""
    return {**campaign.variables, **variant.variables}


def _beside(code: str, template: str, hour: int | None, taken: AbstractSet[str]) -> dict[str, pl.Expr]:
    """What is told of a variant; under another name where a variable has `taken` it."""
    values = zip(OF_VARIANT, (code, template, "" if hour is None else str(hour)), strict=True)
    return {f"{BESIDE}{name}" if name in taken else name: pl.lit(value) for name, value in values}


def _parsed(variables: dict[str, str], campaign: Campaign, columns: list[str]) -> dict[str, pl.Expr]:
    """Each variable as text; empty where not known."""
    return {
        name: conditions.parse(text, columns, where=f"campaign {campaign.code}: variable {name}")
        .cast(pl.String)
        .fill_null("")
        for name, text in variables.items()
    }


def _chosen(by_variant: dict[str, pl.Expr], own: pl.Expr | None) -> pl.Expr:
    """The text of the person's variant, else the campaign's own; null where neither has one."""
    none = pl.lit(None, pl.String)
    text = none if own is None else own
    for code, of_variant in by_variant.items():
        text = pl.when(pl.col("_variant") == code).then(of_variant).otherwise(text)
    return text

"""Persona: what the profiles say of a person, one value for each attribute by the brand's rules of survivorship."""

import polars as pl

from tasks.transforms.held import in_memory
from tasks.transforms.survivorship import ATTRIBUTES, LINE, surviving
from tasks.transforms.traits.ground import Ground

PERSONA = (
    "gender", "birth_month", "age_band", "province", "city", "income_band", "household_size", "kids_count",
    "member_level", "source_tags",
)  # fmt: skip
"""The attributes that traits show."""


def describe_persons(ground: Ground) -> pl.LazyFrame:
    """One row per customer of whom a profile is known; null where none says anything.

    Most people have one profile, and it speaks for them; only where there are several do the rules decide.
    """
    known = in_memory("profiles", ground.members.select(*LINE, *ATTRIBUTES))  # their owners are sought once
    several = known.group_by("one_id").agg(profiles=pl.len()).filter(pl.col("profiles") > 1).select("one_id")
    single = known.join(several, on="one_id", how="anti").select("one_id", *PERSONA)
    disputed = known.join(several, on="one_id", how="semi")
    settled = surviving(disputed, ground.policy.identity.survivorship).group_by("one_id").agg(*_columns())
    return pl.concat([single, settled])


def _columns() -> list[pl.Expr]:
    """One column per attribute, from one row per attribute."""
    value = pl.col("value")
    return [value.filter(pl.col("attribute") == name).first().alias(name) for name in PERSONA]

"""From sightings to persons: the one function that flows call."""

from dataclasses import dataclass
from datetime import date

import polars as pl

from expectations.tables import TABLES
from tasks.policy.identity import Identity
from tasks.transforms.identity.ids import anchor_of, one_id_of


@dataclass(frozen=True)
class Resolution:
    """Who is who at one date, and what was refused on the way."""

    identities: pl.LazyFrame
    """One row per identity key and epoch: the table of that name, sorted by its key."""
    conflicts: pl.LazyFrame
    """One row per refused link: the table `identity_conflicts`, sorted by its key."""


def resolve(
    sightings: pl.LazyFrame, links: pl.LazyFrame, rules: Identity, *, as_of: date, zone: str,  # noqa: ARG001
    blocked: frozenset[str] = frozenset(),
) -> Resolution:  # fmt: skip
    """Persons at the end of `as_of` in `zone`, from sightings and declared links that are known then.

    `blocked` are printed keys that name nobody.
    """
    seen = sightings.filter(
        pl.col("key_role") == "identity",
        pl.col("seen_at").dt.convert_time_zone(zone).dt.date() <= as_of,
        ~pl.col("key").is_in(list(blocked)),
    )
    keys = (
        seen.pipe(_strongest_of_record)
        .group_by("key")
        .agg(pl.col("key_type", "key_scope", "pseudonym").first(), first_seen_at=pl.col("seen_at").min())
    )
    own = keys.with_columns(
        epoch=pl.lit(1, pl.Int64()), own_id=one_id_of(anchor_of()), as_of=pl.lit(as_of),
        key_class=pl.col("key_type").map_elements(rules.class_of, return_dtype=pl.String),
        valid_from=pl.lit(None, pl.Datetime("us", "UTC")), valid_to=pl.lit(None, pl.Datetime("us", "UTC")),
    ).with_columns(one_id="own_id")  # fmt: skip
    identities = own.select(TABLES["identities"].columns).sort("key", "epoch")
    return Resolution(identities, TABLES["identity_conflicts"].empty())


STRONGEST_FIRST = (
    "unionid", "member", "external_userid", "ouid", "omid", "doudian_open_id", "shopify_customer",
    "square_customer", "user_id", "openid", "weimob_wid", "xiaohongshu_user", "jd_pin", "nick", "phone", "email",
)  # fmt: skip
"""Which of several identity keys on one record names the person; a type not listed comes last."""


def _strongest_of_record(seen: pl.LazyFrame) -> pl.LazyFrame:
    """One row per sighting of the strongest key on its record; keys of equal strength all stay."""
    ranks = {key_type: rank for rank, key_type in enumerate(STRONGEST_FIRST)}
    rank = pl.col("key_type").replace_strict(ranks, default=len(ranks), return_dtype=pl.Int64)
    ranked = seen.with_columns(_rank=rank)
    best = ranked.group_by("record").agg(_best=pl.col("_rank").min())
    return ranked.join(best, on="record").filter(pl.col("_rank") == pl.col("_best"))

"""What resolving identities anew does to a planned send: two members may be one person, a number another's."""

import polars as pl

from tasks.policy.variants import HELD_OUT


def one_message_each(members: pl.DataFrame, reached: pl.DataFrame, names: pl.LazyFrame) -> pl.DataFrame:
    """The members of one send as given; of several planned ones who are one person now, one keeps the message.

    Whoever was reached keeps theirs. Where nobody of the person was, the one whose id stands keeps it, else the
    first by id.

    Args:
        members: audience_members rows of the send, under the ids of the plan.
        reached: one_id of whom the send has reached already.
        names: `lineage.aliases` of today.
    """
    planned = (
        members.lazy()
        .filter(pl.col("outcome") == "planned")
        .join(names.select(one_id="old_id", person="one_id"), on="one_id", how="left")
        .with_columns(pl.coalesce("person", "one_id").alias("person"))
    )
    renamed = planned.filter(pl.col("person") != pl.col("one_id"))  # few: of nobody else there are two
    several = (
        planned.join(renamed, on="person", how="semi")
        .with_columns(is_reached=pl.col("one_id").is_in(reached["one_id"].implode()))
        .sort(~pl.col("is_reached"), pl.col("person") != pl.col("one_id"), "one_id")
        .with_columns(keeper=pl.col("one_id").first().over("person"))
    )
    doubled = several.filter(~pl.col("is_reached"), pl.col("keeper") != pl.col("one_id")).select("one_id", "keeper")
    is_doubled = pl.col("keeper").is_not_null()
    same = pl.format("one person with {} since the plan", "keeper")
    return (
        members.join(doubled.collect(), on="one_id", how="left", maintain_order="left")
        .with_columns(
            outcome=pl.when(is_doubled).then(pl.lit("duplicate_contact")).otherwise("outcome"),
            evidence=pl.when(is_doubled).then(same).otherwise("evidence"),
        )
        .select(members.columns)
    )


def still_in_it(members: pl.DataFrame, held: pl.LazyFrame, reached: pl.DataFrame, outcome: str) -> pl.DataFrame:
    """The members of one send as given; whoever is one person with somebody held out since the plan gets nothing.

    Whoever was reached keeps theirs: it is too late for the experiment, and no reason to call a message back.

    Args:
        members: audience_members rows of the send, under the ids of the plan.
        held: one_id of everyone who stands as held out in an experiment of the send, told under the ids of the plan.
        reached: one_id of whom the send has reached already.
        outcome: what they get: `holdout` or `global_holdout`.
    """
    now = held.select("one_id", is_held=pl.lit(value=True)).unique().collect()
    is_reached = pl.col("one_id").is_in(reached["one_id"].implode())
    is_out = (pl.col("outcome") == "planned") & pl.col("is_held").fill_null(value=False) & ~is_reached
    return (
        members.join(now, on="one_id", how="left", maintain_order="left")
        .with_columns(
            outcome=pl.when(is_out).then(pl.lit(outcome)).otherwise("outcome"),
            evidence=pl.when(is_out).then(pl.lit("one person with a held-out since the plan")).otherwise("evidence"),
            variant=pl.when(is_out).then(pl.lit(HELD_OUT)).otherwise("variant"),
        )
        .select(members.columns)
    )


def still_theirs(members: pl.DataFrame, points: pl.LazyFrame) -> pl.DataFrame:
    """The members of one send as given; whoever was to be reached by what is another's contact now gets nothing.

    `points` are `contact_points.contact_points` of today, told under the ids of the plan too.
    """
    theirs = points.filter("is_theirs").select("one_id", recipient_key="contact_key")
    planned = members.lazy().filter(pl.col("outcome") == "planned")
    lost = planned.join(theirs, on=["one_id", "recipient_key"], how="anti").select("one_id").collect()
    is_lost = pl.col("one_id").is_in(lost["one_id"].implode())
    return members.with_columns(
        outcome=pl.when(is_lost).then(pl.lit("no_contact")).otherwise("outcome"),
        evidence=pl.when(is_lost).then(pl.lit("the contact is theirs no more")).otherwise("evidence"),
    ).select(members.columns)

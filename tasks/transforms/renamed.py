"""Whom a send reached under an id that its members, decided again since a merge, do not have any more.

A send that persons set off is decided again by the hour, each time under the ids of the hour; what is published keeps
the ids of its own. A merge alone neither recalls a message nor sends another one.
"""

import polars as pl

from tasks.transforms.lineage import follow

NOBODY_MOVED = pl.DataFrame(schema={"old_id": pl.String, "one_id": pl.String})


def renamed(reached: pl.DataFrame, members: pl.DataFrame, names: pl.LazyFrame) -> pl.DataFrame:
    """One row per id under which the send reached somebody whom its members name otherwise: old_id, one_id.

    Args:
        reached: one_id of whom the send has reached, under the ids of then.
        members: one_id, recipient_key of the send's members.
        names: lineage.changed_aliases of today.
    """
    ids = reached.lazy().select(old_id="one_id")
    known = members.lazy().select("one_id")
    moved = names.select("old_id", person="one_id").join(ids, on="old_id", how="semi")
    strangers = moved.join(known, left_on="old_id", right_on="one_id", how="anti").collect(engine="streaming")
    if strangers.is_empty():
        return NOBODY_MOVED
    people = strangers.lazy().select("person").unique()
    same = names.select("one_id", person="one_id", old="old_id").join(people, on="person", how="semi")
    called = pl.concat([same.select("person", one_id="old"), people.with_columns(one_id="person")])
    now = called.join(known, on="one_id", how="semi").unique().sort(pl.col("person") != pl.col("one_id"), "one_id")
    first = now.unique("person", keep="first", maintain_order=True)
    return strangers.lazy().join(first, on="person").select("old_id", "one_id").sort("old_id").collect()


def as_members_are(reached: pl.DataFrame, moved: pl.DataFrame) -> pl.DataFrame:
    """Whom a send reached, as its members name them now; of several who became one there are as many rows."""
    return reached if moved.is_empty() else follow(reached.lazy(), moved.lazy()).collect()


def one_row_each(reached: pl.DataFrame, moved: pl.DataFrame) -> pl.DataFrame:
    """The same with one row per person: of several contacts the first by key, as the walk takes it."""
    if moved.is_empty():
        return reached
    named = as_members_are(reached, moved).sort("one_id", "recipient_key")
    return named.unique("one_id", keep="first", maintain_order=True)


def as_published(recalled: pl.DataFrame, reached: pl.DataFrame, moved: pl.DataFrame) -> pl.DataFrame:
    """Whom to call back (one_id, recipient_key), under the ids with which they were published."""
    if moved.is_empty():
        return recalled
    stood = reached.join(moved, left_on="one_id", right_on="old_id").select(
        "recipient_key", "one_id", now="one_id_right"
    )
    back = recalled.join(stood, left_on=["one_id", "recipient_key"], right_on=["now", "recipient_key"], how="left")
    return back.select(pl.coalesce("one_id_right", "one_id").alias("one_id"), "recipient_key").sort("one_id")

"""Contacts that the vault has apart and a vendor has not: two spellings of one address."""

import polars as pl


def one_of_each_id(members: pl.DataFrame, doubled: pl.DataFrame) -> pl.DataFrame:
    """The members of one send as given; whoever's contact is another's too, as the vendor writes it, gets nothing.

    `doubled` has one_id and owner, who keeps the contact.
    """
    if doubled.is_empty():
        return members
    is_doubled = (pl.col("outcome") == "planned") & pl.col("owner").is_not_null()
    why = pl.format("for the vendor the contact is also that of {}", "owner")
    return (
        members.join(doubled, on="one_id", how="left", maintain_order="left")
        .with_columns(
            outcome=pl.when(is_doubled).then(pl.lit("duplicate_contact")).otherwise("outcome"),
            evidence=pl.when(is_doubled).then(why).otherwise("evidence"),
        )
        .select(members.columns)
    )

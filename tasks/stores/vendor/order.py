"""In which order rows stand in a vendor's files, and which of them have files of their own."""

from collections.abc import Iterator

import polars as pl

from tasks.errors import BadPolicyError
from tasks.policy.vendors import Vendor


def in_order(people: pl.DataFrame, vendor: Vendor) -> pl.DataFrame:
    """The rows as given, by the profile's order and then by one_id: the same people always stand alike.

    Raises:
        BadPolicyError: the profile orders by a variable that the campaign does not give.
    """
    missing = sorted({name.lstrip("-") for name in vendor.order} - set(people.columns))
    if missing:
        raise BadPolicyError(
            f"vendor {vendor.code} orders by {', '.join(missing)}, which the campaign does not give",
            expected=f"variables among {', '.join(sorted(people.columns))}",
            next_step="add the variable to the campaign, or take it out of `order` of the profile",
        )
    return people.sort([_key(name) for name in vendor.order] + [pl.col("one_id")], nulls_last=True)


def _key(name: str) -> pl.Expr:
    """What is sorted by; a value that is no whole number stands behind all numbers."""
    if not name.startswith("-"):
        return pl.col(name)
    return -pl.col(name[1:]).cast(pl.Int64, strict=False)


def apart(rows: pl.DataFrame, vendor: Vendor) -> Iterator[pl.DataFrame]:
    """The rows that share files, by value in order of its first row; all where the profile names no variable."""
    if vendor.part_by is None:
        yield rows
        return
    yield from rows.partition_by(vendor.part_by, maintain_order=True)

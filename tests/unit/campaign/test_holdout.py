"""The holdout draw: golden buckets, and that nobody moves."""

from datetime import date
from decimal import Decimal

import polars as pl
import pytest

from tasks.policy.variants import Holdout
from tasks.transforms.holdout import bucket, new_assignments, standing_variants, variant
from tests.support.campaigns import rows

UNITS = pl.DataFrame({"unit": ["c_000001", "c_000002", "c_000003"]})


@pytest.mark.parametrize(
    ("salt", "expected"),
    [("global-holdout:2026H1", [6504, 3998, 793]), ("exp:winback-2026-03", [5788, 1632, 5460])],
)
def test_buckets_equal_the_golden_vectors(salt: str, expected: list[int]) -> None:
    assert UNITS.select(bucket(pl.col("unit"), salt)).to_series().to_list() == expected


def test_five_percent_of_many_are_held_out() -> None:
    people = pl.select(unit=pl.format("c_{}", pl.int_range(100_000)))
    held = people.select(variant(bucket(pl.col("unit"), "exp:x"), Holdout(experiment="exp:x", percent=Decimal(5))))
    assert 0.048 < (held.to_series() == "holdout").mean() < 0.052  # type: ignore[operator]


def test_a_larger_holdout_keeps_everyone_who_was_in_it() -> None:
    people = pl.select(bucket=bucket(pl.format("c_{}", pl.int_range(5_000)), "exp:x"))
    small, large = (Holdout(experiment="exp:x", percent=Decimal(p)) for p in ("5", "10"))
    drawn = people.select(small=variant(pl.col("bucket"), small), large=variant(pl.col("bucket"), large))
    assert drawn.filter(pl.col("small") == "holdout")["large"].unique().to_list() == ["holdout"]


def test_the_first_assignment_stands() -> None:
    log = rows(
        "assignments",
        [
            {"experiment": "e", "unit": "a", "variant": "treated", "bucket": 1, "assigned_on": date(2026, 1, 1)},
            {"experiment": "e", "unit": "a", "variant": "holdout", "bucket": 1, "assigned_on": date(2026, 2, 1)},
            {"experiment": "other", "unit": "b", "variant": "holdout", "bucket": 1, "assigned_on": date(2026, 1, 1)},
        ],
    )
    assert standing_variants(log, "e").collect().rows() == [("a", "treated")]


def test_a_customer_merged_from_a_holdout_stays_held_out() -> None:
    log = rows(
        "assignments",
        [
            {"experiment": "e", "unit": unit, "variant": name, "bucket": 1, "assigned_on": date(2026, 1, 1)}
            for unit, name in (("a", "treated"), ("b", "holdout"))
        ],
    )
    names = pl.LazyFrame({"old_id": ["b"], "one_id": ["a"]})
    assert standing_variants(log, "e", names=names).collect().rows() == [("a", "holdout")]


def test_only_those_without_an_assignment_are_appended() -> None:
    drawn = pl.DataFrame(
        {
            "one_id": ["a", "b"],
            "variant": ["holdout", "treated"],
            "bucket": [3, 4],
            "standing_variant": [None, "treated"],
        }
    )
    added = new_assignments(drawn, "e", assigned_on=date(2026, 7, 1))
    assert added.rows() == [("e", "a", "holdout", 3, date(2026, 7, 1))]

"""The composition: whole customers from small inputs, the same whatever the order of rows or the months skipped."""

from dataclasses import replace
from datetime import date

import polars as pl
import pytest

from expectations.tables import TABLES
from tasks.policy.holds import Holds
from tasks.policy.models import Policy
from tasks.policy.rfm import Rfm
from tasks.transforms.customers import layer_customers
from tasks.transforms.inputs import Inputs
from tasks.transforms.refresh import refresh
from tasks.transforms.reviews import month_ends_between
from tests.unit.transforms import builders
from tests.unit.transforms.builders import ladder, noon

JANUARY, FEBRUARY, MARCH = date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31)
BOUGHT = (
    ("1", "ann", date(2026, 1, 10), 2100),
    ("2", "bob", date(2026, 1, 12), 600),
    ("3", "ann", date(2026, 2, 3), 100),
    ("4", None, date(2026, 3, 4), 800),
    ("5", "cat", date(2026, 3, 5), 550),
)
REFUNDS = builders.refunds(("1", date(2026, 2, 20), 1900), ("5", date(2026, 3, 20), 550))


def inputs() -> Inputs:
    keyed = [(n, who and f"member:shop:{who}", day, fen) for n, who, day, fen in BOUGHT]
    seen = [(who, noon(day)) for _, who, day, _ in BOUGHT if who] + [("dan", noon(date(2026, 2, 2)))]
    return Inputs(
        orders=builders.orders(*keyed), order_lines=builders.rows("order_lines"), refunds=REFUNDS,
        products=builders.rows("products"), sightings=builders.sightings(*seen), zone="Asia/Shanghai", currency="CNY",
    )  # fmt: skip


POLICY: Policy = builders.demo_policy().model_copy(update={"tiers": ladder(qualify_window_days=60)})
Tables = dict[str, pl.DataFrame]


def fold(given: Inputs, *dates: date, policy: Policy = POLICY) -> list[Tables]:
    """Refresh date after date, each on the customers of the one before."""
    made: list[Tables] = []
    for as_of in dates:
        made.append({name: frame.collect() for name, frame in refresh(given, policy, as_of).items()})
        before = {f"previous_{table}": made[-1][table].lazy() for table in ("customers", "tags", "cutoffs", "models")}
        given = replace(given, **before, previous_as_of=as_of)
    return made


@pytest.fixture(scope="module")
def months() -> list[Tables]:
    """January, February, March."""
    return fold(inputs(), JANUARY, FEBRUARY, MARCH)


def test_every_table_has_its_declared_columns_types_and_unique_keys(months: list[Tables]):
    for name, frame in months[-1].items():
        declared = TABLES[name]
        assert dict(frame.select(declared.columns).schema) == dict(declared.schema), name
        assert frame.select(declared.key).is_unique().all(), name
        assert frame.equals(frame.sort(declared.key)), name
        required = [column for column in declared.columns if column not in declared.optional]
        assert not any(frame.select(pl.col(required).null_count()).row(0)), name


def test_who_is_a_customer_when(months: list[Tables]):
    assert [tables["customers"].height for tables in months] == [2, 3, 4]
    assert sorted(months[-1]["customers"]["stage"]) == ["at_risk", "prospect", "refunded_only", "silent"]


def test_tiers_month_by_month(months: list[Tables]):
    _, february, march = (tables["customers"].select("tier", "tier_cause", "tier_spend_fen") for tables in months)
    assert sorted(february.rows()) == [("base", "base", 0), ("base", "refund", 300), ("silver", "kept", 600)]
    assert sorted(march.rows()) == [
        ("base", "base", 0), ("base", "base", 0), ("base", "base", 100), ("base", "downgrade", 0),
    ]  # fmt: skip


def test_a_skipped_month_changes_no_tier(months: list[Tables]):
    state = [name for name in TABLES["customers"].columns if name.startswith("tier") and name != "tier_cause"]
    skipped = fold(inputs(), JANUARY, MARCH)[-1]["customers"]
    assert skipped.select("one_id", *state).equals(months[-1]["customers"].select("one_id", *state))


@pytest.mark.slow
def test_a_lock_and_cut_offs_that_stand_are_the_same_with_a_skipped_month(months: list[Tables]):
    silver = months[0]["customers"].filter(tier="silver")["one_id"][0]
    lock = {"one_id": silver, "tier": "gold", "starts_on": "2026-02-01", "ends_on": "2026-02-28", "reason": "promised"}
    rules = POLICY.model_copy(update={
        "holds": Holds.model_validate({"locks": [lock]}), "rfm": Rfm(revise="quarterly"),
    })  # fmt: skip
    every, skipping = (
        fold(inputs(), *dates, policy=rules)[-1] for dates in ((JANUARY, FEBRUARY, MARCH), (JANUARY, MARCH))
    )
    state = [
        "one_id",
        *(name for name in TABLES["customers"].columns if name.startswith("tier") and name != "tier_cause"),
    ]
    assert every["customers"].select(state).equals(skipping["customers"].select(state))
    assert every["cutoffs"]["computed_on"].unique().to_list() == [JANUARY]
    assert every["cutoffs"].equals(skipping["cutoffs"])


def test_the_order_of_rows_changes_nothing(months: list[Tables]):
    given = inputs()
    turned = replace(given, **{name: getattr(given, name).reverse() for name in ("orders", "refunds", "sightings")})
    again = fold(turned, JANUARY)[-1]
    assert all(again[name].equals(months[0][name]) for name in again)


def test_another_currency_is_left_out():
    layers = layer_customers(replace(inputs(), currency="USD"), POLICY, MARCH)
    assert layers.customers.select(pl.col("gross_orders").sum()).collect().item() == 0


def test_key_figures_know_the_anonymous(months: list[Tables]):
    figures = months[-1]["metrics"]
    of_all = dict(figures.filter(pl.col("segment_code") == "all").select("metric", "value").iter_rows())
    assert of_all["customers"] == 4
    assert of_all["revenue_in_month_fen"] == 800
    assert of_all["identified_revenue_bp"] == 0
    assert of_all["orders_of_no_value_in_month"] == 1


def test_month_ends_between():
    assert month_ends_between(date(2025, 11, 30), date(2026, 2, 28)) == [date(2025, 12, 31), date(2026, 1, 31)]
    assert month_ends_between(date(2026, 1, 15), date(2026, 2, 10)) == [date(2026, 1, 31)]
    assert month_ends_between(date(2026, 1, 31), date(2026, 2, 28)) == []

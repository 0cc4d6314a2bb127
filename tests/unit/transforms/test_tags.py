"""Tags: conditions, values, bands, order, and what null counts as."""

from datetime import date

import polars as pl
import pytest

from expectations.tables import TABLES
from tasks.errors import BadPolicyError
from tasks.policy.base import Label
from tasks.policy.models import Band, Policy, Tag
from tasks.transforms.tags import tag_customers
from tests.unit.transforms import builders

LABEL = Label(zh="标签", en="tag")


def tag(code: str, **kind: object) -> Tag:
    return Tag.model_validate({"code": code, "label": LABEL, "meaning": LABEL, **kind})


def tagged(customers: list[dict[str, object]], *tags: Tag) -> pl.DataFrame:
    policy: Policy = builders.demo_policy().model_copy(update={"tags": tags})
    rows = pl.DataFrame(customers, schema=TABLES["customers"].schema, orient="row").lazy()
    return tag_customers(rows, policy).collect()


ANN = {"one_id": "c_a", "as_of": date(2026, 3, 31), "frequency": 3, "monetary_fen": 1000, "days_since_order": 40}
BOB = {"one_id": "c_b", "as_of": date(2026, 3, 31), "frequency": 0, "monetary_fen": 0, "days_since_order": None}


def test_a_condition_that_meets_a_null_is_false():
    assert tagged([BOB, ANN], tag("is_silent", when="days_since_order > 30"))["is_silent"].to_list() == [True, False]


def test_a_value_keeps_its_type_and_its_null():
    got = tagged([ANN, BOB], tag("basket", value="CASE WHEN frequency > 0 THEN monetary_fen // frequency END"))
    assert got["basket"].to_list() == [333, None]
    assert got.schema["basket"] == pl.Int64


def test_a_band_is_the_highest_that_is_reached():
    bands = [
        Band(code=code, label=LABEL, at_least=least) for code, least in (("high", 1000), ("middle", 500), ("low", 1))
    ]
    assert tagged([ANN, BOB], tag("power", measure="monetary_fen", bands=bands))["power"].to_list() == ["high", None]


def test_a_tag_reads_those_above_it_and_not_those_below():
    silent, vip = tag("is_silent", when="days_since_order > 30"), tag("is_vip", when="is_silent AND frequency > 2")
    assert tagged([ANN, BOB], silent, vip).columns == ["one_id", "as_of", "is_silent", "is_vip"]
    with pytest.raises(BadPolicyError, match="is_silent"):
        tagged([ANN], vip, silent)


def test_the_default_tags_read_the_customers_as_declared():
    policy = builders.demo_policy()
    got = tag_customers(TABLES["customers"].empty(), policy).collect()
    assert got.columns == ["one_id", "as_of", *(one.code for one in policy.tags)]

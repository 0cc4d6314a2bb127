"""An invented brand of a few dozen customers over fourteen months, with something of everything that tags read."""

import random
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import polars as pl

from expectations.tables import TABLES
from expectations.vocabulary import EVENTS
from tasks.transforms.inputs import Inputs
from tasks.transforms.orders import known_refunds

ZONE, CURRENCY = "Asia/Shanghai", "CNY"
FIRST, LAST = date(2025, 1, 1), date(2026, 3, 31)
KNOWN = datetime(2026, 4, 2, tzinfo=UTC)
PEOPLE = 60
ONCE = date(2025, 11, 20)
_NAMES = {
    "view": ("浏览商品", "浏览过敏专题"),
    "service": ("咨询物流", "过敏咨询", "断奶怎么办"),
    "post": ("晒单", "辅食日记"),
}  # fmt: skip
_PRODUCTS = (
    ("p1", "婴儿奶粉 1 段", "奶粉", "A"), ("p2", "防过敏面霜", "护肤", "B"), ("p3", "湿巾", "母婴用品", "A"),
    ("p4", "咖啡", "食品", None), ("p5", "礼品卡", None, None), ("p6", "Hypoallergenic Balm", "护肤", "C"),
)  # fmt: skip
_METHODS = ("alipay", None, "wechat", "cod", "alipay")
_LEVELS = ("VIP", "vip|VIP", "普通", None)
Rows = list[dict[str, Any]]


@cache
def tables() -> dict[str, pl.DataFrame]:
    """Every raw table, all of it known at KNOWN."""
    chance = random.Random(20260331)  # noqa: S311  an invented brand needs no secrets
    orders, lines, refunds, events, members, follows, seen = ([] for _ in range(7))
    for number in range(PEOPLE):
        key = f"member:shop:{number:02}"
        seen.append(_sighting(key, f"member:shop:{number:02}", FIRST))
        for n in range(chance.choice((0, 1, 1, 2, 3, 5, 9, 14))):
            made = _order(chance, f"{number}-{n}", key, saturday=number % 3 == 0)
            if number % 10 == 4 and n == 0:  # one big order, then little or nothing
                made |= {"paid_on": ONCE, "ordered_at": _noon(ONCE), "paid_at": _noon(ONCE), "paid_fen": 990_000}
            orders.append(made)
            seen.append(
                _sighting(key, f"order:{made['channel']}:{made['shop_id']}:{made['order_id']}", made["paid_on"])
            )
            lines += _lines(chance, made)
            refunds += _refunds(chance, made)
        does = ("view",) if number % 7 == 0 else (*EVENTS, "login", "login", "view", "view")
        events += [_event(chance, f"{number}-{n}", key, does) for n in range(chance.choice((0, 0, 6, 50)))]
        members += [_profile(chance, key) for _ in range(chance.choice((0, 1, 1)))]
        follows += [_contact(chance, key) for _ in range(chance.choice((0, 0, 1, 2)))]
    products = [_row(channel=channel, shop_id="main", product_id=i, product_name=name, category=kind, brand=brand)
                for i, name, kind, brand in _PRODUCTS for channel in ("shop", "pos_cn")]  # fmt: skip
    given = {"orders": orders, "order_lines": lines, "refunds": refunds, "products": products, "sightings": seen,
             "events": events, "members": members, "follows": follows}  # fmt: skip
    return {name: pl.DataFrame(rows, schema=TABLES[name].schema, orient="row") for name, rows in given.items()}


def inputs() -> Inputs:
    """The same as a refresh reads it."""
    raw = {name: frame.lazy() for name, frame in tables().items()}
    return Inputs(**raw | {"refunds": known_refunds(raw["refunds"], KNOWN)}, zone=ZONE, currency=CURRENCY)


def _noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 4, tzinfo=UTC)


def _row(**values: Any) -> dict[str, Any]:
    return {"known_from": KNOWN, "exported_at": KNOWN, **values}


def _instant(chance: random.Random, day: date) -> datetime:
    """Some time of a day in Shanghai."""
    return (
        datetime(day.year, day.month, day.day, tzinfo=UTC)
        - timedelta(hours=8)
        + timedelta(minutes=chance.randrange(1440))
    )


def _day(chance: random.Random) -> date:
    """Any day; the last weeks more often."""
    days = (LAST - FIRST).days
    return LAST - timedelta(days=chance.choice((chance.randrange(45), chance.randrange(days), chance.randrange(days))))


def _order(chance: random.Random, name: str, key: str, *, saturday: bool) -> dict[str, Any]:
    day = _day(chance)
    if saturday:
        day -= timedelta(days=(day.weekday() + 2) % 7)
    paid_at = _instant(chance, day)
    paid = chance.choice((0, 900, 4_900, 19_900, 19_900, 61_000, 240_000))
    return _row(
        channel=chance.choice(("shop", "shop", "pos_cn")), shop_id="main", order_id=name, kind="purchase",
        buyer_key=key,
        ordered_at=paid_at, paid_at=paid_at, paid_on=day, status="finished", currency=CURRENCY, paid_fen=paid,
        gross_fen=paid + chance.choice((0, 0, 1_000, 6_000)), refunded_fen=0, coupon_fen=chance.choice((None, 0, 500)),
        payment_method=_METHODS[sum(map(ord, name)) % len(_METHODS)],
    )  # fmt: skip


def _lines(chance: random.Random, order: dict[str, Any]) -> Rows:
    """One line or two that together are the order."""
    common = {name: order[name] for name in ("channel", "shop_id", "order_id")}
    first = order["paid_fen"] // 3
    parts = chance.choice(([order["paid_fen"]], [first, order["paid_fen"] - first]))
    return [
        _row(**common, line_id=str(n), product_id=chance.choice(_PRODUCTS)[0], quantity=1, paid_fen=fen, gross_fen=fen)
        for n, fen in enumerate(parts)
    ]


def _refunds(chance: random.Random, order: dict[str, Any]) -> Rows:
    if chance.random() > 0.15 or not order["paid_fen"]:
        return []
    back = order["paid_on"] + timedelta(days=chance.randrange(20))
    fen = chance.choice((order["paid_fen"], order["paid_fen"] // 3))
    return [
        _row(channel=order["channel"], shop_id="main", order_id=order["order_id"], refund_id="r",
             refund_basis="itemised", refund_state="paid_back", refund_fen=fen, refunded_on=back,
             refunded_at=_instant(chance, back))
    ]  # fmt: skip


def _event(chance: random.Random, name: str, key: str, does: tuple[str, ...]) -> dict[str, Any]:
    kind = chance.choice(does)
    day = LAST - timedelta(days=chance.randrange(chance.choice((12, 30, 60, 400))))
    told = chance.choice(_NAMES.get(kind, (kind,)))
    return _row(channel="app", shop_id="main", event_id=name, event=kind, event_name=told, customer_key=key,
                happened_at=_instant(chance, day), happened_on=day)  # fmt: skip


def _profile(chance: random.Random, key: str) -> dict[str, Any]:
    joined = _day(chance)
    said = {
        "gender": ("female", "male", None), "birth_month": ("01", "02", "04", "12", None),
        "kids_count": ("0", "1", None), "age_band": ("25-34", None), "province": ("浙江", None),
        "city": ("杭州", None), "member_level": ("V2", None),
        "source_tags": (*_LEVELS, "断奶期|VIP"),
    }  # fmt: skip
    told = {name: chance.choice(values) for name, values in said.items()}
    return _row(channel="shop", shop_id="main", member_key=key, joined_at=_instant(chance, joined), **told)


def _contact(chance: random.Random, key: str) -> dict[str, Any]:
    tags = chance.choice((None, "客户等级:A", "老客|客户等级:B", "客户等级:C|客户等级:B"))
    return _row(channel="wecom", shop_id="main", adviser_id=chance.choice("xyz"), customer_key=key,
                followed_at=_instant(chance, _day(chance)), source_tags=tags)  # fmt: skip


def _sighting(key: str, record: str, day: date) -> dict[str, Any]:
    kind, scope, name = key.split(":")
    return {"key_type": kind, "key_scope": scope, "pseudonym": name, "key": key, "key_role": "identity",
            "record": record, "evidence_rank": 3, "channel": "shop",
            "seen_at": _noon(day),
            "known_from": KNOWN, "file_sha256": "f", "seen_month": f"{day:%Y-%m}"}  # fmt: skip

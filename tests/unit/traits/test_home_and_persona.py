"""The place where somebody is at home, the adviser, and the profile that stands for several."""

from datetime import UTC, datetime, timedelta

import polars as pl

from tasks.transforms.survivorship import surviving
from tasks.transforms.traits.home import find_adviser, find_home
from tasks.transforms.traits.persona import PERSONA, describe_persons
from tests.unit.traits.grounds import AS_OF, POLICY, by_customer, ground, orders
from tests.unit.transforms.builders import rows


def bought(one_id: int, place: str, count: int, fen: int = 100) -> list[dict[str, object]]:
    channel, shop = place.split(":")
    return [{"one_id": one_id, "channel": channel, "shop_id": shop, "paid_fen": fen}] * count


def test_home_is_the_till_with_most_orders_then_most_money_then_the_first_name():
    given = [
        *bought(1, "youzan:main", 3), *bought(1, "pos_cn:east", 1), *bought(1, "pos_cn:west", 1, 200),
        *bought(2, "pos_cn:b", 1), *bought(2, "square:a", 1), *bought(2, "pos_cn:c", 1),
        *bought(3, "youzan:main", 1), *bought(3, "taobao:x", 1),
    ]  # fmt: skip
    old = {"one_id": 4, "channel": "pos_cn", "paid_on": AS_OF - timedelta(days=365)}
    told = by_customer(find_home(ground(orders=orders(*given, old))))
    assert {n: tuple(row.values()) for n, row in told.items()} == {
        1: ("youzan", None, "pos_cn:west"), 2: ("pos_cn", None, "pos_cn:b"), 3: ("taobao", None, None),
    }  # fmt: skip


def test_how_somebody_pays_is_told_by_the_orders_of_which_it_is_known():
    ways = {
        1: [("wechat", 9), ("wechat", 9), ("card", 900), (None, 1), (None, 1), (None, 1)],  # most orders
        2: [("wechat", 10), ("alipay", 20), ("cod", 20)],  # then most money, then the first name
        3: [(None, 500)],
    }
    given = [{"one_id": n, "payment_method": how, "paid_fen": fen} for n, told in ways.items() for how, fen in told]
    old = {"one_id": 3, "payment_method": "card", "paid_on": AS_OF - timedelta(days=365)}
    told = by_customer(find_home(ground(orders=orders(*given, old))))
    assert {n: row["preferred_payment"] for n, row in told.items()} == {1: "wechat", 2: "alipay", 3: None}


def follow(one_id: int, adviser: str, at: datetime) -> dict[str, object]:
    return {"one_id": one_id, "adviser_id": adviser, "followed_at": at}


def test_the_adviser_of_the_newest_contact():
    may, june = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 30, 15, 59, tzinfo=UTC)
    contacts = [
        follow(1, "li", may), follow(1, "wu", june), follow(1, "xu", june), follow(1, "an", june + timedelta(hours=1)),
        follow(2, "li", june + timedelta(hours=1)),
    ]  # fmt: skip
    assert by_customer(find_adviser(ground(follows=pl.LazyFrame(contacts)))) == {1: {"adviser_id": "wu"}}


def profile(one_id: int, key: str, day: int, **said: str) -> dict[str, object]:
    exported = datetime(2026, 6, day, tzinfo=UTC)
    return {"one_id": one_id, "channel": "shop", "member_key": key, "exported_at": exported, **said}


def members(*given: dict[str, object]) -> pl.LazyFrame:
    plain = [{name: value for name, value in row.items() if name != "one_id"} for row in given]
    return rows("members", *plain).with_columns(one_id=pl.Series([row["one_id"] for row in given], dtype=pl.Int64))


def test_one_profile_speaks_for_itself_and_several_by_the_rules():
    held = members(
        profile(1, "a", 1, gender="female", city="Suzhou"),
        profile(2, "b", 1, gender="male", city="Wuxi"), profile(2, "c", 2, gender="male"),
        profile(2, "d", 3, gender="female", city="Nanjing"),
        profile(3, "e", 1), profile(3, "f", 2),
    )  # fmt: skip
    told = by_customer(describe_persons(ground(members=held)))
    assert {n: (row["gender"], row["city"]) for n, row in told.items()} == {
        1: ("female", "Suzhou"), 2: ("male", "Nanjing"),
    }  # fmt: skip


def test_single_profiles_say_what_survivorship_would():
    held = members(profile(1, "a", 1, gender="female", city="Suzhou"), profile(2, "b", 1, kids_count="2"))
    told = by_customer(describe_persons(ground(members=held)))
    said = surviving(held, POLICY.identity.survivorship).collect()
    expected = {(row["one_id"], row["attribute"]): row["value"] for row in said.iter_rows(named=True)}
    assert {(n, name): row[name] for n, row in told.items() for name in PERSONA if row[name]} == expected

"""Tags told from what was seen: windows over orders, lines and events, keywords, and tags of the sources."""

from datetime import UTC, date, datetime, timedelta

import pytest

from tasks.errors import BadPolicyError
from tests.unit.tags.frames import DAY, SHOP, event, ground, order, tag, tagged

ANN, BOB, CAT = {"one_id": "c_a"}, {"one_id": "c_b"}, {"one_id": "c_c"}
EVERYONE = [ANN, BOB, CAT]
FIRST_IN, LAST_OUT = DAY - timedelta(days=29), DAY - timedelta(days=30)
ORDERS = [
    order(0, DAY, 500, channel="till"), order(0, FIRST_IN, 700, has_coupon=True), order(0, LAST_OUT, 9_000),
    order(1, DAY, 0), order(1, FIRST_IN, 300, order_id="x"), order(1, FIRST_IN, 100, order_id="y"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        ({"take": "sum", "column": "net_fen"}, [1_200, 400, 0]),
        ({"take": "count"}, [2, 2, 0]),
        ({"take": "days"}, [2, 1, 0]),
        ({"take": "largest", "column": "net_fen"}, [700, 300, None]),
        ({"take": "distinct", "column": "channel"}, [2, 1, 0]),
        ({"take": "count", "where": "has_coupon"}, [1, 0, 0]),
        ({"take": "sum", "column": "net_fen", "where": "channel = 'shop' AND net_fen >= 200"}, [700, 300, 0]),
    ],
)
def test_a_window_counts_qualifying_orders_of_its_days(window, expected):
    told = tagged(EVERYONE, tag("seen", window={"of": "orders", "days": 30, **window}), ground=ground(orders=ORDERS))
    assert told["seen"].to_list() == expected


def test_a_window_may_ask_for_a_least_number_or_for_bands():
    window = {"of": "orders", "take": "sum", "column": "net_fen", "days": 30}
    bands = [{"code": "some", "label": {"zh": "有", "en": "some"}, "at_least": 400}]
    tags = tag("rich", window=window, at_least=401), tag("band", window=window, bands=bands)
    told = tagged(EVERYONE, *tags, ground=ground(orders=ORDERS))
    assert told["rich"].to_list() == [True, False, False]
    assert told["band"].to_list() == ["some", "some", None]


def test_a_refund_falls_on_the_lines_of_its_order_in_proportion():
    paid = order(0, DAY, 600, paid_fen=900, refunded_fen=300, order_id="o")
    lines = [
        {**SHOP, "order_id": "o", "line_id": name, "product_id": name, "quantity": 1, "paid_fen": fen}
        for name, fen in (("milk", 300), ("toy", 600))
    ]
    products = [{**SHOP, "product_id": "milk", "category": "food"}, {**SHOP, "product_id": "toy", "category": "play"}]
    seen = ground(orders=[paid], lines=lines, products=products)
    window = {"of": "lines", "take": "sum", "column": "net_fen", "days": 30, "where": "category = 'food'"}
    kinds = {"of": "lines", "take": "distinct", "column": "category", "days": 30}
    told = tagged([ANN], tag("food", window=window), tag("kinds", window=kinds), ground=seen)
    assert told.row(0)[2:] == (200, 2)


def test_a_window_counts_events_of_a_kind():
    events = [event(0, DAY, "live_watch"), event(0, DAY, "view"), event(0, LAST_OUT, "live_watch")]
    window = {"of": "events", "days": 30, "where": "event = 'live_watch'"}
    told = tagged([ANN, BOB], tag("live", window=window), ground=ground(events=events))
    assert told["live"].to_list() == [1, 0]


def test_keywords_are_sought_where_the_tag_says():
    products = [{**SHOP, "product_id": "p", "product_name": "防过敏 Balm"}]
    line = {**SHOP, "order_id": f"0-{DAY}", "line_id": "1", "product_id": "p", "quantity": 1, "paid_fen": 5}
    seen = ground(
        orders=[order(0, DAY, 5)], lines=[line], products=products,
        events=[
            event(1, DAY, "service", "过敏咨询"), event(2, DAY, "view", "过敏专题"),
            event(1, LAST_OUT, "service", "断奶"),
        ],
        members=[{"one_id": 2, "source_tags": "vip|断奶期"}],
    )  # fmt: skip
    words = {"words": ["过敏", "balm"], "days": 30}
    tags = [
        tag("anywhere", keyword=words),
        tag("bought", keyword=words | {"places": ["products"]}),
        tag("asked", keyword=words | {"places": ["services"]}),
        tag("named", keyword=words | {"places": ["event_names"]}),
        tag("weaning", keyword={"words": ["断奶"], "days": 30}),
    ]
    told = tagged(EVERYONE, *tags, ground=seen)
    assert {name: told[name].to_list() for name in told.columns[2:]} == {
        "anywhere": [True, True, True], "bought": [True, False, False], "asked": [False, True, False],
        "named": [False, True, True], "weaning": [False, False, True],
    }  # fmt: skip


def test_what_sources_say_of_a_person_is_imported():
    days = [datetime(2026, 3, day, tzinfo=UTC) for day in (1, 2)]
    members = [
        {"one_id": 0, "channel": "a", "exported_at": days[0], "source_tags": "vip|level:gold"},
        {"one_id": 0, "channel": "b", "exported_at": days[1], "source_tags": "level:tin|level:iron"},
        {"one_id": 1, "channel": "a", "exported_at": days[0], "source_tags": "vips"},
    ]
    tags = [
        tag("vip", imported={"tag": "vip"}),
        tag("vip_b", imported={"tag": "vip", "channel": "b"}),
        tag("level", imported={"prefix": "level:"}),
        tag("friend", imported={"table": "follows", "tag": "friend"}),
    ]
    seen = ground(members=members, follows=[{"one_id": 2, "source_tags": "friend"}])
    told = tagged(EVERYONE, *tags, ground=seen)
    assert {name: told[name].to_list() for name in told.columns[2:]} == {
        "vip": [True, False, False], "vip_b": [False, False, False], "level": ["iron", None, None],
        "friend": [False, False, True],
    }  # fmt: skip


def test_what_was_seen_must_be_given():
    with pytest.raises(ValueError, match="the tags live need"):
        tagged([ANN], tag("live", window={"of": "events", "days": 30}))


def test_a_window_reads_the_columns_of_its_rows_alone():
    window = {"of": "events", "days": 30, "where": "frequency > 3"}
    with pytest.raises(BadPolicyError, match="frequency"):
        tagged([ANN], tag("live", window=window), ground=ground(events=[event(0, date(2026, 3, 1), "view")]))

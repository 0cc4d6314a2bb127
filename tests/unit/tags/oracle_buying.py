"""The oracle's laws about what somebody buys, when, where and how, and what they do beside it."""

from tests.unit.tags.oracle import Person, World, band, is_among, is_sure, says, value, yes


def _stated(code: str, column: str) -> None:
    def law(person: Person, _world: World) -> object:
        return person.fact(column)

    law.__name__ = code
    says(law)


for _code, _column in (
    ("orders_in_30_days", "orders_30d"), ("favourite_category", "preferred_category"),
    ("favourite_brand", "preferred_brand"), ("favourite_channel", "preferred_channel"),
    ("favourite_payment", "preferred_payment"),
    ("favourite_hours", "preferred_hour_band"), ("favourite_weekday", "preferred_weekday"),
    ("next_category", "companion_category"), ("stocks_up_on", "restock_category"),
    ("price_level", "price_sensitivity"),
):  # fmt: skip
    _stated(_code, _column)


@says
def spending_power(person: Person, _world: World) -> str | None:
    return band(person.fact("spend_3m_fen"), low=0, middle=300_00, high=1_500_00)


@says
def yearly_spend(person: Person, _world: World) -> str | None:
    return band(person.fact("monetary_fen"), base=0, silver=500_00, gold=2_000_00, diamond=5_000_00)


@says
def net_spend_30d(person: Person, _world: World) -> int:
    return sum(order["net_fen"] for order in person.bought(30))


@says
def coupon_orders_90d(person: Person, _world: World) -> int:
    return len([order for order in person.bought(90) if order["has_coupon"]])


@says
def buying_frequency(person: Person, _world: World) -> str | None:
    return band(person.fact("frequency"), low=1, middle=3, high=8)


@says
def loyalty(person: Person, _world: World) -> str | None:
    return band(person.fact("purchase_days"), low=1, middle=4, high=12)


@says
def basket_size(person: Person, _world: World) -> int | None:
    orders = person.fact("frequency")
    return person.fact("monetary_fen") // orders if orders else None


@says
def basket_level(person: Person, world: World) -> str | None:
    return band(value("basket_size", person, world), small=0, middle=100_00, large=300_00)


@says
def spend_trend(person: Person, _world: World) -> str | None:
    now, then = person.fact("spend_90d_fen"), person.fact("spend_prev_90d_fen")
    if now == then == 0:
        return None
    if now >= 1.5 * then:
        return "rising"
    return "falling" if now <= then / 2 else "steady"


@yes
def is_high_net_worth(person: Person, _world: World) -> bool:
    return person.fact("m_score") == 5


@yes
def is_high_spender(person: Person, world: World) -> bool:
    ranked = world.by_spend
    return person.fact("frequency") > 0 and is_among(ranked, person.fact("monetary_fen"), len(ranked) * 20 // 100)


@yes
def is_top_by_life(person: Person, world: World) -> bool:
    ranked = world.by_life
    return person.fact("life_orders") > 0 and is_among(ranked, person.fact("life_net_fen"), len(ranked) * 20 // 100)


@yes
def is_top_100(person: Person, world: World) -> bool:
    return person.fact("frequency") > 0 and is_sure(world.by_spend, person.fact("monetary_fen"), 100)


@yes
def is_500_a_month(person: Person, _world: World) -> bool:
    return person.fact("max_month_spend_fen") > 500_00


@yes
def is_tier_at_risk(person: Person, _world: World) -> bool:
    return person.fact("tier_level") > 0 and person.fact("stage") in {"at_risk", "silent"}


@yes
def is_near_next_tier(person: Person, _world: World) -> bool:
    gap = person.fact("tier_gap_fen")
    return gap is not None and gap <= 200_00


@yes
def is_price_sensitive(person: Person, _world: World) -> bool:
    return person.fact("price_sensitivity") == "high"


@yes
def likes_coupons(person: Person, _world: World) -> bool:
    return person.is_above("coupon_rate", 0.3)


@yes
def is_weekend_buyer(person: Person, _world: World) -> bool:
    rate = person.fact("weekday_rate")
    return rate is not None and rate <= 0.4


@yes
def is_devoted_to_category(person: Person, _world: World) -> bool:
    return person.is_above("category_share", 0.7) and person.fact("frequency") > 1


@says
def categories_90d(person: Person, _world: World) -> int:
    return len({line["category"] for order in person.bought(90) for line in order["lines"]} - {None})


@yes
def is_restock_due(person: Person, _world: World) -> bool:
    due = person.fact("restock_due_on")
    return due is not None and (due - person.day).days <= 7


@yes
def buys_mother_and_baby(person: Person, _world: World) -> bool:
    named = [person.fact(name) or "" for name in ("preferred_category", "second_category")]
    return any(word in name for name in named for word in ("母婴", "奶粉", "BABY", "INFANT"))


@yes
def is_active_member(person: Person, _world: World) -> bool:
    return person.fact("is_active")


@yes
def browses_without_buying(person: Person, _world: World) -> bool:
    return len(person.did(30, "view")) >= 10 and not person.bought(30)


@yes
def has_left_cart(person: Person, _world: World) -> bool:
    return bool(person.did(30, "cart_add")) and not person.bought(30)


@yes
def has_unused_coupon(person: Person, _world: World) -> bool:
    return len(person.did(30, "coupon_claim")) > len(person.did(30, "coupon_use"))


@yes
def watches_live(person: Person, _world: World) -> bool:
    return len(person.did(90, "live_watch", "live_interact")) >= 2


@says
def service_level(person: Person, _world: World) -> str | None:
    return band(len(person.did(90, "service")), some=1, many=3)


@yes
def visits_stores(person: Person, _world: World) -> bool:
    return bool(person.did(30, "visit_store"))


@yes
def is_probably_gone(person: Person, _world: World) -> bool:
    alive = person.fact("p_alive")
    return alive is not None and alive < 0.2


@says
def churn_risk(person: Person, _world: World) -> str | None:
    buys = person.fact("p_buy_90d")
    if buys is None:
        return None
    return "high" if buys < 0.3 else "low" if buys >= 0.7 else "middle"


@yes
def is_likely_to_buy(person: Person, _world: World) -> bool:
    return person.is_above("p_buy_90d", 0.8)


@yes
def is_future_value(person: Person, world: World) -> bool:
    ranked = world.by_future
    return person.fact("clv_status") == "model" and is_among(ranked, person.fact("clv_fen"), len(ranked) // 5)


@yes
def is_false_high_value(person: Person, world: World) -> bool:
    largest = max((order["net_fen"] for order in person.orders), default=0)
    days = person.fact("days_since_order")
    is_one_order = largest >= 0.8 * person.fact("life_net_fen")
    return value("is_high_spender", person, world) and is_one_order and days is not None and days > 60


@yes
def is_champion_leaving(person: Person, world: World) -> bool:
    return value("is_high_spender", person, world) and value("churn_risk", person, world) == "high"


@yes
def is_champion_weekend(person: Person, world: World) -> bool:
    return person.fact("segment") == "champions" and value("is_weekend_buyer", person, world)


@yes
def is_baby_high_weekend(person: Person, world: World) -> bool:
    tags = ("is_high_spender", "buys_mother_and_baby", "is_weekend_buyer")
    return all(value(tag, person, world) for tag in tags)

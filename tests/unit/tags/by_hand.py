"""The measures that tags read, worked out by hand from one customer's rows; what a model fits is not among them."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from tests.unit.tags.oracle import Person, Row

TILLS = {"complete_journey", "pos_cn", "square"}
INTERACTIONS = {
    "login", "view", "search", "favourite", "cart_add", "cart_remove", "checkout", "share", "message", "live_watch",
    "live_interact", "coupon_claim", "coupon_use", "review", "service", "survey", "referral", "follow",
    "community_join", "post", "visit_store",
}  # fmt: skip
NEWEST = ("age_band", "province", "city", "income_band", "kids_count", "member_level")
FREQUENT = ("gender", "birth_month")


def facts_by_hand(person: Person, paid_orders: int, kinds: set[str], zone: str) -> Row:
    """Columns of customers and traits by their names."""
    return (
        _money(person, paid_orders)
        | _habits(person, zone)
        | _wallet(person)
        | _deeds(person, kinds)
        | _self(person, zone)
    )


def _money(person: Person, paid_orders: int) -> Row:
    days = sorted({order["paid_on"] for order in person.orders})
    window = person.bought(365)
    since = (person.day - days[-1]).days if days else None
    told = {
        "gross_orders": paid_orders, "life_orders": len(person.orders), "life_net_fen": _sum(person.orders),
        "purchase_days": len(days), "first_order_on": days[0] if days else None, "days_since_order": since,
        "frequency": len(window), "monetary_fen": _sum(window), "recency_days": since if window else None,
        "coupon_rate": _rate(sum(order["has_coupon"] for order in window), len(window)),
        "weekday_rate": _rate(sum(order["paid_on"].isoweekday() < 6 for order in window), len(window)),
        "spend_3m_fen": _sum(order for order in person.orders if _months_back(person.day, order["paid_on"]) < 3),
    }  # fmt: skip
    return told | {"stage": _stage(person.day, days, paid_orders)}


def _stage(day: date, days: list[date], paid_orders: int) -> str:
    """The text of algorithms §5, line by line, with 30, 60 and 90 days."""
    if not paid_orders:
        return "prospect"
    if not days:
        return "refunded_only"
    since, first = (day - days[-1]).days, (day - days[0]).days
    if len(days) == 1 and since <= 7:
        return "new"
    if first <= 30:
        return "growing"
    if any((q - p).days > 60 and (day - q).days <= 30 for p, q in itertools.pairwise(days)):
        return "returned"
    return next((name for name, last in (("active", 30), ("at_risk", 60), ("silent", 90)) if since <= last), "lost")


def _habits(person: Person, zone: str) -> Row:
    months = defaultdict(int)
    for order in person.orders:
        months[_months_back(person.day, order["paid_on"])] += order["net_fen"]
    window = person.bought(365)
    off = sum(max(order["gross_fen"] - order["paid_fen"], 0) for order in window)
    rate = _rate(off, sum(max(order["gross_fen"], order["paid_fen"]) for order in window))
    coupons = _rate(sum(order["has_coupon"] for order in window), len(window))
    return {
        "orders_30d": len(person.bought(30)), "orders_90d": len(person.bought(90)),
        "spend_90d_fen": _sum(person.bought(90)),
        "spend_prev_90d_fen": _sum(person.bought(180)) - _sum(person.bought(90)),
        "max_month_spend_fen": max((fen for back, fen in months.items() if back < 12), default=0),
        "price_sensitivity": _sensitivity(rate, coupons) if window else None,
        "preferred_weekday": _most_of([order["paid_on"].isoweekday() for order in window], list(range(1, 8))),
        "preferred_hour_band": _hours(window, zone),
        **_places(window),
    }  # fmt: skip


def _sensitivity(discount: float | None, coupons: float | None) -> str:
    for code, off, used in (("high", 0.2, 0.5), ("middle", 0.1, 0.2)):
        if (discount is not None and discount >= off) or (coupons is not None and coupons >= used):
            return code
    return "low"


def _hours(window: list[Row], zone: str) -> str | None:
    bands = []
    for order in window:
        paid = order["paid_at"].astimezone(ZoneInfo(zone))
        if (paid.hour, paid.minute, paid.second) != (0, 0, 0):
            starts = {0: "night", 6: "morning", 11: "noon", 14: "afternoon", 18: "evening", 22: "night"}
            bands.append(starts[max(start for start in starts if start <= paid.hour)])
    return _most_of(bands, ["night", "morning", "noon", "afternoon", "evening"])


def _most_of(values: list[Any], order: list[Any]) -> Any:
    """The most frequent value, the earlier one where two are; of two values or more."""
    counts = Counter(values)
    return min(counts, key=lambda value: (-counts[value], order.index(value))) if len(values) >= 2 else None


def _places(window: list[Row]) -> Row:
    """Most orders first, then the larger spend, then the first name."""
    channels: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    stores: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    payments: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for order in window:
        names = [(channels, order["channel"])]
        if order["channel"] in TILLS:
            names.append((stores, f"{order['channel']}:{order['shop_id']}"))
        if order["payment_method"]:
            names.append((payments, order["payment_method"]))
        for counts, name in names:
            counts[name][0] -= 1
            counts[name][1] -= order["net_fen"]
    best = [min(counts, key=lambda name: (counts[name], name), default=None) for counts in (channels, stores, payments)]
    return {"preferred_channel": best[0], "home_store": best[1], "preferred_payment": best[2]}


def _wallet(person: Person) -> Row:
    """Net spend by category and brand, the largest first, then by name in byte order."""
    spent: dict[str, dict[str, int]] = {"category": defaultdict(int), "brand": defaultdict(int)}
    for order in person.bought(365):
        for line in order["lines"]:
            whole, net = order["paid_fen"], order["net_fen"]
            fen = line["paid_fen"] if net == whole else line["paid_fen"] * net // whole
            for kind, sums in spent.items():
                if line[kind] is not None:
                    sums[line[kind]] += fen
    ranked = {
        kind: sorted((-fen, name.encode()) for name, fen in sums.items() if fen > 0) for kind, sums in spent.items()
    }
    categories = [name.decode() for _, name in ranked["category"]]
    brands = [name.decode() for _, name in ranked["brand"]]
    whole = -sum(fen for fen, _ in ranked["category"])
    return {
        "preferred_category": next(iter(categories), None), "second_category": next(iter(categories[1:]), None),
        "preferred_brand": next(iter(brands), None),
        "category_share": _rate(-ranked["category"][0][0], whole) if categories else None,
    }  # fmt: skip


def _deeds(person: Person, kinds: set[str]) -> Row:
    week, month = (len(person.did(days, *INTERACTIONS)) for days in (7, 30))
    is_active = len(person.did(7, "login")) >= 3 if "login" in kinds else None
    if not kinds:
        activity = "unknown"
    elif is_active or week >= 7 or month >= 20:
        activity = "high"
    elif week or month >= 4:
        activity = "middle"
    else:
        activity = "low" if month else "none"
    return {
        "interactions_30d": month, "is_active": is_active, "activity": activity,
        "content_30d": len(person.did(30, "post", "review")), "referrals_life": len(person.did(100_000, "referral")),
    }  # fmt: skip


def _self(person: Person, zone: str) -> Row:
    """What profiles say: the newest of most things, the most frequent sex and month of birth."""
    told = {name: _stated(person.profiles, name, by_count=name in FREQUENT) for name in (*NEWEST, *FREQUENT)}
    joined = [row["joined_at"].astimezone(ZoneInfo(zone)).date() for row in person.profiles if row["joined_at"]]
    known = [row for row in person.contacts if row["followed_at"].astimezone(ZoneInfo(zone)).date() <= person.day]
    newest = max((row["followed_at"] for row in known), default=None)
    return told | {
        "member_since_on": min((day for day in joined if day <= person.day), default=None),
        "adviser_id": min((row["adviser_id"] for row in known if row["followed_at"] == newest), default=None),
    }


def _stated(profiles: list[Row], name: str, *, by_count: bool) -> Any:
    said = [row for row in profiles if row[name] is not None]
    keys = {
        value: len({row["member_key"] for row in said if row[name] == value}) for value in {row[name] for row in said}
    }

    def rank(row: Row) -> tuple[Any, ...]:
        count = -keys[row[name]] if by_count else 0
        return count, -row["exported_at"].timestamp(), row["channel"], row["member_key"], row[name]

    return min(said, key=rank)[name] if said else None


def scores_by_hand(people: Mapping[str, Person]) -> dict[str, Row]:
    """Scores by counting who stands lower (algorithms §3a), and the segment by the map."""
    base = {name: person for name, person in people.items() if person.fact("frequency")}
    columns = {"r_score": ("recency_days", -1), "f_score": ("frequency", 1), "m_score": ("monetary_fen", 1)}
    scores: dict[str, Row] = {name: dict.fromkeys(columns, 0) for name in people}
    for score, (column, sign) in columns.items():
        ranked = sorted(sign * person.fact(column) for person in base.values())
        first = {}
        for place, number in enumerate(ranked):
            first.setdefault(number, place)
        for name, person in base.items():
            scores[name][score] = 1 + 5 * first[sign * person.fact(column)] // len(base)
    return scores


def _sum(orders: Any) -> int:
    return sum(order["net_fen"] for order in orders)


def _rate(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _months_back(day: date, paid_on: date) -> int:
    return day.year * 12 + day.month - paid_on.year * 12 - paid_on.month

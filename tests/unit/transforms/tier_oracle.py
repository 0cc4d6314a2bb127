"""The tier rule of algorithms §4 once more, for one customer at a time, written as the text reads."""

from calendar import monthrange
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from tasks.policy.tiers import Tiers


@dataclass(frozen=True)
class Order:
    paid_on: date
    paid_fen: int
    refunds: tuple[tuple[date, int], ...] = ()


@dataclass(frozen=True)
class State:
    level: int = 0
    since: date | None = None
    valid_until: date | None = None
    grace_until: date | None = None
    granted_by: str | None = None
    window_end: date | None = None
    locked_until: date | None = None


@dataclass(frozen=True)
class Customer:
    orders: tuple[Order, ...] = ()
    state: State = field(default_factory=State)


def worth(order: Order, day: date, tiers: Tiers) -> int:
    """Net value at the end of a day; before its counting day an order is worth nothing."""
    counted_on = order.paid_on + timedelta(days=tiers.maturity_days)
    if counted_on > day:
        return 0
    last = counted_on if tiers.refund_effect == "none" else day
    return max(0, order.paid_fen - sum(fen for on, fen in order.refunds if on <= last))


def spend(orders: tuple[Order, ...], window_end: date, known_on: date, tiers: Tiers) -> int:
    start = window_end - timedelta(days=tiers.qualify_window_days + tiers.maturity_days)
    last = window_end - timedelta(days=tiers.maturity_days)
    return sum(worth(order, known_on, tiers) for order in orders if start < order.paid_on <= last)


def highest(amount: int, thresholds: list[int]) -> int:
    return max(level for level, least in enumerate(thresholds) if amount >= least)


def month_end_after(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, monthrange(year, month + 1)[1])


def step(customer: Customer, day: date, tiers: Tiers, *, is_review: bool) -> tuple[State, str]:  # noqa: C901, PLR0911
    """One step; the numbers are those of the text."""
    s, up, keep = customer.state, [t.up_fen for t in tiers.tiers], [t.keep_fen for t in tiers.tiers]
    amount = spend(customer.orders, day, day, tiers)

    def entered(level: int, granted_by: str | None, window_end: date | None) -> State:
        if level == 0:
            return State(0, day if level != s.level else s.since)
        since = day if level != s.level else s.since
        return State(level, since, month_end_after(day, tiers.tiers[level].valid_months), None, granted_by, window_end)

    if s.locked_until is not None and day <= s.locked_until:  # 1
        return s, "manual"
    s = replace(s, locked_until=None)
    if highest(amount, up) > s.level and (tiers.upgrade == "immediate" or is_review):  # 2
        return entered(highest(amount, up), "up", day), "upgrade"
    if s.level == 0:  # 3
        return State(0, s.since), "base"
    if tiers.refund_effect == "immediate" and s.granted_by is not None and s.window_end is not None:  # 4
        left = spend(customer.orders, s.window_end, day, tiers)
        held = min(s.level, highest(left, up if s.granted_by == "up" else keep))
        if held < s.level:
            return entered(held, s.granted_by, s.window_end), "refund"
    if s.valid_until is not None and day < s.valid_until:  # 5
        return s, "in_validity"
    if not is_review:  # 6
        return s, "awaiting_review"
    if amount >= keep[s.level]:  # 7
        return entered(s.level, "keep", day), "kept"
    if tiers.downgrade == "none":  # 8
        return entered(s.level, None, day), "no_downgrade"
    if s.grace_until is None and tiers.grace_days > 0:  # 9
        return replace(s, grace_until=day + timedelta(days=tiers.grace_days)), "grace_start"
    if s.grace_until is not None and day < s.grace_until:
        return s, "in_grace"
    if tiers.downgrade == "one_down":  # 10
        return entered(s.level - 1, None, day), "downgrade"
    return entered(highest(amount, keep), "keep", day), "downgrade"


def reviewed(day: date, state: State, tiers: Tiers) -> bool:
    """Whether the day is one of review for a customer in that state."""
    if tiers.review == "fixed_dates":
        return f"{day:%m-%d}" in tiers.review_on
    if day.day != monthrange(day.year, day.month)[1]:
        return False
    if tiers.review == "monthly" or state.level == 0 or state.since is None:
        return True
    return day.month == state.since.month and day.year > state.since.year


def month(customer: Customer, after: date, as_of: date, tiers: Tiers) -> tuple[State, list[str]]:
    """The days with a new qualifying order, then the review; the causes of every step that was taken."""
    days = {order.paid_on + timedelta(days=tiers.maturity_days): False for order in customer.orders}
    for order in customer.orders:
        counted_on = order.paid_on + timedelta(days=tiers.maturity_days)
        days[counted_on] |= worth(order, counted_on, tiers) > 0
    causes = []
    for day in sorted(day for day, has_new in days.items() if has_new and after < day < as_of):
        if tiers.upgrade == "immediate":
            state, cause = step(customer, day, tiers, is_review=False)
            customer = replace(customer, state=state)
            causes.append(cause)
    state, cause = step(customer, as_of, tiers, is_review=reviewed(as_of, customer.state, tiers))
    return state, [*causes, cause]

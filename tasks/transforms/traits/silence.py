"""Silence in four kinds and after a recall, early warning and potential (algorithms §5, thresholds in lifecycle.yaml).

Days are whole business days since the last of a sort: an order on 1 March is 30 days old at the end of 31 March.
"""

from datetime import date, timedelta

import polars as pl

from expectations.traits import SCENARIO_KINDS
from tasks.policy.lifecycle import EarlyWarning, Potential, Silence
from tasks.transforms.traits.ground import Ground
from tasks.transforms.traits.kinds import last_day

EXPOSED = ("handed_over", "accepted", "delivered", "clicked", "replied")
_STARTS = {"checkout": ("checkout",), "cart": ("cart_add",), "coupon": ("coupon_claim",)}
_LOOK_BACK = 30
"""Days after which something that was started is forgotten."""


def last_days(ground: Ground) -> list[pl.Expr]:
    """When a customer last did what a silence is measured from, over their events."""
    kinds = {**_STARTS, "use": ("coupon_use",), "core": ground.policy.lifecycle.silence.core_actions}
    return [last_day(*names).alias(f"_last_{name}_on") for name, names in kinds.items()]


def last_coupon_order(ground: Ground) -> pl.LazyFrame:
    """One row per customer who ever met a price by a coupon: the last day on which they did."""
    with_coupon = ground.orders.filter("is_qualifying", "has_coupon")
    return with_coupon.group_by("one_id").agg(_last_coupon_order_on=pl.col("paid_on").max())


def last_recall(ground: Ground) -> pl.LazyFrame:
    """One row per customer whom a recall reached `recall_days` ago or earlier: the last such day.

    A message counts when it was handed over and neither failed, waits nor was cancelled, or when the vendor saw it
    arrive.
    """
    silence = ground.policy.lifecycle.silence
    until = ground.as_of - timedelta(days=silence.recall_days)
    kind = pl.col("kind")
    arrived = kind.is_in(["delivered", "clicked", "replied"]).any()
    undone = kind.is_in(["failed", "waiting", "cancelled"]).any()
    return (
        ground.touches.filter(pl.col("campaign").str.contains(silence.recalls), pl.col("send_on") <= until)
        .group_by("one_id", "send_id", "send_on")
        .agg(was_exposed=arrived | (kind.is_in(EXPOSED).any() & ~undone))
        .filter("was_exposed")
        .group_by("one_id")
        .agg(_last_recall_on=pl.col("send_on").max())
    )


def judge_silence(customers: pl.LazyFrame, ground: Ground) -> pl.LazyFrame:
    """Customers as given with the four kinds of silence, the scenario, and silence after a recall.

    `silent_behaviour` asks about orders alone where the brand has no events; `silent_latent` is null where it has no
    log-ins. Who never bought is silent neither by behaviour nor by value: they are prospects.
    """
    silence = ground.policy.lifecycle.silence
    quiet = pl.col("days_since_order")
    is_idle = (pl.col("days_since_active") >= silence.interaction_days).fill_null(value=True)
    over = pl.col("max_month_spend_fen") > silence.month_spend_over_fen
    since_login = pl.col("days_since_login").is_between(silence.login_from_days, silence.login_to_days)
    return (
        customers.with_columns(silent_scenario_kind=_scenario(silence, ground.as_of))
        .with_columns(
            silent_behaviour=_is_true((quiet >= silence.order_days) & is_idle),
            silent_value=_is_true(over & (quiet >= silence.value_days)),
            silent_scenario=pl.col("silent_scenario_kind").is_not_null(),
            silent_latent=_is_true(since_login) if "login" in ground.event_kinds else pl.lit(None, pl.Boolean),
            silent_again=_is_true(pl.col("_last_recall_on") > _last_core()),
        )
    )  # fmt: skip


def judge_promise(customers: pl.LazyFrame, ground: Ground) -> pl.LazyFrame:
    """Customers as given with `early_warning` and `is_potential`; false where no profile says when they joined."""
    lifecycle = ground.policy.lifecycle
    joined = _days_since(ground.as_of, "member_since_on")
    return customers.with_columns(
        early_warning=_is_true(_needs_a_word(lifecycle.early_warning, joined)),
        is_potential=_is_true(_could_be_more(lifecycle.potential, joined)),
    )


def _needs_a_word(rule: EarlyWarning, joined: pl.Expr) -> pl.Expr:
    """A new member, some days without an order, and without any before."""
    return joined.is_between(rule.quiet_days, rule.new_days) & (pl.col("life_orders") == 0)


def _could_be_more(rule: Potential, joined: pl.Expr) -> pl.Expr:
    """Few orders, a member for some months, active without buying."""
    has_few = pl.col("life_orders").is_between(rule.least_orders, rule.most_orders)
    is_member = joined.is_between(rule.member_from_days, rule.member_to_days)
    is_quiet = (pl.col("days_since_order") >= rule.quiet_days).fill_null(value=True)
    return has_few & is_member & is_quiet & pl.col("activity").is_in(rule.activities)


def _scenario(silence: Silence, as_of: date) -> pl.Expr:
    """What was started `scenario_days` ago or earlier, in the last 30 days, and not finished since; null: nothing.

    The first kind that fits is told.
    An order of the same day or later finishes a cart and a checkout; a use, or an order with a coupon, a claim.
    """
    bought, used = pl.col("last_order_on"), pl.max_horizontal("_last_use_on", "_last_coupon_order_on")
    ends = {"checkout": bought, "cart": bought, "coupon": used}
    newcomer = _days_since(as_of, "member_since_on").is_between(silence.newcomer_days, _LOOK_BACK)
    is_left = {name: _is_left(f"_last_{name}_on", end, silence, as_of) for name, end in ends.items()}
    is_left["newcomer"] = newcomer & (pl.col("life_orders") == 0)
    return pl.coalesce(pl.when(is_left[name]).then(pl.lit(name)) for name in SCENARIO_KINDS)


def _is_left(start: str, end: pl.Expr, silence: Silence, as_of: date) -> pl.Expr:
    ago = _days_since(as_of, start)
    return ago.is_between(silence.scenario_days, _LOOK_BACK) & (end.is_null() | (end < pl.col(start)))


def _last_core() -> pl.Expr:
    """Last day with an order or another core action; long ago for who never did any."""
    return pl.max_horizontal("last_order_on", "_last_core_on").fill_null(date(1970, 1, 1))


def _days_since(as_of: date, name: str) -> pl.Expr:
    return (pl.lit(as_of) - pl.col(name)).dt.total_days()


def _is_true(condition: pl.Expr) -> pl.Expr:
    return condition.fill_null(value=False)

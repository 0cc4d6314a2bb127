"""The account of a send: everyone considered, in one outcome each, summing to the base."""

import polars as pl

from tasks.errors import UnbalancedError

REASONS = (
    "rule_not_met", "identity_changed", "no_contact", "unreachable", "no_consent", "suppressed",
    "no_separate_consent", "no_profiling", "bought_since", "duplicate_contact", "capped", "lower_priority",
    "over_budget", "no_coupon", "global_holdout", "holdout", "not_covered", "withdrawn_since_plan", "refused_text",
    "cancelled",
)  # fmt: skip
"""Why someone gets nothing, in the order in which the reasons are asked."""
GOING = ("planned", "delivered")
OUTCOMES = (*REASONS, *GOING)


def waterfall(members: pl.DataFrame | pl.LazyFrame) -> dict[str, int]:
    """`base` and the count of every outcome of one send, in the order of the walk, zeros included."""
    return _account(members.lazy().group_by("outcome").len().collect(engine="streaming"))


def _account(counted: pl.DataFrame) -> dict[str, int]:
    by_outcome = {outcome: int(count) for outcome, count in counted.iter_rows()}
    return {"base": sum(by_outcome.values()), **{outcome: by_outcome.get(outcome, 0) for outcome in OUTCOMES}}


def waterfalls(members: pl.DataFrame | pl.LazyFrame) -> dict[str, dict[str, int]]:
    """The `waterfall` of each send among the members, by its id in order."""
    counted = members.lazy().group_by("send_id", "outcome").len().collect(engine="streaming")
    sends = counted.sort("send_id").partition_by("send_id", as_dict=True, maintain_order=True)
    return {str(send_id): _account(rows.drop("send_id")) for (send_id,), rows in sends.items()}


def counts_by_variant(members: pl.DataFrame) -> dict[str, int]:
    """Of those planned or delivered in one send, how many get each variant, in order of code."""
    going = members.filter(pl.col("outcome").is_in(GOING), pl.col("variant").is_not_null())
    return {str(code): int(count) for code, count in going.group_by("variant").len().sort("variant").iter_rows()}


def check_balance(counts: dict[str, int], *, base: int) -> None:
    """Refuse a send in which someone was lost or counted twice.

    Raises:
        UnbalancedError: the base is not the sum of all outcomes, or not the number of customers of the date.
    """
    total = sum(count for outcome, count in counts.items() if outcome != "base")
    if not counts["base"] == total == base:
        raise UnbalancedError(
            f"{base} customers were considered, {counts['base']} have a row, the outcomes add up to {total}",
            expected="base = planned or delivered + each reason",
            next_step="nothing was published; report this with the run id",
        )

"""Keys that tell of too many: a till's phone, an agent's, an office's e-mail (algorithms §7.3)."""

import polars as pl

from tasks.policy.identity import Identity

HUBS = pl.Schema({"node": pl.Int64(), "evidence": pl.String()})


def hubs_of(
    edges: pl.DataFrame, nodes: pl.DataFrame, orders: pl.DataFrame, receivers: pl.DataFrame, groups: pl.DataFrame,
    rules: Identity,
) -> pl.DataFrame:  # fmt: skip
    """One row per shareable node that is a hub: `node, evidence`, the limits that it breaks in the order of their text.

    `nodes` (group, rank) by number; `orders` (node, shop, day), one row per order of a shareable node; `receivers`
    (node, receiver), one row per record on which a shareable node stood beside a phone of a receiver.
    """
    broken = pl.concat([
        _beside_strong(edges, nodes, groups, rules),
        _counted(orders.group_by("node", "shop", "day").agg(count=pl.len()), rules.hub.orders_per_day,
                 "orders of one shop in a day"),
        _counted(receivers.group_by("node").agg(count=pl.col("receiver").n_unique()), rules.hub.receivers,
                 "receivers"),
    ])  # fmt: skip
    return broken.group_by("node").agg(evidence=pl.col("evidence").unique().sort().str.join("; ")).cast(HUBS)


def _beside_strong(edges: pl.DataFrame, nodes: pl.DataFrame, groups: pl.DataFrame, rules: Identity) -> pl.DataFrame:
    """Nodes linked to more strong keys of one type and scope than the policy allows."""
    rank, group = nodes["rank"], nodes["group"]
    sides = [edges.select(node=one, mate=other) for one, other in (("a", "b"), ("b", "a"))]
    beside = pl.concat([
        side.filter((rank.gather(side["node"]) > 0) & (rank.gather(side["mate"]) == 0)) for side in sides
    ])  # fmt: skip
    counts = beside.select("node", group=group.gather(beside["mate"])).group_by("node", "group").agg(count=pl.len())
    limits = groups.select(
        "group", limit=pl.Series([rules.hub_limit_of(name) for name in groups["key_type"]], dtype=pl.Int64),
        name=pl.format("{}@{}", "key_type", "key_scope").str.strip_suffix("@"),
    )  # fmt: skip
    over = counts.join(limits, on="group").filter(pl.col("count") > pl.col("limit"))
    return over.select("node", evidence=pl.format("{}: {} > {}", "name", "count", "limit"))


def _counted(counts: pl.DataFrame, limit: int, what: str) -> pl.DataFrame:
    """Nodes above a limit; of several counts of one node the largest speaks."""
    over = counts.filter(pl.col("count") > limit).group_by("node").agg(pl.col("count").max())
    return over.select("node", evidence=pl.format(f"{what}: {{}} > {limit}", "count"))

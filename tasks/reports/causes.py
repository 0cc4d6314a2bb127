"""Why people moved: each cause with its customers and their spend, summing to the moves of the matrices."""

import polars as pl

from expectations.vocabulary import MOVE_CAUSES
from tasks.reports.numbers import count, money
from tasks.reports.view import Block, Table, row, warned
from tasks.reports.words import Labels, Text, name_of

CAUSES: Labels = {
    "config": Text("规则调整", "Other rules"),
    "identity": Text("身份合并或拆分", "Merged or split"),
    "late_data": Text("数据迟到", "Late data"),
    "refund": Text("退款", "Refunds"),
    "time": Text("时间推移", "Time passing"),
    "new_orders": Text("新订单、新客", "New orders and arrivals"),
    "cutoffs": Text("分数线移动", "Moved cut-offs"),
    "manual": Text("人工", "By hand"),
}
_DIMENSIONS: Labels = {"tier": Text("等级", "Tier"), "stage": Text("阶段", "Stage"), "segment": Text("分群", "Segment")}


def cause_totals(migrations: pl.DataFrame, dimension: str) -> pl.DataFrame:
    """One row per cause that occurs, in the order of the steps: customers, and their window spend in fen.

    Their sums are those of all cells of the matrix but the diagonal.
    """
    rank = {cause: place for place, cause in enumerate(MOVE_CAUSES)}
    return (
        migrations.filter(pl.col("dimension") == dimension)
        .drop_nulls("cause")
        .group_by("cause")
        .agg(customers=pl.len().cast(pl.Int64), monetary_fen=pl.col("monetary_fen").sum())
        .sort(pl.col("cause").replace_strict(rank, return_dtype=pl.Int64))
    )


def cause_block(migrations: pl.DataFrame, currency: str) -> Block:
    """All causes of all moves in one table: customers and money for tier, stage and segment."""
    totals = {dimension: cause_totals(migrations, dimension) for dimension in _DIMENSIONS}
    told = {dimension: {line[0]: line[1:] for line in table.iter_rows()} for dimension, table in totals.items()}
    rows = tuple(
        row(name_of(CAUSES, cause), *_cells(told, cause, currency))
        for cause in MOVE_CAUSES
        if any(cause in found for found in told.values())
    )
    columns = (Text("原因", "Cause"), *(name for label in _DIMENSIONS.values() for name in _heads(label)))
    warnings = warned((not _is_whole(migrations), Text("有变动没有原因。", "Some moves have no cause.")))
    note = Text(
        "从上月状态起逐项加入差异，最后一项使标签改变的即为原因；各原因之和等于矩阵中的全部变动。",
        "From last month's state one difference is added after another; the last that changes the label is the cause. "
        "The causes sum to all moves of the matrices.",
    )
    table = Table(Text("各原因的人数与消费", "Customers and spend by cause"), columns, rows)
    return Block(Text("变动原因", "Why they moved"), note, None, table, warnings)


def _heads(label: Text) -> tuple[Text, Text]:
    return (
        Text(f"{label.zh}人数", f"{label.en}: customers"),
        Text(f"{label.zh}消费", f"{label.en}: spend"),
    )  # fmt: skip


def _cells(told: dict[str, dict[str, tuple[int, int]]], cause: str, currency: str) -> list[str]:
    found = [told[dimension].get(cause, (0, 0)) for dimension in _DIMENSIONS]
    return [cell for people, fen in found for cell in (count(people), money(fen, currency))]


def _is_whole(migrations: pl.DataFrame) -> bool:
    """Whether everybody who moved has a cause."""
    moved = migrations.filter(pl.col("from_code") != pl.col("to_code"))
    return moved["cause"].null_count() == 0

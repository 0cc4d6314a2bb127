"""Who moved since the month before, and why: tiers, segments, stages, with arrivals and leavers."""

import polars as pl

from tasks.reports.causes import cause_block
from tasks.reports.data import ReportData
from tasks.reports.drawing import picture
from tasks.reports.matrix_chart import MANY, move_heat
from tasks.reports.moves import ARRIVED, climbs, code_order, is_balanced, move_matrix, move_totals
from tasks.reports.numbers import count, percent
from tasks.reports.view import Block, Key, Picture, Section, Table, row, warned
from tasks.reports.words import MOVES, Labels, Text, name_of, same, segment_labels, stage_labels, tier_labels

FIRST_MONTH = Text("这是首月，没有可比的上月。", "This is the first month; there is none to compare with.")
LADDER_KEYS = (Key("shade-4", Text("升级、新进", "Rose or arrived")), Key("fall-4", Text("降级、离开", "Fell or left")))


def movement_section(data: ReportData) -> Section:
    """Three matrices: from which label, to which; and why."""
    title = Text("层级迁移", "Moves between months")
    if data.migrations.is_empty():
        return Section("moves", title, FIRST_MONTH)
    lead = Text(
        "行为上月，列为本月；带框的对角线是未变动的客户。",
        "Rows: the month before. Columns: this month. The outlined diagonal holds those who stayed.",
    )
    blocks = (
        _block(data, "tier", Text("等级", "Tiers"), tier_labels(data.policy), is_ladder=True),
        _block(data, "stage", Text("生命周期", "Lifecycle stages"), stage_labels(data.policy)),
        _block(data, "segment", Text("分群", "Segments"), segment_labels(data.policy)),
        cause_block(data.migrations, data.currency),
    )
    return Section("moves", title, lead, blocks)


def _block(data: ReportData, dimension: str, title: Text, names: Labels, *, is_ladder: bool = False) -> Block:
    matrix = move_matrix(data.migrations, dimension, names)
    order = code_order(data.migrations.filter(pl.col("dimension") == dimension), names)
    labels, ladder = names | MOVES, list(names) if is_ladder else []
    totals = _in_words(matrix, ladder)
    is_wide = len(order) > MANY
    warnings = warned((
        not is_balanced(matrix, data.customers, data.previous, dimension),
        Text("迁移矩阵与客户人数不一致。", "The matrix does not account for every customer."),
    ))  # fmt: skip
    drawn: Picture = picture(
        lambda language: move_heat(matrix, order, labels, ladder, language),
        Text(f"{title.zh}迁移矩阵：{totals.zh}", f"{title.en}, matrix of moves: {totals.en}"),
        LADDER_KEYS if is_ladder else (),
        is_wide=is_wide,
    )
    table = _table(matrix, labels)
    beside, folded = (None, table) if is_wide else (table, None)
    return Block(title, totals, drawn, beside, warnings, folded)


def _in_words(matrix: pl.DataFrame, ladder: list[str]) -> Text:
    totals = {kind: count(number) for kind, number in move_totals(matrix).items()}
    rose, fell = climbs(matrix, ladder)
    detail = Text(f"（升 {count(rose)}、降 {count(fell)}）", f" ({count(rose)} up, {count(fell)} down)")
    detail = detail if ladder else same("")
    return Text(
        f"未变 {totals['stayed']} 人，变动 {totals['moved']} 人{detail.zh}，"
        f"新进 {totals['arrived']} 人，离开 {totals['left']} 人。",
        f"{totals['stayed']} stayed, {totals['moved']} moved{detail.en}, "
        f"{totals['arrived']} arrived, {totals['left']} left.",
    )


def _table(matrix: pl.DataFrame, labels: Labels) -> Table:
    """The moves, most people first; those who stayed are left to the picture."""
    moved = matrix.filter(pl.col("from_code") != pl.col("to_code")).sort(
        pl.col("customers"), pl.col("from_code"), pl.col("to_code"), descending=[True, False, False]
    )
    origin = dict(matrix.group_by("from_code").agg(pl.col("customers").sum()).iter_rows())
    rows = tuple(
        row(
            name_of(labels, start), name_of(labels, end), count(customers),
            "" if start in ARRIVED else percent(customers, origin[start]),
        )
        for start, end, customers in moved.select("from_code", "to_code", "customers").iter_rows()
    )  # fmt: skip
    columns = (Text("上月", "Before"), Text("本月", "Now"), Text("人数", "Customers"), Text("占上月", "Of before"))
    return Table(Text("变动明细", "The moves"), columns, rows, wordy=frozenset({1}))

"""Who the customers are at the month's end: RFM grid, segments, tiers, stages, concentration."""

import polars as pl

from tasks.reports import charts
from tasks.reports.data import ReportData
from tasks.reports.drawing import picture
from tasks.reports.figures import FIFTH, group_changes, group_sizes, pareto_curve, rfm_grid, scored_base, sum_of
from tasks.reports.numbers import NOTHING, count, percent, signed, whole_money
from tasks.reports.view import Block, Key, Section, Table, head, row
from tasks.reports.words import (
    Labels,
    Text,
    cell_labels,
    name_of,
    same,
    segment_labels,
    segment_plays,
    stage_labels,
    tier_labels,
)

SHARES = (
    Key("people", Text("客户占比", "Share of customers")),
    Key("spend", Text("消费额占比", "Share of spend")),
)
MONTHS = (Key("before", Text("上月", "Month before")), Key("people", Text("本月", "This month")))
NO_BASE = Text("窗口期内没有人购买，没有得分。", "Nobody bought in the window, so nobody has a score.")


def rfm_section(data: ReportData) -> Section:
    """The grid of recency and frequency, the named segments, and the eight cells."""
    days = data.policy.rfm.window_days
    blocks = () if scored_base(data.customers).is_empty() else (_grid(data), _segments(data))
    return Section(
        "rfm",
        Text("RFM 分层", "RFM layers"),
        Text(
            f"按近 {days} 天的最近消费、频次与金额打分，得分相同的人同分，5 分为最高。",
            f"Scored on recency, frequency and spend over {days} days. Equal values share a score; 5 is best.",
        )
        if blocks
        else NO_BASE,
        blocks,
    )


def _grid(data: ReportData) -> Block:
    grid = rfm_grid(data.customers, levels=(data.policy.rfm.levels_of("r"), data.policy.rfm.levels_of("f")))
    return Block(
        Text("最近消费 × 频次", "Recency × frequency"),
        Text(
            "上行为人数，下行为人均消费。颜色越深，人越多。", "Customers above, mean spend below. Darker: more people."
        ),
        picture(lambda language: charts.rfm_heat(grid, data.currency, language), _grid_in_words(grid)),
        _cells(data),
        folded=_grid_table(grid, data.currency),
    )


def _grid_in_words(grid: pl.DataFrame) -> Text:
    best = grid.sort("customers", "r_score", "f_score", descending=True).row(0, named=True)
    place, number = f"R{best['r_score']} F{best['f_score']}", count(best["customers"])
    return Text(
        f"RFM 热力图：人数最多的是 {place}，{number} 人。",
        f"Heat map of R and F scores; most customers, {number}, are at {place}.",
    )


def _grid_table(grid: pl.DataFrame, currency: str) -> Table:
    scores = sorted(set(grid["r_score"]))
    cells = {(r, f): (number, mean) for r, f, number, mean in grid.select(
        "r_score", "f_score", "customers", "mean_fen").iter_rows()}  # fmt: skip
    rows = [
        row(f"F{f}", *(f"{count(cells[r, f][0])} · {whole_money(cells[r, f][1], currency)}" for r in scores))
        for f in reversed(scores)
    ]
    caption = Text("热力图的数字：人数 · 人均消费", "The numbers of the grid: customers · mean spend")
    return Table(caption, (same(""), *(same(f"R{score}") for score in scores)), tuple(rows))


def _segments(data: ReportData) -> Block:
    labels = segment_labels(data.policy)
    groups = group_sizes(data.customers, "segment", labels)
    inside = groups.filter(~pl.col("code").is_in(list(data.policy.segments.outside)))
    return Block(
        Text("命名分群与打法", "Named segments and what to do with them"),
        Text("每位客户恰好属于一个分群。", "Every customer is in exactly one segment."),
        picture(
            lambda language: charts.pair_bars(charts.share_rows(inside), labels, language),
            _shares_in_words(inside, labels),
            SHARES,
        ),
        _worded_table(
            groups, labels, data.currency, Text("分群", "Segment"), Text("打法", "Play"), segment_plays(data.policy)
        ),
    )


def _cells(data: ReportData) -> Table:
    """The eight high and low cells."""
    labels = cell_labels(data.policy)
    named = {code: Text(f"{code} {label.zh}", f"{code} {label.en}") for code, label in labels.items()}
    scored = scored_base(data.customers)
    return _group_table(group_sizes(scored, "rfm_cell", labels), named, data.currency, Text("高低八类", "Type"))


def tier_section(data: ReportData) -> Section:
    """How many are in each tier, and what they bring."""
    labels = tier_labels(data.policy)
    groups = group_sizes(data.customers, "tier", labels).filter((pl.col("code") != "none") | (pl.col("customers") > 0))
    drawn = picture(
        lambda language: charts.pair_bars(charts.share_rows(groups), labels, language),
        _shares_in_words(groups, labels),
        SHARES,
    )
    table = _worded_table(
        groups, labels, data.currency, Text("等级", "Tier"), Text("门槛", "Threshold"), _thresholds(data)
    )
    block = Block(picture=drawn, table=table)
    return Section(
        "tiers",
        Text("会员等级", "Tiers"),
        Text(
            f"等级由 {data.policy.tiers.qualify_window_days} 天内的净消费决定，每月末评定。",
            f"Tiers follow net spend over {data.policy.tiers.qualify_window_days} days, reviewed at each month's end.",
        ),
        (block,) if data.customers.height else (),
    )


def _thresholds(data: ReportData) -> Labels:
    """What a tier asks for, in words."""
    amounts = {
        tier.code: (whole_money(tier.up_fen, data.currency), whole_money(tier.keep_fen, data.currency))
        for tier in data.policy.tiers.tiers
        if tier.up_fen
    }
    return {code: Text(f"满 {up} 升，满 {keep} 保", f"reach {up}, keep {keep}") for code, (up, keep) in amounts.items()}


def stage_section(data: ReportData) -> Section:
    """Where customers stand in their life with the brand, now and a month before."""
    life = data.policy.lifecycle
    lead = Text(
        f"未下单超过 {life.active_days} 天为预警，{life.at_risk_days} 天为沉默，{life.silent_days} 天为流失。",
        f"At risk after {life.active_days} days without an order, silent after {life.at_risk_days}, "
        f"lost after {life.silent_days}.",
    )
    blocks = (_stages(data),) if data.customers.height else ()
    return Section("stages", Text("生命周期", "Lifecycle"), lead, blocks)


def _stages(data: ReportData) -> Block:
    labels = stage_labels(data.policy)
    has_before = not data.previous.is_empty()
    groups = group_changes(data.customers, data.previous, "stage", labels)
    seen = groups.filter((pl.col("customers") > 0) | (pl.col("customers_before") > 0))
    drawn = picture(
        lambda language: charts.pair_bars(charts.change_rows(seen, has_before=has_before), labels, language),
        _counts_in_words(seen, labels),
        MONTHS if has_before else (),
    )
    return Block(picture=drawn, table=_stage_table(groups, labels, has_before=has_before))


def _stage_table(groups: pl.DataFrame, labels: Labels, *, has_before: bool) -> Table:
    whole = sum_of(groups, "customers")
    rows = tuple(
        row(
            name_of(labels, code), count(now), percent(now, whole), count(before if has_before else None),
            signed(now - before) if has_before else NOTHING,
        )
        for code, now, before in groups.select("code", "customers", "customers_before").iter_rows()
    )  # fmt: skip
    columns = head(("阶段", "Stage"), ("本月", "Now"), ("占比", "Share"), ("上月", "Before"), ("变化", "Change"))
    return Table(Text("各阶段人数", "Customers by stage"), columns, rows)


def pareto_section(data: ReportData) -> Section:
    """How far the spend rests on few."""
    curve = pareto_curve(data.customers)
    whole = curve["monetary_fen"][-1]
    title = Text("消费集中度", "Concentration of spend")
    if not whole:
        return Section("pareto", title, NO_BASE)
    top = curve.row(FIFTH, named=True)
    share = percent(top["monetary_fen"], whole)
    words = Text(
        f"消费最高的 20%（{count(top['customers'])} / {count(curve['customers'][-1])} 人）贡献了 {share} 的消费。",
        f"The best 20% ({count(top['customers'])} of {count(curve['customers'][-1])} customers) "
        f"bring {share} of the spend.",
    )
    drawn = picture(
        lambda language: charts.pareto(curve, language), Text(f"帕累托曲线：{words.zh}", f"Pareto curve: {words.en}")
    )
    return Section("pareto", title, words, (Block(picture=drawn, table=_pareto_table(curve, data.currency)),))


def _pareto_table(curve: pl.DataFrame, currency: str) -> Table:
    whole = curve["monetary_fen"][-1]
    chosen = curve.filter(pl.col("percent").is_in([1, 5, 10, 20, 30, 50, 80, 100]))
    rows = tuple(
        row(f"{at}%", count(customers), whole_money(fen, currency), percent(fen, whole))
        for at, customers, fen in chosen.iter_rows()
    )
    columns = head(("头部客户", "Best"), ("人数", "Customers"), ("消费额", "Spend"), ("占比", "Share"))
    return Table(Text("窗口期消费的累计占比", "Cumulative share of the window's spend"), columns, rows)


def _group_table(groups: pl.DataFrame, labels: Labels, currency: str, first: Text) -> Table:
    """One row per group with its shares."""
    heads, spend = sum_of(groups, "customers"), sum_of(groups, "monetary_fen")
    rows = tuple(
        row(name_of(labels, code), count(number), percent(number, heads), whole_money(fen, currency),
            percent(fen, spend))
        for code, number, fen in groups.select("code", "customers", "monetary_fen").iter_rows()
    )  # fmt: skip
    columns = head(("人数", "Customers"), ("占比", "Share"), ("消费额", "Spend"), ("占比", "Share"))
    total = row(Text("合计", "Total"), count(heads), percent(heads, heads), whole_money(spend, currency),
                percent(spend, spend))  # fmt: skip
    caption = Text("人数与消费", "Customers and spend")
    return Table(caption, (first, *columns), rows, total)


def _worded_table(
    groups: pl.DataFrame, labels: Labels, currency: str, first: Text, second: Text, words: Labels
) -> Table:
    """One row per group, with words about it; its shares stand in the picture beside it."""
    rows = tuple(
        row(name_of(labels, code), words.get(code, same("")), count(number), whole_money(fen, currency))
        for code, number, fen in groups.select("code", "customers", "monetary_fen").iter_rows()
    )
    total = row(Text("合计", "Total"), "", count(sum_of(groups, "customers")),
                whole_money(sum_of(groups, "monetary_fen"), currency))  # fmt: skip
    columns = (first, second, Text("人数", "Customers"), Text("消费额", "Spend"))
    return Table(Text("人数与消费", "Customers and spend"), columns, rows, total, frozenset({1}))


def _shares_in_words(groups: pl.DataFrame, labels: Labels) -> Text:
    heads, spend = sum_of(groups, "customers"), sum_of(groups, "monetary_fen")
    said = [
        (name_of(labels, code), percent(number, heads), percent(fen, spend))
        for code, number, fen in groups.select("code", "customers", "monetary_fen").iter_rows()
    ]
    return Text(
        "条形图：" + "，".join(f"{name.zh}客户 {a}、消费 {b}" for name, a, b in said) + "。",
        "Bars: " + "; ".join(f"{name.en} {a} of customers, {b} of spend" for name, a, b in said) + ".",
    )


def _counts_in_words(groups: pl.DataFrame, labels: Labels) -> Text:
    said = [(name_of(labels, code), count(now), count(then))
            for code, now, then in groups.select("code", "customers", "customers_before").iter_rows()]  # fmt: skip
    return Text(
        "条形图：" + "，".join(f"{name.zh}本月 {now}、上月 {then}" for name, now, then in said) + "。",
        "Bars: " + "; ".join(f"{name.en} {now} now, {then} before" for name, now, then in said) + ".",
    )

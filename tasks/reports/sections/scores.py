"""What it took to earn a score, and whether the scores still tell customers apart."""

import polars as pl

from tasks.policy.rfm import DIMENSIONS as RFM
from tasks.policy.rfm import Dimension, Method, Rfm
from tasks.reports.data import ReportData
from tasks.reports.figures import greatest, score_sizes
from tasks.reports.numbers import count, whole_money
from tasks.reports.view import Block, Section, Table, row, warned
from tasks.reports.words import DIMENSIONS, Text, name_of, same

BASIS_POINTS = 10_000
DIMENSION_OF: dict[str, Dimension] = {name: name for name in RFM}
METHODS: dict[Method, Text] = {
    "quantile_min_rank": Text("分位数", "quantiles"),
    "quantile_mid_rank": Text("中位秩分位数", "mid-rank quantiles"),
    "fixed_edges": Text("固定门槛", "fixed edges"),
    "clusters": Text("最优聚类", "clusters"),
}


def score_section(data: ReportData) -> Section:
    """The cut-offs of each dimension, with effective levels and the largest tie."""
    sizes = score_sizes(data.customers, data.cutoffs)
    lead = Text(*(f"{one}{two}" for one, two in zip(_promise(data.policy.rfm), _revision(data), strict=True)))
    blocks = () if sizes.is_empty() else (Block(table=_table(sizes, data), warnings=_warnings(sizes, data.policy.rfm)),)
    return Section("scores", Text("得分门槛", "Score cut-offs"), lead, blocks)


def _promise(rules: Rfm) -> tuple[str, str]:
    """What a score means; the promise of quantiles is theirs alone."""
    top = rules.levels
    if all(rules.method_of(name) == "quantile_min_rank" for name in RFM):
        return (
            f"每个得分的门槛，以及获得该得分的人数。{top} 分必定位列前 1/{top}，取值相同则同分。",
            f"The least it took to earn each score, and how many did. A {top} is always within the best 1/{top}.",
        )
    how = [METHODS[rules.method_of(name)] for name in RFM]
    return (
        f"每个得分的门槛，以及获得该得分的人数。方法：R {how[0].zh}，F {how[1].zh}，M {how[2].zh}；取到门槛即得该分。",
        f"The least it takes to earn each score, and how many did: R {how[0].en}, F {how[1].en}, M {how[2].en}.",
    )


def _revision(data: ReportData) -> tuple[str, str]:
    """Since when cut-offs stand that are not worked out at every refresh."""
    cuts = data.cutoffs["computed_on"].drop_nulls().sort().to_list()
    if data.policy.rfm.revise == "each_refresh" or not cuts:
        return "", ""
    return f" 门槛自 {cuts[-1]} 起沿用。", f" The cut-offs stand since {cuts[-1]}."


def _table(sizes: pl.DataFrame, data: ReportData) -> Table:
    scores = sorted(set(sizes["score"]))
    rows = []
    for name in DIMENSIONS:
        of = sizes.filter(pl.col("dimension") == name)
        if of.is_empty():
            continue
        first = of.row(0, named=True)
        cells = {cell["score"]: _cutoff(cell, data.currency) for cell in of.iter_rows(named=True)}
        rows.append(
            row(
                DIMENSIONS[name],
                *(cells.get(score, same("–")) for score in scores),
                str(first["effective_levels"]),
                _tie(first["max_tie_share"]),
            )
        )
    columns = (
        Text("维度", "Dimension"), *(Text(f"{score} 分", f"Score {score}") for score in scores),
        Text("有效档位", "Levels in use"), Text("最大同值占比", "Largest tie"),
    )  # fmt: skip
    return Table(Text("门槛 · 人数", "Cut-off · customers"), columns, tuple(rows))


def _cutoff(cell: dict[str, object], currency: str) -> Text:
    """`≤ 12 days · 480`; a dash for a score that nobody earned."""
    value, customers = cell["cutoff"], cell["customers"]
    if not isinstance(value, int) or not isinstance(customers, int):
        return same("–")
    if cell["dimension"] == "r":
        return Text(f"≤ {-value} 天 · {count(customers)}", f"≤ {-value} d · {count(customers)}")
    least = whole_money(value, currency) if cell["dimension"] == "m" else count(value)
    return same(f"≥ {least} · {count(customers)}")


def _tie(share: float | None) -> str:
    """A stored rate of four digits as a percentage."""
    if share is None:
        return "–"
    points = round(share * BASIS_POINTS)
    return f"{points // 100}.{points % 100:02d}%"


def _warnings(sizes: pl.DataFrame, rules: Rfm) -> tuple[Text, ...]:
    base = greatest(sizes, "base_count")
    small = warned((
        base < rules.warn_base_below and any(rules.method_of(name).startswith("quantile") for name in RFM),
        Text(
            f"打分人群只有 {base} 人（少于 {rules.warn_base_below}），分位数较粗，建议改用固定门槛。",
            f"The scored base has only {base} customers (below {rules.warn_base_below}): quantiles are coarse, "
            "consider fixed edges.",
        ),
    ))  # fmt: skip
    firsts = sizes.unique("dimension", keep="first", maintain_order=True).iter_rows(named=True)
    return small + tuple(_tie_warning(line, rules) for line in firsts if _is_coarse(line, rules))


def _is_coarse(line: dict[str, object], rules: Rfm) -> bool:
    share = line["max_tie_share"]
    return isinstance(share, float) and share >= rules.warn_tie_share


def _tie_warning(line: dict[str, object], rules: Rfm) -> Text:
    name = name_of(DIMENSIONS, str(line["dimension"]))
    share = _tie(line["max_tie_share"] if isinstance(line["max_tie_share"], float) else None)
    levels, of = line["effective_levels"], rules.levels_of(DIMENSION_OF[str(line["dimension"])])
    return Text(
        f"{name.zh}：{share} 的人取值相同，{of} 档中只用到 {levels} 档。建议改用固定门槛。",
        f"{name.en}: {share} share one value, so only {levels} of {of} levels are in use. Consider fixed edges.",
    )

"""The report's pictures as Altair charts: small frames in, one drawing for one language out."""

from typing import Any

import altair as alt
import polars as pl

from tasks.reports.drawing import WIDE, WIDTH, framed, ink
from tasks.reports.ledgers import Step
from tasks.reports.moves import ARRIVED, GONE
from tasks.reports.numbers import basis_points, count, percent, symbol, whole_money
from tasks.reports.words import Labels, Language, Text, name_of

SHADES = tuple(f"shade-{step}" for step in range(6))
"""From nothing to most; the style sheet says what they look like."""
LABELS_LEFT = {"zh": 104, "en": 138}


def rfm_heat(grid: pl.DataFrame, currency: str, language: Language) -> alt.LayerChart:
    """Recency across, frequency up; each cell shows its customers and their mean spend."""
    most = grid["customers"].max() or 0
    rows = [
        cell | {
            "count": count(cell["customers"]) if cell["customers"] else "·",
            "mean": whole_money(cell["mean_fen"], currency) if cell["customers"] else "",
            "shade": _shade(cell["customers"], most), "on": _ink_on(_shade(cell["customers"], most)),
        }
        for cell in grid.iter_rows(named=True)
    ]  # fmt: skip
    across, up = Text("R 得分（5 = 最近）", "R score (5 = most recent)"), Text("F 得分", "F score")
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("r_score:O", axis=_axis(title=across.within(language), orient="bottom"), scale=_bands(0.06)),
        y=alt.Y("f_score:O", sort="descending", axis=_axis(title=up.within(language)), scale=_bands(0.06)),
    )
    numbers = base.mark_text(dy=-6, fontWeight=600).encode(text="count:N", color=_as_is("on"))
    means = base.mark_text(dy=10, fontSize=11).encode(text="mean:N", color=_as_is("on"))
    cells = base.mark_rect(cornerRadius=3).encode(color=_as_is("shade"))
    return framed(cells + numbers + means, width=WIDTH, height=300, left=46, bottom=52)


def pair_bars(rows: list[dict[str, Any]], language: Language) -> alt.LayerChart:
    """Two bars for each name. Rows hold `name`, `series` (a colour), `value` and the `label` printed beside it."""
    names = list(dict.fromkeys(row["name"] for row in rows))
    top = max((row["value"] for row in rows), default=0) or 1
    data = [row | {"colour": ink(row["series"])} for row in rows]
    base = alt.Chart(alt.Data(values=data)).encode(
        y=alt.Y("name:N", sort=names, axis=_axis(grid=False), scale=_bands(0.28)),
        yOffset=alt.YOffset("series:N", sort=None),
        x=alt.X("value:Q", axis=None, scale=alt.Scale(domain=[0, top])),
    )
    bars = base.mark_bar(cornerRadiusEnd=2).encode(color=_as_is("colour"))
    texts = base.mark_text(align="left", dx=5, fontSize=12, color=ink("muted")).encode(text="label:N")
    left = LABELS_LEFT[language]
    return framed(bars + texts, width=WIDTH, height=max(44 * len(names), 44), left=left, right=62, bottom=4)


def share_rows(groups: pl.DataFrame, labels: Labels, language: Language) -> list[dict[str, Any]]:
    """Rows for pair_bars: each group's share of the customers and of the spend."""
    heads, spend = groups["customers"].sum(), groups["monetary_fen"].sum()
    return [
        {
            "name": name_of(labels, code).within(language), "series": series,
            "value": basis_points(part, whole), "label": percent(part, whole),
        }
        for code, customers, monetary_fen in groups.select("code", "customers", "monetary_fen").iter_rows()
        for series, part, whole in (("people", customers, heads), ("spend", monetary_fen, spend))
    ]  # fmt: skip


def change_rows(groups: pl.DataFrame, labels: Labels, language: Language) -> list[dict[str, Any]]:
    """Rows for pair_bars: each group's customers before and now."""
    return [
        {"name": name_of(labels, code).within(language), "series": series, "value": number, "label": count(number)}
        for code, before, now in groups.select("code", "customers_before", "customers").iter_rows()
        for series, number in (("before", before), ("people", now))
    ]


def pareto(curve: pl.DataFrame, language: Language) -> alt.LayerChart:
    """Share of the spend that the best p percent bring, against everybody spending the same."""
    whole = curve["monetary_fen"][-1]
    rows = [
        {"percent": p, "share": basis_points(fen, whole) / 100}
        for p, fen in curve.select("percent", "monetary_fen").iter_rows()
    ]
    at = curve.row(by_predicate=pl.col("percent") == 20, named=True)  # noqa: PLR2004 - the handbooks' fifth
    mark = [{"percent": 20, "share": rows[20]["share"], "label": percent(at["monetary_fen"], whole)}]
    across = Text("客户占比（按消费从高到低）%", "% of customers, best first").within(language)
    up = Text("消费额占比 %", "% of spend").within(language)
    ticks, axis = [0, 20, 40, 60, 80, 100], alt.Scale(domain=[0, 100], nice=False)
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("percent:Q", scale=axis, axis=_axis(title=across, values=ticks)),
        y=alt.Y("share:Q", scale=axis, axis=_axis(title=up, values=ticks, grid=True)),
    )
    point = alt.Chart(alt.Data(values=mark)).encode(x="percent:Q", y="share:Q")
    even = base.mark_line(color=ink("muted"), strokeDash=[3, 4], strokeWidth=1).encode(y="percent:Q")
    drop = point.mark_rule(color=ink("spend"), strokeDash=[2, 3])
    dot = point.mark_point(filled=True, size=90, color=ink("spend"), opacity=1)
    said = point.mark_text(align="left", dx=12, dy=8, fontSize=17, fontWeight=600, color=ink("spend"))
    layers = (
        base.mark_area(color=ink("wash"), opacity=1), even,
        base.mark_line(color=ink("people"), strokeWidth=2.5), drop, dot, said.encode(text="label:N"),
    )  # fmt: skip
    return framed(alt.layer(*layers), width=WIDTH, height=300, left=56, bottom=50, right=18, top=12)


def move_heat(
    matrix: pl.DataFrame, order: list[str], labels: Labels, ladder: list[str] | None, language: Language
) -> alt.LayerChart:
    """From which label (down) to which (across). Those who stayed are outlined; on a ladder a rise and a fall differ."""
    moved = matrix.filter(pl.col("from_code") != pl.col("to_code"))
    most = moved["customers"].max() or 0
    rows = [
        {
            "from": name_of(labels, cell["from_code"]).within(language),
            "to": name_of(labels, cell["to_code"]).within(language),
            "count": count(cell["customers"]),
        } | _move_look(cell, most, ladder)
        for cell in matrix.iter_rows(named=True)
    ]  # fmt: skip
    froms = [name_of(labels, code).within(language) for code in order if code != GONE]
    tos = [name_of(labels, code).within(language) for code in order if code != ARRIVED]
    is_wide = len(order) > MANY
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X(
            "to:N", scale=alt.Scale(domain=tos, paddingInner=0.06, paddingOuter=0),
            axis=_axis(orient="top", labelAngle=-38 if is_wide else 0, labelAlign="left" if is_wide else "center"),
        ),
        y=alt.Y("from:N", scale=alt.Scale(domain=froms, paddingInner=0.06, paddingOuter=0), axis=_axis()),
    )  # fmt: skip
    cells = base.mark_rect(cornerRadius=3, strokeWidth=1).encode(color=_as_is("shade"), stroke=_as_is("edge"))
    layers = cells + base.mark_text().encode(text="count:N", color=_as_is("on"))
    tall = max((34 if is_wide else 50) * len(froms), 50)
    left, top = LABELS_LEFT[language], 100 if is_wide else 28
    return framed(
        layers, width=WIDE if is_wide else WIDTH, height=tall, left=left, right=46 if is_wide else 8, top=top, bottom=4
    )


STEP_COLOURS = {"base": "people", "reason": "loss", "end": "spend"}
MANY = 6
"""More labels than this need the whole width of the page."""


def waterfall_bars(steps: list[Step], labels: Labels, language: Language) -> alt.LayerChart:
    """From the base down, reason by reason, to those who stay."""
    rows = [
        {
            "name": name_of(labels, step.code).within(language), "start": step.start, "end": step.end,
            "label": count(-step.customers if step.kind == "reason" else step.customers),
            "colour": ink(STEP_COLOURS[step.kind]),
        }
        for step in steps
    ]  # fmt: skip
    top = max((step.start for step in steps), default=0) or 1
    base = alt.Chart(alt.Data(values=rows)).encode(
        y=alt.Y("name:N", sort=None, axis=_axis(), scale=_bands(0.3)),
        x=alt.X("start:Q", axis=None, scale=alt.Scale(domain=[0, top])),
    )
    bars = base.mark_bar(cornerRadius=2).encode(x2="end:Q", color=_as_is("colour"))
    texts = base.mark_text(align="left", dx=6).encode(text="label:N")
    left = LABELS_LEFT[language]
    return framed(bars + texts, width=WIDTH, height=30 * len(rows), left=left, right=64, bottom=4)


def revenue_columns(months: pl.DataFrame, currency: str, language: Language) -> alt.LayerChart:
    """Net revenue by month: known buyers below, anonymous ones above."""
    rows = [
        {"month": month["paid_month"], "colour": ink(series), "low": low / 100, "high": high / 100}
        for month in months.iter_rows(named=True)
        for series, low, high in (
            ("people", 0, month["identified_fen"]),
            ("anonymous", month["identified_fen"], month["net_fen"]),
        )
    ]
    across = _axis(labelExpr="slice(datum.value, 5)", domain=True)
    title = Text(f"净收入（{symbol(currency).strip()}）", f"Net revenue ({symbol(currency).strip()})").within(language)
    up = alt.Axis(title=title, grid=True, tickCount=4, format="~s", minExtent=52, maxExtent=52, titlePadding=2)
    base = alt.Chart(alt.Data(values=rows)).encode(x=alt.X("month:O", axis=across, scale=_bands(0.25)))
    columns = base.mark_bar(cornerRadiusEnd=2).encode(
        y=alt.Y("low:Q", axis=up), y2="high:Q", color=_as_is("colour")
    )  # fmt: skip
    return framed(alt.layer(columns), width=WIDTH, height=220, left=66, right=6)


def _move_look(cell: dict[str, Any], most: int, ladder: list[str] | None) -> dict[str, str]:
    """Colours of one cell of a matrix."""
    start, end = cell["from_code"], cell["to_code"]
    if start == end:
        return {"shade": ink("paper"), "edge": ink("line"), "on": ink("muted")}
    shade = _shade(cell["customers"], most)
    fell = ladder is not None and start in ladder and end in ladder and ladder.index(end) > ladder.index(start)
    colour = shade.replace("shade", "fall") if fell else shade
    return {"shade": colour, "edge": colour, "on": _ink_on(shade)}


def _shade(number: int, most: int) -> str:
    """One of the five shades by share of the greatest, or none."""
    return ink(SHADES[1 + (number * 5 - 1) // most if number else 0])


def _ink_on(shade: str) -> str:
    """Ink that can be read on a shade."""
    return ink("ink-on-dark") if shade in (ink(SHADES[4]), ink(SHADES[5])) else ink("ink")


def _as_is(field: str) -> alt.Color:
    """Take the colour from the data as it stands."""
    return alt.Color(f"{field}:N", scale=None, legend=None)


def _axis(**settings: Any) -> alt.Axis:
    return alt.Axis(**({"title": None, "grid": False} | settings))


def _bands(padding: float) -> alt.Scale:
    return alt.Scale(paddingInner=padding, paddingOuter=padding / 2)

"""The report's pictures of the layers as Altair charts: small frames in, one drawing for one language out."""

from typing import Any

import altair as alt
import polars as pl

from tasks.reports.drawing import WIDTH, chart_of, fitted, framed, ink, named_axis, quiet_axis
from tasks.reports.figures import FIFTH, greatest, sum_of
from tasks.reports.ledgers import Step
from tasks.reports.numbers import basis_points, count, percent, symbol, whole_money
from tasks.reports.words import Labels, Language, Text, name_of

NAMES_LEFT = {"zh": 104, "en": 142}
"""Room for names beside bars."""
STEP_COLOURS = {"base": "people", "reason": "loss", "end": "spend"}
_PERCENTS = [0, 20, 40, 60, 80, 100]
_LEAST_BAR = 44


def rfm_heat(grid: pl.DataFrame, currency: str, language: Language) -> alt.LayerChart:
    """Recency across, frequency up; each cell shows its customers and their mean spend."""
    most = greatest(grid, "customers")
    rows = [_cell(cell, most, currency) for cell in grid.iter_rows(named=True)]
    across, up = Text("R 得分（5 = 最近）", "R score (5 = most recent)"), Text("F 得分", "F score")
    base = chart_of(rows).encode(
        x=alt.X("r_score:O", axis=quiet_axis(title=across.within(language)), scale=bands(0.06)),
        y=alt.Y("f_score:O", sort="descending", axis=quiet_axis(title=up.within(language)), scale=bands(0.06)),
    )
    cells = base.mark_rect(cornerRadius=3).encode(color=as_is("shade"))
    numbers = base.mark_text(dy=-6, fontWeight=600).encode(text="count:N", color=as_is("on"))
    means = base.mark_text(dy=10, fontSize=11).encode(text="mean:N", color=as_is("on"))
    return framed(cells, numbers, means, width=WIDTH, height=300, left=46, bottom=52)


def _cell(cell: dict[str, Any], most: int, currency: str) -> dict[str, Any]:
    look = shade(cell["customers"], most)
    is_empty = not cell["customers"]
    return {
        "r_score": cell["r_score"], "f_score": cell["f_score"], "shade": look, "on": ink_on(look),
        "count": "·" if is_empty else count(cell["customers"]),
        "mean": "" if is_empty else whole_money(cell["mean_fen"], currency),
    }  # fmt: skip


def pair_bars(rows: list[dict[str, Any]], labels: Labels, language: Language) -> alt.LayerChart:
    """Two bars for each code. Rows hold `code`, `series` (a colour), `value` and the `label` printed beside it."""
    left = NAMES_LEFT[language]
    names = names_in([row["code"] for row in rows], labels, language, room=left - 8)
    base = chart_of([row | {"colour": ink(row["series"])} for row in rows]).encode(
        y=alt.Y("code:N", sort=list(names), axis=named_axis(names), scale=bands(0.28)),
        yOffset=alt.YOffset("series:N", sort=None),
        x=alt.X("value:Q", stack=None, axis=None, scale=_from_zero(row["value"] for row in rows)),
    )
    bars = base.mark_bar(cornerRadius=2).encode(color=as_is("colour"))
    texts = base.mark_text(align="left", dx=5, fontSize=12, color=ink("muted")).encode(text="label:N")
    height = max(_LEAST_BAR * len(names), _LEAST_BAR)
    return framed(bars, texts, width=WIDTH, height=height, left=left, right=62, bottom=4)


def share_rows(groups: pl.DataFrame) -> list[dict[str, Any]]:
    """Rows for pair_bars: each group's share of the customers and of the spend."""
    heads, spend = sum_of(groups, "customers"), sum_of(groups, "monetary_fen")
    return [
        {"code": code, "series": series, "value": basis_points(part, whole), "label": percent(part, whole)}
        for code, customers, monetary_fen in groups.select("code", "customers", "monetary_fen").iter_rows()
        for series, part, whole in (("people", customers, heads), ("spend", monetary_fen, spend))
    ]


def change_rows(groups: pl.DataFrame, *, has_before: bool) -> list[dict[str, Any]]:
    """Rows for pair_bars: each group's customers, before (where there is a month before) and now."""
    return [
        {"code": code, "series": series, "value": number, "label": count(number)}
        for code, before, now in groups.select("code", "customers_before", "customers").iter_rows()
        for series, number in (("before", before), ("people", now))
        if has_before or series == "people"
    ]


def pareto(curve: pl.DataFrame, language: Language) -> alt.LayerChart:
    """Share of the spend that the best p percent bring, against everybody spending the same."""
    whole = curve["monetary_fen"][-1]
    rows = [
        {"percent": p, "share": basis_points(fen, whole) / 100, "label": percent(fen, whole)}
        for p, fen in curve.select("percent", "monetary_fen").iter_rows()
    ]
    across = Text("客户占比（按消费从高到低）%", "% of customers, best first").within(language)
    up = Text("消费额占比 %", "% of spend").within(language)
    scale = alt.Scale(domain=[0, 100], nice=False)
    base = chart_of(rows).encode(
        x=alt.X("percent:Q", scale=scale, axis=quiet_axis(title=across, values=_PERCENTS)),
        y=alt.Y("share:Q", scale=scale, axis=quiet_axis(title=up, values=_PERCENTS, grid=True)),
    )
    even = base.mark_line(color=ink("muted"), strokeDash=[3, 4], strokeWidth=1).encode(y="percent:Q")
    area, line = base.mark_area(color=ink("wash"), opacity=1), base.mark_line(color=ink("people"), strokeWidth=2.5)
    return framed(area, even, line, *_mark(rows[FIFTH]), width=WIDTH, height=300, left=56, bottom=50, right=18, top=12)


def _mark(point: dict[str, Any]) -> tuple[alt.Chart, ...]:
    """A point of the curve, with its value and a line down to the axis."""
    base = chart_of([point]).encode(x="percent:Q", y="share:Q")
    down = base.mark_rule(color=ink("spend"), strokeDash=[2, 3]).encode(y2=alt.datum(0))
    dot = base.mark_point(filled=True, size=90, color=ink("spend"), opacity=1)
    said = base.mark_text(align="left", dx=12, dy=8, fontSize=17, fontWeight=600, color=ink("spend"))
    return down, dot, said.encode(text="label:N")


def waterfall_bars(steps: list[Step], labels: Labels, language: Language) -> alt.LayerChart:
    """From the base down, reason by reason, to those who stay."""
    left = NAMES_LEFT[language]
    names = names_in([step.code for step in steps], labels, language, room=left - 8)
    rows = [
        {
            "code": step.code, "start": step.start, "end": step.end, "colour": ink(STEP_COLOURS[step.kind]),
            "label": count(-step.customers if step.kind == "reason" else step.customers),
        }
        for step in steps
    ]  # fmt: skip
    base = chart_of(rows).encode(
        y=alt.Y("code:N", sort=list(names), axis=named_axis(names), scale=bands(0.3)),
        x=alt.X("start:Q", axis=None, scale=_from_zero(step.start for step in steps)),
    )
    bars = base.mark_bar(cornerRadius=2).encode(x2="end:Q", color=as_is("colour"))
    texts = base.mark_text(align="left", dx=6).encode(text="label:N")
    return framed(bars, texts, width=WIDTH, height=30 * len(rows), left=left, right=64, bottom=4)


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
    title = Text(f"净收入（{symbol(currency).strip()}）", f"Net revenue ({symbol(currency).strip()})").within(language)
    up = quiet_axis(title=title, grid=True, tickCount=4, labelExpr=_AMOUNTS[language], minExtent=50, maxExtent=50)
    across = quiet_axis(labelExpr="slice(datum.value, 5)", domain=True)
    base = chart_of(rows).encode(x=alt.X("month:O", axis=across, scale=bands(0.25)))
    columns = base.mark_bar(cornerRadius=2).encode(y=alt.Y("low:Q", axis=up), y2="high:Q", color=as_is("colour"))
    return framed(columns, width=WIDTH, height=290, left=70, right=6)


_AMOUNTS = {
    "zh": "abs(datum.value) >= 10000 ? format(datum.value / 10000, ',~f') + ' 万' : format(datum.value, ',~f')",
    "en": "datum.value == 0 ? '0' : format(datum.value, ',~s')",
}


def names_in(codes: list[str], labels: Labels, language: Language, *, room: int) -> dict[str, str]:
    """Each code once, in its order, with a name that fits the room."""
    return {code: fitted(name_of(labels, code).within(language), room) for code in codes}


def shade(number: int, most: int) -> str:
    """One of five shades by share of the greatest, or the one for nothing; the style sheet says how they look."""
    return ink(f"shade-{1 + (number * 5 - 1) // most if number else 0}")


def ink_on(background: str) -> str:
    """Ink that can be read on a shade."""
    return ink("ink-on-dark") if background in (ink("shade-4"), ink("shade-5")) else ink("ink")


def as_is(field: str) -> alt.Color:
    """Take the colour from the data as it stands."""
    return alt.Color(f"{field}:N", scale=None, legend=None)


def bands(padding: float) -> alt.Scale:
    """Bands with a little air between them."""
    return alt.Scale(paddingInner=padding, paddingOuter=padding / 2)


def _from_zero(values: Any) -> alt.Scale:
    return alt.Scale(domain=[0, max(values, default=0) or 1])

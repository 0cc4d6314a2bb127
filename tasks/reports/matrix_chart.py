"""The picture of moves between two months: from which label, down, to which, across."""

from typing import Any

import altair as alt
import polars as pl

from tasks.reports.charts import NAMES_LEFT, as_is, ink_on, names_in, shade
from tasks.reports.drawing import FONT_SIZE, WIDE, WIDTH, chart_of, framed, ink, named_axis, width_of
from tasks.reports.figures import greatest
from tasks.reports.moves import ARRIVED, GONE
from tasks.reports.numbers import count
from tasks.reports.words import Labels, Language

MANY = 6
"""More labels than this need the whole width of the page."""
_TILTED = {"labelAngle": -38, "labelAlign": "left", "labelBaseline": "middle"}
_LEVEL = {"labelAngle": 0, "labelAlign": "center"}


def move_heat(
    matrix: pl.DataFrame, order: list[str], labels: Labels, ladder: list[str], language: Language
) -> alt.LayerChart:
    """Those who stayed are outlined; on a ladder (highest first) a fall has another colour than a rise."""
    most = greatest(matrix.filter(pl.col("from_code") != pl.col("to_code")), "customers")
    rows = [
        {"from": cell["from_code"], "to": cell["to_code"], "count": count(cell["customers"])}
        | _look(cell, most, ladder)
        for cell in matrix.iter_rows(named=True)
    ]
    left, is_wide = NAMES_LEFT[language], len(order) > MANY
    down = names_in([code for code in order if code not in GONE], labels, language, room=left - 8)
    across = names_in([code for code in order if code not in ARRIVED], labels, language, room=left)
    width = WIDE if is_wide else WIDTH
    is_tilted = _is_crowded(across, (width - left - 8) // len(across))
    base = chart_of(rows).encode(
        x=alt.X(
            "to:N", scale=_cells(across), axis=named_axis(across, orient="top", **_TILTED if is_tilted else _LEVEL)
        ),
        y=alt.Y("from:N", scale=_cells(down), axis=named_axis(down)),
    )
    rects = base.mark_rect(cornerRadius=3, strokeWidth=1).encode(color=as_is("shade"), stroke=as_is("edge"))
    counts = base.mark_text().encode(text="count:N", color=as_is("on"))
    margins = {"right": 70, "top": 84} if is_tilted else {"right": 8, "top": 28}
    return framed(
        rects, counts, width=width, height=(34 if is_wide else 50) * len(down), left=left, bottom=4, **margins
    )


def _cells(names: dict[str, str]) -> alt.Scale:
    return alt.Scale(domain=list(names), paddingInner=0.06, paddingOuter=0)


def _is_crowded(names: dict[str, str], room: int) -> bool:
    """Whether a name is wider than its column."""
    return max(width_of(name) for name in names.values()) > room - FONT_SIZE // 2


def _look(cell: dict[str, Any], most: int, ladder: list[str]) -> dict[str, str]:
    """Colours of one cell."""
    start, end = cell["from_code"], cell["to_code"]
    if start == end:
        return {"shade": ink("paper"), "edge": ink("line"), "on": ink("muted")}
    colour = shade(cell["customers"], most)
    fell = start in ladder and end in ladder and ladder.index(end) > ladder.index(start)
    seen = colour.replace("shade", "fall") if fell or end in GONE else colour
    return {"shade": seen, "edge": seen, "on": ink_on(colour)}

"""Altair chart -> SVG text that belongs to the page: its colours, its font, its light and dark. No script.

Colours are names of the style sheet (`var(--bar)`), so that dark mode and print need no second
drawing. Sizes and axis extents are fixed and never measured from text, so the bytes do not
depend on the fonts of the machine that draws.
"""

import json
import re
from collections.abc import Callable
from html import escape
from typing import Any

import altair as alt
import vl_convert

from tasks.reports.view import Key, Picture
from tasks.reports.words import Language, Text, both

WIDTH = 432
"""Units across; the page scales the drawing between a phone's width and a little above this."""
WIDE = 900
FONT_SIZE = 13
FIRST_WIDE = 0x2E80
"""From here on characters are as wide as high."""
_HEAD = re.compile(r"<svg [^>]*?viewBox=\"0 0 (\d+) (\d+)\"[^>]*>")


def ink(name: str) -> str:
    """A colour of the style sheet."""
    return f"var(--{name})"


def picture(
    build: Callable[[Language], alt.LayerChart], description: Text, keys: tuple[Key, ...] = (), *, is_wide: bool = False
) -> Picture:
    """Draw a chart in both languages."""
    svg = both(lambda language: to_svg(build(language), description.within(language)))
    return Picture(svg=svg, description=description, keys=keys, is_wide=is_wide)


def width_of(words: str) -> int:
    """About how wide words are: a Chinese character is a square, a Latin letter a little over half of one."""
    return round(sum(FONT_SIZE if ord(letter) >= FIRST_WIDE else FONT_SIZE * 0.6 for letter in words))


def fitted(words: str, room: int) -> str:
    """The words, cut with an ellipsis where they are wider than the room."""
    cut = words
    while cut and width_of(cut) > room:
        cut = cut[:-1]
    return words if cut == words else cut[:-1].rstrip() + "…"


def named_axis(names: dict[str, str], **settings: Any) -> alt.Axis:
    """An axis that stands on codes and prints names: two codes of one name stay two."""
    return quiet_axis(labelExpr=f"({json.dumps(names, ensure_ascii=False)})[datum.value]", **settings)


def quiet_axis(**settings: Any) -> alt.Axis:
    """An axis without title and grid unless they are asked for."""
    return alt.Axis(**({"title": None, "grid": False, "labelAngle": 0} | settings))


def chart_of(rows: list[dict[str, Any]]) -> alt.Chart:
    """A chart on rows that travel inside it."""
    return alt.Chart(alt.InlineData(values=rows))


def framed(
    *layers: alt.Chart, width: int, height: int, left: int, right: int = 12, top: int = 8, bottom: int = 26
) -> alt.LayerChart:
    """Lay charts over each other, the first at the bottom, in the report's quiet look; `width` includes the margins."""
    margins = {"left": left, "right": right, "top": top, "bottom": bottom}
    styled = alt.LayerChart(layer=list(layers)).properties(
        width=width - left - right, height=height, padding=margins, autosize=alt.AutoSizeParams(type="none")
    )
    looked: alt.LayerChart = (
        styled.configure(aria=False, background="transparent", font="sans-serif")
        .configure_view(strokeWidth=0)
        .configure_axis(
            labelFontSize=FONT_SIZE, labelColor=ink("muted"), labelLimit=0, labelPadding=6, ticks=False,
            titleFontSize=FONT_SIZE, titleColor=ink("muted"), titleFontWeight="normal", gridColor=ink("line"),
            domainColor=ink("line"), domain=False, minExtent=30, maxExtent=30,
        )
        .configure_text(fontSize=FONT_SIZE, color=ink("ink"))
    )  # fmt: skip
    return looked


def to_svg(chart: alt.LayerChart, description: str) -> str:
    """Draw as one SVG element with a name that a screen reader reads.

    No chart stacks rounded bars: Vega clips those under ids that count through the process.
    """
    drawn = vl_convert.vegalite_to_svg(chart.to_dict())
    found = _HEAD.match(drawn)
    if found is None:
        raise ValueError(f"vl-convert drew something that does not begin as an SVG: {drawn[:80]!r}")
    width, height = found.groups()
    opening = (
        f'<svg class="chart" viewBox="0 0 {width} {height}" style="--wide:{width}px" role="img" '
        f'aria-label="{escape(description)}" focusable="false">'
    )
    return opening + drawn[found.end() :]

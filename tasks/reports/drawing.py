"""Altair chart -> SVG text that belongs to the page: its colours, its font, its light and dark. No script.

Colours are names of the style sheet (`var(--bar)`), so that dark mode and print need no second
drawing. Sizes and axis extents are fixed and never measured from text, so the bytes do not
depend on the fonts of the machine that draws.
"""

import re
from collections.abc import Callable
from html import escape

import altair as alt
import vl_convert

from tasks.reports.view import Key, Picture
from tasks.reports.words import Language, Text, both

WIDTH = 460
"""Units across; the page scales the drawing between a phone's width and a little above this."""
WIDE = 900
FONT_SIZE = 13
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


def framed(
    chart: alt.LayerChart, *, width: int, height: int, left: int, right: int = 12, top: int = 8, bottom: int = 26
) -> alt.LayerChart:
    """Give a chart its size (`width` includes the margins) and the report's quiet look."""
    margins = {"left": left, "right": right, "top": top, "bottom": bottom}
    styled = chart.properties(
        width=width - left - right, height=height, padding=margins, autosize=alt.AutoSizeParams(type="none")
    )
    return (
        styled.configure(aria=False, background="transparent", font="sans-serif")
        .configure_view(strokeWidth=0)
        .configure_axis(
            labelFontSize=FONT_SIZE, labelColor=ink("muted"), labelLimit=left + 40, labelPadding=6, ticks=False,
            titleFontSize=FONT_SIZE, titleColor=ink("muted"), titleFontWeight="normal", gridColor=ink("line"),
            domainColor=ink("line"), domain=False, minExtent=30, maxExtent=30,
        )
        .configure_text(fontSize=FONT_SIZE, color=ink("ink"))
    )  # fmt: skip


def to_svg(chart: alt.LayerChart, description: str) -> str:
    """Draw as one SVG element with a name that a screen reader reads."""
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

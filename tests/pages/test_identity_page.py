"""The identity report in a real browser: drawn in both languages and colours, silent, offline."""

from pathlib import Path

import pytest

from tasks.reports.identity import identity_figures
from tasks.reports.identity_page import render_identity
from tests.pages.test_report_page import CHARTS, COLOURS, is_silent_and_offline
from tests.support.browser import chromium
from tests.support.identity_data import identity_data

pytestmark = pytest.mark.slow


def test_every_picture_is_drawn_on_desk_and_phone_by_day_and_night(tmp_path: Path):
    data = identity_data()
    file = tmp_path / "identity.html"
    file.write_text(render_identity(data, identity_figures(data)), encoding="utf-8")
    seen = set()
    with chromium() as page:
        for width, scheme, language in ((1280, "light", "en"), (390, "dark", "zh")):
            page.resize(width, 900, phone=width == 390)
            page.prefer(scheme)
            page.open(f"{file.as_uri()}?{width}#{language}")
            charts = page.evaluate(CHARTS)
            assert [chart["shown"] for chart in charts] == [1] * 7
            assert all(chart["marks"] >= 2 and chart["name"] for chart in charts)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            colours = set(page.evaluate(COLOURS))
            assert not seen & colours
            seen |= colours
        assert is_silent_and_offline(page)

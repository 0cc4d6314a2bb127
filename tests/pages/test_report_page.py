"""The report in a real browser: drawn, silent, offline, in two languages; and the same bytes wherever it is made."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.reports.page import render
from tests.support.browser import Page, chromium
from tests.support.report_data import empty_month, full_month

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
DIGEST_IN_ANOTHER_PROCESS = (
    "import hashlib; from tasks.reports.page import render; from tests.support.report_data import full_month;"
    "print(hashlib.sha256(render(full_month()).encode()).hexdigest())"
)
CHARTS = """[...document.querySelectorAll('figure')].map(figure => {
  const seen = [...figure.querySelectorAll('svg')].filter(svg => svg.getBoundingClientRect().width > 0);
  const marks = seen.flatMap(svg => [...svg.querySelectorAll('[class*=role-mark] :is(path, text, line)')]);
  const inside = marks.filter(mark => { const box = mark.getBoundingClientRect(); return box.width + box.height > 1; });
  return {shown: seen.length, marks: inside.length, name: seen[0]?.getAttribute('aria-label') ?? ''};
})"""
COLOURS = (
    """[...new Set([...document.querySelectorAll('svg [fill^="var("]')].map(mark => getComputedStyle(mark).fill))]"""
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    (folder / "full.html").write_text(render(full_month()), encoding="utf-8")
    (folder / "empty.html").write_text(render(empty_month()), encoding="utf-8")
    return folder


@pytest.fixture
def page() -> Iterator[Page]:
    with chromium() as page:
        yield page


def is_silent_and_offline(page: Page) -> bool:
    return not page.errors and all(address.startswith("file:") for address in page.requests)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("width", [1280, 390])
def test_every_chart_is_drawn(page: Page, folder: Path, language: str, width: int) -> None:
    page.resize(width, 900, phone=width == 390)
    page.open(f"{(folder / 'full.html').as_uri()}#{language}")
    charts = page.evaluate(CHARTS)
    assert len(charts) == 11
    assert [chart["shown"] for chart in charts] == [1] * 11
    assert all(chart["marks"] >= 5 and chart["name"] for chart in charts)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert is_silent_and_offline(page)


def test_the_language_is_switched_by_a_click(page: Page, folder: Path) -> None:
    page.open(f"{(folder / 'full.html').as_uri()}#zh")
    assert "客户分层月报" in page.evaluate("document.querySelector('h1').innerText")
    assert "核心高价值" in page.evaluate("document.body.innerText")
    page.evaluate("document.querySelector('label[for=choose-en]').click()")
    seen = page.evaluate("document.body.innerText")
    assert "Champions" in seen
    assert "核心高价值" not in seen
    assert page.evaluate("[document.documentElement.lang, document.title]") == [
        "en",
        "Complete Journey grocer · Customer layers 2017-12",
    ]
    assert is_silent_and_offline(page)


def test_an_empty_month_opens_without_a_chart_or_an_error(page: Page, folder: Path) -> None:
    page.open((folder / "empty.html").as_uri())
    assert page.evaluate("document.querySelectorAll('svg').length") == 0
    assert page.evaluate("document.querySelectorAll('section[id] > h2').length") == 10
    assert is_silent_and_offline(page)


def test_dark_readers_get_the_same_drawing_in_other_colours(page: Page, folder: Path) -> None:
    address = (folder / "full.html").as_uri()
    page.prefer("light")
    page.open(address)
    light = page.evaluate(COLOURS)
    page.prefer("dark")
    dark = page.evaluate(COLOURS)
    assert len(light) >= 8
    assert not set(light) & set(dark)


def test_the_browser_s_errors_are_really_heard(page: Page, tmp_path: Path) -> None:
    broken = tmp_path / "broken.html"
    broken.write_text("<script>console.error('seen'); missing()</script><img src='nothing.png'>", encoding="utf-8")
    page.open(broken.as_uri())
    assert any("seen" in error for error in page.errors)
    assert any("missing is not defined" in error for error in page.errors)
    assert any(address.endswith("nothing.png") for address in page.requests)


def test_nobody_is_on_the_page(folder: Path) -> None:
    text = (folder / "full.html").read_text(encoding="utf-8")
    month = full_month()
    assert not any(one_id in text for one_id in month.customers["one_id"])
    assert not any(key in text for key in month.audience_members["recipient_key"].unique())
    assert not any(name in text for name in month.files["name"])


def test_the_bytes_depend_neither_on_the_process_nor_on_its_fonts(folder: Path, tmp_path: Path) -> None:
    no_fonts = tmp_path / "fonts.conf"
    no_fonts.write_text('<?xml version="1.0"?><fontconfig></fontconfig>', encoding="utf-8")
    other = subprocess.run(
        [sys.executable, "-c", DIGEST_IN_ANOTHER_PROCESS], cwd=ROOT, check=True, capture_output=True, text=True,
        env=os.environ | {"FONTCONFIG_FILE": str(no_fonts), "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"},
    )  # fmt: skip
    first = hashlib.sha256((folder / "full.html").read_bytes()).hexdigest()
    assert hashlib.sha256(render(full_month()).encode()).hexdigest() == first
    assert other.stdout.strip() == first

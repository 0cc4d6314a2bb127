"""Names that fit, cells that can be read, pictures that belong to the page."""

import polars as pl

from tasks.reports.charts import ink_on, pair_bars, shade, share_rows
from tasks.reports.drawing import fitted, picture, width_of
from tasks.reports.words import Text


def test_a_chinese_character_is_as_wide_as_it_is_high() -> None:
    assert (width_of("流失"), width_of("Lost")) == (26, 31)


def test_a_name_too_wide_is_cut_and_says_so() -> None:
    assert fitted("Lost", 40) == "Lost"
    assert fitted("Lapsed outside the window", 100) == "Lapsed outs…"


def test_shades_grow_with_the_number_and_keep_their_ink_readable() -> None:
    assert [shade(number, 10) for number in (0, 1, 2, 3, 9, 10)] == [
        "var(--shade-0)", "var(--shade-1)", "var(--shade-1)", "var(--shade-2)", "var(--shade-5)", "var(--shade-5)",
    ]  # fmt: skip
    assert ink_on(shade(10, 10)) == "var(--ink-on-dark)"
    assert ink_on(shade(1, 10)) == "var(--ink)"


def test_a_picture_is_drawn_once_per_language_with_its_description_escaped() -> None:
    groups = pl.DataFrame({"code": ["a", "b"], "customers": [3, 1], "monetary_fen": [10, 30]})
    labels = {"a": Text("甲", "One & only"), "b": Text("乙", "Two")}
    drawn = picture(lambda language: pair_bars(share_rows(groups), labels, language), Text("甲<乙", 'a "bar"'))
    assert 'aria-label="甲&lt;乙"' in drawn.svg.zh
    assert 'aria-label="a &quot;bar&quot;"' in drawn.svg.en
    assert ">甲</text>" in drawn.svg.zh
    assert ">One &amp; only</text>" in drawn.svg.en
    assert "75.00%" in drawn.svg.zh
    assert "<script" not in drawn.svg.zh
    assert 'id="' not in drawn.svg.en  # Vega numbers its ids through the process: they would change the bytes

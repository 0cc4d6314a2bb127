"""The page as text: an empty month, hostile words, warnings."""

import re
from dataclasses import replace

import polars as pl
import pytest

from tasks.policy.base import Label
from tasks.reports.data import ReportData
from tasks.reports.page import render
from tasks.reports.sections.campaigns import campaign_section
from tasks.reports.sections.scores import score_section
from tests.support.report_data import empty_month, full_month


def words(page: str) -> str:
    """The page without its markup."""
    body = page.split("<body", 1)[1]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


def test_an_empty_month_has_every_section_and_says_why_it_is_empty() -> None:
    page = render(empty_month())
    said = words(page)
    assert page.count('<section id="') == 10
    assert "Nobody bought in the window" in said
    assert "This is the first month" in said
    assert "还没有收到文件" in said
    assert "None" not in said
    assert not re.search(r"\b(nan|inf|null|undefined)\b", said)


def test_nothing_is_fetched_and_only_the_page_s_own_script_may_run() -> None:
    page = render(empty_month())
    assert "default-src 'none'" in page
    assert not re.findall(r"""(?:src|href)=["'](?!#)""", page)
    assert "http" not in page.replace("http-equiv", "")


def test_words_of_the_policy_are_escaped() -> None:
    month = empty_month()
    hostile = month.policy.brand.model_copy(update={"name": Label(zh="<b>青禾</b>", en='"><script>')})
    page = render(replace(month, policy=month.policy.model_copy(update={"brand": hostile})))
    assert "<b>青禾" not in page
    assert "&lt;b&gt;青禾" in page
    assert page.count("<script>") == 1


def test_a_large_tie_and_a_small_base_are_warned_of() -> None:
    month = full_month()
    coarse = month.cutoffs.with_columns(
        base_count=pl.lit(150, pl.Int64), effective_levels=pl.lit(3, pl.Int64),
        max_tie_share=pl.when(pl.col("dimension") == "f").then(0.7).otherwise(0.1),
    )  # fmt: skip
    said = [warning.en for warning in score_section(replace(month, cutoffs=coarse)).blocks[0].warnings]
    assert said == [
        "The scored base has only 150 customers (below 200): quantiles are coarse, consider fixed edges.",
        "F frequency: 70.00% share one value, so only 3 of 5 levels are in use. Consider fixed edges.",
    ]


@pytest.mark.parametrize(
    ("change", "warning"),
    [
        (lambda month: {"deliveries": month.deliveries.clear()}, "Nothing was published: a dry run, or not yet."),
        (
            lambda month: {"deliveries": month.deliveries.with_columns(waterfall=pl.lit('{"base": 1}'))},
            "The published manifest counts other people than this.",
        ),
        (
            lambda month: {"customers": month.customers.head(2000)},
            "2,469 customers were considered, but the month has 2,000.",
        ),
    ],
)
def test_campaigns_that_do_not_add_up_say_so(change: object, warning: str) -> None:
    month: ReportData = full_month()
    assert not any(block.warnings for block in campaign_section(month).blocks)
    doubtful = campaign_section(replace(month, **change(month)))  # type: ignore[operator]
    assert {words.en for block in doubtful.blocks for words in block.warnings} == {warning}

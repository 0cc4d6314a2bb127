"""How numbers are written: exact, halves to even, one form each."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.reports.numbers import basis_points, count, money, percent, short_money, signed, whole_money
from tasks.reports.words import Text


@pytest.mark.parametrize(
    ("part", "whole", "written"),
    [
        (5_451, 10_000, "54.51%"),
        (1, 3, "33.33%"),
        (2, 3, "66.67%"),
        (1, 20_000, "0.00%"),  # half of a hundredth goes to the even neighbour
        (3, 20_000, "0.02%"),
        (0, 7, "0.00%"),
        (7, 7, "100.00%"),
        (-1, 4, "−25.00%"),
        (5, 0, "–"),
    ],
)
def test_percent(part: int, whole: int, written: str) -> None:
    assert percent(part, whole) == written


def test_counts_and_changes() -> None:
    assert (count(1_469_307), count(-3), count(None)) == ("1,469,307", "−3", "–")
    assert (signed(12), signed(-3), signed(0)) == ("+12", "−3", "±0")


@pytest.mark.parametrize(
    ("fen", "currency", "exact", "whole"),
    [
        (123_450, "CNY", "¥1,234.50", "¥1,234"),
        (123_550, "CNY", "¥1,235.50", "¥1,236"),
        (459_603_958, "USD", "$4,596,039.58", "$4,596,040"),
        (-1_205, "USD", "−$12.05", "−$12"),
        (7, "CHF", "CHF 0.07", "CHF 0"),
    ],
)
def test_money(fen: int, currency: str, exact: str, whole: str) -> None:
    assert (money(fen, currency), whole_money(fen, currency)) == (exact, whole)


def test_headline_money_uses_each_language_s_own_units() -> None:
    assert short_money(459_603_958, "CNY") == Text("¥459.60 万", "¥4.60 M")
    assert short_money(47_755_000, "USD") == Text("$47.76 万", "$477,550")
    assert short_money(99_900, "CNY") == Text("¥999", "¥999")
    assert short_money(1_234_567_890_123, "CNY") == Text("¥123.46 亿", "¥12.35 bn")


@given(st.integers(0, 10**15), st.integers(1, 10**15))
def test_a_share_is_within_half_a_hundredth(part: int, whole: int) -> None:
    assert abs(2 * basis_points(part, whole) * whole - 2 * part * 10_000) <= whole

"""The laws of the parsers: they never raise, they are idempotent, and a plain Python oracle agrees with them."""

import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import ROUND_HALF_EVEN, Decimal

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from tasks.sources.cells import PARSERS, read_cells
from tasks.sources.layouts import Cell
from tests.unit.sources.reading import read_one

NEEDED = {"code": {"codes": {"是": "yes"}}, "reply": {"codes": {"R": "withdrawn"}}}
JUNK = st.text(max_size=20) | st.text(alphabet="0123456789.,-+()*%¥$元 eE:/年月日TZ'=\"\t#@转", max_size=24)
CLOCKS = st.datetimes(datetime(2000, 1, 2), datetime(2099, 12, 30)).map(lambda at: at.replace(microsecond=0))  # noqa: DTZ001


@given(st.lists(JUNK | st.none(), max_size=8))
def test_no_text_breaks_a_parser_and_no_row_is_lost(texts: list[str | None]):
    for parse in PARSERS:
        cell = Cell.model_validate({"header": "x", "parse": parse} | NEEDED.get(parse, {}))
        read = read_cells(pl.Series(texts, dtype=pl.String), cell, "Asia/Shanghai")
        assert (read.height, read.columns) == (len(texts), ["value", "fault", "note"])


@given(st.lists(JUNK, min_size=1, max_size=8))
def test_a_cell_is_read_the_same_alone_and_in_any_company(texts: list[str]):
    for parse in ("id", "money", "integer", "instant", "phone"):
        together = read_cells(pl.Series(texts), Cell(header="x", parse=parse), "Asia/Shanghai").rows()
        alone = [read_cells(pl.Series([one]), Cell(header="x", parse=parse), "Asia/Shanghai").row(0) for one in texts]
        assert together == alone


@given(JUNK)
def test_what_was_normalised_once_stays_as_it_is(text: str):
    for parse in ("id", "nick", "phone", "email"):
        value, _ = read_one(text, parse=parse)
        assert value is None or read_one(value, parse=parse) == (value, None)


@given(
    st.decimals(-(10**10), 10**10, places=4),
    st.booleans(),
    st.sampled_from(["{}", "¥{}", "￥{}", "{}元", "\t{}", "{}\t"]),
)
def test_money_is_what_decimal_says(amount: Decimal, is_grouped: bool, shape: str):  # noqa: FBT001
    text = shape.format(f"{amount:,}" if is_grouped else f"{amount:f}")
    fen = int((amount * 100).quantize(Decimal(1), rounding=ROUND_HALF_EVEN))
    assert read_one(text, parse="money") == (fen, None)


@given(st.integers(-(10**15), 10**15))
def test_every_amount_in_range_survives_being_printed(fen: int):
    sign, whole = "-" if fen < 0 else "", abs(fen)
    printed = f"{whole // 100:,}.{whole % 100:02d}"
    assert read_one(f"{sign}{printed}", parse="money") == (fen, None)
    assert read_one(f"({printed})", parse="money") == (-whole, None)


@given(JUNK)
def test_money_has_no_digits_that_the_text_lacks(text: str):
    fen, fault = read_one(text, parse="money")
    if fen:
        assert str(abs(fen)).rstrip("0")[:-1] in re.sub(
            r"\D", "", "".join(str(int(c)) if c.isdecimal() else c for c in text)
        )
    assert fen is None or fault is None


@given(CLOCKS, st.integers(-14 * 60, 14 * 60))
def test_instants_with_an_offset_are_what_datetime_says(at: datetime, minutes: int):
    sign, size = "-" if minutes < 0 else "+", abs(minutes)
    instant = at.replace(tzinfo=timezone(timedelta(minutes=minutes))).astimezone(UTC)
    for offset in (f"{sign}{size // 60:02d}:{size % 60:02d}", f" {sign}{size // 60:02d}{size % 60:02d}"):
        assert read_one(f"{at.isoformat()}{offset}", parse="instant") == (instant, None)


@given(CLOCKS)
def test_naive_times_in_every_shape_are_one_instant(at: datetime):
    instant = at.replace(tzinfo=timezone(timedelta(hours=8))).astimezone(UTC)
    shapes = (f"{at:%Y-%m-%d %H:%M:%S}", f"{at:%Y/%m/%d %H:%M:%S}", f"{at.year}年{at.month}月{at.day}日 {at:%H:%M:%S}",
              f"{at.isoformat()}", f"\t{at:%Y-%m-%d %H:%M:%S}")  # fmt: skip
    assert [read_one(shape, parse="instant") for shape in shapes] == [(instant, None)] * len(shapes)


@given(CLOCKS)
def test_epochs_are_what_datetime_says(at: datetime):
    instant = at.replace(tzinfo=UTC)
    for pattern, factor in (("epoch_s", 1), ("epoch_ms", 1_000), ("epoch_us", 1_000_000)):
        text = str(int(instant.timestamp()) * factor)
        assert read_one(text, parse="instant", patterns=pattern) == (instant, None)


@given(
    st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), st.sampled_from(["+86 {}", "0086{}", "'{}", "86-{}", "\u200e{}"])
)
def test_a_phone_in_any_spelling_is_the_phone_itself(number: str, spelling: str):
    assert read_one(spelling.format(number), parse="phone") == read_one(number, parse="phone")

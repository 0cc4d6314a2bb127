"""The parsers of cells, as tables of text and what must come of it."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.sources.reading import read_one, utc


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("258.00", 25_800),
        ("1,299.00", 129_900),
        ("1,234,567.8", 123_456_780),
        ("¥1,299.90", 129_990),
        ("￥0", 0),
        ("$1,299.00", 129_900),
        ("-$12.00", -1_200),
        ("$-12.00", -1_200),
        ("(12.00)", -1_200),
        ("（12.00）", -1_200),
        ("258.00元", 25_800),
        ("0元", 0),
        ("499.00（系统计算中，该值仅供参考）", 49_900),
        ("22.2\t", 2_220),
        (" 5 ", 500),
        ("１２．５", 1_250),
        ("12.", 1_200),
        ("-0.00", 0),
        ("1.005", 100),
        ("1.015", 102),
        ("2.675", 268),
        ("89.0000", 8_900),
    ],
)
def test_money_reads(text: str, fen: int):
    assert read_one(text, parse="money") == (fen, None)


@pytest.mark.parametrize("text", [None, "", " ", "-", "--", "—", "——", "/", "无退款申请"])
def test_money_is_blank(text: str | None):
    assert read_one(text, parse="money") == (None, None)


@pytest.mark.parametrize(
    "text",
    [
        "12,50", "1e3", "6.9E+18", "NaN", "inf", "abc", "1.2.3", "12-", "--5", "1,23,4", "٣", "10000000000000.01",
        "99999999999999999999", "9" * 60, "12 50x", "=1+1",
    ],
)  # fmt: skip
def test_money_is_refused(text: str):
    assert read_one(text, parse="money") == (None, "unreadable")


def test_money_in_fen_has_no_decimals():
    assert read_one("1234", parse="money", unit="fen") == (1234, None)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('="2104477610033580101"', "2104477610033580101"),
        ('=""', None),
        ("'13900000202", "13900000202"),
        ("'", None),
        ("\t6917930000000000001", "6917930000000000001"),
        ("1871385314709\t", "1871385314709"),
        ("\ufeff007", "007"),
        ("E20260502100100000000101", "E20260502100100000000101"),
        ("12E5", "12E5"),
        ("01380013800", "01380013800"),
    ],
)
def test_ids_read(text: str, value: str | None):
    assert read_one(text, parse="id") == (value, None)


@pytest.mark.parametrize("text", ["6.91793E+18", "6.9e18", "1E+20", "\t2.10448E+18"])
def test_ids_that_a_spreadsheet_destroyed(text: str):
    assert read_one(text, parse="id") == (None, "destroyed")


def test_control_characters_are_refused():
    assert read_one("a\x1fb", parse="id")[1] == "control_character"


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-03-02 10:15:22", "2026-03-02T02:15:22"),
        ("2026/3/2 1:05", "2026-03-01T17:05:00"),
        ("2026/03/02 10:15:22", "2026-03-02T02:15:22"),
        ("2026年3月2日 10:15:22", "2026-03-02T02:15:22"),
        ("2026-03-02T10:15:22", "2026-03-02T02:15:22"),
        ("2026-03-02 10:15:22.5", "2026-03-02T02:15:22.500000"),
        ("2026-05-14 11:23:45 +0800", "2026-05-14T03:23:45"),
        ("2026-05-14T11:23:45+08:00", "2026-05-14T03:23:45"),
        ("2026-05-14 11:23:45 -0430", "2026-05-14T15:53:45"),
        ("2026-05-14T03:23:45Z", "2026-05-14T03:23:45"),
        ("2026-05-14T03:23:45.250Z", "2026-05-14T03:23:45.250000"),
        ("2024-02-29 00:00:00", "2024-02-28T16:00:00"),
        ("\t2026-03-02 10:15:22", "2026-03-02T02:15:22"),
    ],
)
def test_instants_read(text: str, instant: str):
    assert read_one(text, parse="instant") == (utc(instant), None)


@pytest.mark.parametrize(
    "text", ["2017-02-30 00:00:00", "2023-02-29 10:00:00", "2026-13-01 00:00:00", "46083.42", "yesterday", "2026-03-02"]
)
def test_instants_are_refused(text: str):
    assert read_one(text, parse="instant") == (None, "unreadable")


def test_a_time_that_the_clock_skipped_is_refused_and_kills_nothing():
    assert read_one("1986-05-04 02:30:00", parse="instant") == (None, "skipped_by_clock_change")


def test_of_two_readings_of_a_wall_clock_the_earlier_holds():
    """On 5 November 2017 New York had 01:30 twice, at 05:30 and 06:30 UTC."""
    assert read_one("2017-11-05 01:30:00", "America/New_York", parse="instant")[0] == utc("2017-11-05T05:30:00")


def test_dates_without_time_are_midnight_of_the_zone_when_the_layout_says_so():
    value, _ = read_one("2017-03-03", "America/New_York", parse="instant", patterns=["%Y-%m-%d"])
    assert value == utc("2017-03-03T05:00:00")


@pytest.mark.parametrize(
    ("pattern", "text"), [("epoch_s", "1762049410"), ("epoch_ms", "1762049410000"), ("epoch_us", "1762049410000000")]
)
def test_epochs_read(pattern: str, text: str):
    assert read_one(text, parse="instant", patterns=pattern) == (utc("2025-11-02T02:10:10"), None)


@pytest.mark.parametrize("text", ["9999999999999999", "-5", "1.5", "99999999999999999999"])
def test_epochs_are_refused(text: str):
    assert read_one(text, parse="instant", patterns="epoch_s") == (None, "unreadable")


@pytest.mark.parametrize(
    ("text", "value", "fault"),
    [
        ("2026-03-02", date(2026, 3, 2), None),
        ("2026/3/2", date(2026, 3, 2), None),
        ("2017-02-30", None, "unreadable"),
        ("-", None, None),
    ],
)
def test_dates(text: str, value: date | None, fault: str | None):
    assert read_one(text, parse="date") == (value, fault)


@pytest.mark.parametrize(
    ("text", "value", "fault"),
    [
        ("2", 2, None),
        ("1,000", 1000, None),
        ("2.0", 2, None),
        ("-1", -1, None),
        ("2.5", None, "unreadable"),
        ("9" * 30, None, "unreadable"),
        ("", None, None),
    ],
)
def test_integers(text: str, value: int | None, fault: str | None):
    assert read_one(text, parse="integer") == (value, fault)


PAID = {"买家已付款，等待卖家发货": "paid", "Yes": "granted"}


@pytest.mark.parametrize("text", ["买家已付款，等待卖家发货", "买家已付款,等待卖家发货", " 买家已付款, 等待卖家发货"])
def test_codes_fold_punctuation(text: str):
    assert read_one(text, parse="code", codes=PAID) == ("paid", None)


def test_codes_fold_case_and_refuse_what_they_do_not_know():
    assert read_one("YES", parse="code", codes=PAID) == ("granted", None)
    assert read_one("maybe", parse="code", codes=PAID) == (None, "unknown_code")
    assert read_one("maybe", parse="code", codes=PAID, otherwise="paid") == ("paid", None)
    assert read_one("", parse="code", codes=PAID, otherwise="paid") == (None, None)


@pytest.mark.parametrize(
    "text",
    [
        "13900000202", "+8613900000202", "+86 139 0000 0202", "0086-13900000202", "8613900000202", "139-0000-0202",
        "'13900000202", "１３９０００００２０２", "139\u200b00000202", "\t13900000202", '="13900000202"',
    ],
)  # fmt: skip
def test_phones_read(text: str):
    assert read_one(text, parse="phone") == ("13900000202", None)


@pytest.mark.parametrize(
    "text",
    [
        "186******05", "1******6198", "138****1234", "$$密文", "##密文", "13900000202-1234", "13900000202转88",
        "12345678901", "1390000020", "139000002022", "l3900000202", "1.39E+10", "٠١٢٣٤٥٦٧٨٩٠", "13800138000",
        "13333333333", "", " ", "+1 212 555 0100",
    ],
)  # fmt: skip
def test_phones_that_are_neither_key_nor_target(text: str):
    assert read_one(text, parse="phone") == (None, None)


def test_several_phones_in_one_cell():
    value, _ = read_one("13900000202|136****0404|15000000222", parse="phones")
    assert value == ["13900000202", "15000000222"]


@pytest.mark.parametrize(
    ("text", "value"), [("zhao_yiming_88", "zhao_yiming_88"), ("一鸣😀", "一鸣😀"), ("t**y", None)]
)
def test_masked_nicks_are_no_key(text: str, value: str | None):
    assert read_one(text, parse="nick") == (value, None)


@pytest.mark.parametrize(
    ("text", "value"), [("1992-05-20", "05"), ("1992/5/20", "05"), ("5月20日", "05"), ("1992-13-20", None), ("x", None)]
)
def test_of_a_birthday_the_month_alone_stays(text: str, value: str | None):
    assert read_one(text, parse="birth_month") == (value, None)


@given(st.integers(-(10**15), 10**15))
def test_every_amount_in_range_survives_being_printed(fen: int):
    sign, whole = "-" if fen < 0 else "", abs(fen)
    assert read_one(f"{sign}{whole // 100:,}.{whole % 100:02d}", parse="money") == (fen, None)


@given(st.text(max_size=20))
def test_no_text_breaks_a_parser_and_phones_are_fixed_points(text: str):
    for parse in ("text", "id", "money", "integer", "instant", "date", "nick", "birth_month"):
        read_one(text, parse=parse)
    number, _ = read_one(text, parse="phone")
    assert number is None or read_one(number, parse="phone") == (number, None)

"""The parsers of cells, as tables of text and what must come of it."""

from collections.abc import Sequence
from datetime import date

import polars as pl
import pytest

from tasks.sources.cells import read_cells
from tasks.sources.layouts import Cell
from tests.unit.sources.reading import read_one, utc


def read_column(texts: Sequence[str | None], **cell: object) -> list[tuple[object, ...]]:
    """Value, fault and note of every cell of a column."""
    column = pl.Series(texts, dtype=pl.String)
    return read_cells(column, Cell.model_validate({"header": "x"} | cell), "Asia/Shanghai").rows()


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
        ("2026年3月2日 10:15", "2026-03-02T02:15:00"),
        ("2026-03-02 10:15:22.5", "2026-03-02T02:15:22.500000"),
        ("2026-05-14 11:23:45 +0800", "2026-05-14T03:23:45"),
        ("2026-05-14T11:23:45+08:00", "2026-05-14T03:23:45"),
        ("2026-05-14 11:23:45 -0430", "2026-05-14T15:53:45"),
        ("2026-05-14T11:23+08:00", "2026-05-14T03:23:00"),
        ("2026-05-14 03:23:45 UTC", "2026-05-14T03:23:45"),
        ("2026-05-14T03:23:45Z", "2026-05-14T03:23:45"),
        ("2026-05-14T03:23:45.250Z", "2026-05-14T03:23:45.250000"),
        ("2024-02-29 00:00:00", "2024-02-28T16:00:00"),
        ("\t2026-03-02 10:15:22", "2026-03-02T02:15:22"),
    ],
)
def test_instants_read(text: str, instant: str):
    assert read_one(text, parse="instant") == (utc(instant), None)


@pytest.mark.parametrize(
    "text", ["2017-02-30 00:00:00", "2023-02-29 10:00:00", "2026-13-01 00:00:00", "46083.42", "yesterday", "2026-03-02",
     "2026-03-02 24:00:00", "2026-03-02 10:15:60", "2026-03-02 10:15:22 +9900", "2026-03-02 10:15:22 Mars"],
)  # fmt: skip
def test_instants_are_refused(text: str):
    assert read_one(text, parse="instant") == (None, "unreadable")


@pytest.mark.parametrize(
    "text",
    ["1899-12-30 00:00:00", "1970-01-01 08:00:00", "26-03-02 10:15:22", "2100-01-02 00:00:00", "9999-12-31 23:59:59"],
)
def test_years_out_of_bounds_are_refused(text: str):
    assert read_one(text, parse="instant") == (None, "implausible")


AMERICAN = ("%Y-%m-%d %H:%M:%S", "%m/%d/%Y %I:%M:%S %p")


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("10/05/2026 2:30:00 PM", "2026-10-05T18:30:00"),
        ("10/5/2026 12:00:00 AM", "2026-10-05T04:00:00"),
        ("2026-05-01 10:02:11", "2026-05-01T14:02:11"),
    ],
)
def test_western_dates_are_read_by_the_patterns_of_their_layout(text: str, instant: str):
    assert read_one(text, "America/New_York", parse="instant", patterns=AMERICAN) == (utc(instant), None)


def test_months_in_words_and_either_clock():
    patterns = ["%b %d, %Y %I:%M:%S %p"]
    assert read_one("May 14, 2026 11:23:45 AM", parse="instant", patterns=patterns)[0] == utc("2026-05-14T03:23:45")


def test_a_zone_that_the_row_names_outweighs_the_layouts():
    """5 July 2026: New York is 4 hours behind UTC, Phoenix 7 all year round; Shanghai where no zone is named."""
    zones = {"Eastern Time (US & Canada)": "America/New_York", "Arizona": "America/Phoenix"}
    texts = ["2026-07-05 10:00:00 Eastern Time (US & Canada)", "2026-07-05 10:00:00 Arizona", "2026-07-05 10:00:00",
             "2026-07-05 10:00:00 Mars"]  # fmt: skip
    assert read_column(texts, parse="instant", zones=zones) == [
        (utc("2026-07-05T14:00"), None, None), (utc("2026-07-05T17:00"), None, None),
        (utc("2026-07-05T02:00"), None, None), (None, "unreadable", None),
    ]  # fmt: skip


def test_clocks_that_change_within_a_column_are_read_one_by_one():
    """New York went from 5 to 4 hours behind UTC on 8 March 2026 at 2:00; 2:30 never was."""
    texts = ["2026-03-07 12:00:00", "2026-03-08 02:30:00", "2026-03-09 12:00:00"]
    column = read_cells(pl.Series(texts), Cell(header="x", parse="instant"), "America/New_York")
    assert column.rows() == [
        (utc("2026-03-07T17:00"), None, None), (None, "skipped_by_clock_change", None),
        (utc("2026-03-09T16:00"), None, None),
    ]  # fmt: skip


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


@pytest.mark.parametrize(
    ("text", "value", "fault"),
    [
        ("3", 3, None),
        ("2.000", 2, None),
        ("0.534", 1, None),
        ("1.5", 1, None),
        ("-0.534", -1, None),
        ("1.5kg", None, "unreadable"),
        ("", None, None),
    ],
)
def test_goods_by_weight_are_one_piece(text: str, value: int | None, fault: str | None):
    assert read_one(text, parse="integer", by_weight=True) == (value, fault)


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("新人券-12.00", 1_200),
        ("满300-30券-30.00", 3_000),
        ("-12.00", -1_200),
        ("12.00", 1_200),
        ("新人券-1,212.00", 121_200),
        ("-", None),
        ("", None),
    ],
)
def test_amounts_behind_a_name_and_a_dash(text: str, fen: int | None):
    assert read_one(text, parse="labelled_money") == (fen, None)


def test_a_name_without_an_amount_is_no_amount():
    assert read_one("新人券", parse="labelled_money") == (None, "unreadable")


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
        "'+8613900000202",
        "\u202d13900000202\u202c", "\u200f139 0000 0202", "(+86) 139 0000 0202", "＋86 139–0000–0202",
        "139.0000.0202", "139\u00ad0000\u00ad0202",
    ],
)  # fmt: skip
def test_phones_read(text: str):
    assert read_one(text, parse="phone") == ("13900000202", None)


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("138****1234", "masked"), ("1******6198", "masked"), ("186******05", "masked"), ("136＊＊＊＊0404", "masked"),
        ("$$密文", "encrypted"), ("##密文", "encrypted"), ("~AgAAABC~", "encrypted"),
        ("13900000202-1234", "virtual"), ("13900000202转88", "virtual"), ("13900000202,0017", "virtual"),
        ("13900000202（虚拟号）", "virtual"), ("1.39E+10", "destroyed"),
        ("13800138000", "forged"), ("13333333333", "forged"), ("+86 13333333333", "forged"),
        ("14012345678", "iot"), ("8614600000202", "iot"), ("1064812345678", "iot"),
        ("0571-88886666", "landline"), ("010-62345678", "landline"), ("+86 571 8888 6666", "landline"),
        ("12345678901", "unreadable"), ("1390000020", "unreadable"), ("139000002022", "unreadable"),
        ("l3900000202", "unreadable"), ("٠١٢٣٤٥٦٧٨٩٠", "unreadable"), ("(202) 555-0143", "unreadable"),
        ("+1 555", "unreadable"), ("", None), (" ", None), (None, None),
    ],
)  # fmt: skip
def test_phones_that_are_neither_key_nor_target_are_classed(text: str | None, note: str | None):
    assert read_column([text], parse="phone") == [(None, None, note)]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+1 (202) 555-0143", "+12025550143"),
        ("'+12025550143", "+12025550143"),
        ("001 202 555 0143", "+12025550143"),
        ("+852 9123 4567", "+85291234567"),
        ("+44 7911 123456", "+447911123456"),
    ],
)
def test_foreign_mobiles_are_kept_with_their_country(text: str, number: str):
    assert read_one(text, parse="phone") == (number, None)


def test_a_column_of_phones_of_every_sort_stays_in_order():
    texts = ["13900000202", "136****0404", "'+8613800000101", None, "+12025550143", "13900000202"]
    assert read_column(texts, parse="phone") == [
        ("13900000202", None, None), (None, None, "masked"), ("13800000101", None, None), (None, None, None),
        ("+12025550143", None, None), ("13900000202", None, None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "value", "note"),
    [
        ("Lin.XT@Example.com ", "lin.xt@example.com", None),
        ("＿a＠example.com", "_a@example.com", None),
        ("l***t@example.com", None, "masked"),
        ("x1y2@marketplace.amazon.co.uk", None, "virtual"),
        ("nobody", None, "unreadable"),
        ("a@b", None, "unreadable"),
        ("a@example.com;b@example.com", None, "unreadable"),
        ("-", None, None),
    ],
)
def test_e_mail_addresses(text: str, value: str | None, note: str | None):
    assert read_column([text], parse="email") == [(value, None, note)]


STOP = {"parse": "reply", "codes": dict.fromkeys(("R", "T", "TD", "N", "TDZD", "退订", "拒收", "0000"), "withdrawn")}


@pytest.mark.parametrize(
    "text",
    ["R", " r ", "Ｒ", "td", "ＴＤ。", "n", "Tdzd", " 退订 ", "我要退订！", "拒收", "0000", "００００"],
)
def test_words_that_stop_messages(text: str):
    assert read_column([text], **STOP) == [("withdrawn", None, None)]


@pytest.mark.parametrize("text", ["什么时候发货", "T恤还有吗", "00000", "RR", "", None])
def test_replies_that_stop_nothing(text: str | None):
    assert read_column([text], **STOP) == [(None, None, None)]


def test_several_phones_in_one_cell():
    for text in ("13900000202|136****0404|15000000222", "13900000202,15000000222", "13900000202；15000000222"):
        assert read_one(text, parse="phones") == (["13900000202", "15000000222"], None)
    assert read_column(["136****0404", None], parse="phones") == [([], None, "masked"), ([], None, None)]


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

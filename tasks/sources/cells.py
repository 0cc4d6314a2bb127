"""How the text of one cell is read: each parser pipes a frame of texts to values and faults.

A blank cell is null and no fault. A fault is named after what is wrong; the caller puts the
column's name before it. No number goes through a float. The steps of a parser are stages of a
frame, because Polars evaluates a sub-expression anew wherever it is used.
"""

from collections.abc import Callable

import polars as pl

from expectations.vocabulary import INSTANT, MAX_FEN
from tasks.sources.headers import normalise_header
from tasks.sources.layouts import Cell

_EDGES = " \t\r\n\u00a0\u3000\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
_BLANK = ("", "-", "--", "—", "——", "/")
_WIDE = dict(zip("０１２３４５６７８９．，－−（）＋", "0123456789.,--()+", strict=True))

TEXT, VALUE, PLAIN = pl.col("text"), pl.col("value"), pl.col("plain")
_SOUND = pl.lit(None, pl.String())
"""The fault of a cell that has none."""

Parser = Callable[[pl.DataFrame, Cell, str], pl.DataFrame]
"""(frame with `text`, the layout's cell, zone of times without one) to the frame with `value` and `fault`."""


def bare(text: pl.Expr) -> pl.Expr:
    """Take off what spreadsheets put around text: `="…"`, a leading `'`, TABs and white space; blank is null."""
    stripped = text.str.strip_chars(_EDGES).str.replace(r'^="([\s\S]*)"$', "$1").str.strip_prefix("'")
    clean = stripped.str.strip_chars(_EDGES)
    return clean.replace(list(_BLANK), [None] * len(_BLANK))


def read_text(cells: pl.DataFrame, _cell: Cell, _zone: str) -> pl.DataFrame:
    """Text as printed; a control character in it is a fault."""
    return cells.with_columns(plain=bare(TEXT)).with_columns(
        value="plain", fault=_unless(~PLAIN.str.contains(_CONTROL), "control_character")
    )


_CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f]"


def _unless(is_good: pl.Expr, fault: str) -> pl.Expr:
    """Name the fault where `is_good` is false; null, a blank cell, is good."""
    return pl.when(~is_good).then(pl.lit(fault)).otherwise(_SOUND)


def read_id(cells: pl.DataFrame, cell: Cell, zone: str) -> pl.DataFrame:
    """An id; `6.91793E+18` is what a spreadsheet leaves of one, its digits are gone."""
    destroyed = VALUE.str.contains(r"^\d+\.\d+[eE]\+?\d+$|^\d+[eE]\+\d+$")
    return cells.pipe(read_text, cell, zone).with_columns(
        value=pl.when(~destroyed).then(VALUE), fault=pl.coalesce(_unless(~destroyed, "destroyed"), "fault")
    )


_LOOSE = r"[\s¥￥$元]"
_NUMBER = r"^-?(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.\d*)?$"
_REMARK = r"\([^()]*[^\d.,()][^()]*\)$"
"""JD writes `499.00（系统计算中，该值仅供参考）`; a bracketed number instead is a negative amount."""
_NO_MONEY = [*_BLANK, "无退款申请"]


def read_money(cells: pl.DataFrame, cell: Cell, _zone: str) -> pl.DataFrame:
    """Amount in minor units; more than two decimals are rounded half to even, as Decimal does.

    A comma must separate thousands: `12,50` is refused, not read as 1250.
    """
    scale = 0 if cell.unit == "fen" else 2
    folded = TEXT.str.strip_chars(_EDGES).str.replace_many(_WIDE).str.replace_all(_LOOSE, "")
    plain = folded.str.replace(_REMARK, "").str.replace(r"^\(([^()]+)\)$", "-$1")
    digits = pl.when(PLAIN.str.contains(_NUMBER)).then(PLAIN.str.replace_all(",", "", literal=True))
    fen = pl.col("digits").cast(pl.Decimal(38, scale), strict=False).to_physical().cast(pl.Int64, strict=False)
    return (
        cells.with_columns(plain=plain.replace(_NO_MONEY, [None] * len(_NO_MONEY)))
        .with_columns(digits=digits)
        .with_columns(value=fen)
        .with_columns(value=pl.when(VALUE.is_between(-MAX_FEN, MAX_FEN)).then(VALUE))
        .with_columns(fault=_unreadable())
    )


def _unreadable() -> pl.Expr:
    """The fault of a cell that holds something of which no value could be made."""
    return pl.when(PLAIN.is_not_null() & VALUE.is_null()).then(pl.lit("unreadable")).otherwise(_SOUND)


def read_integer(cells: pl.DataFrame, _cell: Cell, _zone: str) -> pl.DataFrame:
    """A whole number; `2.0` counts as 2, `2.5` is refused."""
    whole = pl.when(PLAIN.str.contains(r"^-?\d+(?:\.0*)?$")).then(PLAIN.str.replace(r"\..*$", ""))
    return (
        cells.with_columns(plain=bare(TEXT).str.replace_many(_WIDE).str.replace_all(",", "", literal=True))
        .with_columns(value=whole.cast(pl.Int64, strict=False))
        .with_columns(fault=_unreadable())
    )


_CLOCKS = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M")
_OFFSET = r"\s*([+-]\d{2}:?\d{2}|[zZ])$"
_TIME_AND_OFFSET = r"(:\d{2}(?:\.\d+)?)\s*(?:[+-]\d{2}:?\d{2}|[zZ])$"
_YEAR_2100_S = 4_102_444_800
"""Later instants are refused by the row rules anyway; up to here no product overflows."""
_EPOCHS = {"epoch_s": 1_000_000, "epoch_ms": 1_000, "epoch_us": 1}


def read_instant(cells: pl.DataFrame, cell: Cell, zone: str) -> pl.DataFrame:
    """Instant in UTC. A naive time is a wall clock in `zone`: of two readings the earlier one holds.

    A wall time that never was (clocks went forward over it) is refused, as is 30 February.
    """
    if cell.patterns and cell.patterns[0] in _EPOCHS:
        return _read_epoch(cells, _EPOCHS[cell.patterns[0]])
    clock = PLAIN.str.replace(_TIME_AND_OFFSET, "$1")
    patterns = cell.patterns or _CLOCKS
    naive = pl.coalesce(clock.str.to_datetime(pattern, strict=False, time_unit="us") for pattern in patterns)
    here = pl.col("naive").dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    there = pl.col("naive").dt.replace_time_zone("UTC") - _shift(pl.col("offset"))
    instant = pl.when(pl.col("offset").is_null()).then(here.dt.convert_time_zone("UTC")).otherwise(there)
    skipped = pl.when(pl.col("naive").is_not_null() & VALUE.is_null()).then(pl.lit("skipped_by_clock_change"))
    return (
        cells.with_columns(plain=_folded_date(bare(TEXT)))
        .with_columns(naive=naive, offset=PLAIN.str.extract(rf":\d{{2}}(?:\.\d+)?{_OFFSET}"))
        .with_columns(value=instant.cast(INSTANT))
        .with_columns(fault=pl.coalesce(skipped, _unreadable()))
    )


def _folded_date(text: pl.Expr) -> pl.Expr:
    """Fold `2026/3/2`, `2026年3月2日` and `2026-03-02T10:15` to one shape."""
    dashed = text.str.replace_all(r"[/年月]", "-").str.replace("日", "", literal=True)
    return dashed.str.replace(r"(\d)[tT](\d)", "$1 $2")


def _shift(offset: pl.Expr) -> pl.Expr:
    """The offset `+0800`, `+08:00` or `Z` as a duration."""
    digits = offset.str.replace("^[zZ]$", "+00:00")
    hours, minutes = digits.str.slice(1, 2).cast(pl.Int64), digits.str.slice(-2).cast(pl.Int64)
    size = pl.duration(hours=hours, minutes=minutes)
    return pl.when(digits.str.starts_with("-")).then(-size).otherwise(size)


def _read_epoch(cells: pl.DataFrame, to_microseconds: int) -> pl.DataFrame:
    """Instant from a whole number of seconds, milliseconds or microseconds since 1970."""
    number = pl.when(PLAIN.str.contains(r"^\d{1,16}$")).then(PLAIN).cast(pl.Int64, strict=False)
    is_sane = VALUE.lt(_YEAR_2100_S * 1_000_000 // to_microseconds)
    return (
        cells.with_columns(plain=bare(TEXT))
        .with_columns(value=number)
        .with_columns(value=pl.when(is_sane).then(VALUE * to_microseconds).cast(INSTANT))
        .with_columns(fault=_unreadable())
    )


def read_date(cells: pl.DataFrame, _cell: Cell, _zone: str) -> pl.DataFrame:
    """A calendar date as written."""
    return (
        cells.with_columns(plain=_folded_date(bare(TEXT)))
        .with_columns(value=PLAIN.str.to_date("%Y-%m-%d", strict=False))
        .with_columns(fault=_unreadable())
    )


def read_birth_month(cells: pl.DataFrame, _cell: Cell, _zone: str) -> pl.DataFrame:
    """Month of a birthday as MM; day and year are dropped, and so is what is no birthday."""
    month = _folded_date(bare(TEXT)).str.extract(r"^(?:\d{4}-)?(\d{1,2})-\d{1,2}\b").str.zfill(2)
    is_month = VALUE.is_between(pl.lit("01"), pl.lit("12"))
    return cells.with_columns(value=month).with_columns(value=pl.when(is_month).then(VALUE), fault=_SOUND)


def read_code(cells: pl.DataFrame, cell: Cell, _zone: str) -> pl.DataFrame:
    """A word of the source as the house's code; an unknown word is a fault unless `otherwise` stands for it.

    Words are compared as headers are: full-width punctuation, white space and case do not count.
    """
    folded = bare(TEXT).str.normalize("NFKC").str.replace_all(r"\s", "").str.to_lowercase()
    known = {normalise_header(word): code for word, code in cell.codes.items()}
    unknown = pl.when(PLAIN.is_not_null() & VALUE.is_null())
    return (
        cells.with_columns(plain=folded)
        .with_columns(value=PLAIN.replace_strict(known, default=None, return_dtype=pl.String))
        .with_columns(
            value=unknown.then(pl.lit(cell.otherwise, pl.String())).otherwise(VALUE),
            fault=unknown.then(_SOUND if cell.otherwise else pl.lit("unknown_code")).otherwise(_SOUND),
        )
    )


def read_nick(cells: pl.DataFrame, cell: Cell, zone: str) -> pl.DataFrame:
    """A user name or push token; a masked one (`t**y`) stands for many people and is null."""
    is_masked = VALUE.str.contains("*", literal=True)
    return cells.pipe(read_text, cell, zone).with_columns(value=pl.when(~is_masked).then(VALUE))


_FORGED = (*(f"1{second}{str(digit) * 9}" for second in range(3, 10) for digit in range(10)), "13800138000")
"""Numbers that forms are filled with to get past them: one digit nine times, and the operator's own example."""


def phone_number(text: pl.Expr) -> pl.Expr:
    """A mainland mobile number of 11 digits; null for what is masked, encrypted, virtual or made up."""
    folded = bare(text).str.normalize("NFKC").str.replace_all(r"[\s\-\u200b-\u200f\u2060\ufeff]", "")
    number = folded.str.extract(r"^(?:\+?86|0086)?(1[3-9][0-9]{9})$")
    return number.replace(list(_FORGED), [None] * len(_FORGED))


def read_phone(cells: pl.DataFrame, _cell: Cell, _zone: str) -> pl.DataFrame:
    """A phone number; one that cannot be used is null, never a fault: the order behind it is real."""
    return cells.with_columns(value=phone_number(TEXT), fault=_SOUND)


def read_phones(cells: pl.DataFrame, _cell: Cell, _zone: str) -> pl.DataFrame:
    """Several phone numbers with `|` between them, as a list."""
    numbers = TEXT.str.split("|").list.eval(phone_number(pl.element())).list.drop_nulls()
    return cells.with_columns(value=numbers, fault=_SOUND)


PARSERS: dict[str, Parser] = {
    "text": read_text, "id": read_id, "money": read_money, "integer": read_integer, "instant": read_instant,
    "date": read_date, "code": read_code, "nick": read_nick, "phone": read_phone, "phones": read_phones,
    "token": read_nick, "birth_month": read_birth_month,
}  # fmt: skip


def read_cells(text: pl.Series, cell: Cell, zone: str) -> pl.DataFrame:
    """`value` and `fault` of every text, in order; a column that repeats itself is parsed once per distinct text."""
    cells = text.alias("text").to_frame()
    read = PARSERS[cell.parse]
    if text.n_unique() > text.len() // 2:
        return read(cells, cell, zone).select("value", "fault")
    distinct = read(cells.unique(), cell, zone).select("text", "value", "fault")
    return cells.join(distinct, on="text", how="left", nulls_equal=True, maintain_order="left").drop("text")

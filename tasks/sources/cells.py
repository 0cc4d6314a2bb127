"""How the text of one cell is read: each parser is a Polars expression and the faults it can find.

A blank cell is null and no fault. A fault is named after what is wrong; the caller puts the
column's name before it. No number goes through a float.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import polars as pl

from expectations.vocabulary import INSTANT, MAX_FEN
from tasks.sources.headers import normalise_header
from tasks.sources.layouts import Cell

_EDGES = " \t\r\n\u00a0\u3000\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
_BLANK = ("", "-", "--", "—", "——", "/")
_NO_MONEY = (*_BLANK, "无退款申请")
_WIDE = dict(zip("０１２３４５６７８９．，－−（）＋", "0123456789.,--()+", strict=True))


class Fault(NamedTuple):
    """What is wrong with a cell, and for which rows that is so."""

    name: str
    found: pl.Expr


@dataclass(frozen=True)
class Parsed:
    """A cell's value, null where it is blank or faulty."""

    value: pl.Expr
    faults: tuple[Fault, ...] = ()


def bare(text: pl.Expr) -> pl.Expr:
    """Take off what spreadsheets put around text: `="…"`, a leading `'`, TABs and white space; blank is null."""
    stripped = text.str.strip_chars(_EDGES).str.replace(r'^="([\s\S]*)"$', "$1").str.strip_prefix("'")
    clean = stripped.str.strip_chars(_EDGES)
    return pl.when(~clean.is_in(_BLANK)).then(clean)


def parse_text(text: pl.Expr, _cell: Cell, _zone: str) -> Parsed:
    """Text as printed."""
    return Parsed(bare(text))


def parse_id(text: pl.Expr, _cell: Cell, _zone: str) -> Parsed:
    """An id; `6.91793E+18` is what a spreadsheet leaves of one, its digits are gone."""
    value = bare(text)
    destroyed = value.str.contains(r"^\d+\.\d+[eE]\+?\d+$|^\d+[eE]\+\d+$")
    return Parsed(pl.when(~destroyed).then(value), (Fault("destroyed", destroyed),))


_LOOSE = r"[\s¥￥$元]"
_NUMBER = r"^-?(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.\d*)?$"
_REMARK = r"\([^()]*[^\d.,()][^()]*\)$"
"""JD writes `499.00（系统计算中，该值仅供参考）`; a bracketed number instead is a negative amount."""


def parse_money(text: pl.Expr, cell: Cell, _zone: str) -> Parsed:
    """Amount in minor units; more than two decimals are rounded half to even, as Decimal does.

    A comma must separate thousands: `12,50` is refused, not read as 1250.
    """
    folded = text.str.strip_chars(_EDGES).str.replace_many(_WIDE).str.replace_all(_LOOSE, "")
    plain = folded.str.replace(_REMARK, "").str.replace(r"^\(([^()]+)\)$", "-$1")
    amount = pl.when(~plain.is_in(_NO_MONEY)).then(plain)
    scale = 0 if cell.unit == "fen" else 2
    digits = pl.when(amount.str.contains(_NUMBER)).then(amount.str.replace_all(",", "", literal=True))
    fen = digits.cast(pl.Decimal(38, scale), strict=False).to_physical().cast(pl.Int64, strict=False)
    value = pl.when(fen.is_between(-MAX_FEN, MAX_FEN)).then(fen)
    return Parsed(value, (Fault("unreadable", amount.is_not_null() & value.is_null()),))


def parse_integer(text: pl.Expr, _cell: Cell, _zone: str) -> Parsed:
    """A whole number; `2.0` counts as 2, `2.5` is refused."""
    plain = bare(text).str.replace_many(_WIDE).str.replace_all(",", "", literal=True)
    value = pl.when(plain.str.contains(r"^-?\d+(?:\.0*)?$")).then(
        plain.str.replace(r"\..*$", "").cast(pl.Int64, strict=False)
    )
    return Parsed(value, (Fault("unreadable", plain.is_not_null() & value.is_null()),))


_CLOCKS = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M")
_OFFSET = r"\s*(?:[+-]\d{2}:?\d{2}|[zZ])$"
_EPOCHS = {"epoch_s": 1_000_000, "epoch_ms": 1_000, "epoch_us": 1}


def parse_instant(text: pl.Expr, cell: Cell, zone: str) -> Parsed:
    """Instant in UTC. A naive time is a wall clock in `zone`: of two readings the earlier one holds.

    A wall time that never was (clocks went forward over it) is refused, as is 30 February.
    """
    if cell.patterns and cell.patterns[0] in _EPOCHS:
        return _parse_epoch(text, _EPOCHS[cell.patterns[0]])
    plain = _folded_date(bare(text))
    offset = plain.str.extract(f"({_OFFSET})").str.strip_chars().str.replace("^[zZ]$", "+00:00")
    naive = pl.coalesce(
        plain.str.replace(_OFFSET, "").str.to_datetime(pattern, strict=False, time_unit="us")
        for pattern in cell.patterns or _CLOCKS
    )
    local = naive.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null").dt.convert_time_zone("UTC")
    value = pl.when(offset.is_null()).then(local).otherwise(naive.dt.replace_time_zone("UTC") - _shift(offset))
    return Parsed(
        value.cast(INSTANT),
        (
            Fault("unreadable", plain.is_not_null() & naive.is_null()),
            Fault("skipped_by_clock_change", naive.is_not_null() & value.is_null()),
        ),
    )


def _folded_date(text: pl.Expr) -> pl.Expr:
    """Fold `2026/3/2`, `2026年3月2日` and `2026-03-02T10:15` to one shape."""
    dashed = text.str.replace_all(r"[/年月]", "-").str.replace("日", "", literal=True)
    return dashed.str.replace(r"(\d)[tT](\d)", "$1 $2")


def _shift(offset: pl.Expr) -> pl.Expr:
    """The offset `+0800` or `+08:00` as a duration."""
    hours, minutes = offset.str.slice(1, 2).cast(pl.Int64), offset.str.slice(-2).cast(pl.Int64)
    size = pl.duration(hours=hours, minutes=minutes)
    return pl.when(offset.str.starts_with("-")).then(-size).otherwise(size)


def _parse_epoch(text: pl.Expr, to_microseconds: int) -> Parsed:
    """Instant from a whole number of seconds, milliseconds or microseconds since 1970."""
    plain = bare(text)
    number = pl.when(plain.str.contains(r"^\d{1,16}$")).then(plain.cast(pl.Int64, strict=False))
    is_sane = number < 4_102_444_800 * 1_000_000 // to_microseconds  # the year 2100, beyond which rules refuse
    value = pl.when(is_sane).then(number * to_microseconds).cast(INSTANT)
    return Parsed(value, (Fault("unreadable", plain.is_not_null() & value.is_null()),))


def parse_date(text: pl.Expr, _cell: Cell, _zone: str) -> Parsed:
    """A calendar date as written."""
    plain = _folded_date(bare(text))
    value = plain.str.to_date("%Y-%m-%d", strict=False)
    return Parsed(value, (Fault("unreadable", plain.is_not_null() & value.is_null()),))


def parse_birth_month(text: pl.Expr, _cell: Cell, _zone: str) -> Parsed:
    """Month of a birthday as MM; day and year are dropped, and so is what is no birthday."""
    month = _folded_date(bare(text)).str.extract(r"^(?:\d{4}-)?(\d{1,2})-\d{1,2}\b").str.zfill(2)
    return Parsed(pl.when(month.is_between(pl.lit("01"), pl.lit("12"))).then(month))


def fold_code(text: pl.Expr) -> pl.Expr:
    """Fold a status word as headers are folded: full-width punctuation, white space, case."""
    return bare(text).str.normalize("NFKC").str.replace_all(r"\s", "").str.to_lowercase()


def parse_code(text: pl.Expr, cell: Cell, _zone: str) -> Parsed:
    """A word of the source as the house's code; an unknown word is a fault unless `otherwise` stands for it."""
    folded = fold_code(text)
    known = {normalise_header(word): code for word, code in cell.codes.items()}
    code = folded.replace_strict(known, default=None, return_dtype=pl.String)
    if cell.otherwise is not None:
        return Parsed(pl.when(folded.is_not_null()).then(code.fill_null(cell.otherwise)))
    return Parsed(code, (Fault("unknown_code", folded.is_not_null() & code.is_null()),))


def parse_nick(text: pl.Expr, _cell: Cell, _zone: str) -> Parsed:
    """A platform's user name; a masked one (`t**y`) stands for many people and is null."""
    value = bare(text)
    return Parsed(pl.when(~value.str.contains("*", literal=True)).then(value))


def parse_token(text: pl.Expr, _cell: Cell, _zone: str) -> Parsed:
    """A push token; masked ones are null."""
    return parse_nick(text, _cell, _zone)


_FORGED = tuple(f"1{n}{str(d) * 9}" for n in range(3, 10) for d in range(10)) + ("13800138000",)
"""Numbers that forms are filled with to get past them: one digit nine times, and the operator's own example."""


def phone_number(text: pl.Expr) -> pl.Expr:
    """A mainland mobile number of 11 digits; null for what is masked, encrypted, virtual or made up."""
    folded = bare(text).str.normalize("NFKC").str.replace_all(r"[\s\-\u200b-\u200f\u2060\ufeff]", "")
    number = folded.str.extract(r"^(?:\+?86|0086)?(1[3-9][0-9]{9})$")
    return pl.when(~number.is_in(_FORGED)).then(number)


def parse_phone(text: pl.Expr, _cell: Cell, _zone: str) -> Parsed:
    """A phone number; one that cannot be used is null, never a fault: the order behind it is real."""
    return Parsed(phone_number(text))


def parse_phones(text: pl.Expr, _cell: Cell, _zone: str) -> Parsed:
    """Several phone numbers with `|` between them, as a list."""
    return Parsed(text.str.split("|").list.eval(phone_number(pl.element())).list.drop_nulls())


PARSERS: dict[str, Callable[[pl.Expr, Cell, str], Parsed]] = {
    "text": parse_text, "id": parse_id, "money": parse_money, "integer": parse_integer, "instant": parse_instant,
    "date": parse_date, "code": parse_code, "nick": parse_nick, "phone": parse_phone, "phones": parse_phones,
    "token": parse_token, "birth_month": parse_birth_month,
}  # fmt: skip

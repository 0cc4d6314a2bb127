"""How the text of one cell becomes a value: one parser for each word that a layout's `parse` may be.

A blank cell is null and no fault. A fault is named after what is wrong; the caller puts the
column's name before it. No number goes through a float. Times are read in times.py, phones and
addresses in reach.py.
"""

from collections.abc import Callable

import polars as pl

from expectations.vocabulary import MAX_FEN
from tasks.sources.headers import normalise_header
from tasks.sources.layouts import Cell
from tasks.sources.phone_hashes import read_hash
from tasks.sources.plain import BLANK, EDGES, NOTHING, PLAIN, TEXT, VALUE, WIDE, Parser, bare, unless, unreadable
from tasks.sources.reach import mark_masked, read_email, read_phone, read_phones, usual_phone
from tasks.sources.times import read_birth_month, read_date, read_instant, usual_instant

__all__ = ["bare", "read_cells", "read_code"]


def read_text(cells: pl.DataFrame, _cell: Cell, _zone: str) -> pl.DataFrame:
    """Text as printed; a control character in it is a fault, and so is what a spreadsheet shows for an error."""
    is_clean, is_sound = ~VALUE.str.contains(_CONTROL), ~VALUE.is_in(_SHEET_ERRORS)
    return cells.with_columns(value=bare(TEXT)).with_columns(
        value=pl.when(is_clean & is_sound).then(VALUE),
        fault=pl.coalesce(unless(is_clean, "control_character"), unless(is_sound, "spreadsheet_error")),
    )


_SHEET_ERRORS = ["#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#CALC!"]
_CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f]"


def read_id(cells: pl.DataFrame, cell: Cell, zone: str) -> pl.DataFrame:
    """An id; `6.91793E+18` is what a spreadsheet leaves of one, its digits are gone."""
    destroyed = VALUE.str.contains(r"^\d+\.\d+[eE]\+?\d+$|^\d+[eE]\+\d+$")
    return cells.pipe(read_text, cell, zone).with_columns(
        value=pl.when(~destroyed).then(VALUE), fault=pl.coalesce(unless(~destroyed, "destroyed"), "fault")
    )


_ID = r"[0-9A-Za-z#][0-9A-Za-z_#-]*"


def usual_id(text: pl.Series, _cell: Cell, _zone: str) -> pl.Series:
    """Letters, digits and dashes, bare or as spreadsheets wrap them; null for every other shape."""
    is_usual = TEXT.str.contains(rf"""^(?:="{_ID}"|['\t]?{_ID}\t?)$""")
    return _select(text, pl.when(is_usual).then(TEXT.str.strip_chars("=\"'\t")))


def _select(text: pl.Series, value: pl.Expr) -> pl.Series:
    return text.to_frame("text").select(value).to_series()


_LOOSE = r"[\s¥￥$元]"
_NUMBER = r"^-?(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.\d*)?$"
_REMARK = r"\([^()]*[^\d.,()][^()]*\)$"
"""JD writes `499.00（系统计算中，该值仅供参考）`; a bracketed number instead is a negative amount."""
_NO_MONEY = [*BLANK, "无退款申请"]


def read_money(cells: pl.DataFrame, cell: Cell, _zone: str) -> pl.DataFrame:
    """Amount in minor units; more than two decimals are rounded half to even, as Decimal does.

    A comma must separate thousands: `12,50` is refused, not read as 1250.
    """
    folded = TEXT.str.strip_chars(EDGES).str.replace_many(WIDE).str.replace_all(_LOOSE, "")
    plain = folded.str.replace(_REMARK, "").str.replace(r"^\(([^()]+)\)$", "-$1")
    digits = pl.when(PLAIN.str.contains(_NUMBER)).then(PLAIN.str.replace_all(",", "", literal=True))
    return (
        cells.with_columns(plain=plain.replace(_NO_MONEY, [None] * len(_NO_MONEY)))
        .with_columns(digits=digits)
        .with_columns(value=_fen(pl.col("digits"), cell))
        .with_columns(value=pl.when(VALUE.is_between(-MAX_FEN, MAX_FEN)).then(VALUE))
        .with_columns(fault=unreadable())
    )


def read_labelled_money(cells: pl.DataFrame, cell: Cell, zone: str) -> pl.DataFrame:
    """An amount behind a name and a dash, as Douyin writes discounts: `新人券-12.00` is 12.00."""
    amount = TEXT.str.replace(r"^.*[^\d.,\s¥￥$(（-].*-", "")
    read = cells.select(text=amount).pipe(read_money, cell, zone)
    return cells.with_columns(read.select("value", "fault"))


def _fen(digits: pl.Expr, cell: Cell) -> pl.Expr:
    scale = 0 if cell.unit == "fen" else 2
    return digits.cast(pl.Decimal(38, scale), strict=False).to_physical().cast(pl.Int64, strict=False)


def usual_money(text: pl.Series, cell: Cell, _zone: str) -> pl.Series:
    """Plain digits with at most two decimals; null for every other shape."""
    shape = r"^-?\d{1,15}$" if cell.unit == "fen" else r"^-?\d{1,12}(?:\.\d{1,2})?$"
    return _select(text, _fen(pl.when(TEXT.str.contains(shape)).then(TEXT), cell))


def read_integer(cells: pl.DataFrame, cell: Cell, _zone: str) -> pl.DataFrame:
    """A whole number; `2.0` counts as 2, `2.5` is refused, or is one piece where goods are sold by weight.

    A weight never becomes a number of pieces: 1.534 kg of cherries are one line of a receipt, as 0.2 kg are.
    """
    whole = pl.when(PLAIN.str.contains(r"^-?\d+(?:\.0*)?$")).then(PLAIN.str.replace(r"\..*$", ""))
    weighed = pl.when(PLAIN.str.contains(r"^-?\d+\.\d*[1-9]\d*$")).then(PLAIN.str.replace(r"[\d.]+$", "1"))
    return (
        cells.with_columns(plain=bare(TEXT).str.replace_many(WIDE).str.replace_all(",", "", literal=True))
        .with_columns(value=(pl.coalesce(whole, weighed) if cell.by_weight else whole).cast(pl.Int64, strict=False))
        .with_columns(fault=unreadable())
    )


def usual_integer(text: pl.Series, _cell: Cell, _zone: str) -> pl.Series:
    """Plain digits; null for every other shape."""
    return _select(text, pl.when(TEXT.str.contains(r"^-?\d{1,18}$")).then(TEXT).cast(pl.Int64, strict=False))


def read_code(cells: pl.DataFrame, cell: Cell, _zone: str) -> pl.DataFrame:
    """A word of the source as the house's code; an unknown word is a fault unless `otherwise` stands for it.

    Words are compared as headers are: full-width punctuation, white space and case do not count. A
    beginning that the layout lists as a prefix outweighs the whole word.
    """
    words = {normalise_header(word): code for word, code in cell.codes.items()}
    folded = bare(TEXT).str.normalize("NFKC").str.replace_all(r"\s", "").str.to_lowercase()
    begins = [PLAIN.str.starts_with(normalise_header(beginning)) for beginning in cell.prefixes]
    codes = [pl.lit(code, pl.String()) for code in cell.prefixes.values()]
    coded = PLAIN.replace_strict(words, default=None, return_dtype=pl.String)
    for begin, code in reversed(list(zip(begins, codes, strict=True))):
        coded = pl.when(begin).then(code).otherwise(coded)
    is_known = pl.any_horizontal(PLAIN.is_in(list(words)), *begins)
    unknown = pl.when(PLAIN.is_not_null() & ~is_known)
    is_fault = cell.otherwise is None and not cell.lenient
    return cells.with_columns(plain=folded).with_columns(
        value=unknown.then(pl.lit(cell.otherwise, pl.String())).otherwise(coded),
        fault=unknown.then(pl.lit("unknown_code" if is_fault else None, pl.String())).otherwise(NOTHING),
    )


def read_reply(cells: pl.DataFrame, cell: Cell, _zone: str) -> pl.DataFrame:
    """A code where a customer's reply is one of the words, or holds one that is Chinese; null for every other reply.

    Width, case, white space and punctuation do not count: `Ｒ`, ` td。` and `我要退订` are heard,
    `T恤什么时候到` is not taken for `T`.
    """
    folded = bare(TEXT).str.normalize("NFKC").str.replace_all(r"[^\p{L}\p{N}]", "").str.to_lowercase()
    words = {normalise_header(word): code for word, code in cell.codes.items()}
    held = [pl.when(PLAIN.str.contains(word, literal=True)).then(pl.lit(code)) for word, code in words.items()
            if not word.isascii()]  # fmt: skip
    exact = PLAIN.replace_strict(words, default=None, return_dtype=pl.String)
    return cells.with_columns(plain=folded).with_columns(value=pl.coalesce(exact, *held), fault=NOTHING)


def read_nick(cells: pl.DataFrame, cell: Cell, zone: str) -> pl.DataFrame:
    """A user name or push token; a masked one is null, and one that a spreadsheet destroyed stands for many people."""
    return cells.pipe(read_id, cell, zone).pipe(mark_masked)


_ODD = r"""[\x00-\x20\x7f*'"=/\-—\u00a0\u3000\u200b-\u200f\u2060\ufeff]|^\d+\.?\d*[eE]\+?\d+$|^#"""


def usual_nick(text: pl.Series, _cell: Cell, _zone: str) -> pl.Series:
    """Text without white space, marks, dashes and stars; null for every other shape."""
    return _select(text, pl.when(~TEXT.str.contains(_ODD) & (TEXT != "")).then(TEXT))


def read_tags(cells: pl.DataFrame, cell: Cell, zone: str) -> pl.DataFrame:
    """Tags with `|` between them, whatever stood there: `"wholesale, vip"` is `wholesale|vip`."""
    split = VALUE.str.strip_chars('"').str.replace_all(r"\s*[,;，；、|]\s*", "|").str.strip_chars("|")
    return cells.pipe(read_text, cell, zone).with_columns(value=split)


PARSERS: dict[str, Parser] = {
    "text": read_text, "id": read_id, "money": read_money,
    "labelled_money": read_labelled_money, "integer": read_integer, "instant": read_instant,
    "date": read_date, "code": read_code, "reply": read_reply, "nick": read_nick, "phone": read_phone,
    "phones": read_phones, "email": read_email, "token": read_nick, "birth_month": read_birth_month, "tags": read_tags,
    "hash": read_hash,
}  # fmt: skip

Usual = Callable[[pl.Series, Cell, str], pl.Series]
_USUAL: dict[str, Usual] = {
    "id": usual_id, "money": usual_money, "integer": usual_integer, "instant": usual_instant, "phone": usual_phone,
    "nick": usual_nick, "token": usual_nick,
}  # fmt: skip
"""What nearly every cell looks like, read in a tenth of the time; the parser reads what is left."""


def read_cells(text: pl.Series, cell: Cell, zone: str) -> pl.DataFrame:
    """`value`, `fault` and `note` of every text, in order.

    `note` says why a filled cell without a fault has no value (masked, encrypted, …).
    """
    cells = text.alias("text").to_frame()
    usual = _USUAL.get(cell.parse)
    if usual is None:
        return _read_distinct(cells, cell, zone)
    first = cells.with_columns(value=usual(cells.get_column("text"), cell, zone)).with_row_index("at")
    odd = first.filter(VALUE.is_null() & (TEXT != ""))
    if odd.height == first.height:
        return _read_distinct(cells, cell, zone)
    if odd.is_empty():
        return first.select("value", fault=NOTHING, note=NOTHING)
    read = odd.select("at").hstack(_read_distinct(odd.select("text"), cell, zone))
    return (
        first.drop("text").join(read, on="at", how="left", maintain_order="left")
        .select(pl.coalesce("value", "value_right"), "fault", "note")
    )  # fmt: skip


def _read_distinct(cells: pl.DataFrame, cell: Cell, zone: str) -> pl.DataFrame:
    """Parse every text, once per distinct one where a column repeats itself."""
    if cells.get_column("text").n_unique() > cells.height // 2:
        return _parsed(cells, cell, zone).drop("text")
    distinct = _parsed(cells.unique(), cell, zone)
    return cells.join(distinct, on="text", how="left", nulls_equal=True, maintain_order="left").drop("text")


def _parsed(cells: pl.DataFrame, cell: Cell, zone: str) -> pl.DataFrame:
    read = PARSERS[cell.parse](cells, cell, zone)
    noted = read if "note" in read.columns else read.with_columns(note=NOTHING)
    return noted.select("text", "value", "fault", "note")

"""Phones, e-mail addresses and names of accounts: which of them name a person or reach one, and which never do.

Masked, encrypted, virtual and made-up values are null, never a fault: the order behind them is
real. `note` says of which class they are, so that a file can report them without quoting them.
"""

import phonenumbers
import polars as pl

from tasks.sources.layouts import Cell
from tasks.sources.plain import EDGES, NOTHING, PLAIN, TEXT, VALUE, bare

_MARKS = r"[\s\p{Pd}\p{Cf}.()]"
"""What people and word processors put between digits; `\\p{Cf}` are zero-width, direction and other marks."""
_MOBILE = r"^(?:\+?86|0086)?(1[3-9][0-9]{9})$"
_FORGED = (*(f"1{second}{str(digit) * 9}" for second in range(3, 10) for digit in range(10)), "13800138000")
"""Numbers that forms are filled with to get past them: one digit nine times, and the operator's own example."""
_IOT = r"^(?:\+?86|0086)?(?:14[01468]\d{8}|10648\d{8})$"
"""Prefixes that the carriers sell for machines alone: no person, no message."""
_RELAYS = r"@(?:marketplace\.amazon\.[a-z.]+|members\.ebay\.[a-z.]+)$"
"""Addresses that a marketplace lends for one order."""
_EMAIL = r"^[^\s@*,;<>]+@[^\s@*,;<>]+\.[^\s@*,;<>.]{2,}$"


def usual_phone(text: pl.Series, _cell: Cell, _zone: str) -> pl.Series:
    """A mainland mobile number, bare or as spreadsheets wrap it; null for every other shape."""
    shaped = pl.when(TEXT.str.contains(r"""^(?:="1[3-9][0-9]{9}"|['\t]?1[3-9][0-9]{9}\t?)$""")).then(TEXT)
    is_person = ~VALUE.str.contains(_IOT) & ~VALUE.is_in(_FORGED)
    numbers = text.to_frame("text").select(value=shaped.str.strip_chars("=\"'\t"))
    return numbers.select(pl.when(is_person).then(VALUE)).to_series()


def read_phone(cells: pl.DataFrame, _cell: Cell, _zone: str) -> pl.DataFrame:
    """A mainland mobile as its 11 digits, a foreign one as E.164; all that can be no key and no target is null.

    `note` is masked, encrypted, virtual (a relay number), destroyed (by a spreadsheet), forged, iot,
    landline or unreadable.
    """
    folded = bare(TEXT).str.normalize("NFKC").str.replace_all(_MARKS, "")
    national = PLAIN.str.extract(_MOBILE)
    is_person = ~VALUE.is_in(_FORGED) & ~PLAIN.str.contains(_IOT)
    return (
        cells.with_columns(plain=folded)
        .with_columns(value=national)
        .with_columns(value=pl.when(is_person).then(VALUE))
        .pipe(_with_foreign)
        .with_columns(note=_class_of_phone(), fault=NOTHING)
    )


def _with_foreign(cells: pl.DataFrame) -> pl.DataFrame:
    """Fill in foreign mobiles, which begin with `+` or `00`; few enough to be looked up one by one."""
    is_abroad = VALUE.is_null() & PLAIN.str.contains(r"^(?:\+|00)[1-9][0-9]{6,14}$")
    texts = cells.filter(is_abroad).get_column("plain").unique().to_list()
    known = {text: number for text in texts if (number := _foreign_mobile(text))}
    abroad = PLAIN.replace_strict(list(known), list(known.values()), default=None, return_dtype=pl.String)
    return cells.with_columns(value=pl.coalesce(VALUE, abroad)) if known else cells


def _foreign_mobile(text: str) -> str | None:
    """E.164 of a number outside of the mainland that may be a mobile; None for all else."""
    try:
        number = phonenumbers.parse(f"+{text.removeprefix('00')}" if text.startswith("00") else text)
    except phonenumbers.NumberParseException:
        return None
    may_be_mobile = phonenumbers.number_type(number) in {
        phonenumbers.PhoneNumberType.MOBILE,
        phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE,
    }
    is_abroad = number.country_code != phonenumbers.country_code_for_region("CN")
    if not (is_abroad and may_be_mobile and phonenumbers.is_valid_number(number)):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _class_of_phone() -> pl.Expr:
    """Why a filled cell is no phone that could be used; the first that fits."""
    whole = TEXT.str.normalize("NFKC").str.strip_chars(EDGES)
    classes = {
        "encrypted": PLAIN.str.contains(r"^(?:##|\$\$|~|#[A-Za-z0-9+/]{6}|\$[A-Za-z0-9+/]{6})"),
        "masked": PLAIN.str.contains(r"[*＊xX●•]{2,}"),
        "virtual": PLAIN.str.contains("虚拟|转|分机|(?i:ext)") | whole.str.contains(r"\d{11}[-,#]\d{2,6}$"),
        "destroyed": PLAIN.str.contains(r"^[0-9]+[eE]\+?[0-9]+$"),
        "iot": PLAIN.str.contains(_IOT),
        "forged": PLAIN.str.contains(_MOBILE),
        "landline": PLAIN.str.contains(r"^(?:(?:\+86|0086)0?|0)[1-9][0-9]{1,2}[2-9][0-9]{6,7}$"),
    }
    named = [pl.when(is_one).then(pl.lit(name)) for name, is_one in classes.items()]
    return pl.when(PLAIN.is_not_null() & VALUE.is_null()).then(pl.coalesce(*named, pl.lit("unreadable")))


def read_phones(cells: pl.DataFrame, cell: Cell, zone: str) -> pl.DataFrame:
    """Several phone numbers in one cell, as a list; `note` where none of them can be used."""
    listed = cells.with_row_index("at").with_columns(text=TEXT.str.replace_all(r"[,;，；、\n]", "|").str.split("|"))
    each = listed.explode("text").pipe(read_phone, cell, zone)
    numbers = each.group_by("at", maintain_order=True).agg(VALUE.drop_nulls(), pl.col("note").drop_nulls().first())
    note = pl.when(VALUE.list.len() == 0).then("note")
    return cells.with_row_index("at").join(numbers, on="at", how="left", maintain_order="left").with_columns(
        note=note, fault=NOTHING
    ).drop("at")  # fmt: skip


def read_email(cells: pl.DataFrame, _cell: Cell, _zone: str) -> pl.DataFrame:
    """An e-mail address in lower case; a masked one, or one that a marketplace lends, is null."""
    is_address = PLAIN.str.contains(_EMAIL) & ~PLAIN.str.contains(_RELAYS)
    folded = bare(TEXT).str.normalize("NFKC").str.replace_all(r"\p{Cf}", "").str.to_lowercase().str.strip_chars(EDGES)
    note = (
        pl.when(PLAIN.is_null() | VALUE.is_not_null()).then(NOTHING)
        .when(PLAIN.str.contains("*", literal=True)).then(pl.lit("masked"))
        .when(PLAIN.str.contains(_RELAYS)).then(pl.lit("virtual"))
        .otherwise(pl.lit("unreadable"))
    )  # fmt: skip
    return (
        cells.with_columns(plain=folded)
        .with_columns(value=pl.when(is_address).then(PLAIN))
        .with_columns(note=note, fault=NOTHING)
    )


def mark_masked(cells: pl.DataFrame) -> pl.DataFrame:
    """Take a masked value away (`t**y` stands for many people) and note it."""
    is_masked = VALUE.str.contains("*", literal=True)
    return cells.with_columns(note=pl.when(is_masked).then(pl.lit("masked"))).with_columns(
        value=pl.when(~is_masked).then(VALUE)
    )

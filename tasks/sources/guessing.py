"""What a column of an unknown export seems to hold, guessed from its header and a few hundred of its cells.

For `strata sources new` alone: a guess is shown to a person, who checks it. No cell's text leaves this
file but the words of a status or type column, and of those none that looks like a person's.
"""

import re
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

import polars as pl

from tasks.errors import BadFileError
from tasks.sources.cells import bare, read_cells
from tasks.sources.headers import normalise_header
from tasks.sources.layouts import Cell, built_in

Kind = Literal["empty", "clock", "phone", "instant", "day", "money", "id", "integer", "code", "text"]

_SOME_DIGITS = r"\d\D*\d\D*\d\D*\d"
"""No way to write a day and a month, or an hour, has fewer."""
_CLOCK = r"^\d{1,2}:\d{2}(:\d{2})?( ?[AaPp][Mm])?$"
_PHONE = r"^(\+?86[ -]?)?1[3-9][\d* -]{5,}\d{2,4}$"
_MOST_PHONES = 0.6
_PATTERNS = ("", "%d-%m-%Y %H:%M:%S", "%d-%m-%Y %H:%M", "%m-%d-%Y %H:%M:%S", "%m-%d-%Y %H:%M", "%m-%d-%Y %I:%M %p",
             "%Y-%m-%d %I:%M %p", "%b %d, %Y %I:%M:%S %p", "%Y%m%d%H%M%S", "epoch_s", "epoch_ms")  # fmt: skip
"""Tried in turn; the cells' `/` are folded to `-` before. The empty one is what the parser knows by itself."""
_DAYS = ("%Y-%m-%d", "%d-%m-%Y", "%m-%d-%Y", "%Y%m%d")
_OF_TIME = re.compile(r"时间|日期|date|time|_at$|(^|[^a-z])at$|created|paid|day$|日$")
_OF_MONEY = re.compile(
    r"金额|价|费|实付|实收|应付|应收|运费|优惠|折扣|退款|合计|税|amount|price|cost|total|sales|paid|discount|refund|fee|"
    r"\btax|shipping|revenue|\(元\)|subtotal|freight"
)
_NO_MONEY = re.compile(r"率|rate|%|percent|状态|status|方式|method|type|原因|reason|编号|单号|号$|name|time|date|时间")
_OF_ID = re.compile(r"号|编码|编号|条码|流水|\bid\b|id$|no\.?$|number|code|sku|barcode|receipt|ref|#")
_OF_WORDS = re.compile(r"状态|类型|status|state$|type$|kind")
_MOST_WORDS = 12
_WORD = re.compile(r"^[^\d@]{1,20}$")
_DIGITS_OF_A_COUNT = 6


@dataclass(frozen=True)
class Column:
    """One column of a file, and what it seems to hold."""

    header: str
    """As the layout would write it: as printed, with `#2` where the same header comes again."""
    folded: str
    kind: Kind
    pattern: str = ""
    """How a time is written, empty where the parser knows it by itself."""
    words: tuple[str, ...] = field(default=(), repr=False)
    """Words of a status or type column."""
    note: str = ""
    """What a person should know about the column."""


def guess_column(header: str, folded: str, cells: pl.Series, zone: str) -> Column:
    """Guess what a column holds."""
    texts = cells.to_frame("text").select(bare(pl.col("text"))).to_series().drop_nulls()
    if texts.is_empty():
        return Column(header, folded, "empty", note="blank in every row that was looked at")
    if texts.str.contains(r"^\d+\.\d+[eE]\+\d+$").any():
        return Column(header, folded, "id", note="ids that a spreadsheet destroyed: get the file from its source")
    if texts.str.contains(_CLOCK).all():
        return Column(header, folded, "clock", _clock_pattern(texts))
    if texts.str.contains(_PHONE).mean() > _MOST_PHONES:  # type: ignore[operator]
        masked = "some are masked and name nobody" if texts.str.contains("*", literal=True).any() else ""
        return Column(header, folded, "phone", note=masked)
    return _time(header, folded, texts, zone) or _plain(header, folded, texts, zone)


def _clock_pattern(texts: pl.Series) -> str:
    seconds = ":%S" if texts.str.contains(r"^\d{1,2}:\d{2}:").all() else ""
    return f"%I:%M{seconds} %p" if texts.str.contains("[Mm]$").any() else f"%H:%M{seconds}"


def _time(header: str, folded: str, texts: pl.Series, zone: str) -> Column | None:
    if not texts.str.contains(_SOME_DIGITS).all():
        return None
    is_called_so = bool(_OF_TIME.search(folded))
    for pattern in _PATTERNS:
        is_digits = pattern.startswith(("epoch", "%Y%m%d"))
        if (is_called_so or not is_digits) and _reads(texts, zone, parse="instant", patterns=pattern or ()):
            return Column(header, folded, "instant", pattern, note=_either_way(texts, pattern, zone))
    for pattern in _DAYS:
        is_digits = "-" not in pattern
        if (is_called_so or not is_digits) and _reads(texts, zone, parse="instant", patterns=pattern):
            return Column(header, folded, "day", pattern, note=_either_way(texts, pattern, zone))
    return None


def _either_way(texts: pl.Series, pattern: str, zone: str) -> str:
    """What to say of dates such as 03/05/2026, of which nobody knows without more whether they are in May."""
    other = pattern.replace("%d-%m", "%m-%d")
    is_open = pattern.startswith("%d-%m") and _reads(texts, zone, parse="instant", patterns=other)
    return "day first or month first? every date here could be read both ways" if is_open else ""


def _plain(header: str, folded: str, texts: pl.Series, zone: str) -> Column:
    """Money, numbers, ids, words: by the header first, because digits alone may be any of them."""
    is_number = _reads(texts, zone, parse="money")
    looks_like_money = texts.str.contains(r"[¥￥$元]|\.\d{2}$").any()
    if is_number and not _NO_MONEY.search(folded) and (_OF_MONEY.search(folded) or looks_like_money):
        return Column(header, folded, "money")
    if _OF_WORDS.search(folded) and (words := _words(texts)):
        return Column(header, folded, "code", words=words)
    if _OF_ID.search(folded) and _reads(texts, zone, parse="id"):
        return Column(header, folded, "id")
    if _reads(texts, zone, parse="integer") and texts.str.len_chars().max() <= _DIGITS_OF_A_COUNT:  # type: ignore[operator]
        return Column(header, folded, "integer")
    return Column(header, folded, "text")


def _reads(texts: pl.Series, zone: str, **cell: object) -> bool:
    """True when the parser itself reads every cell."""
    read = read_cells(texts, Cell.model_validate({"header": "x", **cell}), zone)
    return bool(read["fault"].is_null().all() and read["value"].is_not_null().all())


def _words(texts: pl.Series) -> tuple[str, ...]:
    """The words of a code column; none where there are too many, or where one could be a person's."""
    words = texts.unique().sort().to_list()
    is_code = len(words) <= _MOST_WORDS and all(_WORD.match(word) for word in words)
    return tuple(words) if is_code else ()


_STATUS_WORDS = {
    "finished": "完成 已完成 交易完成 已结账 done completed complete finished",
    "paid": "已付款 已支付 paid processing 待发货",
    "shipped": "已发货 shipped sent",
    "unpaid": "未付款 待付款 unpaid pending open",
    "cancelled": "已取消 作废 已作废 cancelled canceled void voided",
    "closed": "已退款 退款 已退货 refunded",
}


@cache
def status_words() -> dict[str, str]:
    """Folded status word to order status: what shops say, and what the layouts that come with Strata have."""
    cells = (layout.columns["status"] for layout in built_in() if "status" in layout.columns)
    known = {normalise_header(word): code for cell in cells for word, code in cell.codes.items() if code}
    return {word: code for code, words in _STATUS_WORDS.items() for word in words.split()} | known


_A_VALUE = re.compile(r"@|\d{5,}|^[\d.,:/ +¥￥$-]+$|\d[*x]{3,}\d|^1\d{2}\*+")


def require_headers(headers: tuple[str, ...], name: str) -> None:
    """Refuse a file whose first line seems to be a row: its cells must not be written into a layout.

    Raises:
        BadFileError: a header looks like a phone, an address, a number or a date; it is not shown.
    """
    odd = [at for at, header in enumerate(headers, start=1) if _A_VALUE.search(header.strip())]
    if odd:
        raise BadFileError(
            f"{name}: the first line looks like a row, not like headers (column {odd[0]})", expected="a header row",
            next_step="put a line with the columns' names on top, or export it with headers",
        )  # fmt: skip

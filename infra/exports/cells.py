"""A value as the text of a cell: each parser of the layouts turned round, quirks included.

Null is a blank cell, printed as the file's own blank.
"""

from collections.abc import Callable
from dataclasses import replace

import polars as pl

from infra.exports.draw import draw, pick
from infra.exports.quirks import Quirks
from tasks.sources.layouts import Cell

VALUE = pl.col("value")
Printer = Callable[[Cell, Quirks, str], pl.Expr]
"""(the layout's cell, quirks, zone of times without one) to an expression over `value` and `number`."""
_EPOCHS = {"epoch_s": "ms", "epoch_ms": "ms", "epoch_us": "us"}
_TIMES = {
    "dashes": "%Y-%m-%d %H:%M:%S", "slashes": "%Y/%-m/%-d %H:%M:%S", "chinese": "%Y年%-m月%-d日 %H:%M:%S",
    "offset": "%Y-%m-%d %H:%M:%S %z", "cells": "%Y-%m-%d %H:%M:%S",
}  # fmt: skip
_STEADY = ("Asia/Tokyo", "UTC")
"""Zones whose clocks never change: every wall time in them is one instant."""
_DATES = {"dashes": "%Y-%m-%d", "slashes": "%Y/%-m/%-d", "chinese": "%Y年%-m月%-d日"}


def _text(_cell: Cell, _quirks: Quirks, _zone: str) -> pl.Expr:
    return VALUE.cast(pl.String)


def _id(_cell: Cell, quirks: Quirks, _zone: str) -> pl.Expr:
    wrapped = {
        "formula": pl.format('="{}"', VALUE), "apostrophe": pl.format("'{}", VALUE),
        "tab before": pl.format("\t{}", VALUE), "tab behind": pl.format("{}\t", VALUE),
    }  # fmt: skip
    return wrapped.get(quirks.wrapped_ids, VALUE.cast(pl.String))


def _money(cell: Cell, quirks: Quirks, _zone: str) -> pl.Expr:
    if cell.unit == "fen":
        return VALUE.cast(pl.String)
    size = VALUE.abs()
    whole, part = (size // 100).cast(pl.String), (size % 100).cast(pl.String).str.zfill(2)
    groups = whole.str.reverse().str.replace_all(r"(\d{3})", "$1,").str.strip_suffix(",").str.reverse()
    digits = pl.concat_str(groups if quirks.money in {"thousands", "dollar"} else whole, pl.lit("."), part)
    sign = pl.when(VALUE < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    before, behind = _AROUND.get(quirks.money, ("", ""))
    return pl.concat_str(sign, pl.lit(before), digits, pl.lit(behind))


_AROUND = {
    "yen": ("¥", ""), "full-width yen": ("￥", ""), "dollar": ("$", ""), "yuan": ("", "元"),
    "remark": ("", "（系统计算中，该值仅供参考）"),
}  # fmt: skip


def _labelled(cell: Cell, quirks: Quirks, zone: str) -> pl.Expr:
    """What a discount is called and its amount: `会员日-12.00`."""
    return pl.concat_str(pl.lit("会员日-"), _money(cell, replace(quirks, money="plain"), zone))


def _instant(cell: Cell, quirks: Quirks, zone: str) -> pl.Expr:
    pattern = cell.patterns[0] if cell.patterns else _TIMES[quirks.times]
    if pattern in _EPOCHS:
        micros = VALUE.dt.timestamp("us")
        return (micros // {"epoch_s": 1_000_000, "epoch_ms": 1_000, "epoch_us": 1}[pattern]).cast(pl.String)
    name = next((name for name, own in cell.zones.items() if own in _STEADY), "")
    printed = VALUE.dt.convert_time_zone(cell.zones.get(name, zone)).dt.strftime(pattern)
    return pl.format("{} {}", printed, pl.lit(name)) if name else printed


def _date(_cell: Cell, quirks: Quirks, _zone: str) -> pl.Expr:
    return VALUE.dt.strftime(_DATES.get(quirks.times, "%Y-%m-%d"))


def _code(_cell: Cell, quirks: Quirks, _zone: str) -> pl.Expr:
    """The word itself: which one stands for a code is chosen before."""
    return VALUE.str.replace_many(_FOLDS) if quirks.code_forms else VALUE


_FOLDS = {"，": ",", "（": "(", "）": ")", ",": "，", "(": "（", ")": "）"}


def _phone(_cell: Cell, quirks: Quirks, _zone: str) -> pl.Expr:
    """A number; who gave none has a mask or nothing there."""
    forms = [VALUE, pl.format("+86 {}", VALUE), pl.format("86-{}", VALUE), pl.format("'{}", VALUE)]
    form = draw("form of the phone", len(forms))
    shown = VALUE
    for number, text in enumerate(forms if quirks.phone_forms else ()):
        shown = pl.when(form == number).then(text).otherwise(shown)
    masks = ["", "154****1234", "1******6198", "154******34", "$$c2FtcGxl"]
    return pl.coalesce(shown, pick("mask of the phone", masks))


def _phones(cell: Cell, quirks: Quirks, zone: str) -> pl.Expr:
    return _phone(cell, quirks, zone)


def _nick(_cell: Cell, _quirks: Quirks, _zone: str) -> pl.Expr:
    """A nickname; who shows none is masked or not there."""
    return pl.coalesce(VALUE, pick("mask of the nick", ("", "t**y", "样**")))


def _email(_cell: Cell, _quirks: Quirks, _zone: str) -> pl.Expr:
    """An address; who gave none has a masked one or nothing there."""
    return pl.coalesce(VALUE, pick("mask of the address", ("", "sam***@example.com")))


def _tags(_cell: Cell, _quirks: Quirks, _zone: str) -> pl.Expr:
    return VALUE.str.replace_all("|", ", ", literal=True)


def _birth_month(_cell: Cell, _quirks: Quirks, _zone: str) -> pl.Expr:
    day = (draw("day of birth", 28) + 1).cast(pl.String).str.zfill(2)
    return pl.format("19{}-{}-{}", draw("year of birth", 30) + 60, VALUE, day)


_PRINTERS: dict[str, Printer] = {
    "text": _text, "id": _id, "money": _money, "labelled_money": _labelled, "integer": _text, "reply": _code,
    "tags": _tags, "email": _email,
    "instant": _instant, "date": _date, "code": _code, "nick": _nick, "token": _text, "phone": _phone,
    "phones": _phones, "birth_month": _birth_month,
}  # fmt: skip


def print_cells(values: pl.DataFrame, cell: Cell, quirks: Quirks, zone: str) -> pl.Series:
    """The texts of one column; `values` has `number`, which draws the variants, and `value`."""
    blank = pl.lit(quirks.blanks)
    text = pl.coalesce(_PRINTERS[cell.parse](cell, quirks, zone), blank)
    behind = pl.lit("\t") if quirks.tabs and not cell.patterns else pl.lit("")
    return values.select(pl.concat_str(text, behind).alias("text")).to_series()

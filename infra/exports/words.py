"""The words that stand in code columns: a cell may be read as several codes, so its word is chosen for all of them."""

import polars as pl

from infra.exports.draw import chance, pick
from infra.exports.places import Places, columns_at
from tasks.sources.headers import normalise_header
from tasks.sources.layouts import Cell, Layout

WORD = "word:"
"""Prefix of the column that holds the word printed under a header."""
CODED = frozenset({"code", "reply"})
_OTHER_REPLIES = ("好的，谢谢", "T恤什么时候到", "请问几点发货")


def choose_words(rows: pl.DataFrame, layout: Layout, places: Places) -> pl.DataFrame:
    """Add the word under every header that holds codes, and set what else is read from that cell to what it says.

    The first column of a header decides; of the words for its code, one that also says what the
    others hold is taken where there is one.
    """
    for headers, names in columns_at(places).items():
        coded = [name for name in names if layout.columns[name].parse in CODED and name in rows.columns]
        if coded and all(layout.columns[name].parse in {*CODED, "text"} for name in names):
            word = _word(rows, layout, coded).alias(WORD + headers[0])
            rows = rows.with_columns(word).with_columns(_follow(layout, headers[0], names, coded[0]))
    return rows


def _word(rows: pl.DataFrame, layout: Layout, coded: list[str]) -> pl.Expr:
    first = layout.columns[coded[0]]
    word = pick("other reply", _OTHER_REPLIES) if first.parse == "reply" else pl.lit(None, pl.String)
    for wanted in rows.select(coded).unique().drop_nulls(coded[0]).sort(coded).iter_rows():
        pairs = list(zip(coded, wanted, strict=True))
        choices = _choices(first, wanted[0])
        best = [text for text in choices if all(meaning(layout.columns[name], text) == code for name, code in pairs)]
        same = [pl.col(name).eq_missing(pl.lit(code)) for name, code in pairs]
        word = pl.when(pl.all_horizontal(same)).then(pick(f"word for {coded[0]}", best or choices)).otherwise(word)
    return word


def _choices(cell: Cell, code: str) -> list[str]:
    """Every word that the cell reads as that code."""
    plain = [word for word, meant in cell.codes.items() if meant == code]
    behind = next(iter(cell.codes), "")
    return plain or [prefix + behind for prefix, meant in cell.prefixes.items() if meant == code] or ["样例"]


def meaning(cell: Cell, word: str) -> str | None:
    """The code as which a cell of that column would read a word; None where it says nothing."""
    folded = normalise_header(word)
    for prefix, code in cell.prefixes.items():
        if folded.startswith(normalise_header(prefix)):
            return code
    known = {normalise_header(text): code for text, code in cell.codes.items()}
    return known.get(folded, cell.otherwise)


def _follow(layout: Layout, header: str, names: list[str], first: str) -> list[pl.Expr]:
    """The other columns of the cell, from the word: codes by their own list, text as it stands."""
    word = pl.col(WORD + header)
    coded = [layout.columns[name] for name in names if layout.columns[name].parse in CODED]
    words = [text for cell in coded for code in _all_codes(cell) for text in _choices(cell, code)]
    told = []
    for name in names:
        cell = layout.columns[name]
        if name != first and cell.parse in CODED:
            meant = {text: meaning(cell, text) for text in words}
            codes = word.replace_strict(list(meant), list(meant.values()), default=None, return_dtype=pl.String)
            told.append(codes.alias(name))
        elif cell.parse == "text" and not cell.extract:
            told.append(word.alias(name))
    return told


def _all_codes(cell: Cell) -> list[str]:
    return sorted({code for code in (*cell.codes.values(), *cell.prefixes.values()) if code is not None})


def replies(layout: Layout, shared: set[str]) -> dict[str, pl.Expr]:
    """What people answer: now and then that they want no more; nothing where the cell holds a code as well."""
    columns = {name: cell for name, cell in layout.columns.items() if cell.parse == "reply"}
    return {
        name: pl.when(chance(f"{name} refuses", 0 if name in shared else 150)).then(pl.lit(_all_codes(cell)[0]))
        for name, cell in columns.items()
    }

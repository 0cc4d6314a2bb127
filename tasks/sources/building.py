"""What a layout derives from the cells: constants, choices, sums, shares, templates, ids, and the file's money.

Takes all rows of an order at once where one row is a line: what belongs to the order is made whole first.
"""

from functools import reduce
from operator import add

import polars as pl

from tasks.errors import ConfigurationError
from tasks.sources.hashing import content, sha256
from tasks.sources.layouts import Layout, Sum, When
from tasks.sources.lines import complete_orders, count_once, divide
from tasks.sources.parts import Choice


def build(frame: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """One row per source row as given, with every column that the layout builds and `row_money_fen`."""
    is_line = layout.grain == "line"
    whole = frame.pipe(complete_orders, layout) if is_line else frame
    money = pl.col(layout.money) if layout.money else pl.lit(None, pl.Int64())
    built = (
        whole.pipe(_derive, layout)
        .pipe(_number_all, layout.numbered)
        .pipe(divide, layout.shares)
        .with_columns(row_money_fen=money)
    )
    return built.pipe(count_once, layout) if is_line else built


def _derive(frame: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """Add constants, then choices, price times pieces, sums and templates, each as soon as its parts are there."""
    frame = frame.with_columns(pl.lit(text).alias(name) for name, text in layout.constants.items())
    waiting = _recipes(layout)
    while waiting:
        ready = {name for name, (parts, _) in waiting.items() if not parts & waiting.keys()}
        if not ready:
            raise ConfigurationError(
                f"layout {layout.name}: {', '.join(sorted(waiting))} are made of each other",
                expected="columns that are made of others",
            )
        frame = frame.with_columns(waiting[name][1].alias(name) for name in waiting if name in ready)
        waiting = {name: recipe for name, recipe in waiting.items() if name not in ready}
    return frame


def _recipes(layout: Layout) -> dict[str, tuple[frozenset[str], pl.Expr]]:
    """Column to the columns that it is made of, and how."""
    told = {name: ({*one.of, *one.when}, _choose(one)) for name, one in layout.first_of.items()}
    told |= {name: ({*pair}, pl.col(pair[0]) * pl.col(pair[1])) for name, pair in layout.products.items()}
    told |= {name: ({*one.plus, *one.minus, one.only_if or ""}, add_up(one)) for name, one in layout.sums.items()}
    told |= {
        name: ({*text.replace("}", "{").split("{")[1::2]}, _fill_in(text)) for name, text in layout.templates.items()
    }
    return {name: (frozenset(parts), expression) for name, (parts, expression) in told.items()}


def all_of(when: When) -> pl.Expr:
    """True where every column has one of its codes."""
    return pl.all_horizontal(pl.lit(value=True), *(_has(column, codes) for column, codes in when.items()))


def any_of(when: When) -> pl.Expr:
    """True where some column has one of its codes."""
    return pl.any_horizontal(pl.lit(value=False), *(_has(column, codes) for column, codes in when.items()))


def _has(column: str, codes: tuple[str, ...]) -> pl.Expr:
    return pl.col(column).is_in(codes).fill_null(value=False)


def _choose(choice: Choice) -> pl.Expr:
    best, *others = choice.of
    allowed = all_of(choice.when)
    return pl.coalesce(pl.col(best), *(pl.when(allowed).then(pl.col(other)) for other in others))


def add_up(one: Sum) -> pl.Expr:
    """The sum in fen; see `Sum` for blanks and for what is subtracted.

    Paid 106 less freight 8 is 98; paid 0 less freight 8 is 0; paid -5 less freight 8 is -5.
    """
    parts = [pl.col(name) for name in one.plus]
    plus = reduce(add, (part.fill_null(0) for part in parts))
    minus = reduce(add, (pl.col(name).fill_null(0) for name in one.minus), pl.lit(0, pl.Int64()))
    total = pl.max_horizontal(plus - minus, pl.min_horizontal(plus, pl.lit(0, pl.Int64())))
    known = pl.when(pl.any_horizontal(part.is_not_null() for part in parts)).then(total)
    return pl.when(pl.col(one.only_if).is_null()).then(pl.lit(0, pl.Int64())).otherwise(known) if one.only_if else known


def _fill_in(template: str) -> pl.Expr:
    """`cj_{campaign_id}` with each name replaced by its column; null if any of them is."""
    pieces = template.replace("}", "{").split("{")
    return pl.concat_str(
        pl.col(piece).cast(pl.String) if index % 2 else pl.lit(piece) for index, piece in enumerate(pieces)
    )


def _number_all(frame: pl.DataFrame, numbered: dict[str, tuple[str, ...]]) -> pl.DataFrame:
    for name, columns in numbered.items():
        frame = frame.pipe(_number, name, list(columns))
    return frame


def _number(frame: pl.DataFrame, name: str, columns: list[str]) -> pl.DataFrame:
    """Give rows without an id one: a hash of `columns`, and a number among rows that are equal in them.

    Rows equal in `columns` are numbered in the order of all their text, so the order of the file does not matter.
    """
    whole = [other for other, kind in frame.schema.items() if other != "row_number" and not kind.is_nested()]
    named = frame.with_columns(_hash=sha256(content(columns)).str.slice(0, 24))
    is_alone = named["_hash"].is_unique()
    alike = named.filter(~is_alone).with_columns(_whole=content(whole))
    numbered = alike.with_columns(_number=pl.col("_whole").rank("ordinal").over("_hash")).drop("_whole")
    alone = named.filter(is_alone).with_columns(_number=pl.lit(1, numbered.schema["_number"]))
    return (
        pl.concat([alone, numbered])
        .sort("row_number")
        .with_columns(pl.format("{}-{}", "_hash", "_number").alias(name))
        .drop("_hash", "_number")
    )

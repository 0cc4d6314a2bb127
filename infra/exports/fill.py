"""A file's rows in the layout's own columns: keys, words, parts of texts and whatever no canonical column gives."""

import polars as pl

from expectations.vocabulary import INSTANT
from infra.exports.abilities import codes_of, hidden
from infra.exports.draw import chance, draw
from infra.exports.people import key_value
from infra.exports.places import Places, columns_at, labelled, places_of
from infra.exports.rows import ORDER, ROWS
from infra.exports.shop import Shop
from infra.exports.solve import choose, solve
from infra.exports.words import CODED, WORD, choose_words, replies
from tasks.sources.layouts import Cell, Layout
from tasks.sources.parts import When

_NONE = {
    "instant": INSTANT, "date": pl.Date(), "integer": pl.Int64(), "money": pl.Int64(), "labelled_money": pl.Int64(),
}  # fmt: skip
_HOURS = ("%H", "%I")
"""An instant printed by a pattern without one of these is the beginning of a day."""


def file_rows(shop: Shop, layout: Layout) -> pl.DataFrame:
    """One row per row of the file, with every column that the layout reads or builds of text."""
    places, zone = places_of(layout, f"{shop.plan.seed}/{layout.name}"), shop.plan.zone
    rows = ROWS[layout.grain](shop, layout).pipe(_date_ids, layout, zone, places)
    rows = rows.with_columns(**_keys(layout, shop)).with_columns(**_told_beside(rows, layout, places))
    rows = rows.pipe(choose, layout).pipe(_add_codes, layout).with_columns(**_constants(layout)).pipe(solve, layout)
    rows = rows.pipe(_round, layout, zone).pipe(_make_alike, layout, zone, places)
    rows = (
        rows.with_columns(**_others(rows, layout)).pipe(choose_words, layout, places).pipe(_extracted, layout, places)
    )
    return rows.with_columns(**_templates(layout))


def _date_ids(rows: pl.DataFrame, layout: Layout, zone: str, places: Places) -> pl.DataFrame:
    """Order numbers that begin with their day, where the layout dates orders by them, and that day."""
    for names in columns_at(places).values():
        dated = [name for name in names if layout.columns[name].extract and layout.columns[name].parse == "instant"]
        if dated and "order_id" in names:
            cell = layout.columns[dated[0]]
            day = pl.col("ordered_at").dt.convert_time_zone(zone_of(layout, cell, zone)).dt.truncate("1d")
            text = pl.format("{}-{}", day.dt.strftime(cell.patterns[0]), "order_id")
            rows = rows.with_columns(day.dt.convert_time_zone("UTC").alias(dated[0]), order_id=text)
    return rows


def _keys(layout: Layout, shop: Shop) -> dict[str, pl.Expr]:
    """The person's keys; now and then one is masked, on all rows of a record alike."""
    keys: dict[str, pl.Expr] = {}
    may_lack = layout.record_key is not None or layout.grain in {"order", "line", "event"}
    for rule in layout.keys:
        shown = pl.col("person").is_not_null()
        is_needed = rule.role == "identity" and not may_lack
        shown = shown if is_needed else shown & ~hidden(layout, rule.column, "record_number")
        keys[rule.column] = pl.when(shown).then(key_value(rule.type, "person", shop.plan.seed))
    return keys


def _told_beside(rows: pl.DataFrame, layout: Layout, places: Places) -> dict[str, pl.Expr]:
    """Answers to consents, when they were taken back, replies; tags with the label of their column."""
    coded = {name for names in columns_at(places).values() for name in names if len(names) > 1}
    told = replies(layout, coded)
    for rule in layout.consents:
        if rule.column not in rows.columns and rule.column not in told:
            told[rule.column] = _answer(layout, rule.column)
        if rule.at and rule.withdrawn_at and rule.withdrawn_at not in rows.columns:
            later = pl.col(rule.at) + pl.duration(seconds=draw("takes back", 86_400) + 60)
            told[rule.withdrawn_at] = pl.when(chance("takes back", 30)).then(later)
    gathered = [name for name, cell in layout.columns.items() if cell.gathered and name in rows.columns]
    return told | {name: pl.format(labelled("{}"), name) for name in gathered}


def _answer(layout: Layout, column: str) -> pl.Expr:
    """What people say when they are asked: most yes, some no, some were never asked.

    Receipts say no more than that a message arrived: complaints and dead numbers are not drawn.
    """
    if column in layout.first_of or "granted" not in (codes_of(layout, column) or {"granted"}):
        return pl.lit(None, pl.String)
    no = pl.when(chance(f"{column} is no", 300, "record_number")).then(pl.lit("withdrawn"))
    return pl.when(chance(f"{column} is yes", 850, "record_number")).then(pl.lit("granted")).otherwise(no)


def _add_codes(rows: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """Add code columns of the layout's own: what says that money went back, and neutral codes elsewhere."""
    rule = layout.refund
    full, counted = (rule.full_when, rule.counted_when) if rule else ({}, {})
    names = [name for name, cell in layout.columns.items() if cell.parse == "code" and name not in rows.columns]
    is_back = pl.col("refunded_fen") > 0 if "refunded_fen" in rows.columns else pl.lit(value=False)
    is_full = is_back & (pl.col("refunded_fen") == pl.col("paid_fen")) if "paid_fen" in rows.columns else is_back
    codes, silent = {}, _of_consents(layout)
    for name in names:
        usual = pl.lit(None if name in silent else _neutral(layout, name), pl.String)
        codes[name] = _where(is_full, full, name, _where(is_back, counted, name, usual))
    return rows.with_columns(**codes)


def _of_consents(layout: Layout) -> frozenset[str]:
    """The columns from which a consent is chosen."""
    chosen = [layout.first_of[rule.column].of for rule in layout.consents if rule.column in layout.first_of]
    return frozenset(name for names in chosen for name in names)


def _neutral(layout: Layout, name: str) -> str | None:
    """A code that decides nothing: neither of refunds nor of another column's choice."""
    rule, codes = layout.refund, codes_of(layout, name) or frozenset()
    deciding = [layout.silent, *([rule.full_when, rule.counted_when, rule.itemised_when] if rule else [])]
    telling = {code for when in deciding for code in when.get(name, ())}
    choosing = {code for choice in layout.first_of.values() for code in choice.when.get(name, ())}
    return min(codes - telling - choosing, default=min(codes - telling, default=None))


def _where(condition: pl.Expr, when: When, name: str, otherwise: pl.Expr) -> pl.Expr:
    return pl.when(condition).then(pl.lit(when[name][0])).otherwise(otherwise) if name in when else otherwise


def _constants(layout: Layout) -> dict[str, pl.Expr]:
    return {name: pl.lit(text) for name, text in layout.constants.items()}


def _round(rows: pl.DataFrame, layout: Layout, zone: str) -> pl.DataFrame:
    """Instants as exactly as their column prints them: the day's beginning where it prints days."""
    return rows.with_columns(
        pl.col(name).dt.convert_time_zone(zone_of(layout, cell, zone)).dt.truncate("1d").dt.convert_time_zone("UTC")
        for name, cell in layout.columns.items()
        if name in rows.columns and cell.parse == "instant" and _is_day(cell)
    )


def _is_day(cell: Cell) -> bool:
    pattern = cell.patterns[0] if cell.patterns else ""
    return pattern.startswith("%") and not any(hour in pattern for hour in _HOURS)


def zone_of(layout: Layout, cell: Cell, zone: str) -> str:
    """The zone in which a cell's times are printed."""
    own = cell.zone or layout.zone
    return zone if own == "brand" else own


def _make_alike(rows: pl.DataFrame, layout: Layout, zone: str, places: Places) -> pl.DataFrame:
    """Columns that are read from one cell hold one value: that of the line's id, of an instant, of the first."""
    for names in columns_at(places).values():
        known = [name for name in names if name in rows.columns and layout.columns[name].parse not in CODED]
        whole = [name for name in known if not layout.columns[name].extract]
        if not known or len(names) == 1:
            continue
        first = min(whole or known, key=lambda name: (name != "line_id", layout.columns[name].parse != "instant"))
        parse, local = layout.columns[first].parse, zone_of(layout, layout.columns[first], zone)
        value = pl.col(first)
        day = value.dt.convert_time_zone(local).dt.date() if parse == "instant" else value
        others = {name: layout.columns[name] for name in names if name != first}
        rows = rows.with_columns(
            (day if cell.parse == "date" else value).alias(name)
            for name, cell in others.items()
            if cell.parse not in CODED and (not cell.extract or (cell.parse == "date" and parse == "instant"))
        )
    return rows


def _extracted(rows: pl.DataFrame, layout: Layout, places: Places) -> pl.DataFrame:
    """Add the text of every cell from which several columns are only extracted: the one that is filled."""
    for headers, names in columns_at(places).items():
        if len(names) > 1 and all(layout.columns[name].extract for name in names):
            texts = [pl.col(name).cast(pl.String) for name in names]
            rows = rows.with_columns(pl.coalesce(texts).alias(WORD + headers[0]))
    return rows


def _others(rows: pl.DataFrame, layout: Layout) -> dict[str, pl.Expr]:
    """Columns that nothing gives a value: blank, but for what a file must have, parts of texts, and its money."""
    parts = {piece for template in layout.templates.values() for piece in template.replace("}", "{").split("{")[1::2]}
    others: dict[str, pl.Expr] = {}
    for name, cell in layout.columns.items():
        if name in rows.columns:
            continue
        others[name] = pl.lit(None, _NONE.get(cell.parse, pl.String()))
        if name == layout.money and "paid_fen" in rows.columns:
            others[name] = pl.col(ORDER + "paid_fen" if name in layout.order_level else "paid_fen")
        elif name in parts:
            others[name] = (draw(name, 30) + 1).cast(pl.String)
        elif cell.parse in {"text", "id"} and not cell.optional and not cell.extract:
            others[name] = pl.format("样例{}", "record_number")
    return others


def _templates(layout: Layout) -> dict[str, pl.Expr]:
    """Texts that the layout builds of others, each with the ones before it."""
    built: dict[str, pl.Expr] = {}
    for name, template in layout.templates.items():
        pieces = template.replace("}", "{").split("{")
        built[name] = pl.concat_str(
            built.get(piece, pl.col(piece).cast(pl.String)) if index % 2 else pl.lit(piece)
            for index, piece in enumerate(pieces)
        )
    return built

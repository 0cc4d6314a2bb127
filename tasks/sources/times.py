"""Instants, dates and months of birth in all the shapes that back offices print.

A wall clock without a zone is read in the zone that the layout gives. Nothing here knows the present.
"""

from datetime import datetime, timedelta

import polars as pl

from expectations.rules import EARLIEST, LATEST
from expectations.vocabulary import INSTANT
from tasks.sources.layouts import Cell
from tasks.sources.plain import NOTHING, PLAIN, TEXT, VALUE, bare, unless, unreadable

_USUAL = "%Y-%m-%d %H:%M:%S"
_CLOCKS = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M")
_OFFSET = r"\s*([+-](?:0\d|1[0-4]):?[0-5]\d|[zZ]|UTC|GMT)$"
_TIME = r"(:\d{2}(?:\.\d+)?(?:\s*[AaPp][Mm])?)"
_EPOCHS = {"epoch_s": 1_000_000, "epoch_ms": 1_000, "epoch_us": 1}
_NAIVE, _OFFSET_AT = pl.col("naive"), pl.col("offset")


def usual_instant(text: pl.Series, cell: Cell, zone: str) -> pl.Series:
    """`2026-03-02 10:15:22`, as nearly every export writes it; null for every other shape."""
    if cell.patterns or cell.zones:
        return pl.Series([None], dtype=INSTANT).new_from_index(0, text.len())
    is_usual = (TEXT.str.len_bytes() == len("2026-03-02 10:15:22")) & ~TEXT.str.ends_with(":60")
    naive = pl.when(is_usual).then(TEXT.str.to_datetime(_USUAL, strict=False, time_unit="us", cache=False))
    clocks = text.to_frame("text").select(naive=naive)
    offset = _constant_offset(clocks.get_column("naive"), zone)
    value = _in_utc(zone) if offset is None else (_NAIVE - offset).dt.replace_time_zone("UTC")
    return clocks.select(value=value).select(pl.when(_is_plausible(VALUE)).then(VALUE)).to_series()


def _in_utc(zone: str) -> pl.Expr:
    """The wall clock `naive` of `zone` as an instant; null for a time that never was."""
    local = _NAIVE.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return local.dt.convert_time_zone("UTC").cast(INSTANT)


def _constant_offset(clocks: pl.Series, zone: str) -> timedelta | None:
    """The zone's distance from UTC where it is the same on every day of these clocks, else None.

    A look-up for each cell would take longer than all the rest of reading it.
    """
    first, last = clocks.min(), clocks.max()
    if not (isinstance(first, datetime) and isinstance(last, datetime) and EARLIEST.year <= first.year <= last.year):
        return None
    if last.year > LATEST.year:
        return None
    days = pl.datetime_range(first - timedelta(days=2), last + timedelta(days=2), "1d", eager=True, time_unit="us")
    noons = days.dt.truncate("1d") + timedelta(hours=12)
    offsets = noons.to_frame("naive").select(_NAIVE - _in_utc(zone).dt.replace_time_zone(None)).to_series().unique()
    return offsets.item() if offsets.len() == 1 else None


def _is_plausible(instant: pl.Expr) -> pl.Expr:
    return instant.is_between(EARLIEST, LATEST, closed="left")


def read_instant(cells: pl.DataFrame, cell: Cell, zone: str) -> pl.DataFrame:
    """Instant in UTC. A naive time is a wall clock in `zone`: of two readings the earlier one holds.

    A wall time that never was (clocks went forward over it) is refused, as are 30 February and years
    outside of 2000 to 2100. A layout's `zones` are names that may end the text and outweigh `zone`.
    """
    if cell.patterns and cell.patterns[0] in _EPOCHS:
        read = _read_epoch(cells, _EPOCHS[cell.patterns[0]])
    else:
        read = cells.with_columns(plain=_folded_date(bare(TEXT))).pipe(_in_named_zones, cell, zone)
    return read.with_columns(
        value=pl.when(_is_plausible(VALUE)).then(VALUE),
        fault=pl.coalesce("fault", unless(_is_plausible(VALUE), "implausible")),
    )


def _in_named_zones(cells: pl.DataFrame, cell: Cell, zone: str) -> pl.DataFrame:
    """Read the texts that end in the name of a zone in that zone, all others in `zone`."""
    if not cell.zones:
        return _read_clock(cells, cell, zone)
    named = [pl.when(PLAIN.str.ends_with(name)).then(pl.lit(name)) for name in cell.zones]
    marked = cells.with_row_index("at").with_columns(zone_name=pl.coalesce(*named, NOTHING))
    parts = [
        group.with_columns(plain=PLAIN.str.strip_suffix(name or "").str.strip_chars()).pipe(
            _read_clock, cell, cell.zones[name] if name else zone
        )
        for (name,), group in marked.group_by("zone_name")
    ]
    return pl.concat(parts).sort("at").drop("at", "zone_name") if parts else _read_clock(cells, cell, zone)


def _read_clock(cells: pl.DataFrame, cell: Cell, zone: str) -> pl.DataFrame:
    """Instant of a printed time with or without an offset from UTC."""
    clock = PLAIN.str.replace(_TIME + _OFFSET, "$1")
    patterns = [pattern.replace("/", "-") for pattern in cell.patterns] or _CLOCKS
    read = [clock.str.to_datetime(pattern, strict=False, time_unit="us") for pattern in patterns]
    naive = pl.when(~clock.str.contains(r":60\b")).then(pl.coalesce(read))
    there = _NAIVE.dt.replace_time_zone("UTC") - _shift(_OFFSET_AT)
    instant = pl.when(_OFFSET_AT.is_null()).then(_in_utc(zone)).otherwise(there)
    skipped = pl.when(_NAIVE.is_not_null() & VALUE.is_null()).then(pl.lit("skipped_by_clock_change"))
    return (
        cells.with_columns(naive=naive, offset=PLAIN.str.extract(f"{_TIME}{_OFFSET}", 2))
        .with_columns(value=instant.cast(INSTANT))
        .with_columns(fault=pl.coalesce(skipped, unreadable()))
    )


def _folded_date(text: pl.Expr) -> pl.Expr:
    """Fold `2026/3/2`, `2026年3月2日` and `2026-03-02T10:15` to one shape."""
    dashed = text.str.replace_all(r"[/年月]", "-").str.replace("日", "", literal=True)
    return dashed.str.replace(r"(\d)[tT](\d)", "$1 $2")


def _shift(offset: pl.Expr) -> pl.Expr:
    """The offset `+0800`, `+08:00`, `Z` or `UTC` as a duration."""
    digits = offset.str.replace("^(?:[zZ]|UTC|GMT)$", "+00:00")
    hours, minutes = digits.str.slice(1, 2).cast(pl.Int64), digits.str.slice(-2).cast(pl.Int64)
    size = pl.duration(hours=hours, minutes=minutes)
    return pl.when(digits.str.starts_with("-")).then(-size).otherwise(size)


def _read_epoch(cells: pl.DataFrame, to_microseconds: int) -> pl.DataFrame:
    """Instant from a whole number of seconds, milliseconds or microseconds since 1970."""
    number = pl.when(PLAIN.str.contains(r"^\d{1,16}$")).then(PLAIN).cast(pl.Int64, strict=False)
    latest = int(LATEST.timestamp()) * 1_000_000 // to_microseconds
    return (
        cells.with_columns(plain=bare(TEXT))
        .with_columns(value=number)
        .with_columns(value=pl.when(VALUE.lt(latest)).then(VALUE * to_microseconds).cast(INSTANT))
        .with_columns(fault=unreadable())
    )


_MIDNIGHT = " 00:00:00"


def read_date(cells: pl.DataFrame, cell: Cell, zone: str) -> pl.DataFrame:
    """A calendar date as written, or as a date cell of a workbook has it; a layout's `patterns` come first.

    Of a count since 1970 it is the day in `zone`.
    """
    if cell.patterns and cell.patterns[0] in _EPOCHS:
        return read_instant(cells, cell, zone).with_columns(value=VALUE.dt.convert_time_zone(zone).dt.date())
    patterns = [*(pattern.replace("/", "-") for pattern in cell.patterns), "%Y-%m-%d"]
    read = [PLAIN.str.to_date(pattern, strict=False) for pattern in patterns]
    is_plausible = VALUE.is_between(EARLIEST.date(), LATEST.date(), closed="left")
    return (
        cells.with_columns(plain=_folded_date(bare(TEXT)).str.strip_suffix(_MIDNIGHT))
        .with_columns(value=pl.coalesce(read))
        .with_columns(fault=pl.coalesce(unreadable(), unless(is_plausible, "implausible")))
        .with_columns(value=pl.when(is_plausible).then(VALUE))
    )


def read_birth_month(cells: pl.DataFrame, _cell: Cell, _zone: str) -> pl.DataFrame:
    """Month of a birthday as MM; day and year are dropped, and so is what is no birthday."""
    month = _folded_date(bare(TEXT)).str.extract(r"^(?:\d{4}-)?(\d{1,2})-\d{1,2}\b").str.zfill(2)
    is_month = VALUE.is_between(pl.lit("01"), pl.lit("12"))
    return cells.with_columns(value=month).with_columns(value=pl.when(is_month).then(VALUE), fault=NOTHING)

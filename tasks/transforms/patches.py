"""Records that several exports tell together, because not every export has every column.

Each column has the value of the newest export that says it. `unsaid` of a row keeps what is needed for that: it lists
the columns that the row's own export does not have, `column` where none ever said it (the row then holds a guess, or
nothing), `column@key` where another export did. A key orders what exports say: time of the export, how much it says,
time of change, status, content. `*@key` is that of the row's own export, where the row no longer tells it. Keys only
ever grow, so the order of arrival does not matter.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from expectations.vocabulary import INSTANT, ORDER_STATUSES

UNSAID = "unsaid"
_FIRM = frozenset({"paid_at", "paid_on", "paid_month"})
"""A blank here says nothing: what was paid once stays paid, even if an export has no time for it."""
_NO_CONTENT = frozenset({
    "exported_at", "known_from", "known_to", "file_sha256", "content_hash", UNSAID, "currency", "row_number", "is_new",
})  # fmt: skip
_RANKS = {status: index for index, status in enumerate(ORDER_STATUSES)}
_DIGITS = 20
_NOTHING = "0" * _DIGITS
_OWN = r"^\*@([^;]*)"


@dataclass(frozen=True)
class Joined:
    """What exports of different columns make of the records that they share."""

    added: pl.DataFrame
    changed: pl.DataFrame
    duplicates: pl.DataFrame


def shared(stored: pl.DataFrame, incoming: pl.DataFrame, record: Sequence[str]) -> pl.DataFrame | None:
    """The records of which rows with different columns meet; None when no two files differ in their columns."""
    current = stored.filter(pl.col("known_to").is_null())
    kinds = pl.concat([current[UNSAID].unique(), incoming[UNSAID].unique()]).unique()
    if kinds.len() < 2 and not kinds.str.contains("@", literal=True).any():  # noqa: PLR2004
        return None
    rows = pl.concat([current.select(*record, UNSAID), incoming.select(*record, UNSAID)])
    differs = (pl.col(UNSAID).n_unique() > 1) | pl.col(UNSAID).str.contains("@", literal=True).any()
    found = rows.group_by(record).agg(differs.fill_null(value=False).alias("differs"))
    return found.join(incoming.select(record).unique(), on=record, how="semi", nulls_equal=True).filter("differs")


def join_tellings(stored: pl.DataFrame, incoming: pl.DataFrame, record: Sequence[str], content_hash: pl.Expr) -> Joined:
    """Put incoming rows and the current version of the same records together, column by column."""
    current = stored.filter(pl.col("known_to").is_null())
    names = [name for name in incoming.columns if name not in {*record, *_NO_CONTENT}]
    columns = [*incoming.columns, "is_new"]
    old = current.with_columns(row_number=pl.lit(None, pl.Int64), is_new=pl.lit(value=False)).select(columns)
    pool = _keyed(pl.concat([incoming.with_columns(is_new=True).select(columns), old]), names)
    found = _marked(_newest(pool, record, names), names, content_hash).select(*incoming.columns, *_keys(names))
    was = current.select(*record, was="content_hash")
    news = found.join(was, on=record, how="left", nulls_equal=True).filter(
        pl.col("was").ne_missing(pl.col("content_hash"))
    )
    return Joined(
        added=_fresh(news, incoming).select(*current.columns),
        changed=pl.concat([_closed(current, news, incoming, record), _lifted(current, found, record)]),
        duplicates=_silent(pool, news, record, names),
    )


def said_at(column: str) -> pl.Expr:
    """When the column of a row was last said; null where it never was."""
    own = pl.coalesce(pl.col(UNSAID).str.extract(_OWN), _digits("exported_at"))
    return pl.from_epoch(_key_of(column, own).str.head(_DIGITS).cast(pl.Int64), "us").cast(INSTANT)


def _own_key() -> pl.Expr:
    """The key of a row that one export tells alone, by what stands in the row."""
    bare = pl.when(pl.col(UNSAID).is_null()).then(0).otherwise(pl.col(UNSAID).str.count_matches(";", literal=True) + 1)
    modified = pl.col("_modified").fill_null(_NOTHING)
    fullness = (999 - bare).cast(pl.String).str.zfill(3)
    return pl.concat_str(
        _digits("exported_at"), fullness, modified, "_status", pl.col("content_hash").str.head(16), separator="."
    )


def _digits(name: str) -> pl.Expr:
    """An instant as digits that sort as it does."""
    return pl.col(name).dt.timestamp("us").cast(pl.String).str.zfill(_DIGITS)


def _ranked(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with the parts of their key that only some tables have."""
    modified, status = pl.lit(None, pl.String), pl.lit("00")
    if "modified_at" in rows.columns:
        modified = _digits("modified_at")
    if "status" in rows.columns:
        rank = pl.col("status").replace_strict(_RANKS, default=-1, return_dtype=pl.Int64) + 1
        status = rank.cast(pl.String).str.zfill(2)
    return rows.with_columns(_modified=modified, _status=status)


def _key_of(name: str, own: pl.Expr) -> pl.Expr:
    """The key under which a column was last said, `own` being that of the row's export; null where it never was."""
    elsewhere = pl.col(UNSAID).str.extract(rf"(?:^|;){name}@([^;]*)")
    listed = pl.concat_str(pl.lit(";"), pl.col(UNSAID), pl.lit(";"))
    is_never = listed.str.contains(f";{name};", literal=True).fill_null(value=False)
    key = pl.when(elsewhere.is_not_null()).then(elsewhere).when(~is_never).then(own)
    return pl.when(pl.col(name).is_not_null()).then(key) if name in _FIRM else key


def _keyed(rows: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Rows with `_own`, the key of their export, and one key for each column."""
    own = pl.coalesce(pl.col(UNSAID).str.extract(_OWN), _own_key())
    keyed = rows.pipe(_ranked).with_columns(_own=own).drop("_modified", "_status")
    return keyed.with_columns(_key_of(name, pl.col("_own")).alias(f"key {name}") for name in names)


def _keys(names: Sequence[str]) -> list[str]:
    return ["_own", *(f"key {name}" for name in names)]


def _newest(pool: pl.DataFrame, record: Sequence[str], names: Sequence[str]) -> pl.DataFrame:
    """One row per record: each column as the newest export says it, else as the newest row has it."""
    others = [name for name in pool.columns if name not in {*record, *names, *_keys(names)}]
    values = [
        pl.when(pl.col(f"key {name}").max().is_null())
        .then(pl.col(name).last())
        .otherwise(pl.col(name).sort_by(f"key {name}", nulls_last=False).last())
        .alias(name)
        for name in names
    ]
    ordered = pool.sort("_own", pl.col("is_new").not_(), maintain_order=True)
    return ordered.group_by(record, maintain_order=True).agg(
        pl.col(others).last(), *values, pl.col("_own").last(), *(pl.col(f"key {name}").max() for name in names)
    )


def _marked(rows: pl.DataFrame, names: Sequence[str], content_hash: pl.Expr) -> pl.DataFrame:
    """The rows with their content hash and `unsaid`, the shortest that says it all."""
    never = [pl.when(_is_never(name)).then(pl.lit(name)) for name in sorted(names)]
    marks = [_mark(name) for name in sorted(names)]
    hashed = rows.with_columns(content_hash=content_hash).with_columns(unsaid=_joined(never))
    is_plain = pl.all_horizontal(pl.lit(value=True), *(_is_own(name) for name in names)) & (
        pl.col("_own") == _own_key()
    )
    full = pl.concat_str(pl.lit("*@"), "_own", pl.concat_str(pl.lit(";"), _joined(marks)).fill_null(""))
    return (
        hashed.pipe(_ranked)
        .with_columns(unsaid=pl.when(is_plain).then(UNSAID).otherwise(full))
        .drop("_modified", "_status")
    )


def _is_never(name: str) -> pl.Expr:
    """Whether no export ever said the column; a blank that says nothing needs no mention."""
    never = pl.col(f"key {name}").is_null()
    return never & pl.col(name).is_not_null() if name in _FIRM else never


def _is_own(name: str) -> pl.Expr:
    return (pl.col(f"key {name}") == pl.col("_own")).fill_null(value=True)


def _mark(name: str) -> pl.Expr:
    key = pl.col(f"key {name}")
    elsewhere = pl.when(key != pl.col("_own")).then(pl.concat_str(pl.lit(f"{name}@"), key))
    return pl.when(_is_never(name)).then(pl.lit(name)).otherwise(elsewhere)


def _joined(marks: Sequence[pl.Expr]) -> pl.Expr:
    text = pl.concat_str(marks, separator=";", ignore_nulls=True)
    return pl.when(text != "").then(text)


def _fresh(news: pl.DataFrame, incoming: pl.DataFrame) -> pl.DataFrame:
    """New versions, known from now on."""
    return news.with_columns(known_from=pl.lit(_now(incoming), INSTANT), known_to=pl.lit(None, INSTANT))


def _closed(current: pl.DataFrame, news: pl.DataFrame, incoming: pl.DataFrame, record: Sequence[str]) -> pl.DataFrame:
    """Versions in whose place a new one stands."""
    gone = current.join(news.select(record), on=record, how="semi", nulls_equal=True)
    return gone.with_columns(known_to=pl.lit(_now(incoming), INSTANT))


def _now(incoming: pl.DataFrame) -> object:
    return incoming["known_from"].max()


def _lifted(current: pl.DataFrame, found: pl.DataFrame, record: Sequence[str]) -> pl.DataFrame:
    """Versions of which only is newer who said them."""
    on = [*record, "content_hash"]
    newer = found.select(*on, now="exported_at", marks=UNSAID)
    joined = current.join(newer, on=on, how="inner", nulls_equal=True)
    differs = pl.col("exported_at").ne_missing(pl.col("now")) | pl.col(UNSAID).ne_missing(pl.col("marks"))
    moved = joined.filter(differs).with_columns(exported_at=pl.col("now"), unsaid=pl.col("marks"))
    return moved.select(current.columns)


def _silent(pool: pl.DataFrame, news: pl.DataFrame, record: Sequence[str], names: Sequence[str]) -> pl.DataFrame:
    """`file_sha256`, `row_number` of incoming rows of which nothing stands in a new version."""
    keys = [f"key {name}" for name in names]
    now = news.select(*record, *(pl.col(key).alias(f"now {key}") for key in keys), is_news=pl.lit(value=True))
    rows = pool.filter("is_new").join(now, on=record, how="left", nulls_equal=True, maintain_order="left")
    gives = pl.any_horizontal(pl.col(key) == pl.col(f"now {key}") for key in keys).fill_null(value=False)
    is_first = pl.int_range(pl.len()).over([*record, "_own"]) == 0
    return rows.filter(~(pl.col("is_news").fill_null(value=False) & gives & is_first)).select(
        "file_sha256", "row_number"
    )

"""Bitemporal versions: which row of a record is current, whatever the order in which exports arrive.

The current version is the one with the latest `exported_at`, then the latest `modified_at`, then
the highest status, then the greatest content hash. Equal content is one version: a later
export that confirms it moves its `exported_at` forward and adds nothing. What has no time of its own
(a refund) is dated by the export that first showed it; when that one arrives later, a version with the
earlier date follows. Records of which exports with different columns tell are put together in patches.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from expectations.vocabulary import ORDER_STATUSES
from tasks.transforms.patches import UNSAID, join_tellings, shared

SOURCE = ("file_sha256", "row_number")
FIRST_SIGHT = ("refunded_at", "refunded_on")
"""Dates that are no part of the content: the earliest one of a content holds."""


@dataclass(frozen=True)
class Superseded:
    """What a batch of rows does to a table."""

    added: pl.DataFrame
    """New versions; one that is older than the current one is closed at its own birth."""
    changed: pl.DataFrame
    """Stored versions that a newer one closed, or that a later export confirmed."""
    duplicates: pl.DataFrame
    """`file_sha256`, `row_number` of rows that say nothing new."""


def supersede(
    stored: pl.DataFrame, incoming: pl.DataFrame, record: Sequence[str], content_hash: pl.Expr | None = None
) -> Superseded:
    """Merge a batch into the stored versions of the same records.

    Args:
        stored: every stored version of the records in `incoming`, current and past.
        incoming: new rows with the table's columns and `row_number`, all received at one instant.
        record: the columns that identify a record across its versions.
        content_hash: that of a row put together of exports with different columns; without it every row is whole.
    """
    mixed = shared(stored, incoming, record) if content_hash is not None and UNSAID in incoming.columns else None
    if content_hash is None or mixed is None or mixed.is_empty():
        return _supersede(stored, incoming, record)
    apart = _supersede(_without(stored, mixed, record), _without(incoming, mixed, record), record)
    joined = join_tellings(_among(stored, mixed, record), _among(incoming, mixed, record), record, content_hash)
    return Superseded(
        pl.concat([apart.added, joined.added.select(apart.added.columns)]),
        pl.concat([apart.changed, joined.changed.select(apart.changed.columns)]),
        pl.concat([apart.duplicates, joined.duplicates]),
    )


def _among(rows: pl.DataFrame, records: pl.DataFrame, record: Sequence[str]) -> pl.DataFrame:
    return rows.join(records, on=list(record), how="semi", nulls_equal=True)


def _without(rows: pl.DataFrame, records: pl.DataFrame, record: Sequence[str]) -> pl.DataFrame:
    return rows.join(records, on=list(record), how="anti", nulls_equal=True)


def _supersede(stored: pl.DataFrame, incoming: pl.DataFrame, record: Sequence[str]) -> Superseded:
    """Merge whole rows, or rows that lack the same columns: the newest stands as it is."""
    distinct, repeated = _distinct(incoming, record)
    fresh, known = _split_known(_as_first_shown(distinct, stored, record), stored, record)
    confirmed = _confirm(stored.filter(pl.col("known_to").is_null()), known, record)
    added, closed = _replace_same_instant(*_compete(fresh, confirmed, record), record)
    duplicates = pl.concat([repeated.select(SOURCE), known.select(SOURCE)])
    return Superseded(added.drop("row_number"), _changes(stored, confirmed, closed, record), duplicates)


def append_new(stored: pl.DataFrame, incoming: pl.DataFrame, key: Sequence[str]) -> Superseded:
    """Add rows whose key is not stored yet; for tables whose rows never change.

    Of rows with one key in a batch the earliest sighting enters, else the first of its file.
    """
    earliest = [name for name in ("seen_at",) if name in incoming.columns]
    ordered = incoming.sort(*earliest, *SOURCE)
    is_first = pl.int_range(pl.len()).over(list(key)) == 0
    first, repeated = ordered.filter(is_first), ordered.filter(~is_first)
    added = first.join(stored.select(key), on=list(key), how="anti", nulls_equal=True)
    known = first.join(stored.select(key), on=list(key), how="semi", nulls_equal=True)
    duplicates = pl.concat([repeated.select(SOURCE), known.select(SOURCE)])
    return Superseded(added.drop("row_number"), stored.clear(), duplicates)


def _distinct(incoming: pl.DataFrame, record: Sequence[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Within the batch, the latest export of each content; the others repeat it."""
    ordered = incoming.sort("exported_at", *SOURCE, descending=[True, False, False])
    content = [*record, "content_hash"]
    dated = ordered.with_columns(pl.col(_dates(incoming)).min().over(content)) if _dates(incoming) else ordered
    is_first = pl.int_range(pl.len()).over(content) == 0
    return dated.filter(is_first), dated.filter(~is_first)


def _dates(rows: pl.DataFrame) -> list[str]:
    return [name for name in FIRST_SIGHT if name in rows.columns]


def _as_first_shown(distinct: pl.DataFrame, stored: pl.DataFrame, record: Sequence[str]) -> pl.DataFrame:
    """Rows of the batch, dated by the earliest export known to have shown their content."""
    dates, on = _dates(distinct), [*record, "content_hash"]
    if not dates:
        return distinct
    seen = stored.group_by(on).agg(pl.col(dates).min().name.prefix("seen_"))
    joined = distinct.join(seen, on=on, how="left", nulls_equal=True)
    return joined.select(
        pl.min_horizontal(name, f"seen_{name}") if name in dates else name for name in distinct.columns
    )


def _split_known(
    distinct: pl.DataFrame, stored: pl.DataFrame, record: Sequence[str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows with new content or an earlier date of it, and rows that say nothing new.

    Known is a content that is current, or was shown by as late an export. An earlier date of the current
    content takes its `exported_at`, so that it competes as what it is: the same content, better dated.
    """
    on, dates = [*record, "content_hash"], _dates(distinct)[:1]
    seen = stored.group_by(on).agg(
        pl.col(dates).min().name.prefix("seen_"),
        seen_exported_at=pl.col("exported_at").max(),
        is_current=pl.col("known_to").is_null().any(),
    )
    joined = distinct.join(seen, on=on, how="left", nulls_equal=True)
    earlier = [(pl.col(name) < pl.col(f"seen_{name}")).fill_null(value=False) for name in dates]
    is_earlier = pl.any_horizontal(pl.lit(value=False), *earlier)
    is_said = pl.col("is_current") | (pl.col("seen_exported_at") >= pl.col("exported_at"))
    is_known = (is_said & ~is_earlier).fill_null(value=False)
    lifted = pl.when("is_current").then(pl.max_horizontal("exported_at", "seen_exported_at")).otherwise("exported_at")
    columns = distinct.columns
    fresh = joined.filter(~is_known).with_columns(exported_at=lifted).select(columns)
    return fresh, joined.filter(is_known).select(columns)


def _confirm(current: pl.DataFrame, known: pl.DataFrame, record: Sequence[str]) -> pl.DataFrame:
    """Current versions, their `exported_at` moved forward by later exports of the same content."""
    on = [*record, "content_hash"]
    later = known.select(*on, confirmed_at="exported_at")
    return current.join(later, on=on, how="left", nulls_equal=True).select(
        *(
            pl.max_horizontal("exported_at", "confirmed_at").alias(name) if name == "exported_at" else pl.col(name)
            for name in current.columns
        )
    )


def _compete(fresh: pl.DataFrame, current: pl.DataFrame, record: Sequence[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Let new contents and the current version of each record compete; return added rows and closed rows."""
    rivals = current.join(fresh.select(record).unique(), on=list(record), how="semi", nulls_equal=True)
    columns = fresh.columns
    ranked = pl.concat(
        [
            fresh.with_columns(is_new=True),
            rivals.with_columns(row_number=None, is_new=False).select(*columns, "is_new"),
        ],
        how="vertical_relaxed",
    ).sort(*_rank(columns), descending=True, nulls_last=True)
    is_winner = pl.int_range(pl.len()).over(list(record)) == 0
    lost_at = pl.when(is_winner).then(None).otherwise(fresh["known_from"].max() if fresh.height else None)
    judged = ranked.with_columns(known_to=lost_at.cast(fresh.schema["known_to"]))
    added = judged.filter("is_new").drop("is_new")
    return added, judged.filter(~pl.col("is_new") & pl.col("known_to").is_not_null()).drop("is_new", "row_number")


def _rank(columns: Sequence[str]) -> list[pl.Expr]:
    """What makes a version newer, most important first."""
    ranks = {name: index for index, name in enumerate(ORDER_STATUSES)}
    status = [pl.col("status").replace_strict(ranks, default=-1)] if "status" in columns else []
    modified = [pl.col("modified_at")] if "modified_at" in columns else []
    earlier = [-pl.col(name).dt.timestamp() for name in FIRST_SIGHT[:1] if name in columns]
    return [pl.col("exported_at"), *modified, *status, pl.col("content_hash"), *earlier]


def _replace_same_instant(
    added: pl.DataFrame, closed: pl.DataFrame, record: Sequence[str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Added and closed rows; a better date of what became known at the same instant takes the place of the other."""
    if not _dates(added):
        return added, closed
    version = [*record, "content_hash", "known_from"]
    twins = added.join(closed.select(version), on=version, how="semi", nulls_equal=True)
    still_added = added.join(twins.select(version), on=version, how="anti", nulls_equal=True)
    still_closed = closed.join(twins.select(version), on=version, how="anti", nulls_equal=True)
    return still_added, pl.concat([still_closed, twins.select(closed.columns)])


def _changes(
    stored: pl.DataFrame, confirmed: pl.DataFrame, closed: pl.DataFrame, record: Sequence[str]
) -> pl.DataFrame:
    """Stored versions that differ from before: confirmed by a later export, or closed."""
    version = [*record, "content_hash", "known_from"]
    moved = confirmed.join(
        stored.select(*version, "exported_at"), on=[*version, "exported_at"], how="anti", nulls_equal=True
    )
    still_open = moved.join(closed.select(version), on=version, how="anti", nulls_equal=True)
    return pl.concat([still_open, closed.select(still_open.columns)])

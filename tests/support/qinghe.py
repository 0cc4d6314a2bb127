"""demo_cn once more, from the rows that its files were made of: what the lake must hold, counted by DuckDB.

The reader has no part in this: the rows are the generator's own, and only sums and newest versions are taken here.
"""

from functools import cache
from typing import Any

import duckdb
import polars as pl

from infra.demo.demo_cn.exports import exported_at, files_of, layouts, rows_in
from infra.demo.demo_cn.plan import MONTHS
from infra.exports.spoil import SPOILED
from infra.exports.truth import File, Terms, truth_of
from tests.unit.sources.reading import legible

_NEWEST = """
    select channel, count(*) as rows, cast(sum({money}) as bigint) as fen
    from (select *, row_number() over (partition by channel, {key} order by exported_at desc) as age from told)
    where age = 1 group by channel order by channel
"""
_KEYS = {
    "orders": ("order_id", "paid_fen - refunded_fen"), "members": ("member_key", "0"),
    "follows": ("adviser_id, customer_key", "0"),
}  # fmt: skip


@cache
def _files() -> list[tuple[str, pl.DataFrame, dict[str, pl.DataFrame]]]:
    """Layout, rows and canonical tables of every generated file."""
    found = []
    for month in MONTHS:
        for seller, export in files_of():
            rows, layout = rows_in(seller, export, month), layouts()[export.layout]
            terms = Terms(seller.shop_id, "CNY", exported_at(month), "Asia/Shanghai", legible)
            found.append((layout.name, rows, truth_of(File(layout, rows, terms))))
    return found


def read_and_spoiled() -> dict[str, tuple[int, int]]:
    """Layout to the rows of its files and to those that nobody may accept."""
    counts: dict[str, tuple[int, int]] = {}
    for layout, rows, _ in _files():
        read, spoiled = counts.get(layout, (0, 0))
        counts[layout] = (read + rows.height, spoiled + int(rows[SPOILED].sum()))
    return counts


def newest(table: str) -> list[tuple[Any, ...]]:
    """Per channel: rows, and what was paid less what was given back, each row as its newest export has it."""
    told = pl.concat([tables[table] for _, _, tables in _files() if table in tables])
    key, money = _KEYS[table]
    with duckdb.connect() as database:
        database.register("told", told.to_arrow())
        return database.execute(_NEWEST.format(key=key, money=money)).fetchall()

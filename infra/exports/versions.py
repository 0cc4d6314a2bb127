"""The same shop's orders in several exports that overlap, as they are taken week after week."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

from expectations.tables import TABLES
from infra.exports.quirks import PLAIN, Quirks
from infra.exports.shop import Shop, between
from infra.exports.truth import File, Tables, Terms, truth_of
from infra.exports.write import Written, write_export
from tasks.sources.layouts import Layout


def write_versions(
    folder: Path, shop: Shop, layout: Layout, moments: Sequence[datetime], back: timedelta, quirks: Quirks = PLAIN
) -> list[Written]:
    """Write one export per moment, each of the orders placed in the time `back` before it.

    Where `back` is longer than the step between moments, orders stand in several exports, their
    states moved on from one to the next; an order that is too old for a later export stays as it was.
    """
    return [
        write_export(
            folder, between(shop, at - back, at), layout, at, quirks=quirks, name=f"{layout.name}-{at:%Y%m%d%H%M}"
        )
        for at in moments
    ]


def current_of(files: Sequence[Written], terms: Terms) -> Tables:
    """What all exports together say in the end: of each row the version of the newest export that has it."""
    told: dict[str, list[pl.DataFrame]] = {}
    for written in sorted(files, key=lambda one: one.exported_at):
        for table, rows in truth_of(File(written.layout, written.rows, terms.at(written.exported_at))).items():
            told.setdefault(table, []).append(rows)
    return {
        table: pl.concat(rows).unique(key_of(table), keep="last", maintain_order=True) for table, rows in told.items()
    }


def key_of(table: str) -> list[str]:
    """What makes two rows versions of one."""
    return [name for name in TABLES[table].key if name not in {"known_from", "content_hash"}]

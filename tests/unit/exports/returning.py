"""Write an export and read it back: what the reader makes of it, beside what it was made of."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
from polars.testing import assert_frame_equal

from infra.exports.quirks import PLAIN, Quirks
from infra.exports.rows import most_lines
from infra.exports.shop import Plan, Shop, open_shop
from infra.exports.together import Together
from infra.exports.truth import File, Terms, columns_told, truth_of
from infra.exports.write import Written, write_export
from tasks.sources.layouts import Layout
from tasks.sources.read import Export, read_export
from tasks.sources.unpack import Part, unpack
from tests.unit.sources.reading import context, frames, legible, spill

SHOP_ID = "qinghe_test"
AT = datetime(2026, 4, 2, 1, tzinfo=UTC)
ZONE = "Asia/Shanghai"


def small_shop(layout: Layout, seed: str = "s", orders: int = 60) -> Shop:
    """One month of a shop of that layout's channel, with everything that happens to orders."""
    since, until = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
    plan = Plan(
        seed, layout.channel, SHOP_ID, orders, since, until, people=30, lines=most_lines(layout), refunded_in_1000=300,
        together=Together(presale_in_1000=150, bundled_in_1000=200),
    )  # fmt: skip
    return open_shop(plan)


def write(
    folder: Path, layout: Layout, *, seed: str = "s", quirks: Quirks = PLAIN, fmt: str = "", orders: int = 60
) -> Written:
    return write_export(folder, small_shop(layout, seed, orders), layout, AT, quirks=quirks, fmt=fmt)


def expected(written: Written) -> dict[str, pl.DataFrame]:
    """The canonical rows that were written."""
    return truth_of(File(written.layout, written.rows, Terms(SHOP_ID, "CNY", written.exported_at, ZONE, legible)))


def read_back(written: Written) -> Export:
    """What the reader makes of the file, out of its container; a template is found only by who asks for it."""
    (part,) = unpack(written.path, written.path.name, spill())
    assert isinstance(part, Part), part
    known = context(part.path, shop_id=SHOP_ID, exported_at=written.exported_at, zone=ZONE, received_at=AT)
    layouts = None if written.layout.verified else (written.layout.model_copy(update={"verified": True}),)
    return read_export(part.path, known, spill(), layouts)


def assert_returns(written: Written) -> Export:
    """Every canonical row comes back, no other does, and nothing is refused.

    Without the headers that tell it from another layout, the file may be read by that one, to the same rows.
    """
    told, export = expected(written), read_back(written)
    assert written.layout.name in (export.layout, export.runner_up)
    assert export.rows_read == written.rows.height
    assert export.rows_refused == 0, export.frame("quarantine")
    found = frames(export)
    assert found.keys() == told.keys()
    for table, rows in told.items():
        names = columns_told(table, written.layout)
        assert_frame_equal(found[table].select(names).sort(names), rows.sort(names))
    return export

"""Write the invented brand's months: generated exports of every shop, and the small samples beside them.

Every person, order and number is invented. The same bytes come every time.
"""

import hashlib
import shutil
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path

import polars as pl

from infra.demo.demo_cn.plan import EXPORTS, MONTHS, RECEIPTS, exported_at, first_of
from infra.demo.demo_cn.shops import BESIDE, SELLERS, Export, Seller
from infra.exports.shop import Shop, between, open_shop
from infra.exports.write import Written, rows_at, write_export
from tasks.sources.layouts import Layout, built_in
from tasks.stores.digests import code_version

OVERLAP = timedelta(days=5)
"""An export goes back before its month, so that orders under way then are seen to arrive."""
SPOILED_IN_1000 = 1
_DONE = ".done"


def write_exports(folder: Path) -> list[Path]:
    """Write one folder per month and return the folders in order; what was written by this code is left alone."""
    done, version = folder / _DONE, made_by()
    if not (done.is_file() and done.read_text() == version):
        for name in MONTHS:
            list(write_month(folder / name, name))
        done.write_text(version)
    return [folder / name for name in MONTHS]


def made_by() -> str:
    """What the bytes depend on: the layouts and this project's code, the generator's included."""
    infra = sorted(path for path in Path(__file__).parents[2].rglob("*.py") if "server" not in path.parts)
    own = hashlib.sha256(b"".join(path.read_bytes() for path in infra))
    return f"{code_version()} {own.hexdigest()}\n"


def write_month(folder: Path, name: str) -> Iterator[Written]:
    """Write the files of one month and yield each with the rows that stand in it; the samples come along."""
    folder.mkdir(parents=True, exist_ok=True)
    for sample in (path for receipt in RECEIPTS if receipt.month == name for path in receipt.paths):
        shutil.copyfile(EXPORTS / sample, folder / sample)
    for seller, export in files_of():
        layout, into = layouts()[export.layout], folder / seller.channel
        into.mkdir(exist_ok=True)
        yield write_export(
            into, shop_in(seller, layout, name), layout, exported_at(name),
            quirks=export.quirks, fmt=export.fmt, spoiled_in_1000=SPOILED_IN_1000,
        )  # fmt: skip


def files_of() -> Iterator[tuple[Seller, Export]]:
    """Every kind of file that comes each month, with whose it is."""
    return ((seller, export) for seller in (*SELLERS, *BESIDE) for export in seller.exports)


def rows_in(seller: Seller, export: Export, name: str) -> pl.DataFrame:
    """The rows that stand in a file of one month, without writing it."""
    layout = layouts()[export.layout]
    return rows_at(shop_in(seller, layout, name), layout, exported_at(name), SPOILED_IN_1000)


def shop_in(seller: Seller, layout: Layout, name: str) -> Shop:
    """What a file of one month is taken from: the month's orders and what was under way before; every customer."""
    shop = shop_of(seller)
    if layout.grain in {"member", "follow"}:
        return shop
    return between(shop, first_of(name) - OVERLAP, exported_at(name))


@cache
def shop_of(seller: Seller) -> Shop:
    """A shop with all its orders; each is drawn once."""
    return open_shop(seller.plan)


@cache
def layouts() -> dict[str, Layout]:
    """Every layout by name."""
    return {layout.name: layout for layout in built_in()}

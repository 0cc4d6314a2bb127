"""The golden month: nine households over three months, small enough to check each number by hand.

The expected table is written by this command, and what it changes is read and understood in the diff:

    .venv/bin/python -m tests.golden.month > tests/golden/customers-2017-03-31.csv

What the households are for: 1 buys often, with coupons, mostly on weekends; 2 bought once; 3 and 4 are the
same but for their number, so they tie in everything; 5 has a basket worth nothing; 6 bought in the last
second of March in the shop's zone, 7 in the first second of April; 8 bought for 2,100.00 once; 9 has two
categories of the same worth, and a product without one.
"""

import csv
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.quarter import Brand

HERE = Path(__file__).parent
AS_OF = "2017-03-31"
EXPECTED = HERE / f"customers-{AS_OF}.csv"
HOUSEHOLDS = range(1, 10)


def golden_brand(folder: Path) -> "Brand":
    """The three months as they would have happened: each month's files, then its refresh."""
    from tests.support.quarter import MONTH_ENDS, MONTHS, Brand, day_after, received

    brand = Brand(str(folder / "lake"), str(HERE / "policy"))
    for name, as_of in zip(MONTHS, MONTH_ENDS, strict=True):
        brand.ingest(HERE / "exports" / name, **received(name))
        brand.refresh(as_of, day_after(name))
    return brand


def table_of(brand: "Brand") -> list[list[str]]:
    """One row per column of `customers`, one column per household; null is empty."""
    people = dict(brand.rows("identities", AS_OF).select("key", "one_id").iter_rows())
    rows = {row["one_id"]: row for row in brand.rows("customers", AS_OF).iter_rows(named=True)}
    known = {number: rows[people[key]] for number in HOUSEHOLDS if (key := _key(number)) in people}
    columns = brand.rows("customers").columns
    head = ["column", *(f"household {number}" for number in known)]
    return [head, *([name, *(_text(row[name]) for row in known.values())] for name in columns)]


def _key(household: int) -> str:
    from tests.support.quarter import key_of

    return key_of("member", "complete_journey", str(household))


def _text(value: object) -> str:
    return "" if value is None else str(value)


def main() -> None:
    """Write the table to the standard output."""
    import os

    from flows.cli import QUIET

    os.environ.update(QUIET)  # before Prefect is imported
    with TemporaryDirectory() as folder:
        csv.writer(sys.stdout, lineterminator="\n").writerows(table_of(golden_brand(Path(folder))))


if __name__ == "__main__":
    main()

"""What a damaged file must never do to the reader: crash it, hang it, or lose a row."""

import gzip
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tasks.errors import StrataError
from tasks.sources.layouts import built_in
from tasks.sources.read import read_export
from tasks.sources.unpack import Refusal, unpack
from tests.support import hostile
from tests.unit.sources.hostile_cases import LAYOUTS, parquet
from tests.unit.sources.reading import SAMPLES, balance, context

_NO_EXPORTS = ("README.md", "headers.json")
LONGEST_SECONDS = 60
"""A hang, not a busy machine."""


@cache
def corpus() -> dict[str, bytes]:
    """Sound files of every kind: the samples, and containers around some of them."""
    samples = {path.name: path.read_bytes() for path in sorted(SAMPLES.iterdir()) if path.name not in _NO_EXPORTS}
    orders = samples["youzan_orders_20260601.csv"]
    made = {
        "orders.zip": hostile.zipped({"a.csv": orders, "b.xlsx": samples["qianniu_orders_2026.xlsx"]}),
        "orders.csv.gz": gzip.compress(orders, mtime=0),
        "orders.parquet": parquet(),
        "orders.xls": hostile.old_workbook(hostile.youzan_rows(3)),
        "locked.xlsx": hostile.locked(samples["kuaishou_orders_2026.xlsx"], "known"),
    }
    return samples | made


@cache
def shops() -> dict[str, str]:
    """A shop for every channel, so that no file is refused for want of one."""
    return {layout.channel: "shop" for layout in built_in()}


def survive(content: bytes, name: str) -> int:
    """Read a file; return the number of exports read in it.

    Raises:
        AssertionError: a row or a fen is in neither of the places in which it must be.
    """
    with TemporaryDirectory() as folder, at_most(LONGEST_SECONDS, name):
        path = hostile.written(Path(folder), "input", content)
        parts = list(unpack(path, name, Path(folder) / "scratch", ("known",)))
        return sum(not isinstance(part, Refusal) and _read(part.path, part.name, Path(folder)) for part in parts)


def _read(path: Path, name: str, folder: Path) -> bool:
    spill = folder / f"spill-{time.monotonic_ns()}"
    try:
        export = read_export(path, context(path, name=name, shops=shops()), spill, LAYOUTS)
    except StrataError:
        return False
    assert balance(export) == (0, 0), f"{name}: rows or money are lost"
    return True


@contextmanager
def at_most(seconds: int, name: str) -> Iterator[None]:
    """Fail where the block takes longer."""

    def hangs(*_: Any) -> None:
        raise AssertionError(f"{name} took longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, hangs)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)

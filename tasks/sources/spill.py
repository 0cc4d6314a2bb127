"""Where rows wait on local disk: those of a file by table, as Arrow, and rows that must meet before they settle.

They are written once, read a few times and gone: Arrow costs a fifth of the processor time of Parquet there.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Self

import polars as pl

Cover = Callable[[bytes], bytes]
_LENGTH_BYTES = 8


_MOST_WAITING = 4
"""Tables that wait to be written while the next chunk is read: those of one chunk."""


@dataclass(frozen=True)
class Spill:
    """Files of rows by name, in the order in which their rows came.

    A thread beside writes them; whoever leaves the `with` block finds them whole.
    """

    folder: Path
    files: dict[str, list[Path]] = field(default_factory=dict)
    _beside: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1), repr=False)
    _waiting: deque[Future[Path]] = field(default_factory=deque, repr=False)

    def __enter__(self) -> Self:
        """Let rows be put."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        """Wait for all files; what could not be written is raised here, or by a `put` before."""
        self._beside.shutdown()
        if kind is None:
            self._wait_for_all_but(0)

    def put(self, name: str, rows: pl.DataFrame) -> None:
        """Write some rows; none leave no file."""
        if rows.is_empty():
            return
        names = self.files.setdefault(name, [])
        path = self.folder / f"{name}-{len(names):05}.arrow"
        names.append(path)
        self._wait_for_all_but(_MOST_WAITING)
        self._waiting.append(self._beside.submit(lay, rows, path))

    def paths(self, name: str) -> tuple[Path, ...]:
        """The files of that name, in order."""
        return tuple(self.files.get(name, ()))

    def _wait_for_all_but(self, most: int) -> None:
        while len(self._waiting) > most:
            self._waiting.popleft().result()


def lay(rows: pl.DataFrame, path: Path) -> Path:
    """Lay rows down in a file where they wait for later steps of the run; whatever stood there is replaced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows.write_ipc(path, compression="uncompressed")
    return path


def waiting(paths: Sequence[Path | str]) -> pl.LazyFrame:
    """The rows of such files, one at least, in that order."""
    return pl.scan_ipc([Path(path) for path in paths])


@dataclass(frozen=True)
class Buckets:
    """Rows parted by the hash of what must meet; parsed rows hold plaintext keys, so they lie on disk covered.

    With one bucket the rows stay in memory.
    """

    folder: Path
    count: int
    cover: Cover
    uncover: Cover
    held: dict[tuple[str, int], list[pl.DataFrame]] = field(default_factory=dict)

    def put(self, name: str, rows: pl.DataFrame, bucket: pl.Series) -> None:
        """Add rows of a kind, each to the bucket whose number stands beside it."""
        if self.count == 1:
            self.held.setdefault((name, 0), []).append(rows)
            return
        marked = rows.with_columns(_bucket=bucket)
        for (number,), part in marked.partition_by("_bucket", as_dict=True, include_key=False).items():
            self._append(self._path(name, int(number)), part)

    def take(self, name: str, number: int) -> pl.DataFrame | None:
        """Return the rows of a kind in a bucket, in the order in which they came, and forget them; None for none."""
        parts = self.held.pop((name, number), None) or list(self._read(self._path(name, number)))
        return pl.concat(parts) if parts else None

    def _path(self, name: str, number: int) -> Path:
        return self.folder / f"{name}-{number:04}.rows"

    def _append(self, path: Path, part: pl.DataFrame) -> None:
        data = BytesIO()
        part.write_ipc_stream(data, compression="lz4")
        covered = self.cover(data.getvalue())
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(len(covered).to_bytes(_LENGTH_BYTES, "big") + covered)

    def _read(self, path: Path) -> Iterator[pl.DataFrame]:
        if not path.exists():
            return
        with path.open("rb") as file:
            while length := file.read(_LENGTH_BYTES):
                yield pl.read_ipc_stream(BytesIO(self.uncover(file.read(int.from_bytes(length, "big")))))
        path.unlink()

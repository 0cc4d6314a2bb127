"""Where a file ends: as late as the vendor's limits on rows and bytes allow, and never later."""

from collections.abc import Iterator

import numpy as np

from tasks.errors import SecurityRefusedError


def cuts(sizes: np.ndarray, *, rows_most: int, bytes_most: int | None, base: int, between: int) -> Iterator[slice]:
    """Spans of rows, each as long as it may be.

    Args:
        sizes: bytes of each row.
        rows_most: rows that a file may hold.
        bytes_most: bytes that a file may have; None where only rows count.
        base: bytes of a file without any row, header and mark included, and what stands before its first row.
        between: bytes between two rows.

    Raises:
        SecurityRefusedError: one row alone is larger than a file may be.
    """
    ends = np.cumsum(sizes.astype(np.int64) + between)
    start, count = 0, len(sizes)
    while start < count:
        stop = min(count, start + rows_most)
        if bytes_most is not None:
            before = int(ends[start - 1]) if start else 0
            stop = min(stop, int(np.searchsorted(ends, before + bytes_most - base + between, side="right")))
        if stop == start:
            raise SecurityRefusedError(
                f"one row has {int(sizes[start])} bytes, the file may have {bytes_most}",
                expected="rows that fit into a file of the vendor's", next_step="shorten the message's variables",
            )  # fmt: skip
        yield slice(start, stop)
        start = stop

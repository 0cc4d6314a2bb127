"""Take the next item of an iterator in a thread beside, while the present one is worked on."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

Item = TypeVar("Item")


class _End:
    """What stands behind the last item."""


_END: Final = _End()


def ahead(items: Iterator[Item]) -> Iterator[Item]:
    """Yield the items in order, one of them waiting; what the iterator raises is raised here."""
    with ThreadPoolExecutor(1) as beside:
        coming = beside.submit(next, items, _END)
        while not isinstance(item := coming.result(), _End):
            coming = beside.submit(next, items, _END)
            yield item

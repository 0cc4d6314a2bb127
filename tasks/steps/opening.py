"""From a file that arrived to the exports in it: taken apart, each known by its SHA-256. No task stands here."""

from collections.abc import Collection, Sequence
from pathlib import Path

from tasks.errors import BadFileError
from tasks.progress import listener
from tasks.refs import Ref
from tasks.sources.unpack import Part, Refusal, unpack
from tasks.stores.arrivals import Arrival, mark_of
from tasks.stores.digests import file_sha256


class Problem(Ref):
    """Why a file cannot be taken as it is."""

    found: str
    expected: str
    next_step: str

    def error(self) -> BadFileError:
        """The same as an error."""
        return BadFileError(self.found, expected=self.expected, next_step=self.next_step)


class Item(Ref):
    """One export, or a file in which there is none that can be taken."""

    sha256: str
    """Of the bytes received, by which the file is known."""
    name: str
    path: str
    """Plain file to read."""
    received: str
    """File whose bytes are kept; another one where a workbook was locked."""
    mark: str
    """Of that file: differs when its bytes do."""
    bytes: int
    channel: str | None = None
    shop: str | None = None
    problem: Problem | None = None
    about: tuple[str, ...] = ()


def items_of(
    path: Path, arrival: Arrival, folder: Path, passwords: Sequence[str], channels: Collection[str]
) -> tuple[Item, ...]:
    """Every export in a file that was brought here; the file itself where it is none and holds none."""
    channel, shop = told_by_place(arrival.place, channels)
    parts = unpack(path, arrival.name, folder, passwords, heard=listener().read)
    return tuple(_item(part, channel, shop) for part in parts)


def told_by_place(place: Sequence[str], channels: Collection[str]) -> tuple[str | None, str | None]:
    """Channel and shop as the folders `<channel>/<shop>/…` tell them; a first folder of any other name tells neither.

    >>> told_by_place(("taobao", "flagship", "2026-05"), {"taobao", "jd"})
    ('taobao', 'flagship')
    >>> told_by_place(("2026-05", "flagship"), {"taobao", "jd"})
    (None, None)
    """
    channel = place[0].lower() if place else ""
    if channel not in channels:
        return None, None
    return channel, place[1] if len(place) > 1 else None


def _item(part: Part | Refusal, channel: str | None, shop: str | None) -> Item:
    received = part.received if isinstance(part, Part) else part.path
    told = {"name": part.name, "path": str(part.path), "received": str(received), "channel": channel, "shop": shop}
    about = {"mark": mark_of(received), "sha256": file_sha256(received), "bytes": received.stat().st_size, **told}
    if isinstance(part, Part):
        return Item.model_validate(about | {"about": part.about})
    error = part.error
    problem = Problem(found=error.found, expected=error.expected, next_step=error.next_step)
    return Item.model_validate(about | {"problem": problem})

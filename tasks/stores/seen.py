"""What stood in which file of an inbox when it was last read: derived, so that a poll need not read it again.

Kept as `inbox/seen.json` in the lake. Losing it costs one more reading; it never decides what is in the lake.
"""

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from tasks.errors import MissingDataError
from tasks.stores.arrivals import Arrival
from tasks.stores.objects import Objects

KEY = "inbox/seen.json"
Entry = dict[str, Any]


class Seen:
    """Digests of the exports in each file, by the hash of where it lies and the mark that it had."""

    def __init__(self, objects: Objects) -> None:
        """Read what is remembered."""
        self._objects = objects
        try:
            self._stored: dict[str, Entry] = json.loads(objects.read(KEY))
        except (MissingDataError, ValueError):
            self._stored = {}

    def digests(self, arrival: Arrival) -> tuple[str, ...] | None:
        """SHA-256 of each export in the file, as it lies there now; None when nobody has read it yet."""
        entry = self._stored.get(_place(arrival), {})
        found = entry.get("sha256")
        return tuple(map(str, found)) if entry.get("mark") == arrival.mark and isinstance(found, list) else None

    def remember(self, read: Iterable[tuple[Arrival, tuple[str, ...]]]) -> None:
        """Keep what was read; nothing is written when nothing is new."""
        added = {_place(arrival): {"mark": arrival.mark, "sha256": list(digests)} for arrival, digests in read}
        if added.items() <= self._stored.items():
            return
        self._stored |= added
        self._objects.put(KEY, json.dumps(self._stored, sort_keys=True, indent=0).encode())


def _place(arrival: Arrival) -> str:
    """A hash: names of files may name people."""
    return hashlib.sha256(arrival.uri.encode("utf-8", "surrogateescape")).hexdigest()[:32]

"""How much may come out of an archive, counted while it comes out: what its directory says may be a lie."""

import errno
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tasks.errors import BadFileError, StoreUnavailableError

_BLOCK = 1 << 20
FULL = {errno.ENOSPC, errno.EDQUOT}


Heard = Callable[[int], None]
"""Told of so many more bytes of the packed file."""


def unheard(_size: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Limits:
    """What one input file may unpack to."""

    bytes: int = 64 << 30
    """All members together; a file larger than memory is no bomb."""
    ratio: int = 100
    """Times the packed size; real exports pack to a tenth, zeros to a thousandth."""
    ratio_from_bytes: int = 16 << 20
    """What unpacks to less than this is no bomb, however well it was packed."""
    members: int = 10_000


class Budget:
    """What one input may still unpack to."""

    def __init__(self, limits: Limits, packed_bytes: int, heard: Heard = unheard) -> None:
        """Everything is still allowed; `heard` is told how many packed bytes came out."""
        self.packed_bytes = packed_bytes
        self.heard = heard
        self.most = min(limits.bytes, max(limits.ratio_from_bytes, limits.ratio * packed_bytes))
        self.spent = 0

    def spend(self, count: int, name: str) -> None:
        """Count bytes that came out.

        Raises:
            BadFileError: more than allowed.
        """
        self.spent += count
        if self.spent > self.most:
            raise BadFileError(
                f"{name}: {self.packed_bytes:,} bytes unpack to more than {self.most:,}, as only a bomb does",
                expected="exports, which pack to about a tenth", next_step="unpack it yourself if you trust its sender",
            )  # fmt: skip


class Stream(Protocol):
    """Whatever bytes come out of."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end."""
        ...


def copy_within(stream: Stream, target: Path, budget: Budget, name: str, place: Callable[[int], int]) -> None:
    """Write a stream to a file in blocks; what was begun and cannot be finished is removed.

    `place` says how many packed bytes so many bytes came from.

    Raises:
        BadFileError: it is more than the budget allows.
        StoreUnavailableError: the disk is full, which says nothing about the file.
    """
    try:
        with target.open("wb") as file:
            before = 0
            while block := stream.read(_BLOCK):
                budget.spend(len(block), name)
                file.write(block)
                budget.heard(place(file.tell()) - before)
                before = place(file.tell())
    except OSError as error:
        target.unlink(missing_ok=True)
        if error.errno in FULL:
            raise no_room(name) from error
        raise
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def no_room(name: str) -> StoreUnavailableError:
    """The refusal of a disk, not of a file."""
    return StoreUnavailableError(
        f"no room in scratch to unpack {name}", expected="room for what is in it",
        next_step="free some, or set STRATA_SCRATCH to a larger disk, and run it again",
    )  # fmt: skip

"""How far a long run is, by file and bytes: told by flows and steps, shown by whoever listens, by default nobody."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol


class Listener(Protocol):
    """Someone who shows how far a run is."""

    def begin(self, phase: str, files: int, size: int) -> None:
        """Begin a phase over so many files of so many bytes."""
        ...

    def at(self, name: str) -> None:
        """Begin a file."""
        ...

    def read(self, size: int) -> None:
        """So many more bytes of the file are read: never more than it has, all of them when it is done."""
        ...

    def done(self, size: int) -> None:
        """End a file of so many bytes in all."""
        ...


class _Nobody:
    """Listens to nothing."""

    def begin(self, phase: str, files: int, size: int) -> None:
        """See Listener."""

    def at(self, name: str) -> None:
        """See Listener."""

    def read(self, size: int) -> None:
        """See Listener."""

    def done(self, size: int) -> None:
        """See Listener."""


_LISTENER: ContextVar[Listener] = ContextVar("progress")


def listener() -> Listener:
    """Whoever listens to this run."""
    return _LISTENER.get(_Nobody())


@contextmanager
def told_to(someone: Listener) -> Iterator[None]:
    """Let someone listen while the block runs."""
    token = _LISTENER.set(someone)
    try:
        yield
    finally:
        _LISTENER.reset(token)

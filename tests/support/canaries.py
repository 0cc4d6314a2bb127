"""Search every place for many marked values at once: only where they can be read, not which."""

from collections.abc import Iterable
from pathlib import Path

from tests.support.leaks import leaks_in


def seen_in(folder: Path, canaries: Iterable[str], apart: Iterable[Path] = ()) -> list[str]:
    """Files below the folder in which one of the values can be read, but for those below the folders `apart`."""
    return list(leaks_in(folder, canaries, apart))

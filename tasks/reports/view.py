"""What the page is built of: sections of blocks; a block may hold a picture, a table, a note."""

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.reports.words import Text, same


@dataclass(frozen=True)
class Table:
    """A table. The first column names the row; the columns counted in `wordy` hold words, the others numbers."""

    caption: Text
    head: tuple[Text, ...]
    rows: tuple[tuple[Text, ...], ...]
    total: tuple[Text, ...] | None = None
    wordy: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Key:
    """One entry of a picture's legend: the colour's name in the style sheet, and what it stands for."""

    colour: str
    words: Text


@dataclass(frozen=True)
class Picture:
    """A drawing in both languages, with the sentence that says what it shows."""

    svg: Text
    description: Text
    keys: tuple[Key, ...] = ()
    is_wide: bool = False


@dataclass(frozen=True)
class Block:
    """One thing to look at."""

    title: Text | None = None
    note: Text | None = None
    picture: Picture | None = None
    table: Table | None = None
    warnings: tuple[Text, ...] = ()
    folded: Table | None = None
    """Opens on demand."""
    lines: tuple[Text, ...] = ()
    """Sentences below one another."""


@dataclass(frozen=True)
class Tile:
    """One headline figure in plain words."""

    label: Text
    value: Text
    words: Text


@dataclass(frozen=True)
class Section:
    """One chapter of the page."""

    code: str
    title: Text
    lead: Text
    blocks: tuple[Block, ...] = ()


def row(*cells: Text | str) -> tuple[Text, ...]:
    """A table row; plain strings read alike in both languages."""
    return tuple(cell if isinstance(cell, Text) else same(cell) for cell in cells)


def head(*names: tuple[str, str]) -> tuple[Text, ...]:
    """The header row from pairs of Chinese and English."""
    return tuple(Text(*name) for name in names)


def warned(*pairs: tuple[bool, Text]) -> tuple[Text, ...]:
    """The warnings whose condition holds."""
    return tuple(words for holds, words in pairs if holds)


def without_none(blocks: Sequence[Block | None]) -> tuple[Block, ...]:
    """The blocks that there are."""
    return tuple(block for block in blocks if block is not None)

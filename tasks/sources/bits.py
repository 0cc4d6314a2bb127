"""Places in a text as bits, 64 to a word: where quotes, separators and line ends stand, at memory speed.

Whether a place is inside quotes is the parity of the quotes before it; over words that is a prefix
xor in six shifts. Nothing here looks at a row in Python.
"""

from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

Words = NDArray[np.uint64]
Places = NDArray[np.int64]

_WORD = 64
_SHIFT = 6
"""Places divided by the bits of a word, as a shift."""
_ONE = np.uint64(1)
_FAR = 64
"""Words after which `next_from` gives up."""


class Bits:
    """A set of places in one text."""

    def __init__(self, words: Words) -> None:
        """Take words whose lowest bit is the first place."""
        self.words = words
        self._before: Places | None = None

    @classmethod
    def of(cls, text: NDArray[np.uint8], byte: bytes) -> Self:
        """Return the places at which `byte` stands; Polars compares and packs eight times faster than NumPy."""
        return cls.where(pl.Series(text) == ord(byte))

    @classmethod
    def where(cls, is_there: pl.Series) -> Self:
        """Return the places at which `is_there`, a Boolean for every byte of a text, is true."""
        packed = np.zeros(-(-is_there.len() // _WORD) * 8, np.uint8)
        if is_there.len():
            size = -(-is_there.len() // 8)
            packed[:size] = np.frombuffer(is_there.to_arrow().buffers()[1], np.uint8, size)
            packed[size - 1] &= 0xFF >> (-is_there.len() % 8)
        return cls(packed.view("<u8"))

    def __and__(self, other: "Bits") -> "Bits":
        """Places in both."""
        return Bits(self.words & other.words)

    def __or__(self, other: "Bits") -> "Bits":
        """Places in either."""
        return Bits(self.words | other.words)

    def without(self, other: "Bits") -> "Bits":
        """Places that are not in the other."""
        return Bits(self.words & ~other.words)

    def after(self, *, start: bool = False) -> "Bits":
        """Every place moved on by one; `start` adds the first place of the text."""
        moved = self.words << _ONE
        moved[1:] |= self.words[:-1] >> np.uint64(_WORD - 1)
        if start and moved.size:
            moved[0] |= _ONE
        return Bits(moved)

    def meets(self, other: "Bits") -> bool:
        """Whether some place is in both."""
        return bool((self.words & other.words).any())

    def before(self) -> "Bits":
        """Every place moved back by one."""
        moved = self.words >> _ONE
        moved[:-1] |= self.words[1:] << np.uint64(_WORD - 1)
        return Bits(moved)

    def parity(self, *, odd_before: bool = False) -> "Bits":
        """Places up to which, themselves included, an odd number of these places stand."""
        words = self.words.copy()
        for shift in (1, 2, 4, 8, 16, 32):
            words ^= words << np.uint64(shift)
        carried = np.zeros_like(words)
        last = words >> np.uint64(_WORD - 1)
        np.bitwise_xor.accumulate(last[:-1], out=carried[1:])
        carried ^= np.uint64(odd_before)
        return Bits(words ^ (np.uint64(0) - carried))

    def places(self) -> Places:
        """The places in order; cheap where few words hold any."""
        filled = np.flatnonzero(self.words != 0)
        inside = np.flatnonzero(np.unpackbits(self.words[filled].view(np.uint8), bitorder="little").view(np.bool_))
        places: Places = (filled[inside >> _SHIFT] << _SHIFT) | (inside & (_WORD - 1))
        return places

    def next_from(self, places: Places) -> Places:
        """For each given place the first of these places at or behind it; far beyond the text where none is near."""
        word = places // _WORD
        left = self.words[word] & ~((_ONE << (places % _WORD).astype(np.uint64)) - _ONE)
        for _ in range(_FAR):
            on = np.flatnonzero((left == 0) & (word < self.words.size - 1))
            if not on.size:
                break
            word[on] += 1
            left[on] = self.words[word[on]]
        found = word * _WORD + np.bitwise_count((left & -left) - _ONE)
        return np.where(left == 0, self.words.size * _WORD, found)

    def count_before(self, places: Places) -> Places:
        """How many of these places stand before each given one."""
        if self._before is None:
            counts = np.bitwise_count(self.words)
            self._before = np.concatenate(([0], np.cumsum(counts, dtype=np.int64)))
        word, bit = places // _WORD, (places % _WORD).astype(np.uint64)
        inside = self.words[np.minimum(word, self.words.size - 1)] & ((_ONE << bit) - _ONE)
        return self._before[word] + np.where(word < self.words.size, np.bitwise_count(inside), 0)

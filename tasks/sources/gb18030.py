"""Whether bytes are GB18030: 64 are looked at at a time, because decoding takes longer than all the rest of reading.

A character is an ASCII byte; two bytes, of which the second may look like a letter or `@`; or four, of
which two look like digits. So no byte below `0` is ever part of another character: line ends, quotes, commas
and TABs are what they seem, and a text can be taken apart before it is decoded.
"""

import codecs

import numpy as np
import polars as pl

from tasks.sources.bits import Bits, Places, Words

NAME = "gb18030"
SAFE_SEPARATORS = frozenset(",\t;")
"""`|` may be the second byte of a character."""
_EVEN, _ALL = np.uint64(0x5555_5555_5555_5555), np.uint64(0xFFFF_FFFF_FFFF_FFFF)
_TRAILS = (0x40, 0x7E)
"""Bytes of ASCII that may follow a lead byte; behind all other leads stands a second byte that is not ASCII."""
_SPARSE = 4096
"""Bytes for each odd place, from which on single lines are decoded: to look for one costs as much as 300 bytes."""
_NEVER = b"\x80\xff"
"""The first is never a lead byte, the second no byte at all."""


def first_error(data: bytes) -> int | None:
    """Where text goes wrong that begins with a whole character; None where it is sound.

    Bytes beyond ASCII that stand in pairs are characters, whichever they are. What is left, characters of
    four bytes among it, is decoded line by line, or as a whole where it is much.
    """
    if data.isascii():
        return None
    odd = _odd_places(data)
    if odd.size * _SPARSE > len(data):
        return _error_between(data, 0, len(data))
    checked = 0
    for spot in odd.tolist():
        if spot < checked:
            continue
        start, end = data.rfind(b"\n", 0, spot) + 1, data.find(b"\n", spot)
        checked = end if end >= 0 else len(data) + 1
        if (error := _error_between(data, start, checked)) is not None:
            return error
    return None


def _error_between(data: bytes, start: int, end: int) -> int | None:
    try:
        data[start:end].decode(NAME)
    except UnicodeDecodeError as error:
        return start + error.start
    return None


def last_start(data: bytes) -> int:
    """Where a character that is cut off by the end begins; the end when none is."""
    decoder = codecs.getincrementaldecoder(NAME)("ignore")
    decoder.decode(data)
    return len(data) - len(decoder.getstate()[0])


def _odd_places(data: bytes) -> Places:
    """Places, in order, around which more must be looked at than pairs."""
    text = np.frombuffer(data, np.uint8)
    high = Bits.where(pl.Series(text.view(np.int8)) < 0)
    places = _behind_unpaired(high.words).places()
    behind = text[np.minimum(places, text.size - 1)]
    odd = places[(behind < _TRAILS[0]) | (behind > _TRAILS[1]) | (places == text.size)]
    never = [np.flatnonzero(text == byte) for byte in _NEVER if bytes([byte]) in data]
    return np.sort(np.concatenate([odd, *never])) if never else odd


def _behind_unpaired(high: Words) -> Bits:
    """The places behind every run of an odd number of bytes beyond ASCII.

    Added to the bits of a run, its first bit is carried to the place behind it: so the runs that begin at an
    even place end where a carry arrives. One more word takes the end of a run that ends with the text.
    """
    high = np.append(high, np.uint64(0))
    runs = Bits(high)
    behind = runs.after().without(runs).words
    from_even = runs.without(runs.after()).words & _EVEN
    carried = high + from_even
    carries = carried < high
    for full in np.flatnonzero(high == _ALL):
        carries[full] |= carries[full - 1]
    carried[1:] += carries[:-1]
    even = carried & ~high
    return Bits((even & ~_EVEN) | (behind & ~even & _EVEN))

"""Records of delimited text: found, counted and checked without a step of Python per row.

Polars fills short rows with nulls, drops the end of long ones when told to, and shifts rows after
a stray quote. So every record's fields are counted here first; what does not fit is refused as a
row with its raw text, never repaired.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tasks.errors import BadFileError
from tasks.sources.bits import Bits, Places

MAX_RECORD_BYTES = 1 << 20
"""A record longer than this is damage or an attack: the widest real export has 90 short columns."""
_SHOWN_BYTES = 4096
"""What is kept of a record that is too long."""
_RULES = ("", "record_too_long", "nul_byte", "stray_quote", "wrong_field_count")
"""Reasons why a record cannot be taken apart, the weightiest first."""


class Dialect(NamedTuple):
    """How records of a file look."""

    separator: str
    columns: int
    skipped: int
    """Records above the first row of data, the header included."""
    encoding: str = "utf-8"
    """Of the text, for the raw records that are shown; commas, quotes and line ends look the same in every one."""


class Records(NamedTuple):
    """The sound records of one chunk, and those refused: row_number, rule, raw text."""

    text: bytes
    numbers: Places
    refused: list[tuple[int, str, str]]


def read_records(blocks: Iterator[bytes], dialect: Dialect, name: str) -> Iterator[Records]:
    """Split text into records, chunk by chunk; a quoted field may hold line ends, blank lines are no records.

    Raises:
        BadFileError: a quote that is never closed, or one that joins lines which may be rows of their own.
    """
    splitter = _Splitter(dialect, name)
    for block in blocks:
        yield splitter.take(block)
    yield splitter.finish()


@dataclass
class _Overlong:
    """A record that is too long to be kept: its beginning, and whether a quote is open at its present end."""

    shown: bytes
    in_quotes: bool


class _Splitter:
    """Cuts a stream of text into records; keeps what the last block left open, at most one record long."""

    def __init__(self, dialect: Dialect, name: str) -> None:
        self._dialect = dialect
        self._name = name
        self._rest = b""
        self._overlong: _Overlong | None = None
        self._seen = -dialect.skipped

    def take(self, block: bytes) -> Records:
        """The records that end in this block."""
        refused: list[tuple[int, str, str]] = []
        if self._overlong:
            block = self._skip(block, refused)
        data = self._rest + block
        marks = _Marks(data, self._dialect.separator)
        end = int(marks.ends[-1]) + 1 if marks.ends.size else 0
        body, self._rest = data[:end], data[end:]
        if marks.has_quoted_crlf:
            body = body.replace(b"\r\n", b"\n")
            marks = _Marks(body, self._dialect.separator)
        found = self._judge(body, marks)
        if len(self._rest) > MAX_RECORD_BYTES:
            self._drop_rest()
        return Records(found.text, found.numbers, refused + found.refused)

    def finish(self) -> Records:
        """The last record, when no line end follows it."""
        if self._overlong and self._overlong.in_quotes:
            raise self._never_closed()
        records = self.take(b"\n") if self._rest or self._overlong else Records(b"", np.empty(0, np.int64), [])
        if self._rest:
            raise self._never_closed()
        return records

    def _judge(self, body: bytes, marks: "_Marks") -> Records:
        """Number the records of `body`, and part the sound ones from the others."""
        starts, ends = marks.starts, marks.ends
        rules = marks.rules(self._dialect.columns)
        is_blank = np.zeros(ends.size, bool)
        for i in np.flatnonzero((rules == _RULES.index("wrong_field_count")) | (ends == starts)):
            is_blank[i] = not body[starts[i] : ends[i]].strip()
        numbers = self._seen + np.cumsum(~is_blank)
        self._seen = int(numbers[-1]) if numbers.size else self._seen
        is_row = ~is_blank & (numbers > 0)
        bad = np.flatnonzero(is_row & (rules > 0))
        self._refuse_swallowed(bad[marks.lines[bad] > 1], marks, numbers)
        refused = [(int(numbers[i]), _RULES[rules[i]], self._shown(body[starts[i] : ends[i]])) for i in bad]
        good = is_row & (rules == 0)
        return Records(_gather(body, good, starts, ends), numbers[good], refused)

    def _refuse_swallowed(self, swallowed: Places, marks: "_Marks", numbers: Places) -> None:
        if swallowed.size:
            i = swallowed[0]
            raise self._joined(int(numbers[i]), f"{marks.lines[i]} lines")

    def _drop_rest(self) -> None:
        """Keep the beginning alone of a record that is already too long."""
        if b"\n" in self._rest:
            raise self._joined(self._seen + 1, "2 lines and more")
        self._overlong = _Overlong(self._rest[:_SHOWN_BYTES], self._rest.count(b'"') % 2 == 1)
        self._rest = b""

    def _skip(self, block: bytes, refused: list[tuple[int, str, str]]) -> bytes:
        """Look for the end of the record that is too long; return what follows it."""
        record = self._overlong or _Overlong(b"", in_quotes=False)
        end = block.find(b"\n")
        record.in_quotes ^= block.count(b'"', 0, end if end >= 0 else len(block)) % 2 == 1
        if end < 0:
            return b""
        self._seen += 1
        if record.in_quotes:
            raise self._joined(self._seen, "2 lines and more")
        self._overlong = None
        if self._seen > 0:
            refused.append((self._seen, "record_too_long", self._shown(record.shown)))
        return block[end + 1 :]

    def _shown(self, raw: bytes) -> str:
        """The raw text of a record; of one that is too long its beginning."""
        text = raw[:_SHOWN_BYTES] if len(raw) > MAX_RECORD_BYTES else raw.removesuffix(b"\r")
        return text.decode(self._dialect.encoding, errors="ignore")

    def _joined(self, number: int, lines: str) -> BadFileError:
        return BadFileError(
            f"{self._name}: from row {number} on, a quote joins {lines}",
            expected="quotes around whole fields", next_step="export it again; those rows cannot be told apart",
        )  # fmt: skip

    def _never_closed(self) -> BadFileError:
        return BadFileError(
            f"{self._name}: the quote opened in row {self._seen + 1} is never closed", expected="balanced quotes",
            next_step="export it again; rows behind an open quote cannot be told apart",
        )  # fmt: skip


def _gather(body: bytes, good: NDArray[np.bool_], starts: Places, ends: Places) -> bytes:
    """The good records one after another; `body` itself when there are no others."""
    if good.all():
        return body
    edges = np.flatnonzero(np.diff(np.concatenate(([0], good.astype(np.int8), [0]))))
    return b"".join(body[starts[a] : ends[b - 1] + 1] for a, b in edges.reshape(-1, 2))


class _Marks:
    """Where the records of a text begin and end, and what is wrong with each."""

    def __init__(self, data: bytes, separator: str) -> None:
        self._data = np.frombuffer(data, np.uint8)
        self._separator = separator.encode()
        self._separators = Bits.of(self._data, self._separator)
        self._line_ends = Bits.of(self._data, b"\n")
        self._quotes = Bits.of(self._data, b'"') if b'"' in data else None
        self._nul = b"\0" in data
        self._has_cr = b"\r" in data
        self._quoted = self._quotes.parity() if self._quotes else None
        self.ends = self._outside(self._line_ends).places()
        self.starts = np.concatenate(([0], self.ends[:-1] + 1)) if self.ends.size else self.ends

    @property
    def has_quoted_crlf(self) -> bool:
        """Whether a cell may hold a line end of two characters; one line end is as good as another."""
        return self._quoted is not None and self._quoted.meets(self._line_ends) and self._has_cr

    def _outside(self, places: Bits) -> Bits:
        return places.without(self._quoted) if self._quoted else places

    @property
    def lines(self) -> Places:
        """Lines of each record."""
        return self._within(self._line_ends.without(self._outside(self._line_ends))) + 1

    def _within(self, places: Bits) -> Places:
        """How many of the places each record holds, none of which may be a record's end."""
        return np.diff(places.count_before(self.ends), prepend=0)

    def rules(self, columns: int) -> NDArray[np.int8]:
        """For each record the index of the weightiest rule that it breaks; 0 is sound."""
        rules = np.zeros(self.ends.size, np.int8)
        if not self.ends.size:
            return rules
        rules[self._within(self._outside(self._separators)) != columns - 1] = _RULES.index("wrong_field_count")
        rules[self._records_at(self._stray())] = _RULES.index("stray_quote")
        if self._nul:
            rules[self._records_at(Bits.of(self._data, b"\0").places())] = _RULES.index("nul_byte")
        rules[self.ends - self.starts > MAX_RECORD_BYTES] = _RULES.index("record_too_long")
        return rules

    def _records_at(self, places: Places) -> Places:
        records = np.searchsorted(self.ends, places)
        return records[records < self.ends.size]

    def _stray(self) -> Places:
        """Quotes that neither open a field, nor close one, nor stand doubled inside one."""
        if self._quotes is None or self._quoted is None:
            return np.empty(0, np.int64)
        edges = self._separators | self._line_ends
        opening, closing = self._quotes & self._quoted, self._quotes.without(self._quoted)
        odd = opening.without(edges.after(start=True) | closing.after()).places()
        stray = closing.without((edges | opening).before()).places()
        stray = stray[~self._ends_line(stray + 1)]
        return np.concatenate((odd[~self._is_formula(odd, closing)], stray)) if odd.size else stray

    def _ends_line(self, places: Places) -> NDArray[np.bool_]:
        """Whether a line end of two characters stands there."""
        last = self._data.size - 1
        first, second = self._data[np.minimum(places, last)], self._data[np.minimum(places + 1, last)]
        is_end: NDArray[np.bool_] = (first == ord("\r")) & (second == ord("\n"))
        return is_end

    def _is_formula(self, odd: Places, closing: Bits) -> NDArray[np.bool_]:
        """Whether an opening quote is that of `="…"`, which spreadsheets are told to keep an id with.

        Polars does not see a quoted field there: what it would split must not stand inside.
        """
        before, edge = self._data[np.maximum(odd - 1, 0)], self._data[np.maximum(odd - 2, 0)]
        begins = (odd == 1) | ((odd > 1) & ((edge == ord(self._separator)) | (edge == ord("\n"))))
        splits = self._separators | self._line_ends
        is_whole = splits.count_before(closing.next_from(odd)) == splits.count_before(odd)
        is_formula: NDArray[np.bool_] = (before == ord("=")) & begins & is_whole
        return is_formula

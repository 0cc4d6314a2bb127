"""A file's rows as text: one column per header of the layout, in the layout's words and the file's quirks."""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from infra.exports.cells import print_cells
from infra.exports.draw import ROW, drawn
from infra.exports.fill import zone_of
from infra.exports.filler import fill, unknown_headers
from infra.exports.places import labelled, places_of
from infra.exports.quirks import Quirks
from infra.exports.spoil import spoil
from infra.exports.together import told_of
from infra.exports.words import WORD
from tasks.sources.layouts import Layout

_RICHEST = ("instant", "code", "money", "labelled_money", "id", "phones", "phone")
"""Of several columns read from one header, the one by whose parser the cell is printed."""
_OTHER_FORMS = str.maketrans("()（）", "（）()")


@dataclass(frozen=True)
class Sheet:
    """How the rows of one file are printed."""

    layout: Layout
    quirks: Quirks
    zone: str
    """Business zone, for times whose layout names none."""
    seed: str

    @property
    def printed(self) -> dict[str, str]:
        """Header to the column that is printed there: of several, the one whose parser shows most."""
        found: dict[str, list[str]] = {}
        for name, headers in places_of(self.layout, self.seed).items():
            for header in headers:
                found.setdefault(header, []).append(name)
        return {header: min(names, key=self._rank) for header, names in found.items()}

    def _rank(self, name: str) -> tuple[bool, int]:
        cell = self.layout.columns[name]
        return bool(cell.extract), _RICHEST.index(cell.parse) if cell.parse in _RICHEST else len(_RICHEST)

    @property
    def headers(self) -> list[str]:
        """The headers in order, as the layout spells them; `分销员#2` stands behind `分销员`."""
        read = list(self.printed)
        unread = [header for header in self.layout.known if header not in read and not self._is_left_out(header, read)]
        more = unknown_headers(self.seed) if self.quirks.more_columns else ()
        headers = [*read, *unread, *more]
        if self.quirks.shuffled_columns:
            headers.sort(key=lambda header: drawn(f"{self.seed}/{header.partition('#')[0]}", 1 << 30))
        return headers

    def _is_left_out(self, header: str, read: list[str]) -> bool:
        """Unread headers that the seller did not pick, and those of the JSON branch that the file does not use."""
        root = header.partition(".")[0].removesuffix("[]")
        if root in self.layout.each and not any(other.startswith(root) for other in read):
            return True
        return self.quirks.fewer_columns and drawn(f"{self.seed}/drop/{header.partition('#')[0]}", 3) == 0

    @property
    def titles(self) -> list[str]:
        """The headers as they stand in the file."""
        return [self._title(header) for header in self.headers]

    def _title(self, header: str) -> str:
        text, mark, number = header.rpartition("#")
        plain = text if mark and number.isdigit() else header
        formed = plain.translate(_OTHER_FORMS) if self.quirks.header_forms else plain
        spaced = self.quirks.header_spaces and drawn(f"space behind {header}", 3) == 0
        return f"{formed} " if spaced else formed

    def slices(self, rows: pl.DataFrame, size: int = 50_000) -> Iterator[pl.DataFrame]:
        """The rows as text, a slice at a time; columns are named by their headers."""
        printed, headers = self.printed, self.headers
        repeats = pl.col("record_number") == pl.col("record_number").shift(1)
        marked = rows.with_columns(is_continuation=repeats.fill_null(value=False))
        for part in marked.iter_slices(size):
            yield pl.DataFrame([self._column(part, header, printed.get(header)).alias(header) for header in headers])

    def _column(self, rows: pl.DataFrame, header: str, name: str | None) -> pl.Series:
        if name is None:
            told = told_of(header, rows, self.zone)
            return rows.select(text=fill(header, self.layout.name) if told is None else told)["text"]
        cell = self.layout.columns[name]
        word = WORD + header
        shown = rows.select(ROW, value=pl.col(word if word in rows.columns else name))
        if cell.parse == "instant" and shown["value"].dtype == pl.String:  # one text that several columns share
            cell = cell.model_copy(update={"parse": "text", "patterns": ()})
        if cell.gathered:
            shown = shown.with_columns(pl.col("value").str.strip_prefix(labelled("")))
        text = print_cells(shown, cell, self.quirks, zone_of(self.layout, cell, self.zone))
        if cell.joined:
            parts = text.str.splitn(" ", len(cell.joined)).struct.rename_fields(list(cell.joined))
            text = parts.struct.field(header).fill_null("")
        text = spoil(text, rows, self.layout, name)
        is_blank = self.quirks.blank_repeats and (cell.order_level or (name == "order_id" and self.layout.fill_down))
        return text.set(rows["is_continuation"], "") if is_blank else text

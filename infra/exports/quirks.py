"""The quirks of real exports, each to be switched on or off."""

from dataclasses import dataclass, fields
from typing import Any, Literal

from infra.exports.draw import drawn


@dataclass(frozen=True)
class Quirks:
    """How a file differs from the plain one that says the same; everything off is the plain one."""

    encoding: Literal["utf-8", "utf-8-sig", "gb18030"] = "utf-8"
    line_end: Literal["\n", "\r\n"] = "\n"
    wrap: Literal["", "gz", "zip", "zip in gbk"] = ""
    quote_all: bool = False
    shuffled_columns: bool = False
    fewer_columns: bool = False
    """Some of the headers that nobody reads are not there: the seller did not pick them."""
    more_columns: bool = False
    """Headers that no layout knows."""
    trailing_comma: bool = False
    title_lines: int = 0
    header_spaces: bool = False
    header_forms: bool = False
    """Full-width brackets for half-width ones and the other way round, capitals for small letters."""
    wrapped_ids: Literal["", "formula", "apostrophe", "tab before", "tab behind"] = ""
    tabs: bool = False
    """A TAB behind every text, amounts too."""
    money: Literal["plain", "thousands", "yen", "full-width yen", "yuan", "dollar", "remark"] = "plain"
    times: Literal["dashes", "slashes", "chinese", "offset", "cells"] = "dashes"
    """`cells` are real date cells of a workbook."""
    numbers: bool = False
    """Amounts as number cells of a workbook."""
    code_forms: bool = False
    """Full-width punctuation for half-width and the other way round in status words."""
    phone_forms: bool = False
    """`+86 154…`, `86-154…`."""
    blanks: Literal["", "-", "--", "—", "/", " "] = ""
    blank_repeats: bool = False
    """Order columns are blank on the second and later lines of an order."""
    several_sheets: bool = False
    false_dimension: bool = False


PLAIN = Quirks()


def quirks_of(seed: int) -> Quirks:
    """A mixture of quirks; every value of every quirk comes up over the seeds."""
    chosen: dict[str, Any] = {}
    for field in fields(Quirks):
        choices = _CHOICES.get(field.name, (False, True))
        chosen[field.name] = choices[drawn(f"quirk/{field.name}/{seed}", len(choices))]
    return Quirks(**chosen)


_CHOICES: dict[str, tuple[object, ...]] = {
    "encoding": ("utf-8", "utf-8-sig", "gb18030"),
    "line_end": ("\n", "\r\n"),
    "wrap": ("", "gz", "zip", "zip in gbk"),
    "title_lines": (0, 0, 1, 3),
    "wrapped_ids": ("", "formula", "apostrophe", "tab before", "tab behind"),
    "money": ("plain", "thousands", "yen", "full-width yen", "yuan", "dollar", "remark"),
    "times": ("dashes", "slashes", "chinese", "offset", "cells"),
    "blanks": ("", "-", "--", "—", "/", " "),
}

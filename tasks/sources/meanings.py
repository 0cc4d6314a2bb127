"""What a rule of the quarantine means in words, and what a person can do about it."""

from collections.abc import Iterator
from typing import NamedTuple

from expectations.rules import Rule, rules_of
from expectations.tables import TABLES


class Meaning(NamedTuple):
    """A rule explained."""

    what: str
    """What was found, in a sentence."""
    remedy: str
    """What to do next."""


_EXPORT_AGAIN = "look at the row in the exported file; most often the export is damaged there: fetch it again"
_OF_ROWS = {
    "wrong_field_count": Meaning(
        "The row has more or fewer fields than the header.",
        "a separator stands unquoted inside a field, or a line end does: put the field into quotes",
    ),
    "stray_quote": Meaning(
        "A quote stands inside a field that is not quoted, or behind one that is.",
        'double the quote ("") and put the field into quotes',
    ),
    "nul_byte": Meaning("The row holds a NUL byte, which no text has.", _EXPORT_AGAIN),
    "record_too_long": Meaning("The row is longer than a mebibyte: damage, or an attack.", _EXPORT_AGAIN),
    "not_a_json_object": Meaning(
        "The line is no JSON object.", "it may be cut off: complete the object or fetch it again"
    ),
    "no_usable_key": Meaning(
        "The row carries no key by which anybody could be known: all are blank, masked or encrypted.",
        "export it with a decrypted phone or a member number; without one it is of no use",
    ),
    "sibling_line_refused": Meaning(
        "Another line of the same order was refused: an order enters whole or not at all.",
        "correct the other line; both come in together",
    ),
    "foreign_currency": Meaning(
        "The row is in another currency than the brand's.",
        "one lake counts one currency: ingest such rows under a brand of that currency",
    ),
    "erased_person": Meaning(
        "The row is about somebody who asked to be forgotten; it is not kept, and its value is not shown.",
        "nothing here; ask the shop that exported it to erase the person as well",
    ),
    "lines_disagree": Meaning("The lines of one order name two buyers.", "find out which is right, or split the order"),
}
_FAULTS = {
    "unreadable": Meaning("The text in `{column}` cannot be read as what the layout says.", "correct the value"),
    "implausible": Meaning("The time in `{column}` is before 2000 or after 2100.", "correct the value"),
    "destroyed": Meaning(
        "The id in `{column}` went through a spreadsheet, which left something like 6.9E+18: its digits are gone.",
        "fetch the export again and do not open it in a spreadsheet; the id cannot be guessed",
    ),
    "spreadsheet_error": Meaning(
        "The cell of `{column}` holds an error of the spreadsheet, such as #N/A.", "correct the formula, or the value"
    ),
    "control_character": Meaning("The text in `{column}` holds a control character.", "delete the character"),
    "skipped_by_clock_change": Meaning(
        "The time in `{column}` never was: clocks went forward over it.",
        "the layout's `zone` may be wrong; else correct the time",
    ),
    "unknown_code": Meaning(
        "The word in `{column}` is none that the layout knows.",
        "add the word to the column's `codes` (a layout of the brand's own takes the place of ours), then ingest again",
    ),
    "missing": Meaning("`{column}` is blank, and the row is of no use without it.", "fill the value in"),
    "too_small": Meaning("`{column}` is smaller than it can be.", "correct the value, or map a column that fits"),
    "too_large": Meaning("`{column}` is larger than it can be.", "correct the value, or map a column that fits"),
}
_CORRECT = "correct the row; if many have it, declare a correction (docs/sources.md)"


def meaning_of(rule: str, column: str | None = None) -> Meaning:
    """What a rule means; a rule that nobody knows says so."""
    if rule in _OF_ROWS:
        return _OF_ROWS[rule]
    own = declared_rules().get(rule)
    told = _of_fault(rule, column or (own.column if own else ""))
    if told is not None:
        return told
    if own is not None:
        return Meaning(f"`{own.column}`: {own.hint}; this row breaks it.", _CORRECT)
    return Meaning(f"A rule of an earlier version of Strata, about {column or 'the row'}.", "look at the row")


def declared_rules() -> dict[str, Rule]:
    """Every row rule of every table, by name."""
    return {rule.name: rule for table in TABLES for rule in rules_of(table)}


def known_rules() -> Iterator[str]:
    """Every rule that is explained by its own name; a fault comes behind its column's name."""
    yield from sorted({*_OF_ROWS, *declared_rules()})


def _of_fault(rule: str, column: str) -> Meaning | None:
    for fault, told in _FAULTS.items():
        if rule == f"{column}_{fault}" or (not column and rule.endswith(f"_{fault}")):
            what = told.what.format(column=column or rule.removesuffix(f"_{fault}"))
            return Meaning(what, told.remedy)
    return None

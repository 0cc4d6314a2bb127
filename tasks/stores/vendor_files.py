"""A vendor's files as bytes: rows rendered by the vendor's profile, the same rows always to the same bytes.

The last row carries no line end: vendors' consoles count a blank line at the end as a bad number.
"""

import hashlib
from typing import Final, NamedTuple

import polars as pl

from tasks.errors import BadPolicyError, SecurityRefusedError
from tasks.policy.vendors import Vendor

CONTACT: Final = "contact"
RECALL_NAME: Final = "recall.csv"
_LINE_ENDS: Final = {"lf": "\n", "crlf": "\r\n"}
_FORMULA: Final = r"^[=+\-@\t\r\n\x00＝＋－＠]"
_PLAIN_CONTACT: Final = r"^\+?[0-9A-Za-z][\x21\x23-\x2b\x2d-\x7e]*$"
"""What can stand in a file without quotes or an apostrophe: printable ASCII, no comma, no quote, no formula."""


class File(NamedTuple):
    """One file of a revision, before it is stored."""

    name: str
    data: bytes
    rows: int

    @property
    def sha256(self) -> str:
        """SHA-256 of the bytes."""
        return hashlib.sha256(self.data).hexdigest()


def is_plain_contact(contact: pl.Expr) -> pl.Expr:
    """True where a contact can be written as it is; whoever has another one cannot be reached by file."""
    return contact.str.contains(_PLAIN_CONTACT).fill_null(False)


def render_parts(rows: pl.DataFrame, vendor: Vendor) -> tuple[File, ...]:
    """The parts of a revision in order of name; each has the header, if the profile wants one.

    `rows` has `contact` and the template's variables as text, one row per message, in the order of
    the file. No rows give no parts.

    Raises:
        SecurityRefusedError: a contact cannot be written safely; it is counted, never shown.
        BadPolicyError: the profile wants a variable that the campaign does not give.
    """
    _check_contacts(rows, vendor)
    cells = rows.select(_cell(column.source, vendor).alias(column.header) for column in vendor.columns)
    slices = cells.iter_slices(vendor.rows_per_part) if rows.height else ()
    return tuple(File(f"part-{n:05d}.csv", _encode(part, vendor), part.height) for n, part in enumerate(slices))


def render_recall(contacts: pl.DataFrame, vendor: Vendor) -> File | None:
    """The file of those withdrawn since an earlier revision, by the contact used then; None when nobody is."""
    if contacts.is_empty():
        return None
    _check_contacts(contacts, vendor)
    headers = {column.source: column.header for column in vendor.columns}
    listed = contacts.select(pl.col(CONTACT).alias(headers.get(CONTACT, CONTACT)))
    return File(RECALL_NAME, _encode(listed, vendor), listed.height)


def variables_of(vendor: Vendor) -> tuple[str, ...]:
    """The template variables that the profile writes, in order of its columns."""
    return tuple(c.source.partition(":")[2] for c in vendor.columns if c.source != CONTACT)


def check_profile(vendor: Vendor, columns: list[str]) -> None:
    """Raise BadPolicyError where the profile wants a column that is not given."""
    missing = [name for name in (CONTACT, *variables_of(vendor)) if name not in columns]
    if missing:
        raise BadPolicyError(
            f"vendor {vendor.code} writes {', '.join(missing)}, which the campaign does not give",
            expected=f"variables among {', '.join(sorted(columns))}",
            next_step="add the variable to the campaign, or take the column out of the vendor's profile",
        )


def _cell(source: str, vendor: Vendor) -> pl.Expr:
    """One column's text. Contacts are never touched, texts are made safe for spreadsheets."""
    kind, _, name = source.partition(":")
    if kind == CONTACT:
        return pl.col(CONTACT)
    if kind != "variable":
        raise BadPolicyError(
            f"vendor {vendor.code}: column source `{source}`", expected="`contact` or `variable:<name>`"
        )
    text = pl.col(name).cast(pl.String)
    return _safe_text(text.replace("", None))  # Polars quotes an empty text and leaves a null bare


def _safe_text(text: pl.Expr) -> pl.Expr:
    """Text that no spreadsheet runs: an apostrophe goes before what begins like a formula (ASVS 1.2.10).

    Quoting alone does not help; full-width signs count, because Excel folds them.
    """
    return pl.when(text.str.contains(_FORMULA)).then(pl.concat_str(pl.lit("'"), text)).otherwise(text)


def _encode(cells: pl.DataFrame, vendor: Vendor) -> bytes:
    line_end = _LINE_ENDS[vendor.line_end]
    text = cells.write_csv(include_header=vendor.with_header, line_terminator=line_end, quote_style="necessary")
    return text.removesuffix(line_end).encode(vendor.encoding)


def _check_contacts(rows: pl.DataFrame, vendor: Vendor) -> None:
    unsafe = rows.height - int(rows.select(is_plain_contact(pl.col(CONTACT)).sum()).item())
    if unsafe:
        raise SecurityRefusedError(
            f"{unsafe} contacts for {vendor.code} are empty or hold a space, comma, quote or control character",
            expected="contacts as the vault normalised them",
            next_step="drop them before publishing; `is_plain_contact` finds them",
        )

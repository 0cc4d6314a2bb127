"""A vendor's files as bytes: rows rendered by the vendor's profile, the same rows always to the same bytes."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Final, Literal, NamedTuple

import polars as pl

from tasks.errors import SecurityRefusedError
from tasks.policy.vendors import Vendor
from tasks.stores.vendor.archive import most_inside, pack
from tasks.stores.vendor.cells import CONTACT, cells, check_profile, headers_of, variables_of
from tasks.stores.vendor.forms import can_carry, is_plain_contact, may_be_one, same_id, written_id
from tasks.stores.vendor.lines import line_parts
from tasks.stores.vendor.order import apart
from tasks.stores.vendor.requests import request_parts
from tasks.stores.vendor.workbook import workbook_parts

__all__ = [
    "CONTACT", "File", "can_carry", "check_profile", "headers_of", "is_plain_contact", "may_be_one", "render_parts",
    "render_recall", "same_id", "variables_of",
]  # fmt: skip
_RECALL: Final = "recall"


class File(NamedTuple):
    """One file of a revision, before it is stored."""

    name: str
    data: bytes
    rows: int
    kind: Literal["part", "recall"] = "part"

    @property
    def sha256(self) -> str:
        """SHA-256 of the bytes."""
        return hashlib.sha256(self.data).hexdigest()


def render_parts(rows: pl.DataFrame, vendor: Vendor, told: Mapping[str, str] | None = None) -> Iterator[File]:
    """The parts of a revision in order of name, each made when it is asked for.

    `rows` has `contact` and the template's variables as text, one row per message, in the order of
    the file; `told` has what requests say beside (send_id, seq, template). No rows give no parts.

    Raises:
        SecurityRefusedError: a contact cannot be written safely, or one row exceeds a file; nobody is shown.
        BadPolicyError: the profile wants a variable that the campaign does not give.
    """
    check_profile(vendor, rows.columns)
    _check_contacts(rows, vendor)
    groups = apart(rows, vendor) if rows.height else iter(())
    return _named((part for group in groups for part in _parts(group, vendor, told or {})), vendor)


def _named(parts: Iterator[tuple[bytes, int]], vendor: Vendor) -> Iterator[File]:
    for n, (data, count) in enumerate(parts):
        stem = vendor.file_name.replace("{n}", f"{n:05d}")
        yield File(f"{stem}{vendor.suffix}", pack(data, stem, vendor), count)


def render_recall(contacts: pl.DataFrame, vendor: Vendor) -> File | None:
    """The file of those withdrawn since an earlier revision, by the contact used then; None when nobody is.

    It has the ids alone, in the form of the parts: a workbook where these are workbooks, else lines.
    """
    if contacts.is_empty():
        return None
    _check_contacts(contacts, vendor)
    header = next(column.header for column in vendor.columns if column.source == CONTACT)
    whole = vendor.model_copy(
        update={
            "rows_per_part": contacts.height, "bytes_per_part": None, "request": None,
            "format": "txt" if vendor.request else vendor.format,
            "with_header": vendor.with_header and not vendor.request,
        }
    )  # fmt: skip
    listed = contacts.select(written_id(pl.col(CONTACT), vendor).alias(header))
    ((data, count),) = workbook_parts(listed, whole) if whole.format == "xlsx" else line_parts(listed, whole, None)
    return File(f"{_RECALL}{whole.suffix}", pack(data, _RECALL, whole), count, "recall")


def _parts(rows: pl.DataFrame, vendor: Vendor, told: Mapping[str, str]) -> Iterator[tuple[bytes, int]]:
    """Content and rows of each part, before it is packed."""
    if vendor.format == "xlsx":
        return workbook_parts(cells(rows, vendor), vendor)
    if vendor.request:
        signed = {"signature": (vendor.sms and vendor.sms.signature) or "", **told}
        formed = rows.with_columns(written_id(pl.col(CONTACT), vendor).alias(CONTACT))
        texts = formed.select(CONTACT, pl.col(variables_of(vendor, rows.columns)).cast(pl.String))
        return request_parts(texts, vendor, vendor.request, most_inside(vendor), signed)
    return line_parts(cells(rows, vendor), vendor, most_inside(vendor))


def _check_contacts(rows: pl.DataFrame, vendor: Vendor) -> None:
    unsafe = rows.height - int(rows.select(can_carry(pl.col(CONTACT), vendor).sum()).item())
    if unsafe:
        raise SecurityRefusedError(
            f"{unsafe} contacts for {vendor.code} are empty, or hold a space, comma, quote or control character, or "
            "have no form that the vendor takes",
            expected="contacts as the vault normalised them, in the vendor's form",
            next_step="drop them before publishing; `can_carry` finds them",
        )

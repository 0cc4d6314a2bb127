"""A vendor's side of a file: readers and digests that share no code with what wrote it."""

import csv
import gzip
import hashlib
import io
import json
import zipfile
from typing import Any

from python_calamine import CalamineWorkbook

from tasks.policy.load import with_preset
from tasks.policy.vendors import Vendor
from tasks.stores.vendor_files import File

HOSTILE = (
    "=cmd|' /C calc'!A0", "＝1+1", "@SUM(1)", "+1", "-2", "a\tb", "\tx", "两\n行", 'say "hi", now', "逗,号;分号",
    "😀👨‍👩‍👧",
    "\u202eabc\u202c", "x" * 10_000, "", "王", "'", "1e5", "007", "_x0041_", "NULL", "\u200b零宽",
)  # fmt: skip
"""Texts that a nickname may hold, and that spreadsheets, parsers and consoles stumble over."""
STORED = {
    "phone": lambda n: f"138{n:08d}", "email": lambda n: f"some.one{n}+news@gmail.com",
    "push_token": lambda n: f"{n:08d}aBcD{n:020d}", "external_userid": lambda n: f"wmAJ2GCAAAme1XQRC-NI{n:08d}",
    "member": lambda n: f"V{n:07d}",
}  # fmt: skip


def profile(name: str, **more: Any) -> Vendor:
    """A shipped profile as a brand would take it."""
    given = {"preset": name, "code": "v"} | ({"sms": {"signature": "青禾"}} if "sms" in name else {}) | more
    return Vendor.model_validate(with_preset("vendors", given))


def expected_id(contact: str, vendor: Vendor) -> str:
    """The id that the vendor's own documents ask for, in plain Python."""
    form = vendor.contact_form
    if form in {"bare11", "cc_digits", "e164"}:
        contact = {"bare11": "", "cc_digits": "86", "e164": "+86"}[form] + contact
    if form == "email_google":
        name, _, domain = contact.strip().lower().partition("@")
        contact = f"{name.partition('+')[0].replace('.', '')}@{domain}" if domain == "gmail.com" else contact
    if vendor.hash == "none":
        return contact
    return hashlib.new(vendor.hash, contact.encode(), usedforsecurity=False).hexdigest()


def opened(file: File, vendor: Vendor) -> bytes:
    """What is in the file once it is unpacked."""
    if vendor.compress == "gzip":
        return gzip.decompress(file.data)
    if vendor.compress == "zip":
        with zipfile.ZipFile(io.BytesIO(file.data)) as archive:
            (only,) = archive.infolist()
            assert not only.is_dir()
            assert "/" not in only.filename
            return archive.read(only)
    return file.data


def table(file: File, vendor: Vendor) -> list[list[str]]:
    """The rows of a file of lines or of a workbook, its header first where there is one."""
    if vendor.format == "xlsx":
        rows = CalamineWorkbook.from_filelike(io.BytesIO(file.data)).get_sheet_by_index(0).to_python()
        assert all(isinstance(cell, str) for row in rows for cell in row)
        return [[str(cell) for cell in row] for row in rows]
    text = opened(file, vendor).decode(vendor.encoding)
    if vendor.format == "txt":
        return [line.split(",") for line in text.split({"lf": "\n", "crlf": "\r\n"}[vendor.line_end])]
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


def requests(file: File, vendor: Vendor) -> list[dict[str, Any]]:
    """The requests of a file."""
    data = opened(file, vendor)
    return [json.loads(data)] if vendor.format == "json" else [json.loads(line) for line in data.split(b"\n")]


def ids_in(file: File, vendor: Vendor) -> list[str]:
    """The ids of a file in its order."""
    if not vendor.request:
        rows = table(file, vendor)
        place = [column.source for column in vendor.columns].index("contact")
        return [row[place] for row in (rows[1:] if vendor.with_header else rows)]
    naming = next(field for field in vendor.request.fields if field.source in {"contact", "row"})
    found: list[str] = []
    for body in requests(file, vendor):
        held: Any = body
        for step in naming.name.split("."):
            held = held[step]
        entries = [held] if naming.take == "shared" else held.split(naming.join) if naming.join else held
        found += [entry.split(",")[0] for entry in entries]
    return found

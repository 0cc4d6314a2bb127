"""What a file is, by its first bytes; its name does not count."""

from pathlib import Path

HEAD_BYTES = 1_024
ZIP, GZIP, COMPOUND, PLAIN = "zip", "gzip", "compound", "plain"
_MAGIC = {
    b"PK\x03\x04": ZIP, b"PK\x05\x06": ZIP, b"PK\x07\x08": ZIP, b"\x1f\x8b": GZIP, b"\xd0\xcf\x11\xe0": COMPOUND,
    b"Rar!": "a RAR archive", b"7z\xbc\xaf": "a 7z archive", b"BZh": "a bzip2 file", b"\xfd7zXZ": "an xz file",
    b"\x28\xb5\x2f\xfd": "a zstd file", b"%PDF": "a PDF", b"\x89PNG": "a picture", b"\xff\xd8\xff": "a picture",
    b"MZ": "a program", b"\x7fELF": "a program",
}  # fmt: skip
_TAR_AT, _TAR = 257, b"ustar"
_MARKUP = {
    b"<!doctype html": "a web page", b"<html": "a web page", b"<table": "a web page", b"<?xml": "an XML document",
}  # fmt: skip


def kind_of(path: Path) -> str:
    """One of the four kinds above, or words for what nobody can read as an export."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if head[_TAR_AT:].startswith(_TAR):
        return "a tar archive"
    found = next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), None)
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return found or next((kind for start, kind in _MARKUP.items() if text.startswith(start)), PLAIN)

"""Bytes of a file become cells of text. What a file is, its content says, never its name.

Text is decoded strictly: byte order mark, then UTF-8, then GB18030 (a superset of GBK and GB2312).
A lossy decoder would turn Chinese text into replacement marks without a word; UTF-16 read as UTF-8
gives rubbish rows and no error. So both are refused.
"""

import codecs

from tasks.errors import BadFileError
from tasks.sources.columnar import open_parquet
from tasks.sources.delimited import open_delimited
from tasks.sources.documents import open_documents
from tasks.sources.opened import Opened

_UTF16_OR_32 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_FOREIGN = {
    b"PK\x03\x04": "a zip file or a workbook",
    b"\x1f\x8b": "a gzip file",
    b"\xd0\xcf\x11\xe0": "an old workbook",
}


def open_export(data: bytes, name: str) -> Opened:
    """Take a CSV, Parquet or JSON lines file apart.

    Raises:
        BadFileError: empty, of another kind, or not decodable as a whole.
    """
    if not data.strip():
        raise BadFileError(f"{name} is empty", expected="a header and rows", next_step="export it again")
    if data.startswith(b"PAR1"):
        return open_parquet(data, name)
    for magic, what in _FOREIGN.items():
        if data.startswith(magic):
            raise BadFileError(
                f"{name} is {what}", expected="CSV, Parquet or JSON lines", next_step="unpack it or export it as CSV"
            )
    text, encoding = decode_text(data, name)
    reader = open_documents if text.lstrip().startswith("{") else open_delimited
    return reader(text, encoding, name)


def decode_text(data: bytes, name: str) -> tuple[str, str]:
    """Return the text with LF line ends, and the name of its encoding.

    Raises:
        BadFileError: UTF-16, a NUL byte in the header, CR-only line ends, or neither UTF-8 nor GB18030.
    """
    header = data[: data.find(b"\n") + 1] or data
    if data.startswith(_UTF16_OR_32) or b"\0" in header:  # a NUL further down condemns its row alone
        raise BadFileError(f"{name} is UTF-16 or not text", expected="UTF-8 or GB18030", next_step="save it as UTF-8")
    text, encoding = _strict(data, name)
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    if "\r" in text and "\n" not in text:
        raise BadFileError(
            f"{name} ends its lines with CR alone", expected="LF or CRLF", next_step="save it with Windows line ends"
        )
    return text, encoding


def _strict(data: bytes, name: str) -> tuple[str, str]:
    """Decode by mark, then UTF-8, then GB18030; a marked file is what its mark says or damaged."""
    marked = data.startswith(codecs.BOM_UTF8)
    for encoding in ("utf-8-sig",) if marked else ("utf-8", "gb18030"):
        try:
            return data.decode(encoding), encoding.removesuffix("-sig")
        except UnicodeDecodeError as error:
            at = error.start
    raise BadFileError(
        f"{name}: byte {at} is text neither in UTF-8 nor in GB18030" if not marked else
        f"{name} is marked as UTF-8, but byte {at} is not UTF-8",
        expected="one encoding throughout", next_step="export it again; a mixed or cut file cannot be trusted",
    )  # fmt: skip

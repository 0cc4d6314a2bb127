"""What kind of file this is, by its content and never by its name, and who takes it apart."""

from pathlib import Path

from tasks.errors import BadFileError
from tasks.sources.columnar import open_parquet
from tasks.sources.delimited import open_delimited
from tasks.sources.documents import open_documents
from tasks.sources.opened import CHUNK_BYTES, Opened
from tasks.sources.texts import sniff
from tasks.sources.workbook import open_workbook

_ZIP, _OLE, _GZIP, _PARQUET = b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\x1f\x8b", b"PAR1"


def open_export(path: Path, name: str, known: frozenset[str], chunk_bytes: int = CHUNK_BYTES) -> Opened:
    """Take an export file apart: delimited text, JSON, Parquet, or a workbook.

    Args:
        path: a plain file; archives are unpacked by then.
        name: the file's name, for messages.
        known: every normalised header of every layout; by them the header row is found.
        chunk_bytes: text taken apart at a time; the rows are the same whatever it is.

    Raises:
        BadFileError: empty, of another kind, or not decodable.
    """
    with path.open("rb") as file:
        magic = file.read(4)
    if magic == _PARQUET:
        return open_parquet(path, name)
    if magic in {_ZIP, _OLE}:
        return open_workbook(path, name, known)
    if magic.startswith(_GZIP):
        raise _foreign(name, "a gzip file")
    text = sniff(path, name)
    first = next(text.blocks(1 << 16), b"").lstrip()[:1]
    return (open_documents if first in {b"{", b"["} else open_delimited)(text, known, chunk_bytes)


def _foreign(name: str, what: str) -> BadFileError:
    return BadFileError(f"{name} is {what}", expected="CSV, Parquet or JSON", next_step="unpack it or export it as CSV")

"""A part packed alone. The same content always gives the same bytes: no name of a host, no time of day."""

import gzip
import io
import zipfile
from typing import Final

from tasks.policy.vendors import Vendor

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_READABLE: Final = 0o600 << 16
_UNIX: Final = 3


def pack(data: bytes, stem: str, vendor: Vendor) -> bytes:
    """The file as handed over; `stem` names it inside a zip, which holds nothing else and no folder."""
    match vendor.compress:
        case "gzip":
            return gzip.compress(data, mtime=0)
        case "zip":
            return _zipped(data, f"{stem}.{vendor.format}")
        case _:
            return data


def unpack(data: bytes, vendor: Vendor) -> bytes:
    """The file inside."""
    match vendor.compress:
        case "gzip":
            return gzip.decompress(data)
        case "zip":
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                return archive.read(archive.namelist()[0])
        case _:
            return data


def most_inside(vendor: Vendor) -> int | None:
    """Bytes that may be packed so that the archive keeps the vendor's limit, whatever they are.

    What cannot be compressed grows by 5 bytes in 16 KiB, and by the archive's own entries.
    """
    if vendor.bytes_per_part is None or vendor.compress == "none":
        return vendor.bytes_per_part
    return vendor.bytes_per_part - 1024 - vendor.bytes_per_part // 1024


def _zipped(data: bytes, name: str) -> bytes:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.compress_type, entry.external_attr, entry.create_system = zipfile.ZIP_DEFLATED, _READABLE, _UNIX
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w") as archive:
        archive.writestr(entry, data)
    return into.getvalue()

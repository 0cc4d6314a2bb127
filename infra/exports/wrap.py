"""A written file in a container: gzip, or a zip whose member's name is UTF-8 or, as many back offices do it, GBK."""

import gzip
import shutil
import zipfile
from pathlib import Path

_MOMENT = (1980, 1, 1, 0, 0, 0)
"""The time of every member, so that the same file gives the same container."""


def wrapped(path: Path, how: str) -> Path:
    """Put a file into its container and return the container; the bare file is gone then."""
    if not how:
        return path
    target = path.with_name(f"{path.name}.gz") if how == "gz" else path.with_suffix(".zip")
    if how == "gz":
        with path.open("rb") as source, gzip.GzipFile(target, "wb", mtime=0) as packed:
            shutil.copyfileobj(source, packed)
    else:
        _zip(path, target, f"导出_{path.name}", is_gbk=how == "zip in gbk")
    path.unlink()
    return target


def _zip(path: Path, target: Path, name: str, *, is_gbk: bool) -> None:
    """The library writes UTF-8 names alone, so a GBK name takes the place of one of the same length."""
    encoded = name.encode("gbk")
    standing = "N" * len(encoded)
    info = zipfile.ZipInfo(standing if is_gbk else name, _MOMENT)
    info.compress_type = zipfile.ZIP_DEFLATED
    with (
        zipfile.ZipFile(target, "w") as archive,
        archive.open(info, "w", force_zip64=True) as member,
        path.open("rb") as source,
    ):
        shutil.copyfileobj(source, member)
    if is_gbk:
        target.write_bytes(target.read_bytes().replace(standing.encode(), encoded))

"""Search a lake for people: every Parquet file decoded, every other file as bytes and as text."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

ENCODINGS = ("utf-8", "gb18030", "utf-16-le")


def leaks_in(folder: Path, secrets: Sequence[str]) -> dict[str, list[str]]:
    """Path below `folder` to the secrets that can be read there; empty when nobody can."""
    found = {path: _read(path, secrets) for path in sorted(folder.rglob("*")) if path.is_file()}
    return {str(path.relative_to(folder)): told for path, told in found.items() if told}


def _read(path: Path, secrets: Sequence[str]) -> list[str]:
    content = path.read_bytes() + (_decoded(path) if path.suffix == ".parquet" else b"")
    return [secret for secret in secrets if any(secret.encode(encoding) in content for encoding in ENCODINGS)]


def _decoded(path: Path) -> bytes:
    """All texts and bytes of a Parquet file, which compression hides from a search of the file itself."""
    frame = pl.read_parquet(path, hive_partitioning=False)
    texts = [b"\n".join(str(value).encode() for value in frame[name]) for name in frame.columns]
    blobs = [
        b"\n".join(value or b"" for value in frame[name]) for name, dtype in frame.schema.items() if dtype == pl.Binary
    ]
    return b"\n".join([*texts, *blobs])

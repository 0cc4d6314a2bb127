"""Raw files in the lake: the bytes as received, encrypted, and under which key each stands.

    raw/<channel>/<sha256>/<name>            as an ingest keeps it
    raw/<channel>/<sha256>~<key id>/<name>   re-wrapped by a rotation of keys

Objects are created and never changed, so a re-wrapped file is a new object; once the lake names it, the
older one goes. Where both stand they are the same file. A name may have slashes: where an archive held it.
"""

from collections.abc import Iterator
from itertools import groupby
from typing import Final, NamedTuple

from tasks.stores.objects import Meta, Objects

FOLDER: Final = "raw/"
MARK: Final = "~"
_SHA256_HEX = 64


class RawFile(NamedTuple):
    """One received file: its channel, the SHA-256 of its bytes as received, its name, and every object of it."""

    channel: str
    sha256: str
    name: str
    keys: tuple[str, ...]

    @property
    def key(self) -> str:
        """The object to read."""
        return self.keys[-1]

    def under(self, key_id: str) -> str:
        """Key of the object that a rotation to that key makes."""
        return f"{FOLDER}{self.channel}/{self.sha256}{MARK}{key_id}/{self.name}"


def raw_files(objects: Objects, under: str = FOLDER) -> Iterator[RawFile]:
    """Every raw file below a folder, in order of channel and SHA-256."""
    for (channel, sha256), metas in groupby(objects.list(under), key=_file):
        keys = sorted((meta.key for meta in metas), key=lambda key: (MARK in key.split("/")[2], key))
        yield RawFile(channel, sha256, keys[0].split("/", 3)[3], tuple(keys))


def standing_raw(objects: Objects, channel: str, sha256: str) -> RawFile | None:
    """The file of that digest; None where its bytes are not kept."""
    return next(raw_files(objects, f"{FOLDER}{channel}/{sha256}"), None)


def _file(meta: Meta) -> tuple[str, str]:
    _, channel, place, _ = meta.key.split("/", 3)
    return channel, place[:_SHA256_HEX]

"""A vendor's machine: polls, verifies, decrypts and keeps what to send. It shares no code with the publisher.

It knows docs/publishing.md, boto3 and the standard library; whoever runs it brings the opener for encrypted files.
A send's revision is handled once by its number: a folder may be written anew under another name, its number stays.
"""

import csv
import gzip
import hashlib
import io
import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from botocore.exceptions import ClientError

Follow = Literal["pointer", "success"]
Opener = Callable[[bytes], bytes]


class GoneError(Exception):
    """There is no such file, or not any more."""


class Store(Protocol):
    """Where the files lie."""

    def read(self, key: str) -> bytes: ...

    def list(self, prefix: str) -> list[str]: ...


@dataclass(frozen=True)
class Folder:
    """An outbox, or a drop, in a directory."""

    root: Path

    def read(self, key: str) -> bytes:
        """All bytes of one file."""
        try:
            return (self.root / key).read_bytes()
        except FileNotFoundError as error:
            raise GoneError(key) from error

    def list(self, prefix: str) -> list[str]:
        """Every file below a folder."""
        found = (path.relative_to(self.root).as_posix() for path in (self.root / prefix).rglob("*") if path.is_file())
        return sorted(found)


@dataclass(frozen=True)
class Bucket:
    """An outbox in a bucket, read with the vendor's own keys."""

    client: Any
    bucket: str
    prefix: str = ""

    def read(self, key: str) -> bytes:
        """All bytes of one object."""
        try:
            body: bytes = self.client.get_object(Bucket=self.bucket, Key=f"{self.prefix}{key}")["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] not in {"NoSuchKey", "404"}:
                raise
            raise GoneError(key) from error
        return body

    def list(self, prefix: str) -> list[str]:
        """Every key below a prefix, all pages."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix + prefix)
        return sorted(found["Key"][len(self.prefix) :] for page in pages for found in page.get("Contents", ()))


@dataclass(frozen=True)
class Batch:
    """One verified revision: whom to send to, and whom no more."""

    send_id: str
    seq: int
    revision: str
    manifest: Mapping[str, Any]
    files: Mapping[str, bytes]
    """Part to its bytes, decrypted."""
    recalled: tuple[str, ...] = ()

    @property
    def rows(self) -> list[dict[str, str]]:
        """The rows of the text parts by header, in the order of the files."""
        told = self.manifest
        return [row for data in self.files.values() for row in _rows(data, told)]

    @property
    def contacts(self) -> list[str]:
        """The first cell of every row."""
        return [next(iter(row.values())) for row in self.rows]


def _rows(data: bytes, manifest: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    lines = list(csv.reader(io.StringIO(data.decode(manifest["encoding"]), newline="")))
    header = lines.pop(0) if manifest["with_header"] else manifest["columns"]
    assert list(header) == list(manifest["columns"]), "a header that the manifest does not tell"
    return (dict(zip(header, cells, strict=True)) for cells in lines)


def as_it_is(data: bytes) -> bytes:
    """For a vendor whose files are not encrypted."""
    return data


def with_age(identity: Any) -> Opener:
    """Open with an age identity, as the `age` program would."""
    import pyrage

    return lambda data: pyrage.decrypt(data, [identity])


def with_gpg(home: Path) -> Opener:
    """Open with the real GnuPG and the key ring in `home`; what it does not call intact is refused."""

    def opened(data: bytes) -> bytes:
        command = ["gpg", "--homedir", str(home), "--batch", "--quiet", "--pinentry-mode", "loopback", "--decrypt"]
        return subprocess.run(command, input=data, capture_output=True, check=True).stdout

    return opened


@dataclass
class VendorClient:
    """Polls one vendor's prefix; every number of a send is handled once."""

    store: Store
    vendor: str
    follow: Follow = "pointer"
    open: Opener = as_it_is
    handled: dict[str, set[int]] = field(default_factory=dict)
    sent: list[tuple[str, str]] = field(default_factory=list)
    """Send and contact, one entry per message; what is to be sent twice stands here twice."""
    withdrawn: dict[tuple[str, str], int] = field(default_factory=dict)
    """Send and contact to the last number that called them back; parts of lower ones are not for them, ever."""
    off: dict[str, int] = field(default_factory=dict)
    """Send to the number that cancelled it."""

    def poll(self) -> list[Batch]:
        """Whole revisions that were not handled yet, in order of number; all are read before anybody is sent to."""
        found = [self._batch(*told) for told in self._offered()]
        new = sorted((batch for batch in found if batch), key=lambda batch: (batch.send_id, batch.seq))
        for batch in new:
            self.handled.setdefault(batch.send_id, set()).add(batch.seq)
            self.withdrawn |= {(batch.send_id, contact): batch.seq for contact in batch.recalled}
            if batch.manifest["is_cancellation"]:
                self.off[batch.send_id] = batch.seq
        for batch in new:
            self.sent += [(batch.send_id, contact) for contact in batch.contacts if self._may_send(batch, contact)]
        return new

    def _may_send(self, batch: Batch, contact: str) -> bool:
        called_back = max(self.withdrawn.get((batch.send_id, contact), 0), self.off.get(batch.send_id, 0))
        return called_back < batch.seq

    def _offered(self) -> Iterator[tuple[str, str, str]]:
        """Send, revision and SHA-256 of the manifest of everything that is there for us."""
        return self._by_pointer() if self.follow == "pointer" else self._by_success()

    def _by_pointer(self) -> Iterator[tuple[str, str, str]]:
        try:
            index = json.loads(self.store.read(f"{self.vendor}/INDEX.json"))
        except GoneError:
            return
        for send_id, entry in index["sends"].items():
            current = json.loads(self.store.read(entry["current"]))
            told = current["revisions"]
            assert [r["seq"] for r in told] == list(range(1, len(told) + 1)), "a number is missing"
            yield from ((send_id, r["revision"], r["manifest_sha256"]) for r in told if not r.get("is_expired"))

    def _by_success(self) -> Iterator[tuple[str, str, str]]:
        for key in self.store.list(f"{self.vendor}/"):
            folder, _, name = key.rpartition("/")
            send_id, _, revision = folder.rpartition("/")
            if name == "_SUCCESS":
                try:
                    yield send_id, revision, self.store.read(key).decode().strip()
                except GoneError:
                    continue

    def _batch(self, send_id: str, revision: str, sha256: str) -> Batch | None:
        """The revision, verified to the last byte; None when it was handled or is withdrawn while we read."""
        folder = f"{send_id}/{revision}"
        try:
            manifest = json.loads(self._checked(f"{folder}/manifest.json", sha256))
            if manifest["seq"] in self.handled.get(send_id, set()):
                return None
            files = {part["name"]: self._part(folder, part) for part in manifest["parts"]}
            recall = self._part(folder, manifest["recall"]) if manifest["recall"] else b""
        except GoneError:
            if self._is_offered(send_id, revision):
                raise
            return None
        assert manifest["revision"] == revision
        recalled = tuple(cells[0] for cells in list(csv.reader(recall.decode(manifest["encoding"]).splitlines()))[1:])
        return Batch(send_id, manifest["seq"], revision, manifest, files, recalled)

    def _is_offered(self, send_id: str, revision: str) -> bool:
        """Whether the revision still stands: a file that is gone then is a broken promise."""
        return (send_id, revision) in {told[:2] for told in self._offered()}

    def _part(self, folder: str, part: Mapping[str, Any]) -> bytes:
        data = self._checked(f"{folder}/{part['name']}", part["sha256"])
        assert len(data) == part["bytes"]
        opened = self.open(data)
        return gzip.decompress(opened) if ".gz" in part["name"] else opened

    def _checked(self, key: str, sha256: str) -> bytes:
        data = self.store.read(key)
        assert hashlib.sha256(data).hexdigest() == sha256, f"{key} is not what was promised"
        return data

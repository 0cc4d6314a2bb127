"""Sends in the outbox: where their objects lie, and what is published of them. Nothing is written here.

    <vendor>/<campaign>/<send_on>/rev-<digest>/   part-00000.csv …, recall.csv, manifest.json, _SUCCESS
    <vendor>/<campaign>/<send_on>/CURRENT.json    which revisions are published
    <vendor>/INDEX.json                           every current send of the vendor; derived
    _ledger/<send>/rev-<digest>.csv               whom a revision adds and recalls, by pseudonym
    _drops/<send>/<seq>.dropped.json              the revision was copied to the vendor's own server

`_ledger/` is for us alone: a vendor's key opens the vendor's own folder. It lets a rerun tell who was
reached from the outbox itself, also when a run died before it could tell the lake.
"""

import io
from collections.abc import Callable, Iterator
from datetime import date
from typing import Final, NamedTuple, Self

import polars as pl
from pydantic import Field, ValidationError

from tasks.errors import DamagedError, MissingDataError
from tasks.refs import Ref
from tasks.stores.manifest import FORMAT, Manifest, canonical, sha256_of
from tasks.stores.objects import Objects

CURRENT: Final = "CURRENT.json"
MANIFEST: Final = "manifest.json"
SUCCESS: Final = "_SUCCESS"
LEDGER: Final = "_ledger"
DROPS: Final = "_drops"
ADDED: Final = "added"
RECALLED: Final = "recalled"
_SLASHES: Final = 2
"""In a send's id."""
REACHED: Final = pl.Schema({"one_id": pl.String(), "recipient_key": pl.String(), "seq": pl.Int64()})


Rename = Callable[[pl.DataFrame, str], pl.DataFrame]
"""People (one_id, recipient_key, …) of a revision and the id of the key that named them, to them by today's names."""


def as_they_are(people: pl.DataFrame, _: str) -> pl.DataFrame:
    """For a lake whose people always had one name."""
    return people


class Send(NamedTuple):
    """One campaign's message of one day at one vendor."""

    vendor: str
    campaign: str
    send_on: date

    @classmethod
    def parse(cls, send_id: str) -> Self:
        """Read `<vendor>/<campaign>/<send_on>`; ValueError for anything else."""
        vendor, campaign, send_on = send_id.split("/")
        return cls(vendor, campaign, date.fromisoformat(send_on))

    @property
    def id(self) -> str:
        """The send's id, which is also its folder."""
        return f"{self.vendor}/{self.campaign}/{self.send_on}"

    @property
    def current(self) -> str:
        """Key of the pointer."""
        return f"{self.id}/{CURRENT}"

    def key(self, revision: str, name: str) -> str:
        """Key of one file of a revision."""
        return f"{self.id}/{revision}/{name}"

    def people(self, revision: str) -> str:
        """Key of the private list of a revision."""
        return f"{LEDGER}/{self.id}/{revision}.csv"


def drops(send: Send) -> str:
    """Prefix of the notes of what was copied to the vendor's own server; no vendor's key opens it."""
    return f"{DROPS}/{send.id}/"


class Revision(Ref):
    """One published increment."""

    seq: int
    revision: str
    manifest_sha256: str
    is_expired: bool = Field(
        default=False, exclude_if=lambda told: not told, description="its files are gone: the terms ended"
    )


class Published(Ref):
    """What CURRENT.json says of one send; seq 0 is a send of which nothing is published."""

    format: str = FORMAT
    send_id: str
    seq: int = 0
    is_cancelled: bool = False
    revisions: tuple[Revision, ...] = ()

    @property
    def is_expired(self) -> bool:
        """True when nothing of the send is left for the vendor."""
        return bool(self.revisions) and all(revision.is_expired for revision in self.revisions)

    def encoded(self) -> bytes:
        """The bytes of CURRENT.json."""
        return canonical(self.model_dump(mode="json"))


class SendState(NamedTuple):
    """The pointer as it was read; the etag is what a swap asks for, None where there is no pointer."""

    published: Published
    etag: str | None


def read_send(objects: Objects, send: Send) -> SendState:
    """What is published of a send now.

    Raises:
        DamagedError: the pointer cannot be read, or is another send's.
    """
    try:
        data, etag = objects.read_tagged(send.current)
    except MissingDataError:
        return SendState(Published(send_id=send.id), None)
    try:
        published = Published.model_validate_json(data)
    except ValidationError as error:
        raise _damaged(send.current, "cannot be read") from error
    if published.send_id != send.id:
        raise _damaged(send.current, f"is that of {published.send_id}")
    return SendState(published, etag)


def read_manifest(objects: Objects, send: Send, revision: Revision) -> Manifest:
    """The manifest of a published revision, checked against the pointer.

    Raises:
        DamagedError: other bytes than the pointer names.
    """
    data = _checked(objects, send.key(revision.revision, MANIFEST), revision.manifest_sha256)
    return Manifest.model_validate_json(data)


def reached(objects: Objects, send: Send, published: Published, rename: Rename = as_they_are) -> pl.DataFrame:
    """One row per person in a published revision, less those recalled since (V of algorithms §13).

    Revisions of before a re-key hold other names than the lake has now: `rename` knows both.

    Returns:
        one_id, recipient_key (the contact used then), seq (of the revision that holds them).
    """
    people = REACHED.to_frame()
    for revision in published.revisions:
        people = _apply(people, changes_of(objects, send, revision, rename)[1], revision.seq)
    return people.sort("one_id")


def changes_of(
    objects: Objects, send: Send, revision: Revision, rename: Rename = as_they_are
) -> tuple[Manifest, pl.DataFrame]:
    """The manifest of one published revision, and whom it adds and recalls: one_id, recipient_key, change.

    Raises:
        DamagedError: other bytes than the pointer and the manifest name.
    """
    manifest = read_manifest(objects, send, revision)
    data = _checked(objects, send.people(revision.revision), manifest.people_sha256)
    return manifest, rename(read_people(data), manifest.origin.key_id)


def _apply(people: pl.DataFrame, changes: pl.DataFrame, seq: int) -> pl.DataFrame:
    """The people after one more revision."""
    recalled = changes.filter(pl.col("change") == RECALLED)
    added = changes.filter(pl.col("change") == ADDED).select("one_id", "recipient_key", pl.lit(seq).alias("seq"))
    return pl.concat([people.join(recalled, on="one_id", how="anti"), added.cast(REACHED)])


def write_people(added: pl.DataFrame, recalled: pl.DataFrame) -> bytes:
    """The private list of a revision: one_id, recipient_key, change; sorted, so the same people give the same bytes."""
    rows = [
        frame.select("one_id", "recipient_key", pl.lit(change).alias("change")).sort("one_id")
        for change, frame in ((ADDED, added), (RECALLED, recalled))
    ]
    return pl.concat(rows).write_csv().encode()


def read_people(data: bytes) -> pl.DataFrame:
    """The rows that `write_people` wrote."""
    return pl.read_csv(io.BytesIO(data), infer_schema=False)


def check_stored(objects: Objects, send: Send, revision: Revision) -> Manifest:
    """Compare every file of a published revision with its manifest; return the manifest.

    Of an expired one the manifest and the private list are left.

    Raises:
        DamagedError: a file is gone or has other bytes; the message names it.
    """
    manifest = read_manifest(objects, send, revision)
    _checked(objects, send.people(revision.revision), manifest.people_sha256)
    for part in () if revision.is_expired else manifest.files:
        check_bytes(objects, send.key(revision.revision, part.name), part.sha256)
    return manifest


def check_bytes(objects: Objects, key: str, sha256: str) -> None:
    """Read an object back and raise DamagedError unless its SHA-256 is the one given."""
    try:
        found = objects.sha256(key)
    except MissingDataError as error:
        raise _damaged(key, "is gone") from error
    if found != sha256:
        raise _damaged(key, f"has SHA-256 {found}")


def current_sends(objects: Objects, vendor: str) -> Iterator[Send]:
    """Every send of a vendor that has a pointer, in order of key."""
    for meta in objects.list(f"{vendor}/"):
        folder, _, name = meta.key.rpartition("/")
        if name == CURRENT:
            yield Send.parse(folder)


def all_sends(objects: Objects) -> Iterator[Send]:
    """Every send of every vendor that has a pointer, in order of key."""
    for meta in objects.list(""):
        folder, _, name = meta.key.rpartition("/")
        if name == CURRENT and folder.count("/") == _SLASHES:
            yield Send.parse(folder)


def _checked(objects: Objects, key: str, sha256: str) -> bytes:
    try:
        data = objects.read(key)
    except MissingDataError as error:
        raise _damaged(key, "is gone") from error
    if sha256_of(data) != sha256:
        raise _damaged(key, f"has SHA-256 {sha256_of(data)}")
    return data


def _damaged(key: str, what: str) -> DamagedError:
    return DamagedError(
        f"{key} in the outbox {what}",
        expected="the bytes that were published",
        next_step="restore the object from the bucket's versions, then run `strata doctor`",
    )

"""Objects in an S3 bucket, AWS or compatible, through boto3.

404, 409, 412 and time-outs on a conditional write are questions (s3_settle.py);
every reading is compared with the SHA-256 that was stored beside the bytes.
"""

import hashlib
import io
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from io import BufferedReader
from pathlib import Path
from typing import Any, Final, NoReturn, Self, TypeVar
from urllib.parse import urlsplit
from uuid import uuid4

from tasks.errors import (
    ConfigurationError,
    DamagedError,
    MissingDataError,
    OutcomeUnknownError,
    StoreUnavailableError,
)
from tasks.settings import Settings
from tasks.stores import s3_client
from tasks.stores.objects import RESERVED, Meta, check_key, is_listed, refuse_other_bytes, refuse_stale
from tasks.stores.s3_errors import CLIENT_ERRORS, explain, is_missing
from tasks.stores.s3_probe import probe
from tasks.stores.s3_settle import Standing, settle
from tasks.stores.s3_upload import PART_BYTES, SHA256_METADATA, Body, put_bytes, put_parts
from tasks.stores.whole import CHUNK_BYTES, write_whole

BODY_ATTEMPTS: Final = 3
"""boto3 repeats requests, but not the reading of an answer that breaks off or fails its checksum."""

PATIENCE_SECONDS: Final = 60.0
SLOWEST_BYTES_PER_SECOND: Final = 1_000_000

T = TypeVar("T")


class _BrokenBodyError(StoreUnavailableError):
    """The answer began well and then broke off."""


class S3Objects:
    """A store below one prefix of one bucket; etags are the bucket's own."""

    def __init__(self, client: Any, bucket: str, prefix: str, settings: Settings) -> None:
        """Take a client that is ready; `connect` is the usual way here."""
        self._client, self._bucket, self._prefix, self._settings = client, bucket, prefix, settings
        self.uri = f"s3://{bucket}/{prefix}".rstrip("/")
        self._kept: dict[str, str] = {}  # how the bucket is to keep what is created

    @classmethod
    def connect(
        cls,
        uri: str,
        settings: Settings,
        *,
        read_seconds: float = s3_client.READ_SECONDS,
        retries: int = s3_client.RETRIES,
    ) -> Self:
        """Open `s3://bucket/prefix`. No request is made yet."""
        parts = urlsplit(uri, allow_fragments=False)
        if not parts.netloc or parts.query or "@" in parts.netloc:
            raise ConfigurationError(
                f"{uri} names no bucket",
                expected="s3://bucket/prefix",
                next_step="correct STRATA_LAKE, STRATA_OUTBOX or --lake",
            )
        prefix = parts.path.strip("/")
        if prefix:
            check_key(prefix)
        client = s3_client.make_client(settings, read_seconds=read_seconds, retries=retries)
        return cls(client, parts.netloc, prefix, settings)

    def __repr__(self) -> str:
        """Name the root, and no keys."""
        return f"S3Objects({self.uri})"

    def read(self, key: str) -> bytes:
        """See Objects."""
        return self.read_tagged(key)[0]

    def read_tagged(self, key: str) -> tuple[bytes, str]:
        """See Objects."""
        return self._reading(key, b"".join)

    def start(self, key: str, size: int) -> bytes:
        """See Objects; what follows the first chunk is not waited for."""
        return self._reading(key, lambda chunks: next(chunks, b"")[:size])[0]

    def fetch(self, key: str, path: Path) -> str:
        """See Objects."""
        return self._reading(key, lambda chunks: write_whole(path, chunks))[0]

    def sha256(self, key: str) -> str:
        """See Objects."""
        return self._standing(key).sha256

    def _standing(self, key: str) -> Standing:
        sha256, etag = self._reading(key, _hash)
        return Standing(etag, sha256)

    def head(self, key: str) -> Meta | None:
        """See Objects."""
        try:
            found = self._client.head_object(**self._where(key))
        except CLIENT_ERRORS as error:
            if is_missing(error):
                return None
            self._raise(error, key)
        return Meta(key, int(found["ContentLength"]), str(found["ETag"]))

    def create(self, key: str, data: bytes) -> str:
        """See Objects."""
        if len(data) > PART_BYTES:
            return self._create_in_parts(key, io.BytesIO(data), len(data))
        where, kept = self._where(key), self._kept
        return self._create(
            key, hashlib.sha256(data).hexdigest(), lambda: put_bytes(self._client, where, data, IfNoneMatch="*", **kept)
        )

    def create_file(self, key: str, path: Path) -> str:
        """See Objects; above one part's size in parts, checked for existence before anything is sent."""
        if path.stat().st_size <= PART_BYTES:
            return self.create(key, path.read_bytes())
        with path.open("rb") as file:
            return self._create_in_parts(key, file, path.stat().st_size)

    def _create_in_parts(self, key: str, file: BufferedReader | io.BytesIO, size: int) -> str:
        body = Body(file, size, hashlib.file_digest(file, "sha256").hexdigest())
        if standing := self._look(key):
            return standing.etag if standing.sha256 == body.sha256 else refuse_other_bytes(self.uri, key)
        where = self._where(key)
        return self._create(key, body.sha256, lambda: put_parts(self._client, where, body, self._kept, IfNoneMatch="*"))

    def _create(self, key: str, sha256: str, attempt: Callable[[], str]) -> str:
        try:
            etag = settle(attempt, lambda: self._look(key), sha256=sha256, etag=None, what=self._what(key))
        except OutcomeUnknownError as error:  # creating again settles it, so this is no case for a person
            raise StoreUnavailableError(error.found, next_step="run again when the store answers") from error
        return etag or refuse_other_bytes(self.uri, key)

    def swap(self, key: str, data: bytes, etag: str | None) -> str:
        """See Objects."""
        where, condition = self._where(key), {"IfMatch": etag} if etag else {"IfNoneMatch": "*"}
        won = settle(
            lambda: put_bytes(self._client, where, data, **condition),
            lambda: self._look(key),
            sha256=hashlib.sha256(data).hexdigest(),
            etag=etag,
            what=self._what(key),
        )
        return won or refuse_stale(self.uri, key)

    def put(self, key: str, data: bytes) -> None:
        """See Objects."""
        self._do(key, lambda: put_bytes(self._client, self._where(key), data))

    def list(self, prefix: str) -> Iterator[Meta]:
        """See Objects. Sorted here, because not every store lists in the order of bytes."""
        return iter(sorted(meta for meta in self._listed(prefix) if is_listed(meta.key)))

    def encrypting(self) -> Self:
        """See Objects; under the key of the bucket's own, or the one of KMS that the settings name."""
        other = type(self)(self._client, self._bucket, self._prefix, self._settings)
        other._kept = s3_client.encrypted_by_bucket(self._settings)  # noqa: SLF001 - one of us
        return other

    def is_encrypted(self, key: str) -> bool:
        """See Objects."""
        return bool(self._do(key, lambda: self._client.head_object(**self._where(key))).get("ServerSideEncryption"))

    def link(self, key: str, seconds: int) -> str:
        """See Objects."""
        return self._do(key, lambda: s3_client.signed_link(self._client, self._where(key), seconds))

    def delete(self, key: str) -> None:
        """See Objects."""
        self._do(key, lambda: self._client.delete_object(**self._where(key)))

    def sweep(self, older_than_seconds: float) -> tuple[str, ...]:
        """See Objects."""
        before = datetime.now(UTC) - timedelta(seconds=older_than_seconds)
        return self._do("unfinished uploads", lambda: tuple(sorted(self._abort_uploads(before))))

    def delta_uri(self, key: str) -> str:
        """See Objects."""
        return f"s3://{self._bucket}/{self._where(key)['Key']}"

    def delta_options(self) -> dict[str, str]:
        """See Objects."""
        return s3_client.delta_options(self._settings)

    def probe(self) -> None:
        """See Objects."""
        name = self._below(f"{RESERVED}probe-{uuid4().hex}")
        self._do("the probe", lambda: probe(self._client, {"Bucket": self._bucket, "Key": name}, self.uri))

    def _below(self, key: str) -> str:
        return f"{self._prefix}/{key}" if self._prefix else key

    def _where(self, key: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": self._below(check_key(key))}

    def _what(self, key: str) -> str:
        return f"{key} in {self.uri}"

    def _raise(self, error: Exception, key: str) -> NoReturn:
        raise explain(error, self._what(key)) from error

    def _do(self, key: str, request: Callable[[], T]) -> T:
        try:
            return request()
        except CLIENT_ERRORS as error:
            self._raise(error, key)

    def _look(self, key: str) -> Standing | None:
        try:
            return self._standing(key)
        except MissingDataError:
            return None

    def _reading(self, key: str, consume: Callable[[Iterator[bytes]], T]) -> tuple[T, str]:
        """What `consume` makes of the verified bytes, and their etag; a broken answer is asked for again."""
        for _ in range(BODY_ATTEMPTS - 1):
            try:
                return self._read_once(key, consume)
            except (_BrokenBodyError, DamagedError):
                continue
        return self._read_once(key, consume)

    def _read_once(self, key: str, consume: Callable[[Iterator[bytes]], T]) -> tuple[T, str]:
        answer = self._do(key, lambda: self._client.get_object(**self._where(key), ChecksumMode="ENABLED"))
        with answer["Body"]:
            return consume(self._verified(key, answer)), str(answer["ETag"])

    def _verified(self, key: str, answer: dict[str, Any]) -> Iterator[bytes]:
        """Yield the body; raise at its end when it is not what was stored, and on the way when it trickles."""
        recorded, digest = answer["Metadata"].get(SHA256_METADATA), hashlib.sha256()
        deadline = time.monotonic() + PATIENCE_SECONDS + answer["ContentLength"] / SLOWEST_BYTES_PER_SECOND
        for chunk in self._body(key, answer):
            digest.update(chunk)
            yield chunk
            if time.monotonic() > deadline:
                raise StoreUnavailableError(
                    f"{self._what(key)}: the answer trickles", expected="1 MB/s", next_step="check the network"
                )
        if recorded and recorded != digest.hexdigest():
            raise DamagedError(
                f"{self._what(key)} has other bytes than were written",
                expected=f"SHA-256 {recorded}",
                next_step="run again; if it stays, run `strata verify`",
            )

    def _body(self, key: str, answer: dict[str, Any]) -> Iterator[bytes]:
        try:
            yield from answer["Body"].iter_chunks(CHUNK_BYTES)
        except CLIENT_ERRORS as error:
            problem = explain(error, self._what(key))
            if isinstance(problem, StoreUnavailableError):
                raise _BrokenBodyError(problem.found, expected=problem.expected, next_step=problem.next_step) from error
            raise problem from error

    def _listed(self, prefix: str) -> Iterator[Meta]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._below(prefix))
        skipped = len(self._below(""))
        for page in self._do(prefix, lambda: list(pages)):
            for found in page.get("Contents", ()):
                yield Meta(found["Key"][skipped:], int(found["Size"]), str(found["ETag"]))

    def _abort_uploads(self, before: datetime) -> Iterator[str]:
        pages = self._client.get_paginator("list_multipart_uploads")
        for page in pages.paginate(Bucket=self._bucket, Prefix=self._below("")):
            for upload in page.get("Uploads", ()):
                if upload["Initiated"] < before:
                    self._client.abort_multipart_upload(
                        Bucket=self._bucket, Key=upload["Key"], UploadId=upload["UploadId"]
                    )
                    yield str(upload["Key"][len(self._below("")) :])


def _hash(chunks: Iterator[bytes]) -> str:
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()

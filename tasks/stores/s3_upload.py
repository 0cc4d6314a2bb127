"""Uploading one object on condition: in one request, or in parts that appear together at the end.

Every request carries the SHA-256 of its body, which a good store verifies; the
SHA-256 of the whole stands in the object's metadata, which we verify at each reading.
An upload in parts that a killed process left is continued: parts whose bytes are ours are not sent again.
"""

import hashlib
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, BinaryIO, NamedTuple

from tasks.stores.failpoints import reach
from tasks.stores.s3_errors import CLIENT_ERRORS

PART_BYTES = 16 << 20
MAX_PARTS = 10_000
SHA256_METADATA = "sha256"


class Body(NamedTuple):
    """What is to be stored in parts."""

    file: BinaryIO
    size: int
    sha256: str

    def pieces(self) -> Iterator[tuple[int, bytes]]:
        """Number and bytes of each part; one at least, even of an empty file."""
        size = max(PART_BYTES, -(-self.size // MAX_PARTS))
        self.file.seek(0)
        yield 1, self.file.read(size)
        number = 2
        while data := self.file.read(size):
            yield number, data
            number += 1


def put_bytes(client: Any, where: dict[str, str], data: bytes, **more: str) -> str:
    """Write one object in one request and return its etag; `more` are conditions and how it is kept."""
    digest = hashlib.sha256(data)
    answer = client.put_object(
        **where,
        Body=data,
        ChecksumSHA256=b64encode(digest.digest()).decode(),
        Metadata={SHA256_METADATA: digest.hexdigest()},
        **more,
    )
    return str(answer["ETag"])


def put_parts(client: Any, where: dict[str, str], body: Body, kept: Mapping[str, str], **condition: str) -> str:
    """Write one object in parts and return its etag; a failure leaves no part behind, a kill leaves them to us.

    `kept` says how the store is to keep it. A key stands for one content: an upload begun for it is of these bytes.
    """
    upload = where | {"UploadId": _begun(client, where) or _begin(client, where, body, kept)}
    try:
        parts = list(_put_each(client, upload, body))
        reach("parts", "after")
        answer = client.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts}, **condition)
    except BaseException:  # an interrupt too: dangling parts cost money and are invisible
        with suppress(*CLIENT_ERRORS):
            client.abort_multipart_upload(**upload)
        raise
    return str(answer["ETag"])


def _begin(client: Any, where: dict[str, str], body: Body, kept: Mapping[str, str]) -> str:
    metadata = {SHA256_METADATA: body.sha256}
    begun = client.create_multipart_upload(**where, **kept, ChecksumAlgorithm="SHA256", Metadata=metadata)
    return str(begun["UploadId"])


def _begun(client: Any, where: dict[str, str]) -> str | None:
    """The newest upload of this key that was begun and not ended; a store that lists none is asked for a new one."""
    with suppress(*CLIENT_ERRORS):
        listed = client.list_multipart_uploads(Bucket=where["Bucket"], Prefix=where["Key"]).get("Uploads", ())
        mine = [upload for upload in listed if upload["Key"] == where["Key"]]
        return max(mine, key=lambda upload: upload["Initiated"])["UploadId"] if mine else None
    return None


def _put_each(client: Any, upload: dict[str, str], body: Body) -> Iterator[dict[str, Any]]:
    """Every part as the end of the upload names it, sent unless it is there."""
    there = _there(client, upload)
    for number, data in body.pieces():
        checksum = b64encode(hashlib.sha256(data).digest()).decode()
        etag = there.get((number, hashlib.md5(data, usedforsecurity=False).hexdigest()))
        if etag is None:
            etag = client.upload_part(**upload, PartNumber=number, Body=data, ChecksumSHA256=checksum)["ETag"]
            reach("part", "after")
        yield {"PartNumber": number, "ETag": etag, "ChecksumSHA256": checksum}


def _there(client: Any, upload: dict[str, str]) -> dict[tuple[int, str], str]:
    """Number and MD5 of the parts that a killed process sent, to their etag.

    A store whose etags are no MD5 gets every part again; the store checks SHA-256 at the end of the upload.
    """
    with suppress(*CLIENT_ERRORS):
        pages = client.get_paginator("list_parts").paginate(**upload)
        found = [part for page in pages for part in page.get("Parts", ())]
        return {(part["PartNumber"], part["ETag"].strip('"')): part["ETag"] for part in found}
    return {}

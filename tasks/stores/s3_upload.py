"""Uploading one object on condition: in one request, or in parts that appear together at the end.

Every request carries the SHA-256 of its body, which a good store verifies; the
SHA-256 of the whole stands in the object's metadata, which we verify at each reading.
"""

import hashlib
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from io import BufferedReader
from pathlib import Path
from typing import Any

from tasks.stores.s3_errors import CLIENT_ERRORS

PART_BYTES = 16 << 20
MAX_PARTS = 10_000
SHA256_METADATA = "sha256"


def put_bytes(client: Any, where: dict[str, str], data: bytes, **condition: str) -> str:
    """Write one object in one request and return its etag."""
    digest = hashlib.sha256(data)
    answer = client.put_object(
        **where,
        Body=data,
        ChecksumSHA256=b64encode(digest.digest()).decode(),
        Metadata={SHA256_METADATA: digest.hexdigest()},
        **condition,
    )
    return str(answer["ETag"])


def put_file(client: Any, where: dict[str, str], path: Path, sha256: str, **condition: str) -> str:
    """Write one object in parts and return its etag; a failure leaves no part behind."""
    metadata = {SHA256_METADATA: sha256}
    begun = client.create_multipart_upload(**where, ChecksumAlgorithm="SHA256", Metadata=metadata)
    upload = where | {"UploadId": begun["UploadId"]}
    try:
        parts = list(_put_parts(client, upload, path))
        answer = client.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts}, **condition)
    except BaseException:  # an interrupt too: dangling parts cost money and are invisible
        with suppress(*CLIENT_ERRORS):
            client.abort_multipart_upload(**upload)
        raise
    return str(answer["ETag"])


def _put_parts(client: Any, upload: dict[str, str], path: Path) -> Iterator[dict[str, Any]]:
    size = max(PART_BYTES, -(-path.stat().st_size // MAX_PARTS))
    with path.open("rb") as file:
        for number, data in enumerate(_pieces(file, size), start=1):
            checksum = b64encode(hashlib.sha256(data).digest()).decode()
            answer = client.upload_part(**upload, PartNumber=number, Body=data, ChecksumSHA256=checksum)
            yield {"PartNumber": number, "ETag": answer["ETag"], "ChecksumSHA256": checksum}


def _pieces(file: BufferedReader, size: int) -> Iterator[bytes]:
    """At least one piece, even of an empty file."""
    yield file.read(size)
    while data := file.read(size):
        yield data

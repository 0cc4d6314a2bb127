"""Does this store keep the promise of conditional writes? Four of ten servers tried answered 200 and overwrote."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from tasks.errors import ConfigurationError
from tasks.stores.s3_errors import CLIENT_ERRORS, is_conflict, status_of
from tasks.stores.s3_upload import put_bytes

OTHER_ETAG = '"00000000000000000000000000000000"'
_NOT_IMPLEMENTED = 501


def probe(client: Any, where: dict[str, str], uri: str) -> None:
    """Write, overwrite and swap one object of our own, then remove it.

    Raises ConfigurationError naming the first condition that the store ignores.
    """
    try:
        etag = put_bytes(client, where, b"first", IfNoneMatch="*")
        _must_refuse(lambda: put_bytes(client, where, b"again", IfNoneMatch="*"), uri, "If-None-Match: *")
        _must_refuse(lambda: put_bytes(client, where, b"again", IfMatch=OTHER_ETAG), uri, "If-Match with a wrong etag")
        _must_take(lambda: put_bytes(client, where, b"second", IfMatch=etag), uri)
        _must_refuse(lambda: _complete(client, where), uri, "If-None-Match: * at the end of a multipart upload")
    finally:
        with suppress(*CLIENT_ERRORS):
            client.delete_object(**where)


def _complete(client: Any, where: dict[str, str]) -> None:
    upload = where | {"UploadId": client.create_multipart_upload(**where)["UploadId"]}
    try:
        part = client.upload_part(**upload, PartNumber=1, Body=b"again")
        parts = [{"PartNumber": 1, "ETag": part["ETag"]}]
        client.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts}, IfNoneMatch="*")
    finally:
        with suppress(*CLIENT_ERRORS):
            client.abort_multipart_upload(**upload)


def _must_refuse(write: Callable[[], object], uri: str, condition: str) -> None:
    try:
        write()
    except CLIENT_ERRORS as error:
        if is_conflict(error) or status_of(error) == _NOT_IMPLEMENTED:
            return
        raise
    raise ConfigurationError(
        f"the store of {uri} ignores {condition}: two runs at once would overwrite each other in silence",
        expected="412 or 409, and nothing written",
        next_step="use a store with conditional writes (AWS S3, Ceph RGW 20, SeaweedFS 4.48), or a local directory",
    )


def _must_take(write: Callable[[], object], uri: str) -> None:
    try:
        write()
    except CLIENT_ERRORS as error:
        if not is_conflict(error):
            raise
        raise ConfigurationError(
            f"the store of {uri} refuses If-Match with the right etag ({status_of(error)})",
            expected="the write to be taken",
            next_step="use a store with conditional writes (AWS S3, Ceph RGW 20, SeaweedFS 4.48), or a local directory",
        ) from error

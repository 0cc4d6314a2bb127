"""What a vendor can reach on the real S3 server: its own prefix, single links, and nothing of anybody else's."""

import hashlib
import logging
import re
import time
from base64 import b64encode
from dataclasses import replace
from urllib.error import HTTPError
from urllib.request import urlopen
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from tasks.errors import ConfigurationError, MissingDataError
from tasks.settings import Settings
from tasks.stores.links import links_of
from tasks.stores.objects import Objects, open_objects
from tasks.stores.s3_upload import PART_BYTES
from tasks.stores.sends import Send
from tests.support.campaigns import vendor
from tests.support.fault_proxy import fault_proxy
from tests.support.sends import SEND, people, send_to
from tests.support.vendor_client import Bucket, VendorClient
from tests.support.weed import VENDORS, VENDORS_OUTBOX, Endpoint, vendor_keys

pytestmark = pytest.mark.slow

A, B = VENDORS


@pytest.fixture(scope="module")
def outbox(s3_server: Endpoint) -> Objects:
    """An outbox with a send for each of two vendors."""
    settings = s3_server.settings()
    objects = open_objects(s3_server.uri(VENDORS_OUTBOX), settings)
    for code in VENDORS:
        send_to(objects, [1, 2, 3], Send(code, SEND.campaign, SEND.send_on), vendor=vendor(code))
    return objects


def client_of(server: Endpoint, code: str):
    access, secret = vendor_keys(server, code)
    return replace(server, access_key_id=access, secret_access_key=secret).client()


@pytest.mark.parametrize("follow", ["pointer", "success"])
@pytest.mark.parametrize("code", VENDORS)
def test_a_vendor_reads_its_own_with_its_own_keys(outbox: Objects, s3_server: Endpoint, code: str, follow) -> None:
    assert outbox.uri.endswith(VENDORS_OUTBOX)
    store = Bucket(client_of(s3_server, code), s3_server.bucket, f"{VENDORS_OUTBOX}/")
    machine = VendorClient(store, code, follow)
    machine.poll()
    assert [contact for _, contact in machine.sent] == people([1, 2, 3])["contact"].to_list()


@pytest.mark.parametrize(("code", "other"), [(A, B), (B, A)])
def test_a_vendor_reaches_nothing_of_another_s_and_writes_nothing(
    outbox: Objects, s3_server: Endpoint, code: str, other: str
) -> None:
    client, bucket = client_of(s3_server, code), s3_server.bucket
    theirs = [meta.key for meta in outbox.list(f"{other}/")]
    ours = f"{VENDORS_OUTBOX}/{code}/{SEND.campaign}/x"
    refused = [
        *(lambda key=key: client.get_object(Bucket=bucket, Key=f"{VENDORS_OUTBOX}/{key}") for key in theirs),
        *(lambda key=key: client.head_object(Bucket=bucket, Key=f"{VENDORS_OUTBOX}/{key}") for key in theirs[:1]),
        *(
            lambda prefix=prefix: client.list_objects_v2(Bucket=bucket, Prefix=prefix)
            for prefix in ("", f"{VENDORS_OUTBOX}/", f"{VENDORS_OUTBOX}/{other}/", f"{VENDORS_OUTBOX}/_ledger/")
        ),
        lambda: client.get_object(Bucket=bucket, Key=f"{VENDORS_OUTBOX}/_ledger/{other}/x"),
        lambda: client.put_object(Bucket=bucket, Key=ours, Body=b"1"),
        lambda: client.put_object(Bucket=bucket, Key=f"{VENDORS_OUTBOX}/{other}/x", Body=b"1"),
        lambda: client.delete_object(Bucket=bucket, Key=f"{VENDORS_OUTBOX}/{code}/INDEX.json"),
        lambda: client.copy_object(Bucket=bucket, Key=ours, CopySource=f"{bucket}/{VENDORS_OUTBOX}/{theirs[0]}"),
    ]
    for attempt in refused:
        with pytest.raises(ClientError) as answer:
            attempt()
        assert answer.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def got(url: str) -> int:
    try:
        with urlopen(url) as answer:  # noqa: S310 - on loopback
            return int(answer.status)
    except HTTPError as error:
        return int(error.code)


def test_a_link_opens_one_file_for_a_while(outbox: Objects, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    links = links_of(outbox, SEND, vendor(A), 30)
    assert [link.key.rpartition("/")[2] for link in links] == ["manifest.json", "part-00000.csv"]
    assert [got(link.url) for link in links] == [200, 200]
    tampered = links[1].url.replace("part-00000.csv", "manifest.json")
    assert [got(tampered), got(links[1].url[:-1] + "x"), got(links[1].url.split("?")[0])] == [403] * 3
    assert "X-Amz-Signature=" in links[1].url
    assert links[1].url.rpartition("X-Amz-Signature=")[2] not in caplog.text


def test_a_link_ends(outbox: Objects) -> None:
    link = outbox.link(links_of(outbox, SEND, vendor(A), 1)[1].key, 1)
    assert got(link) == 200
    time.sleep(2.1)
    assert got(link) == 403


@pytest.mark.parametrize("minutes", [0, 61, 7 * 24 * 60 + 1])
def test_a_link_that_lives_too_long_is_refused(outbox: Objects, minutes: int) -> None:
    with pytest.raises(ConfigurationError, match=f"a link of {minutes} minutes"):
        links_of(outbox, SEND, vendor(A), minutes)
    assert links_of(outbox, SEND, vendor(A, link_minutes=7 * 24 * 60), 7 * 24 * 60)


def test_there_are_no_links_to_nothing(outbox: Objects) -> None:
    with pytest.raises(MissingDataError):
        links_of(outbox, Send(A, "other", SEND.send_on), vendor(A), 30)


def test_a_bucket_that_encrypts_is_asked_to_and_looked_at(s3_settings: Settings) -> None:
    objects = open_objects(s3_settings.lake, s3_settings)
    outcome = send_to(objects, [1, 2], vendor=vendor(encryption={"kind": "sse"}))
    assert outcome.manifest is not None
    key = SEND.key(outcome.manifest.revision, outcome.manifest.parts[0].name)
    assert (outcome.manifest.encryption, objects.is_encrypted(key)) == ("sse", True)
    assert not objects.is_encrypted(SEND.current)


def test_an_upload_that_was_killed_goes_on(s3_settings: Settings, s3_server: Endpoint) -> None:
    objects, client = open_objects(s3_settings.lake, s3_settings), s3_server.client()
    data = uuid4().bytes * (PART_BYTES // 16) + b"the end"
    where = {"Bucket": s3_server.bucket, "Key": objects.delta_uri("big").removeprefix(f"s3://{s3_server.bucket}/")}
    begun = client.create_multipart_upload(**where, ChecksumAlgorithm="SHA256", Metadata={"sha256": ""})
    first = data[:PART_BYTES]
    checksum = b64encode(hashlib.sha256(first).digest()).decode()
    client.upload_part(**where, UploadId=begun["UploadId"], PartNumber=1, Body=first, ChecksumSHA256=checksum)
    with fault_proxy(s3_server.url) as proxy:
        through = s3_server.settings(s3_endpoint=proxy.url)
        open_objects(s3_settings.lake, through).create("big", data)
    assert {re.findall(r"partNumber=(\d+)", asked)[0] for asked in proxy.requests if "partNumber" in asked} == {"2"}
    left = client.list_multipart_uploads(Bucket=s3_server.bucket, Prefix=where["Key"])
    assert left.get("Uploads", []) == []
    assert objects.read("big") == data

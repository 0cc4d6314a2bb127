"""The client that docs/publishing.md shows a vendor, run as it stands there against a real server and locked files."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyrage
import pytest

from tasks.stores.objects import Objects, open_objects
from tests.support.campaigns import vendor
from tests.support.sends import cancel, people, send_to
from tests.support.source import ROOT
from tests.support.weed import Endpoint

pytestmark = pytest.mark.slow

PAGE = (ROOT / "docs/publishing.md").read_text(encoding="utf-8")
(CLIENT,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
KEY = pyrage.x25519.Identity.generate()
LOCKED = vendor(code="sms_vendor", rows_per_part=2, encryption={"kind": "age", "recipient": str(KEY.to_public())})
Poll = Callable[[Callable[..., None]], None]
Told = tuple[int, list[str], list[str]]
"""Number, contacts to send to, contacts to take back."""


@pytest.fixture(scope="module")
def outbox(s3_server: Endpoint) -> Objects:
    """The bucket that the page names."""
    s3_server.client().create_bucket(Bucket="outbox")
    return open_objects("s3://outbox", s3_server.settings())


@pytest.fixture
def client(s3_server: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The names of the page's own script, in a folder with the vendor's key, its store found as boto3 finds any."""
    surroundings = {
        "AWS_ENDPOINT_URL_S3": s3_server.url, "AWS_ACCESS_KEY_ID": s3_server.access_key_id,
        "AWS_SECRET_ACCESS_KEY": s3_server.secret_access_key, "AWS_DEFAULT_REGION": "us-east-1",
    }  # fmt: skip
    for name, value in surroundings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "vendor.key").write_text(f"{KEY}\n", encoding="utf-8")
    namespace: dict[str, Any] = {}
    exec(compile(CLIENT, "docs/publishing.md", "exec"), namespace)  # noqa: S102 - the page is ours
    return namespace


def contacts(data: bytes) -> list[str]:
    return [line.split(",")[0] for line in data.decode().splitlines()[1:]]


def polled(poll: Poll) -> list[Told]:
    """Number, contacts and recalls of each revision that the client hands over."""
    heard: list[Told] = []
    poll(lambda told, files, recall, skip: heard.append(
        (told["seq"], [one for data in files for one in contacts(data) if one not in skip], recall)
    ))  # fmt: skip
    return heard


def test_the_client_of_the_page_gets_every_file_open_and_each_revision_once(
    outbox: Objects, client: dict[str, Any], s3_server: Endpoint
) -> None:
    poll = client["poll"]
    plain = people([1, 2, 3])["contact"].to_list()
    send_to(outbox, [1, 2, 3], vendor=LOCKED)
    assert polled(poll) == [(1, plain, [])]
    assert polled(poll) == []
    send_to(outbox, [1, 2], vendor=LOCKED)
    assert polled(poll) == [(2, [], plain[2:])]
    stored = [outbox.read(meta.key) for meta in outbox.list("sms_vendor/")]
    assert not [data for data in stored if any(one.encode() in data for one in plain)]

    client["done"].clear()
    assert polled(poll) == [(1, plain[:2], []), (2, [], plain[2:])]
    client["done"].clear()
    part = next(meta.key for meta in outbox.list("sms_vendor/") if "/part-00001" in meta.key)
    s3_server.client().put_object(Bucket="outbox", Key=part, Body=b"other bytes")
    with pytest.raises(ValueError, match="is not what was promised"):
        polled(poll)

    client["done"].clear()
    cancel(outbox, vendor=LOCKED)
    assert polled(poll) == [(1, [], []), (2, [], plain[2:]), (3, [], plain[:2])]

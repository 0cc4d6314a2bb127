"""Locked files published through a proxy that injures requests: whole revisions alone, each person once."""

from contextlib import suppress

import pytest

from tasks.errors import StrataError
from tasks.settings import Settings
from tasks.stores.objects import Objects, open_objects
from tasks.stores.s3 import S3Objects
from tests.faults.test_locked_kill import FIRST, LOCKED, SECOND, contacts, machines, publish, read_by, swept
from tests.support.fault_proxy import FaultProxy, Kind
from tests.support.vendor_client import Bucket, VendorClient
from tests.support.weed import Endpoint

pytestmark = pytest.mark.slow


@pytest.fixture
def injured(s3_settings: Settings, proxy: FaultProxy) -> Objects:
    """The outbox through the proxy."""
    through = s3_settings.model_copy(update={"s3_endpoint": proxy.url})
    return S3Objects.connect(s3_settings.lake, through, read_seconds=2, retries=2)


@pytest.fixture
def polling(s3_settings: Settings, s3_server: Endpoint) -> list[VendorClient]:
    """Vendors who read the bucket itself."""
    prefix = s3_settings.lake.removeprefix(f"s3://{s3_server.bucket}/") + "/"
    return machines(Bucket(s3_server.client(), s3_server.bucket, prefix))


@pytest.mark.parametrize("times", [1, 4])
@pytest.mark.parametrize(
    ("kind", "method", "contains"),
    [
        ("503", "PUT", ".csv.age"),
        ("reset", "PUT", "manifest.json"),
        ("half_upload", "PUT", ".csv.age"),
        ("lost", "PUT", ".csv.age"),
        ("lost", "PUT", "CURRENT.json"),
        ("lost", "PUT", "_SUCCESS"),
        ("stall", "PUT", "CURRENT.json"),
        ("truncate", "GET", ".csv.age"),
        ("corrupt", "GET", ".csv.age"),
    ],
)
def test_an_injured_publication_is_whole_or_nothing_and_the_rerun_completes_it(
    injured: Objects, s3_settings: Settings, proxy: FaultProxy, polling: list[VendorClient], kind: Kind, method: str,
    contains: str, times: int,
) -> None:  # fmt: skip
    objects = open_objects(s3_settings.lake, s3_settings)
    publish(objects, LOCKED, FIRST)
    with proxy.fault(kind, method, contains, times=times, seconds=3), suppress(StrataError):
        publish(injured, LOCKED, SECOND)
    seen = [read_by(machine) for machine in polling]
    assert all(one in (contacts(FIRST), contacts(SECOND)) for one in seen)
    publish(objects, LOCKED, SECOND)
    swept(objects)
    due = [sorted({*one, *contacts(SECOND)}) for one in seen]
    assert [read_by(machine) for machine in polling] == due
    assert [read_by(machine) for machine in machines(polling[0].store)] == [contacts(SECOND)] * 2

"""S3 behind a proxy that injures requests: what landed is called won, what was read is whole, waiting ends."""

import threading
import time
from pathlib import Path
from uuid import uuid4

import pytest

from tasks.errors import DamagedError, OutcomeUnknownError, SnapshotMovedError, StoreUnavailableError
from tasks.settings import Settings
from tasks.stores.objects import Objects
from tasks.stores.s3 import S3Objects
from tasks.stores.s3_upload import PART_BYTES
from tests.support.fault_proxy import FOREVER, FaultProxy, Kind
from tests.support.weed import Endpoint

pytestmark = pytest.mark.slow

BOUNDED_SECONDS = 30


@pytest.fixture
def settings(s3_server: Endpoint, proxy: FaultProxy) -> Settings:
    return s3_server.settings(s3_endpoint=proxy.url, lake=s3_server.uri(uuid4().hex))


@pytest.fixture
def objects(settings: Settings) -> Objects:
    return S3Objects.connect(settings.lake, settings, read_seconds=2)


@pytest.fixture
def impatient(settings: Settings) -> Objects:
    """The same store with few retries: waiting for the end of five of them tests only the clock."""
    return S3Objects.connect(settings.lake, settings, read_seconds=1, retries=2)


@pytest.fixture
def big_file(tmp_path: Path) -> Path:
    path = tmp_path / "big"
    path.write_bytes(b"0123456789abcdef" * (PART_BYTES // 16 + 1))
    return path


def test_a_create_whose_answer_was_lost_is_won(objects: Objects, proxy: FaultProxy) -> None:
    with proxy.fault("lost", "PUT", "/a"):
        etag = objects.create("a", b"one")
    assert objects.read_tagged("a") == (b"one", etag)


def test_a_swap_whose_answer_was_lost_is_won(objects: Objects, proxy: FaultProxy) -> None:
    first = objects.swap("CURRENT.json", b"1", None)
    with proxy.fault("lost", "PUT", "CURRENT"):
        second = objects.swap("CURRENT.json", b"2", first)
    assert objects.read_tagged("CURRENT.json") == (b"2", second)


def test_a_swap_is_won_even_if_every_answer_was_lost(objects: Objects, proxy: FaultProxy) -> None:
    first = objects.swap("CURRENT.json", b"1", None)
    with proxy.fault("lost", "PUT", "CURRENT", times=FOREVER):
        objects.swap("CURRENT.json", b"2", first)
    assert objects.read("CURRENT.json") == b"2"


def test_an_upload_in_parts_whose_last_answer_was_lost_is_won(
    objects: Objects, proxy: FaultProxy, big_file: Path
) -> None:
    with proxy.fault("lost", "POST", "uploadId"):
        objects.create_file("big", big_file)
    assert objects.read("big") == big_file.read_bytes()


def test_a_conflict_is_looked_at_and_tried_again(objects: Objects, proxy: FaultProxy) -> None:
    first = objects.swap("CURRENT.json", b"1", None)
    with proxy.fault("409", "PUT", "CURRENT", times=2):
        objects.swap("CURRENT.json", b"2", first)
    assert objects.read("CURRENT.json") == b"2"


@pytest.mark.parametrize("kind", ["503", "reset", "half_upload"])
def test_three_bad_answers_to_a_write_are_ridden_out(objects: Objects, proxy: FaultProxy, kind: Kind) -> None:
    with proxy.fault(kind, "PUT", times=3):
        objects.create("a", b"one" * 10_000)
    assert objects.read("a") == b"one" * 10_000


@pytest.mark.parametrize("kind", ["503", "reset"])
def test_three_bad_answers_to_a_read_are_ridden_out(objects: Objects, proxy: FaultProxy, kind: Kind) -> None:
    objects.create("a", b"one")
    with proxy.fault(kind, "GET", times=3):
        assert objects.read("a") == b"one"


def test_a_store_that_refuses_forever_ends_in_bounded_time(impatient: Objects, proxy: FaultProxy) -> None:
    started = time.monotonic()
    with proxy.fault("503", "PUT", times=FOREVER), pytest.raises(StoreUnavailableError, match="nothing has changed"):
        impatient.swap("CURRENT.json", b"1", None)
    assert impatient.head("CURRENT.json") is None
    with proxy.fault("503", "GET", times=FOREVER), pytest.raises(StoreUnavailableError, match="503 SlowDown"):
        impatient.read("a")
    assert time.monotonic() - started < BOUNDED_SECONDS


def test_a_store_that_stalls_forever_ends_in_bounded_time(impatient: Objects, proxy: FaultProxy) -> None:
    started = time.monotonic()
    with proxy.fault("stall", "GET", times=FOREVER, seconds=2), pytest.raises(StoreUnavailableError):
        impatient.read("a")
    assert time.monotonic() - started < BOUNDED_SECONDS


def test_a_swap_that_cannot_even_be_read_back_is_unknown(objects: Objects, proxy: FaultProxy) -> None:
    first = objects.swap("CURRENT.json", b"1", None)
    with (
        proxy.fault("lost", "PUT", "CURRENT", times=FOREVER),
        proxy.fault("reset", "GET", "CURRENT", times=FOREVER),
        pytest.raises(OutcomeUnknownError, match="reading back failed"),
    ):
        objects.swap("CURRENT.json", b"2", first)


def test_a_create_that_cannot_be_read_back_may_simply_be_run_again(objects: Objects, proxy: FaultProxy) -> None:
    with (
        proxy.fault("lost", "PUT", times=FOREVER),
        proxy.fault("reset", "GET", times=FOREVER),
        pytest.raises(StoreUnavailableError),
    ):
        objects.create("a", b"one")
    assert objects.create("a", b"one") == objects.read_tagged("a")[1]


@pytest.mark.parametrize("kind", ["truncate", "corrupt"])
def test_an_injured_answer_is_asked_for_again(objects: Objects, proxy: FaultProxy, kind: Kind, tmp_path: Path) -> None:
    data = b"0123456789" * 1_000
    objects.create("a", data)
    with proxy.fault(kind, "GET", times=2):
        assert objects.read("a") == data
    with proxy.fault(kind, "GET", times=2):
        objects.fetch("a", tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == data


@pytest.mark.parametrize(("kind", "error"), [("truncate", StoreUnavailableError), ("corrupt", DamagedError)])
def test_answers_injured_forever_are_never_believed(
    objects: Objects, proxy: FaultProxy, kind: Kind, error: type[Exception], tmp_path: Path
) -> None:
    objects.create("a", b"0123456789" * 1_000)
    with proxy.fault(kind, "GET", times=FOREVER):
        with pytest.raises(error):
            objects.read("a")
        with pytest.raises(error):
            objects.fetch("a", tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


def test_a_corrupt_answer_of_an_upload_in_parts_is_seen(objects: Objects, proxy: FaultProxy, big_file: Path) -> None:
    objects.create_file("big", big_file)  # its checksum is one of checksums, which boto3 does not verify
    with proxy.fault("corrupt", "GET", times=FOREVER), pytest.raises(DamagedError, match="other bytes"):
        objects.sha256("big")


def test_an_upload_that_fails_leaves_no_parts(
    impatient: Objects, proxy: FaultProxy, big_file: Path, s3_server: Endpoint
) -> None:
    with proxy.fault("503", "PUT", "partNumber=2", times=FOREVER), pytest.raises(StoreUnavailableError):
        impatient.create_file("big", big_file)
    uploads = s3_server.client().list_multipart_uploads(Bucket=s3_server.bucket)
    assert uploads.get("Uploads", []) == []
    assert impatient.head("big") is None


def test_what_a_killed_upload_left_is_swept(objects: Objects, s3_server: Endpoint) -> None:
    prefix = objects.uri.rpartition("/")[2]
    s3_server.client().create_multipart_upload(Bucket=s3_server.bucket, Key=f"{prefix}/raw/x")
    assert objects.sweep(3600) == ()
    assert objects.sweep(-60) == ("raw/x",)
    assert objects.sweep(-60) == ()


def test_racing_swaps_with_lost_answers_have_one_winner(objects: Objects, proxy: FaultProxy) -> None:
    etag, won = objects.swap("CURRENT.json", b"before", None), []

    def swap(number: int) -> None:
        try:
            objects.swap("CURRENT.json", b"run %d" % number, etag)
        except SnapshotMovedError:
            return
        won.append(number)

    threads = [threading.Thread(target=swap, args=(number,)) for number in range(6)]
    with proxy.fault("lost", "PUT", "CURRENT", times=4):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [b"run %d" % number for number in won] == [objects.read("CURRENT.json")]

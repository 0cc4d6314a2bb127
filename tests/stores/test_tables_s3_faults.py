"""Table commits to S3 behind a proxy that injures requests: no answer is not a failure, no rerun doubles rows."""

import time
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest

from tasks.errors import TransientError
from tasks.settings import Settings
from tasks.stores import verified
from tasks.stores.objects import Objects, open_objects
from tasks.stores.snapshot import CURRENT
from tasks.stores.tables import LEASE_SECONDS, Lake
from tests.support.fault_proxy import FOREVER, FaultProxy, Kind
from tests.support.lakes import candidate, ids, publish, refund, run_on
from tests.support.weed import Endpoint

pytestmark = pytest.mark.slow


@pytest.fixture
def objects(s3_server: Endpoint, proxy: FaultProxy) -> Objects:
    settings: Settings = s3_server.settings(s3_endpoint=proxy.url, lake=s3_server.uri(uuid4().hex))
    return open_objects(settings.lake, settings)


@pytest.fixture
def lake(objects: Objects, tmp_path: Path) -> Lake:
    lake = Lake(objects)
    publish(lake, objects, candidate(tmp_path, "refunds", [refund("old", "2026-05")]))
    return lake


def test_a_delta_commit_whose_answer_was_lost_landed_once(
    lake: Lake, objects: Objects, proxy: FaultProxy, tmp_path: Path
):
    with proxy.fault("lost", "PUT", "_delta_log") as fault:
        now = publish(lake, objects, candidate(tmp_path, "refunds", [refund("new", "2026-05")]))
    assert fault.fired
    assert (now.tables["refunds"], ids(lake, now)) == (2, ["new", "old"])


def test_a_pointer_whose_answer_was_lost_moved_once(lake: Lake, objects: Objects, proxy: FaultProxy, tmp_path: Path):
    with proxy.fault("lost", "PUT", CURRENT):
        now = publish(lake, objects, candidate(tmp_path, "refunds", [refund("new", "2026-05")]))
    assert (now.seq, lake.snapshot()) == (2, now)


def test_a_store_that_stays_away_leaves_the_old_snapshot(
    lake: Lake, objects: Objects, proxy: FaultProxy, tmp_path: Path
):
    with proxy.fault("503", "PUT", ".parquet", times=FOREVER), pytest.raises(TransientError):
        publish(lake, objects, candidate(tmp_path, "refunds", [refund("new", "2026-05")]))
    assert (lake.snapshot().seq, ids(lake, lake.snapshot())) == (1, ["old"])
    assert publish(lake, objects, candidate(tmp_path, "refunds", [refund("new", "2026-05")])).seq == 2


@pytest.mark.parametrize("kind", ["corrupt", "truncate"])
def test_bytes_injured_on_the_way_never_reach_polars(kind: Kind, lake: Lake, objects: Objects, proxy: FaultProxy):
    verified._checked.clear()
    with proxy.fault(kind, "GET", ".parquet", times=FOREVER), pytest.raises(TransientError, match="paid_month=2026-05"):
        ids(Lake(objects), lake.snapshot())
    assert ids(Lake(objects), lake.snapshot()) == ["old"]


@pytest.mark.proof
def test_a_call_that_stops_the_heart_beat_gives_up_before_the_lease_ends(lake: Lake, objects: Objects, tmp_path: Path):
    """Delta's `restore` holds Python's lock, and the proxy that should answer it is of this very process."""
    with lake.writer(run_on(objects, 1), 0) as writer:
        writer.commit(candidate(tmp_path, "refunds", [refund("stray", "2026-05")]))
    begun = time.monotonic()
    with suppress(TransientError):
        publish(lake, objects, candidate(tmp_path, "refunds", [refund("new", "2026-05")]))
    assert time.monotonic() - begun < LEASE_SECONDS
    assert ids(lake, lake.at(1)) == ["old"]

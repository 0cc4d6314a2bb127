"""Nothing opens without a purpose, beyond it, or before it is on the record."""

from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.keys import access_log
from tasks.errors import SecurityRefusedError, StoreUnavailableError
from tasks.settings import Settings
from tasks.stores.access_log import EVERY_TYPE, Access, Purpose, accesses
from tasks.stores.directory import DirectoryObjects
from tasks.stores.keys import open_key_ring
from tasks.stores.objects import Objects, open_objects
from tasks.stores.opener import FILE, Opener
from tasks.stores.vault import Sealer

RING = open_key_ring("acme", "acme-1", bytes(range(7, 39)).hex())


class Full(DirectoryObjects):
    """A store that takes nothing more."""

    def create(self, key: str, data: bytes) -> str:
        raise StoreUnavailableError(f"{key} of {len(data)} bytes does not fit")


@pytest.fixture
def lake(tmp_path: Path) -> Objects:
    return open_objects(str(tmp_path / "lake"), Settings())


def sealed(phones: int, emails: int = 0) -> pl.DataFrame:
    rows = [(f"{number:064x}", "phone", f"1540000{number:04d}") for number in range(phones)]
    rows += [(f"{number:064x}", "email", f"p{number}@example.com") for number in range(emails)]
    frame = pl.DataFrame(rows, {"pseudonym": pl.String, "contact_type": pl.String, "value": pl.String}, orient="row")
    return Sealer.of(RING).seal(frame)


def opener(lake: Objects, most: int, kind: str = "phone") -> Opener:
    return Opener(RING, lake, Purpose(role="delivery", what="send v/c/2026-11-01", contact_type=kind, most=most))


def test_an_opening_is_on_the_record_with_no_persons_data(lake: Objects):
    assert opener(lake, 3).contacts(sealed(3))["value"].to_list() == [f"1540000{n:04d}" for n in range(3)]
    (told,) = accesses(lake)
    assert (told.role, told.what, told.contact_type, told.count) == ("delivery", "send v/c/2026-11-01", "phone", 3)
    assert told.key_ids == (RING.key_id,)
    assert told.by
    (meta,) = lake.list("audit/")
    assert b"1540000" not in lake.read(meta.key)
    assert f"{0:064x}".encode() not in lake.read(meta.key)


def test_more_than_was_declared_is_refused_and_nothing_recorded(lake: Objects):
    with pytest.raises(SecurityRefusedError, match="would open 3 values"):
        opener(lake, 2).contacts(sealed(3))
    assert list(accesses(lake)) == []


def test_what_was_declared_is_spent_once(lake: Objects):
    door = opener(lake, 3)
    door.contacts(sealed(2))
    with pytest.raises(SecurityRefusedError, match="would open 4 values"):
        door.contacts(sealed(2))


def test_another_kind_than_declared_is_refused(lake: Objects):
    with pytest.raises(SecurityRefusedError, match="kind email"):
        opener(lake, 9).contacts(sealed(1, emails=1))
    assert opener(lake, 9, EVERY_TYPE).contacts(sealed(1, emails=1)).height == 2


def test_a_purpose_for_contacts_opens_no_file_and_the_other_way_round(lake: Objects, tmp_path: Path):
    (tmp_path / "clear").write_bytes(b"order_id\n1\n")
    Sealer.of(RING).encrypt_file(tmp_path / "clear", tmp_path / "stored")
    with pytest.raises(SecurityRefusedError, match="kind file"):
        opener(lake, 1, EVERY_TYPE).file(tmp_path / "stored", tmp_path / "out")
    with pytest.raises(SecurityRefusedError, match="kind phone"):
        opener(lake, 1, FILE).contacts(sealed(1))
    opener(lake, 1, FILE).file(tmp_path / "stored", tmp_path / "out")
    assert [(told.contact_type, told.count) for told in accesses(lake)] == [(FILE, 1)]


def test_what_cannot_be_recorded_is_not_opened(tmp_path: Path):
    with pytest.raises(StoreUnavailableError):
        opener(Full(tmp_path / "full"), 3).contacts(sealed(3))


def test_nothing_to_open_leaves_no_record(lake: Objects):
    assert opener(lake, 0).contacts(sealed(0)).height == 0
    assert list(accesses(lake)) == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=10)
@given(counts=st.lists(st.integers(1, 4), max_size=4))
def test_the_log_adds_up(counts: list[int], tmp_path_factory: pytest.TempPathFactory):
    lake = open_objects(str(tmp_path_factory.mktemp("lake")), Settings())
    for count in counts:
        opener(lake, count).contacts(sealed(count))
    told = list(accesses(lake))
    assert [one.count for one in told] == counts
    assert [one.at for one in told] == sorted(one.at for one in told)


def test_the_log_can_be_read_from_a_date_on(lake: Objects):
    for day in ("2026-10-31", "2026-11-01"):
        told = Access(
            at=f"{day}T08:00:00Z", by="op", role="delivery", what=day, contact_type="phone", count=1, key_ids=("k",),
            token="t",  # noqa: S106
        )  # fmt: skip
        lake.create(f"audit/access/{day}/080000000000-t.json", told.model_dump_json().encode())
    uri = lake.uri
    assert [row["what"] for row in access_log(uri)] == ["2026-10-31", "2026-11-01"]
    assert [row["what"] for row in access_log(uri, "2026-11-01")] == ["2026-11-01"]

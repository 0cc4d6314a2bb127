"""A re-key of a lake that has refreshed and delivered: the same numbers under other names, and nobody sent to twice."""

from pathlib import Path

import pytest

from flows.rekeying import rekey
from flows.verify import verify
from tests.support.winback import AS_OF, HOUSEHOLDS, Brand, write_contacts

pytestmark = pytest.mark.acceptance

NAMED = {"customers": "one_id", "orders": "buyer_key", "sightings": "key", "contacts": "pseudonym"}
FACTS = ("frequency", "monetary_fen", "r_score", "f_score", "m_score", "segment", "tier", "stage")


@pytest.fixture(scope="module")
def sent(prefect_harness: str, tmp_path_factory: pytest.TempPathFactory) -> Brand:
    """Refreshed and delivered once, under the published key."""
    assert prefect_harness
    brand = Brand.found(tmp_path_factory.mktemp("sent") / "brand")
    brand.deliver()
    return brand


@pytest.fixture(scope="module")
def renamed(sent: Brand, tmp_path_factory: pytest.TempPathFactory) -> Brand:
    """The same after a re-key; only to be read."""
    brand = sent.copy(tmp_path_factory.mktemp("renamed") / "brand")
    told = rekey(brand.uri)
    assert told["outcome"] == "re-keyed"
    return brand


def facts(brand: Brand) -> list[tuple[object, ...]]:
    return sorted(brand.rows("customers").select(FACTS).rows())


def test_everybody_has_another_name_and_the_same_numbers(sent: Brand, renamed: Brand):
    for table, column in (
        ("customers", "one_id"),
        ("orders", "buyer_key"),
        ("sightings", "key"),
        ("contacts", "pseudonym"),
    ):
        before, after = (set(brand.rows(table)[column].drop_nulls()) for brand in (sent, renamed))
        assert len(before) == len(after)
        assert not before & after, table
    assert facts(sent) == facts(renamed)


def test_twice_is_once(renamed: Brand):
    seq = renamed.lake.snapshot().seq
    assert rekey(renamed.uri)["outcome"] == "already done"
    assert renamed.lake.snapshot().seq == seq


def test_verify_proves_the_past_and_says_that_names_are_others(renamed: Brand):
    found = verify(renamed.uri)
    assert (found.damaged, found.mismatches) == ([], [])
    assert found.renamed == [f"{AS_OF} was computed under other names"]


def test_the_next_export_meets_the_same_people(renamed: Brand, tmp_path: Path):
    """The same contacts again say nothing new: an ingest gives the names, records and hashes that the re-key gave."""
    brand = renamed.copy(tmp_path / "brand")
    counts = {table: brand.rows(table).height for table in ("members", "consents", "sightings", "contacts")}
    path = write_contacts(tmp_path / "contacts-2017-11-again.csv", reversed(HOUSEHOLDS))
    brand.take_in(path, "2018-01-02T06:00:00-05:00")
    assert {table: brand.rows(table).height for table in counts} == counts


def test_a_send_of_before_reaches_nobody_again_and_can_be_called_back(renamed: Brand, tmp_path: Path):
    brand = renamed.copy(tmp_path / "brand")
    assert brand.deliver()["status"] == "already_published"
    told = brand.cancel()
    assert told["recalled"] == brand.rows("deliveries").filter(seq=1)["rows"].item()

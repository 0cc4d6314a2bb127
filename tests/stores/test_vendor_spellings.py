"""Two contacts that a vendor writes as one id: nobody is in a file twice, whatever the vault calls them."""

import polars as pl
import pytest

from tasks.errors import SecurityRefusedError
from tasks.policy.vendors import Vendor
from tasks.steps.unsealing import Contacts
from tasks.stores.objects import Objects
from tasks.stores.revision import build
from tasks.transforms.spellings import one_of_each_id
from tests.support.sends import KEY, publication
from tests.support.vendor_readers import ids_in, profile

GOOGLE, PHONES = profile("google_audience_email"), profile("google_audience")
ADDRESSES = {"a": "someone@gmail.com", "b": "some.one+news@gmail.com", "c": "someone@example.com"}


class Opened(Contacts):
    """Contacts that lie open: one_id is the contact's name too."""

    def __init__(self, vendor: Vendor) -> None:
        """Hold nothing of a lake."""
        self._vendor = vendor

    def of(self, people: pl.DataFrame) -> pl.DataFrame:
        """The people with their address."""
        return people.with_columns(contact=pl.col("one_id").replace_strict(ADDRESSES, return_dtype=pl.String))


def people(*ids: str) -> pl.DataFrame:
    schema = {"one_id": pl.String, "recipient_key": pl.String}
    return pl.DataFrame([(one, f"email::{one}") for one in ids], schema, orient="row")


def test_the_first_of_two_spellings_has_the_contact() -> None:
    assert Opened(GOOGLE).doubled(people("c", "b", "a"), people()).rows() == [("b", "a")]
    assert Opened(profile("meta_audience_email")).doubled(people("c", "b", "a"), people()).is_empty()


def test_whoever_is_in_a_file_keeps_the_contact_also_while_they_are_called_back() -> None:
    assert Opened(GOOGLE).doubled(people("a", "c"), people("b")).rows() == [("a", "b")]
    assert Opened(GOOGLE).doubled(people("a", "b"), people("b")).rows() == [("a", "b")]


def test_who_comes_second_is_told_why() -> None:
    outcomes = {"a": "planned", "b": "planned", "c": "capped"}
    members = people(*outcomes).with_columns(outcome=pl.Series(outcomes.values()), evidence=pl.lit(None, pl.String))
    told = one_of_each_id(members, pl.DataFrame({"one_id": ["b"], "owner": ["a"]}))
    assert told["outcome"].to_list() == ["planned", "duplicate_contact", "capped"]
    assert told["evidence"].to_list() == [None, "for the vendor the contact is also that of a", None]


def test_a_revision_with_one_id_twice_is_refused(objects: Objects) -> None:
    added = people("a", "b").with_columns(contact=pl.Series([ADDRESSES["a"], ADDRESSES["b"]]))
    with pytest.raises(SecurityRefusedError, match="contact occurs twice"):
        build(publication(objects, [], vendor=GOOGLE, added=added), KEY)
    both = publication(objects, [], vendor=GOOGLE, added=added.head(1), recalled=added.tail(1))
    with pytest.raises(SecurityRefusedError, match="contact occurs twice"):
        build(both, KEY)


def test_a_seed_in_another_spelling_is_no_second_message(objects: Objects) -> None:
    added = people("a").with_columns(contact=pl.lit("13900000001"))
    seeds = pl.DataFrame({"contact": ["+8613900000001", "13900000002", "+8613900000002"]})
    file, *_ = build(publication(objects, [], vendor=PHONES, added=added, seeds=seeds), KEY).files
    assert len(ids_in(file, PHONES)) == len(set(ids_in(file, PHONES))) == 2

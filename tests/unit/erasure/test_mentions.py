"""Where a policy names single people, what stands there after an erasure, and hand-overs of the master that go."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.policy.holds import BLANKED
from tasks.policy.mentions import mentions, places_of, shown, under_other_names
from tasks.settings import Settings
from tasks.stores.erased_masters import delete_masters, masters_with
from tasks.stores.objects import Objects, open_objects
from tests.support.examples import examples

OLD, NEW, OTHER = "c_aaaaaaaaaaaaaaaa", "c_bbbbbbbbbbbbbbbb", "c_cccccccccccccccc"
HEX = "0f" * 32
POLICY = {
    "holds": {"locks": [{"one_id": OLD, "reason": "a name"}, {"one_id": OTHER, "reason": "why"}]},
    "audiences": [{"code": "few", "where": f"one_id IN ('{OLD}', '{OTHER}')"}],
    "tags": {"by_key": f"key = 'phone::{HEX}'"},
}


def test_locks_conditions_and_keys_are_found_where_they_stand():
    assert set(mentions(POLICY)) == {
        "holds.locks.1.one_id", "holds.locks.2.one_id", "audiences.1.where", "tags.by_key",
    }  # fmt: skip
    assert places_of(POLICY, {OLD}) == ["holds.locks.1.one_id", "audiences.1.where"]
    assert places_of(POLICY, {HEX}) == ["tags.by_key"]
    assert shown(list("abcdefg")) == "a, b, c, d, e and 2 more"


def test_the_name_changes_everywhere_and_the_reason_of_the_named_alone():
    told = under_other_names(POLICY, {OLD: NEW, HEX: "aa" * 32})
    assert told["holds"]["locks"] == [{"one_id": NEW, "reason": BLANKED}, {"one_id": OTHER, "reason": "why"}]
    assert told["audiences"][0]["where"] == f"one_id IN ('{NEW}', '{OTHER}')"
    assert places_of(told, {OLD, HEX}) == []
    assert under_other_names(told, {OLD: NEW}) == told


IDS = st.sampled_from([OLD, NEW, OTHER, "plain", f"x {OLD} y {OTHER}", HEX])
DOCUMENTS = st.recursive(IDS | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(IDS, inner))


@settings(max_examples=examples(60), deadline=None)
@given(DOCUMENTS)
def test_no_name_is_left_in_any_document(document: object):
    told = under_other_names(document, {OLD: NEW})
    assert OLD not in str(told)
    assert (told == document) == (OLD not in str(document))


@pytest.fixture
def outbox(tmp_path: Path) -> Objects:
    objects = open_objects(str(tmp_path), Settings())
    for folder, who in (("2026-05-31/whole-1", OLD), ("2026-06-30/whole-2", OTHER)):
        for name, text in (("customers.csv", f"one_id\n{who}\n"), ("manifest.json", "{}"), ("_SUCCESS", "x")):
            objects.create(f"master/{folder}/{name}", text.encode())
    return objects


def test_a_master_that_names_the_person_goes_and_others_stay(outbox: Objects):
    found = masters_with(outbox, [OLD])
    assert found == ["master/2026-05-31/whole-1"]
    for _ in range(2):
        delete_masters(outbox, found)
        assert {meta.key.rpartition("/")[0] for meta in outbox.list("")} == {"master/2026-06-30/whole-2"}

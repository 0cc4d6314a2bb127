"""A stored policy that names somebody forgotten: rewritten beside its place, and known by the digest of before."""

from pathlib import Path

import pytest

from tasks.errors import SecurityRefusedError
from tasks.policy.holds import BLANKED
from tasks.policy.load import digest_of, load_policy
from tasks.policy.models import Policy
from tasks.settings import Settings
from tasks.stores.objects import Objects, open_objects
from tasks.stores.policies import keep_policy, policy_key, restate, restated_policies, stored_policy
from tests.support.quarter import JOURNEY

OLD, NEW, OTHER = "c_aaaaaaaaaaaaaaaa", "c_bbbbbbbbbbbbbbbb", "c_cccccccccccccccc"
DAYS = {"starts_on": "2017-03-01", "ends_on": "2017-03-31"}


def holding() -> Policy:
    """The journey's policy with a lock and a flag on one customer, and a lock on another."""
    holds = {
        "locks": [{"one_id": who, "reason": f"why {who}"} | DAYS for who in (OLD, OTHER)],
        "frauds": [{"one_id": OLD, "starts_on": "2017-03-01", "reason": "a name"}],
    }
    plain = load_policy(Path(JOURNEY))
    return plain.model_copy(update={"holds": type(plain.holds).model_validate(holds)})


@pytest.fixture
def kept(tmp_path: Path) -> tuple[Objects, str]:
    """A store with the policy before an erasure, and its digest."""
    objects = open_objects(str(tmp_path), Settings())
    return objects, keep_policy(objects, holding())


def erased(objects: Objects) -> dict[str, bytes]:
    found = dict(restated_policies(objects, {OLD: NEW}))
    for digest, content in found.items():
        restate(objects, digest, content)
    return found


def test_the_name_and_the_reasons_go_and_everybody_elses_stay(kept: tuple[Objects, str]):
    objects, digest = kept
    assert list(erased(objects)) == [digest]
    left = b"".join(objects.read(meta.key) for meta in objects.list("policies/"))
    assert OLD.encode() not in left
    assert b"a name" not in left
    policy = stored_policy(objects, digest)
    assert [lock.one_id for lock in policy.holds.locks] == [NEW, OTHER]
    assert [lock.reason for lock in policy.holds.locks] == [BLANKED, f"why {OTHER}"]
    assert erased(objects) == {}


def test_runs_go_on_naming_it_by_the_digest_of_before(kept: tuple[Objects, str]):
    objects, digest = kept
    erased(objects)
    policy = stored_policy(objects, digest)
    assert digest_of(policy) == digest == keep_policy(objects, policy)
    assert objects.head(policy_key(digest)) is None


def test_an_older_copy_that_comes_back_is_refused(kept: tuple[Objects, str]):
    objects, _ = kept
    erased(objects)
    with pytest.raises(SecurityRefusedError, match="names a customer who was forgotten"):
        keep_policy(objects, holding())


def test_a_second_person_is_taken_out_of_what_stands(kept: tuple[Objects, str]):
    objects, digest = kept
    erased(objects)
    for one, content in dict(restated_policies(objects, {OTHER: NEW[:-1] + "d"})).items():
        restate(objects, one, content)
    assert OTHER not in str(stored_policy(objects, digest).holds)

"""The policy of a run that is long past: read again, although parts have been added to policies since."""

import hashlib
import json

import pytest

from tasks.policy.load import SINGLE, canonical, digest_of, load_policy
from tasks.settings import Settings
from tasks.stores.objects import open_objects
from tasks.stores.policies import policy_key, stored_policy
from tests.support.journey import POLICY

OWN = ("brand", "tiers", "tags", "campaigns", "vendors")


@pytest.mark.parametrize("missing", [name for name in SINGLE if name not in OWN])
def test_what_a_stored_policy_does_not_know_is_as_the_defaults_have_it(missing: str, directory_settings: Settings):
    now = load_policy(POLICY)
    old = {name: part for name, part in json.loads(canonical(now)).items() if name != missing}
    data = json.dumps(old).encode()
    objects, digest = open_objects(directory_settings.lake, directory_settings), hashlib.sha256(data).hexdigest()
    objects.create(policy_key(digest), data)
    assert digest_of(stored_policy(objects, digest)) == digest_of(now)

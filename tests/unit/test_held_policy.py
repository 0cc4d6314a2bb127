"""A dry run's policy is found under its digest by this process, and nowhere else."""

from pathlib import Path

import pytest

from tasks.errors import MissingDataError
from tasks.policy.load import digest_of, load_policy
from tasks.settings import Settings
from tasks.stores.objects import open_objects
from tasks.stores.policies import hold_policy, stored_policy
from tests.support.source import ROOT


def test_a_held_policy_is_found_and_not_stored(tmp_path: Path) -> None:
    policy = load_policy(ROOT / "infra/demo/demo_cn/policy")
    unseen = policy.model_copy(update={"brand": policy.brand.model_copy(update={"max_volume_drop": 0.123})})
    objects = open_objects(str(tmp_path / "lake"), Settings())
    with pytest.raises(MissingDataError):
        stored_policy(objects, digest_of(unseen))
    assert stored_policy(objects, hold_policy(unseen)) == unseen
    assert list(objects.list("")) == []

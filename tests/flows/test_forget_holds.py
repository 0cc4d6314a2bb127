"""Somebody whose tier is locked is forgotten: no stored policy names them any more, and the past is still proved."""

import json
from pathlib import Path

import pytest

from flows.erasure_requests import rehearse
from flows.forget import forget
from flows.parameters import ForgetParameters, Parameters
from flows.verify import verify
from tasks.errors import SecurityRefusedError
from tasks.stores.ring import demo_ring
from tests.support.forgetting import asked, house_of, tokens_of
from tests.support.leaks import leaks_in
from tests.support.quarter import Brand

pytestmark = pytest.mark.acceptance
WHY = "Promised by Ms Example on the telephone"


def holds_of(one_id: str) -> str:
    return json.dumps(
        {
            "locks": [
                {"one_id": one_id, "tier": None, "starts_on": "2017-03-01", "ends_on": "2017-03-31", "reason": WHY}
            ],
            "frauds": [],
        }
    )


def test_a_lock_leaves_no_name_behind_and_the_locked_month_is_still_proved(standing: Brand, tmp_path: Path):
    plain = standing.copied(tmp_path)
    who = plain.rows("customers")["one_id"].sort()[0]
    locked = plain.with_policy(tmp_path / "policy", "holds.yaml", holds_of(who))
    locked.refresh("2017-03-31")
    assert locked.rows("customers", "2017-03-31").filter(one_id=who)["tier_lock_reason"].to_list() == [WHY]
    secrets = [WHY, *tokens_of(plain.rows("identities").filter(one_id=who)["key"].unique())]
    assert any(path.startswith("policies/") for path in leaks_in(Path(plain.lake), secrets, ring=demo_ring()))

    told = rehearse(who, Parameters(**locked.told), house_of(locked.told))
    assert (told["named_in_policy"], told["stored_policies"]) == (["holds.locks.1.one_id"], 1)
    request = asked(locked.told, who)
    with pytest.raises(SecurityRefusedError, match="the policy names the person"):
        forget(ForgetParameters(request=request, **locked.told))

    assert forget(ForgetParameters(request=request, **plain.told))["policies"] == 1
    assert leaks_in(Path(plain.lake), secrets, ring=demo_ring()) == {}
    after = verify(plain.lake)
    assert (after.damaged, after.mismatches, after.unrepeatable) == ([], [], [])
    with pytest.raises(SecurityRefusedError, match="who was forgotten"):
        locked.refresh("2017-03-31")

"""Which policy holds where none is named: that of the newest run that was under the brand's own of its day."""

from pathlib import Path

from flows.begin import last_policy
from tasks.policy.load import digest_of
from tasks.settings import Settings
from tasks.steps.house import lake_at
from tasks.stores.objects import open_objects
from tasks.stores.policies import keep_policy
from tasks.stores.runs import stage_record
from tests.support.random_days import Days


def test_a_repair_under_the_policy_of_an_old_send_is_passed_over(tmp_path: Path) -> None:
    days = Days(tmp_path)
    old = days.policy.model_copy(update={"campaigns": days.policy.campaigns[:1]})
    for flow, found in (("reconcile", days.policy), ("plan", old)):
        run = days.run_of(flow)
        under = run.model_copy(update={"policy_digest": keep_policy(open_objects(days.uri, Settings()), old)})
        with lake_at(days.uri).writer(under, 10) as writer:
            writer.commit(stage_record(under, {}, [], days.now))
            writer.move_pointer()
        assert digest_of(last_policy(days.uri)) == digest_of(found)

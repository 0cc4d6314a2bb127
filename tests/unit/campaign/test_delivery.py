"""From plan to hand-over: consent looked at again, the increment, and the members afterwards."""

import polars as pl

from tasks.transforms.allocation import allocate
from tasks.transforms.consent import Question
from tasks.transforms.contact_points import keys_of_people
from tasks.transforms.delivery import cancelled, delivered, increment, planned, recheck
from tasks.transforms.known import Known
from tasks.transforms.waterfall import waterfall
from tests.support.campaigns import NOW, SEND_ON, campaign, consent, known, member, outcomes, phone, policy

PEOPLE = {"a": 5, "b": 4, "c": 3}
SMS = Question("sms", "marketing")
NOBODY = pl.DataFrame(schema={"one_id": pl.String, "recipient_key": pl.String})


def plan(people: Known) -> pl.DataFrame:
    return allocate(people, policy(campaign()), send_on=SEND_ON, at=NOW).members


def look_again(members: pl.DataFrame, news: Known, published: pl.DataFrame = NOBODY) -> dict[str, str]:
    keys = keys_of_people(news.identities, news.points)
    return outcomes(recheck(members, published, SMS, words=news.words, keys=keys, points=news.points))


def people(*one_ids: str) -> pl.DataFrame:
    return pl.DataFrame({"one_id": one_ids, "recipient_key": [phone(p) for p in one_ids]}, schema=NOBODY.schema)


def test_what_was_said_since_the_plan_counts() -> None:
    yes = [consent(phone(p)) for p in PEOPLE]
    noes = [consent(member("a"), "withdrawn"), consent(member("b"), "withdrawn", purpose="*")]
    found = look_again(plan(known(PEOPLE)), known(PEOPLE, consents=[*yes, *noes]))
    assert found == {"a": "withdrawn_since_plan", "b": "suppressed", "c": "planned"}


def test_the_last_look_asks_for_profiling_third_parties_and_dead_contacts_too() -> None:
    yes = [consent(phone(p)) for p in PEOPLE]
    separate = [consent(phone(p), purpose="third_party") for p in ("a", "c")]
    news = [
        consent(member("a"), "withdrawn", purpose="profiling", touch_channel="*"),
        consent(phone("c"), "unreachable", purpose="*", touch_channel="*"),
    ]
    told, asked = known(PEOPLE, consents=[*yes, *separate, *news]), Question("sms", "marketing", True, True)
    keys = keys_of_people(told.identities, told.points)
    members = plan(known(PEOPLE))
    for reached, of_c in ((NOBODY, "unreachable"), (people("c"), "planned")):
        found = recheck(members, reached, asked, words=told.words, keys=keys, points=told.points)
        assert outcomes(found) == {"a": "no_profiling", "b": "no_separate_consent", "c": of_c}


def test_nobody_comes_in_at_the_last_look() -> None:
    members = plan(known(PEOPLE, consents=[consent(phone("a"))]))
    assert look_again(members, known(PEOPLE)) == {"a": "planned", "b": "no_consent", "c": "no_consent"}


def test_a_contact_that_was_reached_as_someone_else_is_a_duplicate() -> None:
    reached = people("a").with_columns(one_id=pl.lit("merged"))
    assert look_again(plan(known(PEOPLE)), known(PEOPLE), reached)["a"] == "duplicate_contact"


def test_an_increment_adds_the_new_and_recalls_the_gone() -> None:
    change = increment(people("a", "b"), people("b", "c"))
    assert change.added.rows() == [("c", phone("c"))]
    assert change.recalled.rows() == [("a", phone("a"))]
    assert increment(people("a"), people("a")).is_empty


def test_a_changed_contact_is_no_reason_to_send_again() -> None:
    assert increment(people("a"), people("a").with_columns(recipient_key=pl.lit("phone::new"))).is_empty


def test_planned_people_become_delivered_with_the_contact_used() -> None:
    members = plan(known(PEOPLE, consents=[consent(phone("a")), consent(phone("b"))]))
    assert planned(members).rows() == people("a", "b").rows()
    reached = people("a").with_columns(seq=pl.lit(1, dtype=pl.Int64), recipient_key=pl.lit("phone::old"))
    after = delivered(members, reached)
    assert after.select("one_id", "outcome", "recipient_key", "seq").rows() == [
        ("a", "delivered", "phone::old", 1), ("b", "planned", phone("b"), None), ("c", "no_consent", phone("c"), None),
    ]  # fmt: skip


def test_a_cancelled_send_still_balances() -> None:
    counts = waterfall(cancelled(plan(known(PEOPLE))))
    assert (counts["base"], counts["cancelled"], counts["planned"]) == (3, 3, 0)

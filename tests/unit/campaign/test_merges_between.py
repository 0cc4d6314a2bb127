"""Two people become one between the plan and its delivery, or between two looks of a trigger."""

from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.policy.campaigns import Campaign
from tasks.policy.contacting import Cap
from tasks.policy.models import Policy
from tasks.transforms.allocation import allocate, send_id_of
from tasks.transforms.allocation.against import Rules
from tasks.transforms.consent import Question
from tasks.transforms.contact_points import keys_of_people
from tasks.transforms.delivery import delivered, increment, planned, recheck
from tasks.transforms.renamed import as_members_are, as_published, one_row_each, renamed
from tasks.transforms.since_merge import Around, within_limits
from tasks.transforms.since_plan import one_message_each
from tests.support.campaigns import NOW, SEND_ON, campaign, consent, known, member, outcomes, phone, policy, rows, touch
from tests.support.examples import examples

PEOPLE = ("a", "b", "c", "d")
ONCE = Cap(touch_channel="sms", days=7, most=1)
REACHED = {"one_id": pl.String, "recipient_key": pl.String, "seq": pl.Int64}
YES = [consent(phone(number)) for number in (35, 39)]
NOBODY = pl.DataFrame(schema=REACHED)


def names(now: dict[str, str]) -> pl.LazyFrame:
    return pl.LazyFrame([*now.items()], {"old_id": pl.String, "one_id": pl.String}, orient="row")


class Day:
    """The sends of a day: planned for people, of whom some are one person when it comes to delivery."""

    def __init__(self, rules: Policy, meant: dict[str, tuple[str, ...]], now: dict[str, str], *before: Any) -> None:
        """Plan each campaign for those whom it is meant for."""
        self.rules, self.now, self.touches = rules, names(now), rows("touches", before)
        self.ids, self.members = now, {}
        for one in sorted(rules.campaigns, key=lambda c: (c.priority, c.code)):
            people = known(dict.fromkeys(meant[one.code], 5), touches=self.touches.collect().to_dicts())
            done = allocate(people, rules, send_on=SEND_ON, at=NOW, campaigns=frozenset({one.code}))
            self.members[one.code] = done.members
            self.touches = pl.concat([self.touches, done.touches.lazy()])

    def deliver(self, one: Campaign, reached: pl.DataFrame = NOBODY) -> dict[str, str]:
        """Outcomes after the last look; whoever is left is handed over."""
        keys = pl.LazyFrame({"key": [member(p) for p in PEOPLE], "one_id": [self.ids.get(p, p) for p in PEOPLE]})
        around = Around(self.touches, self.now, self.now, keys, Rules.of(self.rules))
        members = one_message_each(self.members[one.code], reached, self.now)
        self.members[one.code] = within_limits(members, reached, around, one, SEND_ON)
        gets = outcomes(self.members[one.code], one.code)
        for person in (p for p, outcome in gets.items() if outcome == "planned"):
            told = {"campaign": one.code, "send_id": send_id_of(one, SEND_ON)}
            self.touches = pl.concat([self.touches, rows("touches", [touch(person, phone(person), 0, **told)])])
        return gets


FIRST, SECOND = campaign("one_sms", priority=1), campaign("two_sms", priority=2)
MEANT = {"one_sms": ("a", "c"), "two_sms": ("b", "d")}


def test_the_later_one_of_the_walk_loses_whichever_goes_out_first() -> None:
    for order in ((FIRST, SECOND), (SECOND, FIRST)):
        for now in ({"b": "a"}, {"a": "b"}, {"a": "new", "b": "new"}):
            day = Day(policy(FIRST, SECOND, caps=(ONCE,)), MEANT, now)
            told = {one.code: day.deliver(one) for one in order}
            assert told == {"one_sms": {"a": "planned", "c": "planned"}, "two_sms": {"b": "capped", "d": "planned"}}
            why = day.members["two_sms"].filter(one_id="b")["evidence"].item()
            assert why == "1 of 1 sms in 7 days, as one person since the plan"


def test_one_of_a_group_goes_out() -> None:
    rivals = [campaign(f"{name}_sms", priority=n, exclusive_group="g") for n, name in enumerate(("one", "two"))]
    day = Day(policy(*rivals), MEANT, {"b": "a"})
    assert day.deliver(rivals[1]) == {"b": "lower_priority", "d": "planned"}
    assert day.deliver(rivals[0]) == {"a": "planned", "c": "planned"}


def test_whoever_was_reached_keeps_theirs_and_what_went_out_counts() -> None:
    day = Day(policy(FIRST, SECOND, caps=(ONCE,)), MEANT, {"b": "a"})
    reached = pl.DataFrame([("b", phone("b"), 1)], REACHED, orient="row")
    assert day.deliver(SECOND, reached)["b"] == "planned"
    assert day.deliver(FIRST) == {"a": "capped", "c": "planned"}


def test_a_message_of_days_ago_under_the_other_id_counts() -> None:
    before = touch("b", phone("b"), 3)
    day = Day(policy(FIRST, caps=(ONCE,)), {"one_sms": ("a", "c")}, {"b": "a"}, before)
    assert day.deliver(FIRST) == {"a": "capped", "c": "planned"}
    nameless = touch(None, member("b"), 3)
    day = Day(policy(FIRST, caps=(ONCE,)), {"one_sms": ("a", "c")}, {"a": "new", "b": "new"}, nameless)
    assert day.deliver(FIRST) == {"a": "capped", "c": "planned"}


def test_a_plan_of_tomorrow_gives_way_to_today() -> None:
    before = touch("b", phone("b"), -1, "planned")
    assert Day(policy(FIRST, caps=(ONCE,)), MEANT, {"b": "a"}, before).deliver(FIRST)["a"] == "planned"


days = st.fixed_dictionaries({
    "campaigns": st.lists(
        st.builds(
            lambda code, priority, group: campaign(code, priority=priority, exclusive_group=group),
            st.sampled_from(["one", "two", "three"]), st.integers(1, 2), st.sampled_from([None, "g"]),
        ), min_size=1, unique_by=lambda c: c.code,
    ),
    "meant": st.fixed_dictionaries({
        c: st.sets(st.sampled_from(PEOPLE), min_size=1).map(lambda s: tuple(sorted(s))) for c in ("one", "two", "three")
    }),
    "now": st.dictionaries(st.sampled_from("bcd"), st.sampled_from(["a", "new"]), max_size=3),
    "before": st.lists(st.tuples(st.sampled_from(PEOPLE), st.integers(1, 8)), max_size=2, unique=True),
    "caps": st.lists(st.builds(Cap, touch_channel=st.just("sms"), days=st.integers(1, 8), most=st.integers(1, 2)),
                     max_size=2),
    "order": st.randoms(use_true_random=False),
})  # fmt: skip


@settings(max_examples=examples(20), deadline=None)
@given(days)
def test_no_cap_and_no_group_is_broken_and_nobody_else_loses_anything(world: dict[str, Any]) -> None:
    now, before = world["now"], [touch(p, phone(p), ago) for p, ago in world["before"]]
    day = Day(policy(*world["campaigns"], caps=world["caps"]), world["meant"], now, *before)
    first = {code: outcomes(members, code) for code, members in day.members.items()}
    going = list(world["campaigns"])
    world["order"].shuffle(going)
    told = {one.code: day.deliver(one) for one in going}
    person = {p: now.get(p, p) for p in PEOPLE}
    gets = [(person[p], code) for code, fates in told.items() for p, fate in fates.items() if fate == "planned"]
    groups = {one.code: one.exclusive_group for one in world["campaigns"]}
    for who in set(person.values()):
        mine = [code for p, code in gets if p == who]
        assert len(mine) == len(set(mine))
        assert sum(groups[code] == "g" for code in mine) <= 1
        for cap in world["caps"]:
            earlier = sum(person[p] == who and ago < cap.days for p, ago in world["before"])
            assert not mine or len(mine) + earlier <= cap.most
    alone = [p for p in PEOPLE if list(person.values()).count(person[p]) == 1]
    assert all(told[code][p] == fate for code, fates in first.items() for p, fate in fates.items() if p in alone)


def looked(now: dict[str, str], members: pl.DataFrame, reached: pl.DataFrame) -> tuple[list[Any], list[Any], Any]:
    """Whom the next revision adds and calls back, and what becomes of the members."""
    moved = renamed(reached, members, names(now))
    seen, told = as_members_are(reached, moved), known({"p": 5}, {"p": 35}, YES)
    keys = keys_of_people(told.identities, told.points)
    asked = recheck(members, seen, Question("sms", "marketing"), words=told.words, keys=keys, points=told.points)
    change = increment(seen.drop("seq"), planned(asked))
    done = delivered(asked, one_row_each(reached, moved))
    return change.added.rows(), as_published(change.recalled, reached, moved).rows(), done


def test_a_merge_between_two_looks_neither_recalls_nor_sends() -> None:
    """One or both of them had the message; since then they are p, and the send is decided again for p."""
    one = pl.DataFrame([("y", phone(39), 1)], REACHED, orient="row")
    both = pl.DataFrame([("x", phone(35), 1), ("y", phone(39), 2)], REACHED, orient="row")
    for now, reached in (({"y": "p"}, one), ({"x": "p", "y": "p"}, both)):
        published = as_members_are(reached, names(now).collect()).drop("seq")
        published = published.with_columns(send_id=pl.lit(send_id_of(campaign(), SEND_ON)))
        again = allocate(
            known({"p": 5}, {"p": 35}, YES, published=published), policy(campaign()), send_on=SEND_ON, at=NOW
        ).members
        added, recalled, done = looked(now, again, reached)
        assert (added, recalled) == ([], [])
        stands = done.select("one_id", "outcome", "recipient_key", "seq").rows()
        assert stands == [("p", "delivered", reached["recipient_key"][0], 1)]


def test_who_says_no_after_the_merge_is_called_back_as_they_were_published() -> None:
    both = pl.DataFrame([("x", phone(35), 1), ("y", phone(39), 2)], REACHED, orient="row")
    members = allocate(known({"p": 5}, {"p": 35}, consents=[]), policy(campaign()), send_on=SEND_ON, at=NOW).members
    added, recalled, done = looked({"x": "p", "y": "p"}, members, both)
    assert (added, recalled) == ([], [("x", phone(35)), ("y", phone(39))])
    assert outcomes(done) == {"p": "no_consent"}


def test_members_who_still_have_the_ids_of_the_plan_are_named_so() -> None:
    members = allocate(known({"x": 5, "y": 5}), policy(campaign()), send_on=SEND_ON, at=NOW).members
    both = pl.DataFrame([("x", phone("x"), 1), ("y", phone("y"), 1)], REACHED, orient="row")
    assert renamed(both, members, names({"y": "x"})).is_empty()
    assert renamed(both, members, names({"x": "p", "y": "p"})).is_empty()
    left = members.filter(one_id="x")
    assert renamed(both, left, names({"x": "p", "y": "p"})).rows() == [("y", "x")]

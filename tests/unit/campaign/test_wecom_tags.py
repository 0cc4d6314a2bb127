"""Tags of advisers' contacts: the changes applied to what stood give what shall stand, and touch nothing else."""

from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tasks.errors import BadPolicyError
from tasks.policy.campaigns import TAG_NAME_MOST
from tasks.transforms.wecom_tags import (
    OF_CONTACTS,
    TAGS_MOST,
    Contacts,
    adviser_contacts,
    changes_by_customer,
    last_handed,
    tag_changes,
    tags_of_contacts,
    tags_that_hold,
)
from tests.support.campaigns import campaign, rows
from tests.support.examples import examples

Pairs = dict[tuple[str, str], set[str]]
PAIRS = st.tuples(st.sampled_from(("li", "wu")), st.sampled_from(("wm1", "wm2", "wm3")))
STATES = st.dictionaries(PAIRS, st.sets(st.sampled_from(("vip", "tier_gold", "tier_base", "复购"))))
FOREIGN = st.dictionaries(PAIRS, st.sets(st.sampled_from(("朋友", "VIP"))))
TAGS = pl.Schema({"userid": pl.String, "external_userid": pl.String, "tag": pl.String})
PEOPLE = pl.Schema({"one_id": pl.String, "adviser_id": pl.String, "tier": pl.String, "is_lost": pl.Boolean})


def frame(state: Pairs) -> pl.LazyFrame:
    told = [(*pair, tag) for pair, tags in state.items() for tag in sorted(tags)]
    return pl.LazyFrame(told, schema=TAGS, orient="row")


def people(*given: tuple[str, str | None, str | None, bool | None]) -> pl.LazyFrame:
    return pl.LazyFrame(list(given), schema=PEOPLE, orient="row")


def told(changes: pl.LazyFrame) -> dict[str, tuple[str, str]]:
    return {one: (added, removed) for one, added, removed in changes.collect().iter_rows()}


@settings(max_examples=examples(40), deadline=None)
@given(STATES, STATES, FOREIGN)
def test_yesterday_with_the_changes_is_today(before: Pairs, now: Pairs, foreign: Pairs):
    """What staff or another app put there stays, and a contact in which nothing changes is not named."""
    stands = {pair: before.get(pair, set()) | foreign.get(pair, set()) for pair in {*before, *now, *foreign}}
    changes = tag_changes(frame(before), frame(now)).collect()
    for userid, customer, added, removed in changes.iter_rows():
        assert added or removed
        assert set(removed) <= before.get((userid, customer), set())
        stands[userid, customer] = stands[userid, customer] - set(removed) | set(added)
    assert stands == {pair: now.get(pair, set()) | foreign.get(pair, set()) for pair in stands}
    assert changes.equals(changes.sort("userid", "external_userid"))
    assert changes.select("userid", "external_userid").is_unique().all()


@settings(max_examples=examples(15), deadline=None)
@given(STATES)
def test_nothing_is_told_where_nothing_changes(state: Pairs):
    assert tag_changes(frame(state), frame(state)).collect().is_empty()


def test_only_named_columns_become_tags_and_what_is_not_known_is_none():
    given = people(("a", "li", "gold", True), ("b", "li", None, False), ("c", "wu", "base", None))
    found = tags_that_hold(given, ["tier", "is_lost"]).sort("one_id", "tag").collect().rows()
    assert found == [("a", "is_lost"), ("a", "tier_gold"), ("c", "tier_base")]
    assert tags_that_hold(given, ["is_lost"]).collect().rows() == [("a", "is_lost")]


def test_a_name_has_no_comma_and_at_most_thirty_characters():
    (name,) = tags_that_hold(people(("a", "li", "金,银" + "长" * 40, None)), ["tier"]).collect()["tag"]
    assert (name[:8], len(name)) == ("tier_金，银", TAG_NAME_MOST)


def test_several_advisers_of_one_customer_each_get_the_tags_and_a_contact_holds_so_many():
    contacts = pl.LazyFrame({"userid": ["li", "wu"], "external_userid": ["wm1", "wm1"], "one_id": ["a", "a"]})
    many = pl.LazyFrame({"one_id": ["a"] * (TAGS_MOST + 5), "tag": [f"t{n:05d}" for n in range(TAGS_MOST + 5)]})
    held = tags_of_contacts(many, contacts).collect()
    assert dict(held.group_by("userid").len().iter_rows()) == {"li": TAGS_MOST, "wu": TAGS_MOST}
    assert held["tag"].max() == f"t{TAGS_MOST - 1:05d}"


SINCE, THEN, NOW = (datetime(2026, month, 1, tzinfo=UTC) for month in (5, 6, 7))


def follows(*given: tuple[str, str, datetime]) -> pl.LazyFrame:
    """Customer and adviser, and when we came to know of it."""
    return pl.LazyFrame(
        list(given), {"one_id": pl.String, "userid": pl.String, "known_from": pl.Datetime("us", "UTC")}, orient="row"
    )


def told_then(*given: tuple[str, str | None, str | None, bool | None]) -> pl.LazyFrame:
    return people(*given).with_columns(handed_at=pl.lit(THEN).cast(pl.Datetime("us", "UTC")))


def newest(now: pl.LazyFrame, before: pl.LazyFrame | None, columns: list[str]) -> dict[str, tuple[str, str]]:
    """What changes on the contact of the adviser who followed last."""
    changed = changes_by_customer(now, before, columns, Contacts(follows()))
    return told(changed.select("one_id", "tags_to_add", "tags_to_remove"))


def test_each_customer_is_compared_with_their_own_last_send():
    before = told_then(("same", "li", "gold", None), ("risen", "li", "base", True), ("moved", "li", "gold", None))
    now = people(
        ("same", "li", "gold", None), ("risen", "li", "gold", None), ("moved", "wu", "gold", None),
        ("new", "wu", "base", True), ("alone", None, "gold", True),
    )  # fmt: skip
    assert newest(now, before, ["tier", "is_lost"]) == {
        "same": ("", ""), "risen": ("tier_gold", "is_lost,tier_base"), "moved": ("tier_gold", ""),
        "new": ("is_lost,tier_base", ""), "alone": ("", ""),
    }  # fmt: skip


def test_the_first_time_everything_is_added_and_without_names_nothing():
    now = people(("a", "li", "gold", True))
    assert newest(now, None, ["tier"]) == {"a": ("tier_gold", "")}
    assert newest(now, None, []) == {"a": ("", "")}


def test_every_adviser_who_holds_a_customer_is_told_what_changes_on_their_own_contact():
    """The contact of wu came after the last send and gets all; li and he have base, and exchange it for gold."""
    known = follows(("a", "li", SINCE), ("a", "he", SINCE), ("a", "wu", NOW), ("b", "li", SINCE), ("c", "he", NOW))
    before = told_then(("a", "li", "base", None), ("b", "li", "gold", None))
    now = people(("a", "wu", "gold", None), ("b", "li", "gold", None), ("c", "he", "base", None))
    changed = changes_by_customer(now, before, ["tier"], Contacts(known)).sort("one_id").collect()
    assert changed.select("one_id", *OF_CONTACTS).rows() == [
        ("a", "he;li;wu", "tier_gold;tier_gold;tier_gold", "tier_base;tier_base;"), ("b", "", "", ""),
        ("c", "he", "tier_base", ""),
    ]  # fmt: skip
    assert changed["tags_to_remove"].to_list() == ["", "", ""], "what li has of it is not wu's"


@settings(max_examples=examples(25), deadline=None)
@given(STATES, st.dictionaries(PAIRS, st.sampled_from((SINCE, NOW)), min_size=1))
def test_contacts_that_are_told_come_to_hold_what_the_person_is(
    tiers: Pairs, followed: dict[tuple[str, str], datetime]
):
    """Whatever stood: applied to the contacts that we knew at the last send, each contact has the tag of now alone."""
    customers = sorted({customer for _, customer in followed})
    tier = {c: ("gold" if any(c == one for _, one in tiers) else "base") for c in customers}
    known = follows(*((customer, userid, since) for (userid, customer), since in followed.items()))
    before = told_then(*((c, None, "base", None) for c in customers))
    now = people(*((c, None, tier[c], None) for c in customers))
    changed = changes_by_customer(now, before, ["tier"], Contacts(known)).collect()
    stands = {pair: ({"tier_base"} if since == SINCE else set()) for pair, since in followed.items()}
    for one, userids, added, removed in changed.select("one_id", *OF_CONTACTS).iter_rows():
        parts = zip(*(text.split(";") for text in (userids, added, removed)), strict=True)
        for userid, plus, minus in parts if userids else ():
            stands[userid, one] = (stands[userid, one] - {*minus.split(",")}) | {*plus.split(",")} - {""}
    assert stands == {(userid, one): {f"tier_{tier[one]}"} for userid, one in followed}


def test_tags_are_told_by_their_ids_and_one_without_is_refused():
    known, now = follows(("a", "li", SINCE)), people(("a", "li", "gold", True))
    ids = {"tier_gold": "etGOLD", "tier_base": "etBASE"}
    changed = changes_by_customer(now, told_then(("a", "li", "base", None)), ["tier"], Contacts(known, ids)).collect()
    told_of = changed.select(*OF_CONTACTS, "tags_to_add", "tags_to_remove").rows()
    assert told_of == [("li", "etGOLD", "etBASE", "etGOLD", "etBASE")]
    with pytest.raises(BadPolicyError, match=r"no id of is_lost;.*an id for each tag"):
        changes_by_customer(now, None, ["tier", "is_lost"], Contacts(known, ids))
    with pytest.raises(ValidationError, match="two tags have one id"):
        campaign("sync", tag_ids={"tier_gold": "et1", "tier_base": "et1"})


def test_a_contact_is_of_whoever_had_the_key_and_known_since_its_first_version():
    given = [
        {"customer_key": "k1", "adviser_id": "li", "followed_at": SINCE, "known_from": at} for at in (NOW, SINCE)
    ] + [{"customer_key": "nobodys", "adviser_id": "wu", "followed_at": SINCE, "known_from": SINCE}]  # fmt: skip
    identities = rows("identities", [{"key": "k1", "one_id": "a", "own_id": "a", "epoch": 1}])
    assert adviser_contacts(rows("follows", given), identities).collect().rows() == [("a", "li", SINCE)]


def test_the_last_send_that_stands_counts_and_none_of_the_day_itself():
    def touch(one: str, day: int, kind: str, campaign: str = "sync", hour: int = 1) -> dict[str, Any]:
        on = date(2026, 7, day)
        return {"one_id": one, "campaign": campaign, "send_id": f"v/{campaign}/{on}", "send_on": on, "kind": kind,
                "happened_at": datetime(2026, 7, day, hour, tzinfo=UTC)}  # fmt: skip

    given = [
        touch("a", 1, "handed_over"), touch("a", 3, "handed_over"), touch("a", 9, "handed_over"),
        touch("b", 1, "handed_over"), touch("b", 3, "handed_over"), touch("b", 3, "cancelled", hour=2),
        touch("c", 3, "planned"), touch("d", 3, "handed_over", "other"),
    ]  # fmt: skip
    found = last_handed(rows("touches", given), ["sync"], date(2026, 7, 9)).sort("one_id").collect().rows()
    at = [datetime(2026, 7, day, 1, tzinfo=UTC) for day in (3, 1)]
    assert found == [("a", date(2026, 7, 3), at[0]), ("b", date(2026, 7, 1), at[1])]

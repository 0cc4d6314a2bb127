"""The law of consent over random histories: nobody whose latest word is no, or who never said yes, is ever selectable.

The oracle is plain Python, written from docs/consent.md: over merges, shared contacts, marketplaces, orders of
arrival, and any pair of `at` and `known`.
"""

from datetime import timedelta
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from expectations.tables import TABLES
from tasks.transforms.allocation import allocate
from tasks.transforms.consent import Question, standing, verdicts
from tasks.transforms.consent_ledger import Circle, Word, intervals
from tasks.transforms.contact_points import keys_of_people
from tasks.transforms.delivery import planned, recheck
from tasks.transforms.known import Known
from tests.support.campaigns import NOW, SEEN, SEND_ON, campaign, consent, known, member, phone, policy, rows, vendor
from tests.support.examples import examples

MEMBERS, PHONES, IDS = ("m1", "m2", "m3"), (1, 2), ("a", "b")
MARKETS = ("taobao",)
World = dict[str, Any]


def day(number: int) -> Any:
    return SEEN + timedelta(days=number)


def said(subject: str, word: tuple[str, str, str], channel: str, decided: int, heard: int, gone: int | None) -> World:
    touch_channel, purpose, decision = word
    return consent(
        subject, decision, touch_channel=touch_channel, purpose=purpose, channel=channel, decided_at=day(decided),
        known_from=day(heard), known_to=None if gone is None else day(max(gone, heard + 1)), evidence="form",
    )  # fmt: skip


GRANT = ("sms", "marketing", "granted")
words = st.one_of(
    st.sampled_from([GRANT, GRANT, GRANT, ("sms", "marketing", "withdrawn"), ("*", "*", "unreachable")]),
    st.tuples(
        st.sampled_from(["sms", "push", "*"]),
        st.sampled_from(["marketing", "service", "third_party", "profiling", "*"]),
        st.sampled_from(["granted", "withdrawn"]),
    ),
)
subjects = st.sampled_from([*map(phone, PHONES), *map(member, MEMBERS)])
channels = st.sampled_from(["youzan", "own", "taobao"])
gone = st.sampled_from([None, None, None, 2])
anything = st.builds(said, subjects, words, channels, st.integers(0, 2), st.integers(0, 2), gone)
yes = st.builds(said, subjects, st.just(GRANT), st.just("own"), st.integers(0, 2), st.just(0), st.none())
histories = st.tuples(st.lists(yes, min_size=1, max_size=3), st.lists(anything, max_size=6)).map(
    lambda two: [*two[0], *two[1]]
)
worlds = st.fixed_dictionaries(
    {
        "owner": st.fixed_dictionaries({m: st.sampled_from(IDS) for m in MEMBERS}),
        "seen": st.sets(
            st.tuples(st.sampled_from(MEMBERS), st.sampled_from(PHONES), st.sampled_from(["youzan", "taobao"])),
            min_size=2, max_size=5,
        ),
        "said": histories,
        "at": st.integers(0, 3),
        "known": st.integers(0, 3),
        "third": st.booleans(),
        "profiling": st.booleans(),
    }
)  # fmt: skip


def pairs(world: World) -> dict[tuple[str, str], bool]:
    """(one_id, contact) to whether the two were seen together outside of marketplaces."""
    seen: dict[tuple[str, str], bool] = {}
    for name, number, channel in sorted(world["seen"]):
        pair = world["owner"][name], phone(number)
        seen[pair] = seen.get(pair, False) or channel not in MARKETS
    return seen


def keys_of(world: World, one_id: str) -> set[str]:
    """Memberships of the customer, and every contact that was seen with them."""
    own = {member(name) for name, owner in world["owner"].items() if owner == one_id}
    return own | {contact for owner, contact in pairs(world) if owner == one_id}


def latest(world: World, subject: str, touch_channel: str, purpose: str) -> str | None:
    """The latest word at `at`, as known at `known`; of equal times no; a marketplace's yes is none."""
    heard = [
        (row["decided_at"], row["decision"] == "withdrawn")
        for row in world["said"]
        if (row["subject"], row["touch_channel"], row["purpose"]) == (subject, touch_channel, purpose)
        and row["decision"] != "unreachable"
        and counts(world, row)
    ]
    return None if not heard else "no" if max(heard)[1] else "yes"


def counts(world: World, row: World) -> bool:
    is_known = row["known_from"] <= day(world["known"]) and (
        row["known_to"] is None or row["known_to"] > day(world["known"])
    )
    is_borrowed = row["decision"] == "granted" and row["channel"] in MARKETS
    return is_known and row["decided_at"] <= day(world["at"]) and not is_borrowed


def may_be_written_to(world: World, one_id: str, contact: str) -> bool:
    """The text, rule by rule."""
    of_person = keys_of(world, one_id)
    concerned = of_person | {contact}
    for other, shared in pairs(world):
        concerned |= keys_of(world, other) if shared == contact else set()
    members = {key for key in of_person if key.startswith("member:")} if pairs(world)[one_id, contact] else set()
    asked = ["marketing", "*", *["third_party"] * world["third"], *["profiling"] * world["profiling"]]
    if any(latest(world, key, c, p) == "no" for key in concerned for c in ("sms", "*") for p in asked):
        return False
    reported = [r["decided_at"] for r in world["said"] if is_report(world, r, contact)]
    lived = [r["decided_at"] for r in world["said"] if is_own_yes(world, r, contact)]
    if reported and (not lived or max(lived) <= max(reported)):
        return False
    if world["third"] and not any(
        latest(world, key, c, "third_party") == "yes" for key in members | {contact} for c in ("sms", "*")
    ):
        return False
    return any(latest(world, key, "sms", "marketing") == "yes" for key in members | {contact})


def is_report(world: World, row: World, contact: str) -> bool:
    return row["subject"] == contact and row["decision"] == "unreachable" and counts(world, row)


def is_own_yes(world: World, row: World, contact: str) -> bool:
    return row["subject"] == contact and row["decision"] == "granted" and counts(world, row)


def points_in(world: World) -> pl.LazyFrame:
    found = [(one_id, "phone", contact, SEEN, is_own) for (one_id, contact), is_own in pairs(world).items()]
    columns = ["one_id", "contact_type", "contact_key", "last_seen_at", "is_own"]
    return pl.LazyFrame(found, schema=columns, orient="row").with_columns(is_theirs=True)


def identities_in(world: World) -> pl.LazyFrame:
    return pl.LazyFrame({"key": [member(m) for m in MEMBERS], "one_id": [world["owner"][m] for m in MEMBERS]})


def words_in(world: World) -> pl.LazyFrame:
    consents = rows("consents", world["said"])
    return standing(consents, at=day(world["at"]), known=day(world["known"]), marketplaces=MARKETS)


def asked(world: World) -> Question:
    return Question("sms", "marketing", is_third_party=world["third"], is_profiling=world["profiling"])


def selectable(world: World) -> dict[tuple[str, str], bool]:
    """(one_id, contact) to what `verdicts` says, each contact in turn the one that would be used."""
    points = points_in(world)
    keys = keys_of_people(identities_in(world), points)
    found = {}
    for number in PHONES:
        contacts = points.filter(pl.col("contact_key") == phone(number)).select("one_id", "contact_key").unique()
        said = verdicts(words_in(world), keys, points, contacts, asked(world)).collect()
        is_no = pl.any_horizontal(
            pl.col("withdrawn_at", "suppressed_at", "profiling_no_at", "unreachable_at").is_not_null()
        )
        for one_id, may in said.select("one_id", pl.col("is_granted") & ~is_no & ~pl.col("lacks_separate")).rows():
            found[one_id, phone(number)] = may
    return found


@settings(max_examples=examples(40), deadline=None)
@given(worlds)
def test_who_may_be_written_to_is_what_the_text_says(world: World) -> None:
    assert selectable(world) == {(o, c): may_be_written_to(world, o, c) for o, c in pairs(world)}


@settings(max_examples=examples(12), deadline=None)
@given(worlds, st.randoms(use_true_random=False))
def test_the_order_of_arrival_in_a_table_does_not_matter(world: World, chance: Any) -> None:
    first = selectable(world)
    chance.shuffle(world["said"])
    assert selectable(world) == first
    assert selectable(world | {"said": [*world["said"], *world["said"]]}) == first


@settings(max_examples=examples(15), deadline=None)
@given(worlds)
def test_a_merge_frees_nobody(world: World) -> None:
    """A contact with a yes of its own that is open after all became one person was open for each of them before."""
    merged = world | {"owner": dict.fromkeys(MEMBERS, "a"), "third": False}
    after = {contact for (_, contact), may in selectable(merged).items() if may}
    before = selectable(world | {"third": False})
    closed_before = {contact for (_, contact), may in before.items() if not may}
    assert not {c for c in after & closed_before if latest(world, c, "sms", "marketing") == "yes"}


def facts(world: World) -> Known:
    everyone = dict.fromkeys(IDS, 5)
    told = known(everyone, dict.fromkeys(IDS), [])
    return Known(**vars(told) | {
        "identities": identities_in(world), "points": points_in(world), "words": words_in(world),
    })  # fmt: skip


@settings(max_examples=examples(12), deadline=None)
@given(worlds)
def test_neither_plan_nor_delivery_takes_anybody_else(world: World) -> None:
    told = facts(world)
    chosen = campaign(audience="m_score >= 0" if world["profiling"] else "true")
    rules = policy(chosen).model_copy(
        update={"vendors": (vendor(role="third_party" if world["third"] else "entrusted"),)}
    )
    members = allocate(told, rules, send_on=SEND_ON, at=NOW).members
    keys = keys_of_people(told.identities, told.points)
    nobody = pl.DataFrame(schema={"one_id": pl.String, "recipient_key": pl.String})
    everyone = members.with_columns(
        outcome=pl.when(pl.col("recipient_key").is_not_null()).then(pl.lit("planned")).otherwise("outcome")
    )
    checked = recheck(everyone, nobody, asked(world), words=told.words, keys=keys, points=told.points)
    for going in (members, checked):
        assert all(may_be_written_to(world, one_id, contact) for one_id, contact in planned(going).rows())


def circle_of(world: World, one_id: str, contact: str) -> Circle:
    sharing = {other for other, shared in pairs(world) if shared == contact and other != one_id}
    return Circle(
        keys=frozenset(key for key in keys_of(world, one_id) if key.startswith("member:")),
        contacts={c: own for (owner, c), own in pairs(world).items() if owner == one_id},
        used={"sms": contact},
        sharers={contact: frozenset(key for other in sharing for key in keys_of(world, other))},
    )


@settings(max_examples=examples(40), deadline=None)
@given(worlds)
def test_the_ledger_of_a_person_says_the_same_at_every_instant(world: World) -> None:
    heard = [
        Word(*(row[name] for name in Word._fields))
        for row in world["said"]
        if counts(world | {"at": 9}, row)
    ]  # fmt: skip
    plain = world | {"third": False, "profiling": False}
    for one_id, contact in pairs(world):
        told = [i for i in intervals(heard, circle_of(world, one_id, contact)) if i[:2] == ("sms", "marketing")]
        for number in range(6):
            now = [
                i
                for i in told
                if (i.since is None or i.since <= day(number)) and (i.until is None or i.until > day(number))
            ]
            assert len(now) == bool(told)
            may = bool(now) and now[0].state == "granted"
            assert may == may_be_written_to(plain | {"at": number}, one_id, contact)


def test_every_column_that_a_word_has_is_one_of_the_tables() -> None:
    assert {*Word._fields} <= {*TABLES["consents"].columns}

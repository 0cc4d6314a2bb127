"""Coupon codes: one for each person, never twice, whatever happens in between; and links with their parameters."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expectations.tables import TABLES
from tasks.errors import MissingDataError, SecurityRefusedError
from tasks.policy.campaigns import Campaign
from tasks.policy.offers import Utm
from tasks.policy.variants import Variant
from tasks.policy.vendors import Sms
from tasks.steps.coupons import check_codes
from tasks.stores.sends import Send
from tasks.transforms.allocation import Allocation, allocate
from tasks.transforms.coupons import Pools, codes_by_person, draw, free_codes
from tasks.transforms.links import link_of, with_links
from tests.support.campaigns import NOW, SEND_ON, campaign, known, outcomes, policy, rows
from tests.support.examples import examples

ON, AT = date(2026, 7, 1), datetime(2026, 7, 1, tzinfo=UTC)
LEAVES_OUT = {"pool": "spring", "when_empty": "leave_out"}
NEEDS = {"send_id": pl.String, "one_id": pl.String}
EMPTY = pl.DataFrame(schema=TABLES["coupon_allocations"].schema)


def people(numbers: set[int], send: str) -> pl.DataFrame:
    named = [f"c_{n}" for n in sorted(numbers)]
    return pl.DataFrame({"send_id": [send] * len(named), "one_id": named}, NEEDS)


def coupons(count: int, **more: Any) -> pl.LazyFrame:
    return rows("coupons", [{"pool": "spring", "code_key": f"coupon::{n:03}"} | more for n in range(count)])


def free_of(count: int, stands: pl.DataFrame) -> pl.DataFrame:
    return free_codes(coupons(count), stands.lazy().select("code_key"), "spring", ON)


SENDS = st.lists(st.tuples(st.sampled_from("abc"), st.sets(st.integers(0, 9), max_size=8), st.booleans()), max_size=6)


@settings(max_examples=examples(40), deadline=None)
@given(SENDS, st.integers(0, 25))
def test_no_code_goes_to_two_and_nobody_gets_another_on_a_rerun(sends, codes):
    """A run that is killed leaves nothing; one that stood is read by the next; recalls give no code back."""
    stands = EMPTY
    for name, numbers, is_killed in sends:
        send = f"v/{name}/2026-07-01"
        has = {int(one_id[2:]) for one_id in stands.filter(send_id=send)["one_id"]}
        needs, free = people(numbers - has, send), free_of(codes, stands)
        if needs.height > free.height:
            continue
        given_now = draw(needs, campaign(coupon_pool="spring"), free, ON, AT)
        stands = stands if is_killed else pl.concat([stands, given_now])
        assert given_now["one_id"].to_list() == needs["one_id"].to_list()
        assert stands["code_key"].is_unique().all()
        assert stands.select("send_id", "one_id").is_unique().all()


def test_too_few_codes_stop_the_plan_with_a_way_out():
    with pytest.raises(MissingDataError, match="needs 3 codes, pool spring has 2") as refused:
        draw(people({1, 2, 3}, "v/a/2026-07-01"), campaign(coupon_pool="spring"), free_of(2, EMPTY), ON, AT)
    assert "when_empty: leave_out" in str(refused.value)


SCORES = {"low": 1, "mid": 3, "top": 5}


def planned_with(free: int, *campaigns: Campaign, held: tuple[str, ...] = ()) -> Allocation:
    """The small world of three people with so many codes of the pool, of which some have theirs already."""
    holders = pl.LazyFrame({"send_id": [f"sms_vendor/winback/{SEND_ON}"] * len(held), "one_id": held}, NEEDS)
    known_now = replace(known(SCORES), pools=Pools({"spring": free}, holders))
    return allocate(known_now, policy(*campaigns), send_on=SEND_ON, at=NOW)


def test_the_best_scored_are_served_and_what_they_leave_goes_to_the_next_campaign():
    more = {"coupon_pool": LEAVES_OUT, "exclusive_group": "one"}
    done = planned_with(2, campaign(**more), campaign("later", priority=20, exclusive_group="one"))
    assert outcomes(done.members) == {"low": "no_coupon", "mid": "planned", "top": "planned"}
    assert outcomes(done.members, "later") == {"low": "planned", "mid": "lower_priority", "top": "lower_priority"}
    assert done.codes["one_id"].to_list() == ["mid", "top"]
    assert done.members.filter(outcome="no_coupon")["evidence"].to_list() == ["no code is left in pool spring"]


def test_who_has_a_code_keeps_their_place_and_needs_no_other():
    done = planned_with(1, campaign(coupon_pool=LEAVES_OUT), held=("low",))
    assert outcomes(done.members) == {"low": "planned", "mid": "no_coupon", "top": "planned"}
    assert done.codes["one_id"].to_list() == ["top"]
    again = planned_with(0, campaign(coupon_pool=LEAVES_OUT), held=("low", "top"))
    assert (outcomes(again.members), again.codes.height) == (outcomes(done.members), 0)


def test_two_campaigns_of_one_pool_share_what_is_free():
    done = planned_with(4, campaign(coupon_pool=LEAVES_OUT), campaign("later", priority=20, coupon_pool=LEAVES_OUT))
    assert (set(outcomes(done.members).values()), done.codes.height) == ({"planned"}, 4)
    assert outcomes(done.members, "later") == {"low": "no_coupon", "mid": "no_coupon", "top": "planned"}


def test_who_is_held_out_competes_like_the_others():
    """Else the held-out would be of lower scores than those whom they are compared with."""
    done = planned_with(1, campaign(coupon_pool=LEAVES_OUT, percent="100"))
    assert set(outcomes(done.members).values()) == {"holdout"}
    assert set(outcomes(planned_with(0, campaign(coupon_pool=LEAVES_OUT, percent="100")).members).values()) == {
        "no_coupon"
    }


def test_a_code_is_found_under_the_id_of_before_a_merge():
    names = pl.LazyFrame({"old_id": ["a", "b", "c"], "one_id": ["b", "b", "c"]})
    stands = pl.DataFrame({"one_id": ["a", "c"], "code_key": ["coupon::1", "coupon::3"]})
    asked = pl.DataFrame({"one_id": ["b", "c"]})
    assert dict(codes_by_person(asked, stands, names).iter_rows()) == {"b": "coupon::1", "c": "coupon::3"}
    both = pl.DataFrame({"one_id": ["a", "b"], "code_key": ["coupon::1", "coupon::2"]})
    assert codes_by_person(asked.head(1), both, names).rows() == [("b", "coupon::2")]


def test_codes_that_end_are_given_first_and_never_after_their_end():
    pool = pl.concat([coupons(1), coupons(3, valid_until=date(2026, 8, 1)).tail(1),
                      coupons(2, valid_until=date(2026, 6, 30)).tail(1)])  # fmt: skip
    free = free_codes(pool, EMPTY.lazy().select("code_key"), "spring", ON)
    assert free["code_key"].to_list() == ["coupon::002", "coupon::000"]
    assert free_codes(pool, EMPTY.lazy().select("code_key"), "autumn", ON).is_empty()


TEXT = st.text("aZ0 &=?#%+/春é~😀", min_size=1, max_size=8)


@settings(max_examples=examples(60), deadline=None)
@given(TEXT, TEXT, TEXT, st.dictionaries(st.sampled_from(["id", "q", "utm_source"]), TEXT, max_size=3))
def test_a_link_tells_back_what_was_put_in(source, medium, content, query):
    """Read by the standard library: what stood there stays, ours is there once."""
    base = f"https://shop.example/p/春?{urlencode(query)}#top"
    utm = Utm(base=base, source=source, medium=medium, content={"b": content})
    told = urlsplit(link_of(utm, "spring", "b"))
    own = {"utm_source": source, "utm_medium": medium, "utm_campaign": "spring", "utm_content": content}
    assert parse_qs(told.query) == {name: [value] for name, value in {**query, **own}.items()}
    assert (told.fragment, told.netloc, told.path) == ("top", "shop.example", "/p/春")
    assert not set(told.query) & set(' +"<>')


def test_each_variant_has_its_link():
    utm = {"base": "https://a.cn/", "source": "sms", "medium": "sms", "content": {"a": "早"}}
    chosen = campaign(percent=0, utm=utm, variants=(Variant(code="a"), Variant(code="b")))
    people = pl.DataFrame({"one_id": ["1", "2"], "variant": ["a", "b"]})
    links = with_links(people.select("one_id"), people, chosen)["link"].to_list()
    assert [parse_qs(urlsplit(link).query)["utm_content"] for link in links] == [["早"], ["b"]]
    assert with_links(people, people, campaign()).columns == people.columns


@pytest.mark.parametrize(("rules", "told"), [
    ({"variable_most": 12}, "of 4 coupon codes of v/winback/2026-07-01 v would refuse 3: 2 hold a link, 1 have"),
    ({}, "would refuse 2: 2 hold a link; "),
    ({"variable_most": 12, "links_in_variables": "allow"}, "refuse 2: 0 hold a link, 2 have more than 12 characters"),
])  # fmt: skip
def test_codes_that_the_vendor_refuses_of_a_variable_stop_the_send_and_are_not_shown(rules: dict[str, Any], told: str):
    codes = pl.DataFrame({"coupon": ["T.CN/SPRING0038QXZ", "foo.ai/X1", "SPRING-0038-QXZ", "SPRING0038"]})
    send = Send("v", "winback", ON)
    with pytest.raises(SecurityRefusedError, match=told) as refused:
        check_codes(codes, send, Sms.model_validate(rules))
    assert "SPRING" not in str(refused.value)
    check_codes(codes[3:], send, Sms.model_validate(rules))
    check_codes(codes, send, None)
    check_codes(codes, send, Sms(links_in_variables="allow"))

"""Coupon codes: one for each person, never twice, whatever happens in between; and links with their parameters."""

from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expectations.tables import TABLES
from tasks.errors import MissingDataError
from tasks.policy.offers import Utm
from tasks.policy.variants import Variant
from tasks.transforms.coupons import Drawn, draw, free_codes
from tasks.transforms.links import link_of, with_links
from tests.support.campaigns import campaign, rows
from tests.support.examples import examples

ON, AT = date(2026, 7, 1), datetime(2026, 7, 1, tzinfo=UTC)
LEAVES_OUT = {"pool": "spring", "when_empty": "leave_out"}
EMPTY = pl.DataFrame(schema=TABLES["coupon_allocations"].schema)


def members(people: set[int], send: str = "v/winback/2026-07-01") -> pl.DataFrame:
    told = [
        {"one_id": f"c_{n}", "send_id": send, "send_on": ON, "campaign": "winback",
         "outcome": "holdout" if n == 0 else "planned"} for n in sorted(people)
    ]  # fmt: skip
    return rows("audience_members", told).collect()


def coupons(count: int, **more: Any) -> pl.LazyFrame:
    return rows("coupons", [{"pool": "spring", "code_key": f"coupon::{n:03}"} | more for n in range(count)])


def taken(*drawn: Drawn) -> pl.DataFrame:
    return pl.concat([EMPTY, *(one.allocations for one in drawn)])


SENDS = st.lists(st.tuples(st.sampled_from("abc"), st.sets(st.integers(0, 9), max_size=8), st.booleans()), max_size=6)


@settings(max_examples=examples(40), deadline=None)
@given(SENDS, st.integers(0, 25))
def test_no_code_goes_to_two_and_nobody_gets_another_on_a_rerun(sends, codes):
    """A run that is killed leaves nothing; one that stood is read by the next; recalls give no code back."""
    chosen, stands = campaign(coupon_pool=LEAVES_OUT), EMPTY
    for name, people, is_killed in sends:
        send = f"v/{name}/2026-07-01"
        free = free_codes(coupons(codes), stands.lazy().select("code_key"), "spring", ON)
        told = draw(members(people, send), chosen, free, stands.filter(send_id=send), AT)
        assert told.members.height == len(people)
        have = {*stands.filter(send_id=send)["one_id"], *told.allocations["one_id"]}
        planned = set(told.members.filter(outcome="planned")["one_id"])
        assert planned == have & {f"c_{n}" for n in people - {0}}
        left = told.members.filter(outcome="no_coupon").height
        assert not left or free.height == told.allocations.height
        stands = stands if is_killed else pl.concat([stands, told.allocations])
        assert stands["code_key"].is_unique().all()
        assert stands.select("send_id", "one_id").is_unique().all()


def test_too_few_codes_stop_the_plan_with_a_way_out():
    with pytest.raises(MissingDataError, match="needs 3 codes, pool spring has 2") as refused:
        draw(members({1, 2, 3}), campaign(coupon_pool="spring"), coupons(2).select("code_key").collect(), EMPTY, AT)
    assert "when_empty: leave_out" in str(refused.value)


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

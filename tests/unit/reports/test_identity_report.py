"""The identity report: figures counted by hand on nine rows, and a page that names nobody."""

import re

import polars as pl
import pytest

from tasks.reports.identity import identity_figures, told
from tasks.reports.identity_charts import pairs_of
from tasks.reports.identity_page import render_identity
from tasks.transforms.identity.bridges import bridges, ties_of
from tests.support.identity_data import SEEN, identity_data


@pytest.fixture(scope="module")
def figures() -> dict[str, object]:
    return identity_figures(identity_data())


def test_a_number_that_changed_hands_is_one_key_of_two_customers(figures):
    assert (figures["customers"], figures["keys"], figures["reused_keys"]) == (4, 8, 1)
    assert (figures["joined_customers"], figures["largest"]) == (3, 4)


def test_sizes_have_no_gaps_and_add_up(figures):
    assert [(size["keys"], size["customers"], size["keys_held"]) for size in figures["sizes"]] == [
        ("1", 1, 1), ("2", 2, 4), ("3", 0, 0), ("4", 1, 4),
    ]  # fmt: skip


def test_types_tell_how_many_keys_are_joined_to_another(figures):
    kinds = {kind["key_type"]: (kind["keys"], kind["customers"], kind["joined_keys"]) for kind in figures["types"]}
    assert kinds == {"member": (2, 2, 2), "nick": (2, 2, 1), "phone": (2, 3, 2), "openid": (1, 1, 1),
                     "unionid": (1, 1, 1)}  # fmt: skip


def test_hubs_are_counted_by_the_links_that_they_would_have_made(figures):
    assert [(hub["key"], hub["links"]) for hub in figures["hubs"]] == [("phone::till", 2)]
    assert [(link["rule"], link["key_b"]) for link in figures["refused"]["strongest"]] == [("cap", "member:club:b1")]
    assert figures["refused"]["links"] == 3


def test_refusals_of_one_reason_are_one_line(figures):
    assert figures["refused"]["by_rule"] == [
        {"rule": "hub", "evidence": "member@club", "links": 2},
        {"rule": "cap", "evidence": "member@club", "links": 1},
    ]


def test_what_moved_since_the_date_before(figures):
    changes = figures["changes"]
    assert (changes["customers_before"], changes["changed_ids"], changes["renamed_ids"]) == (4, 2, 1)


def test_guards_are_counted_as_a_run_counts_them(figures):
    """One clash; nine rows of four customers are five links that hold."""
    assert [(guard["guard"], guard["found"], guard["is_kept"]) for guard in figures["guards"]] == [
        ("max_component", "4", True), ("max_changed_share", "2 / 4", True), ("max_refused_share", "1 / 6", True),
    ]  # fmt: skip


def test_the_first_date_has_figures_too():
    figures = identity_figures(identity_data(first=True))
    assert (figures["customers"], figures["largest"], figures["sizes"], figures["biggest"]) == (0, 0, [], [])
    assert "首期" in render_identity(identity_data(first=True), figures)


def test_a_terminal_sees_short_keys(figures):
    full = "phone::" + "0123456789abcdef" * 4
    hub = {"rule": "hub", "key": full, "links": 1, "evidence": None}
    assert told({**figures, "hubs": [hub]})["hubs"][0]["key"] == "phone::01234567…"


def test_nobody_is_on_the_page(figures):
    data = identity_data()
    page = render_identity(data, figures)
    known = data.identities.collect()
    pseudonyms = [key.rpartition(":")[2] for key in known["key"]]
    assert not any(one_id in page for one_id in known["one_id"])
    assert not re.search("|".join(rf":{pseudonym}\b" for pseudonym in [*pseudonyms, "till"]), page)


@pytest.mark.parametrize(
    ("records", "found"),
    [
        ({"r1": "mp", "r2": "pu"}, [("p", 1, 1)]),
        ({"r1": "mp", "r2": "pu", "r3": "mu"}, []),  # a record joins the two without the phone
        ({"r1": "mp", "r2": "pu", "r3": "mq", "r4": "qu"}, []),  # either phone will do
        ({"r1": "mp", "r2": "pu", "r3": "un"}, [("p", 1, 2)]),
        ({"r1": "mpu"}, []),
        ({"r1": "mp", "r2": "pq", "r3": "qu"}, [("p", 1, 1), ("q", 1, 1)]),
    ],
)  # fmt: skip
def test_a_bridge_is_a_phone_without_which_the_strong_keys_fall_apart(records, found):
    rows = [(key, record, "identity", SEEN) for record, keys in records.items() for key in keys]
    seen = pl.LazyFrame(rows, schema=["key", "record", "key_role", "seen_at"], orient="row")
    names = seen.select("key").unique().with_columns(
        one_id=pl.lit("x"), key_type=pl.lit("any"),
        key_class=pl.when(pl.col("key").is_in(["p", "q"])).then(pl.lit("linking")).otherwise(pl.lit("strong")),
        valid_from=pl.lit(None, pl.Datetime("us", "UTC")), valid_to=pl.lit(None, pl.Datetime("us", "UTC")),
    )  # fmt: skip
    told = bridges(ties_of(seen, names), names).collect()
    assert told.select("key", "smaller", "larger").rows() == found


def test_pairs_are_drawn_once():
    assert pairs_of([[2, 0], [0, 2], [0, 1, 2]]) == ((0, 1), (0, 2), (1, 2))

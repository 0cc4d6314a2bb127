"""Two households of the small brand are declared one: what follows in every table, and back again."""

import os
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from flows.linking import declare
from flows.reading import explain_customer
from flows.verify import verify
from tasks.errors import ConfigurationError, GateRefusedError
from tasks.policy import identity as policies
from tests.support.quarter import Brand, day_after, key_of
from tests.support.strata import quickly

pytestmark = pytest.mark.slow

FEBRUARY, MARCH = "2017-02-28", "2017-03-31"
KNOWN = day_after("2017-03")
FIRST, SECOND = ("member:complete_journey:1", "member:complete_journey:2")
IDENTITY = (Path(str(policies.__file__)).parent / "defaults" / "identity.yaml").read_text(encoding="utf-8")


def id_of(brand: Brand, household: int, as_of: str) -> str:
    key = key_of("member", "complete_journey", str(household))
    return str(brand.rows("identities", as_of).filter(key=key)["one_id"].item())


def customer(brand: Brand, one_id: str, as_of: str) -> dict[str, Any]:
    return brand.rows("customers", as_of).filter(one_id=one_id).row(0, named=True)


@pytest.fixture
def lenient(brand: Brand, tmp_path: Path) -> Brand:
    """The small lake under a policy in which one person may have two cards."""
    return brand.with_policy(tmp_path / "policy", "identity.yaml", IDENTITY.replace("member: 1", "member: 2"))


def tell(brand: Brand, link: Any, at: str = "2017-03-20", received_at: str = KNOWN) -> dict[str, Any]:
    return declare(link, FIRST, SECOND, "form 17", at=at, received_at=received_at, uri=brand.lake, policy=brand.policy)


@pytest.mark.acceptance
def test_a_declared_link_makes_one_customer_of_two_and_everything_follows(lenient: Brand):
    one, two = (id_of(lenient, household, FEBRUARY) for household in (1, 2))
    assert tell(lenient, "must")["customers_now"] == sorted([one, two])
    before = {one_id: customer(lenient, one_id, FEBRUARY) for one_id in (one, two)}
    lenient.refresh(MARCH, KNOWN)
    (moved,) = lenient.rows("identity_changes", MARCH).iter_rows(named=True)
    kept, gone = moved["new_id"], moved["old_id"]
    assert ({kept, gone}, moved["change"]) == ({one, two}, "merged_into")
    merged = customer(lenient, kept, MARCH)
    orders = lenient.rows("orders").filter(
        pl.col("buyer_key").is_in([key_of("member", "complete_journey", str(n)) for n in (1, 2)]),
        pl.col("paid_on") <= date(2017, 3, 31), pl.col("known_to").is_null(),
    )  # fmt: skip
    assert (merged["gross_orders"], merged["life_net_fen"]) == (orders.height, orders["paid_fen"].sum())
    moves = lenient.rows("migrations", MARCH).filter(dimension="tier")
    assert moves.filter(one_id=gone)["to_code"].to_list() == ["MERGED_INTO"]
    assert moves.filter(one_id=kept)["from_code"].to_list() == [before[kept]["tier"]]
    assert explain_customer(gone, None, lenient.lake)["one_id"] == kept
    assert verify(lenient.lake).mismatches == []


@pytest.mark.acceptance
def test_the_link_is_explained_without_a_plain_value_and_an_old_id_is_understood(lenient: Brand):
    tell(lenient, "must")
    lenient.refresh(MARCH, KNOWN)
    (moved,) = lenient.rows("identity_changes", MARCH).iter_rows(named=True)
    answers = [
        quickly("identity", "explain", who, "--lake", lenient.lake, "--json", env=os.environ).told
        for who in (FIRST, SECOND, moved["old_id"])
    ]
    assert {answer["one_id"] for answer in answers} == {moved["new_id"]}
    told = answers[0]
    assert {key["key"] for key in told["keys"]} == {key_of("member", "complete_journey", n) for n in "12"}
    assert [(link["link"], link["evidence"]) for link in told["declared"]] == [("must", "form 17")]
    assert told["former_ids"] == [moved["old_id"]]
    assert told["records"]


@pytest.mark.acceptance
def test_a_later_word_takes_them_apart_again(lenient: Brand):
    tell(lenient, "must")
    lenient.refresh("2017-03-30", KNOWN)
    tell(lenient, "cannot", "2017-03-31", "2017-04-02")
    lenient.refresh(MARCH, "2017-04-02")
    assert len({id_of(lenient, household, MARCH) for household in (1, 2)}) == 2
    assert lenient.rows("identity_changes", MARCH)["change"].to_list() == ["split_from"]


@pytest.mark.acceptance
def test_what_was_known_then_is_resolved_as_it_was_then(lenient: Brand):
    """The link came in on 1 April; February as known in March knows nothing of it."""
    tell(lenient, "must", at="2017-02-20")
    assert lenient.refresh(FEBRUARY, day_after("2017-02"))["outcome"] == "done"  # under the other policy
    assert len({id_of(lenient, household, FEBRUARY) for household in (1, 2)}) == 2


def test_a_dry_run_and_a_link_without_proof_write_nothing(brand: Brand):
    before = brand.seq
    told = declare("cannot", FIRST, SECOND, "form 17", dry_run=True, uri=brand.lake)
    assert (told["outcome"], brand.seq) == ("dry run: nothing was written", before)
    with pytest.raises(ConfigurationError, match="without evidence"):
        declare("must", FIRST, SECOND, " ", uri=brand.lake)
    with pytest.raises(ConfigurationError, match="the same key"):
        declare("must", FIRST, FIRST, "form 17", uri=brand.lake)


def test_a_guard_refuses_the_run_before_anything_is_published(brand: Brand, tmp_path: Path):
    strict = IDENTITY.replace("member: 1", "member: 2").replace("max_component: 50", "max_component: 1")
    guarded = brand.with_policy(tmp_path / "policy", "identity.yaml", strict)
    tell(guarded, "must")
    before = guarded.seq
    with pytest.raises(GateRefusedError, match="2 keys"):
        guarded.refresh(MARCH, KNOWN)
    assert guarded.seq == before

"""Somebody is forgotten after a re-key: also where they stand under earlier names, in lists of sends and of ids."""

from pathlib import Path

import polars as pl
import pytest

from flows.rekeying import rekey
from flows.verify import verify
from tasks.steps.keyring import keeper_of
from tests.support.forgetting import forgotten, house_of, tokens_of
from tests.support.leaks import leaks_in
from tests.support.sends import Client
from tests.support.winback import WINBACK, Brand, phone

pytestmark = pytest.mark.acceptance


def keys_of(brand: Brand, one_id: str) -> list[str]:
    """Keys of a customer, and those seen beside them."""
    own = brand.rows("identities").filter(one_id=one_id)["key"].to_list()
    sightings = brand.rows("sightings")
    records = sightings.filter(pl.col("key").is_in(own))["record"].to_list()
    return sightings.filter(pl.col("record").is_in(records))["key"].unique().to_list()


def test_no_name_of_any_time_is_left(prefect_harness: str, tmp_path: Path):
    assert prefect_harness
    brand = Brand.found(tmp_path / "brand")
    brand.deliver()
    household = min(brand.expected()["delivered"])
    due = [number for number in Client(brand.outbox, WINBACK).by_pointer() if number != phone(household)]
    before = brand.one_ids()[household]
    old = tokens_of(keys_of(brand, before))
    rekey(brand.uri)
    customers = dict(brand.rows("contacts").select("pseudonym", "contact_type").iter_rows())
    assert customers
    told = {"lake": brand.uri, "policy": str(brand.policy)}
    summary = forgotten(told, phone(household))
    assert summary["sends_recalled"] == [WINBACK.id]
    ring = keeper_of(house_of(told).policy, brand.uri).ring()
    (recall,) = Path(brand.uri).rglob("recall.csv")
    secrets = [phone(household), f"{household:032x}", before, *old]
    assert leaks_in(Path(brand.uri), secrets, ring=ring) == {str(recall.relative_to(brand.uri)): [phone(household)]}
    assert Client(brand.outbox, WINBACK).by_pointer() == due
    found = verify(brand.uri)
    assert (found.damaged, found.mismatches) == ([], [])

"""Somebody is forgotten in a lake on a real S3 server: the whole flow, then every object there is searched."""

import json
from pathlib import Path
from uuid import uuid4

import pytest

from flows.verify import verify
from tasks.settings import Settings
from tasks.stores.objects import Objects, open_objects
from tasks.stores.ring import demo_ring
from tasks.stores.tables import Lake
from tests.support.forgetting import forgotten, money_of, tables_of
from tests.support.leaks import leaks_in
from tests.support.sends import Client
from tests.support.weed import Endpoint
from tests.support.winback import WINBACK, Brand

pytestmark = pytest.mark.acceptance


@pytest.fixture
def on_s3(s3_server: Endpoint, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """The root of an empty lake on the server, which every flow of this test reaches."""
    for name, value in s3_server.env().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("STRATA_SCRATCH", str(tmp_path / "scratch"))
    return s3_server.uri(f"lake-{uuid4().hex}")


def fetched(objects: Objects, folder: Path) -> Path:
    """Every object as a file."""
    for meta in objects.list(""):
        path = folder / meta.key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(objects.read(meta.key))
    return folder


@pytest.mark.usefixtures("prefect_harness")
def test_nothing_of_them_is_left_in_the_bucket_and_the_past_can_still_be_proved(on_s3: str, tmp_path: Path):
    brand = Brand.found(tmp_path / "brand", on_s3)
    brand.deliver()
    store = open_objects(on_s3, Settings())
    due = Client(brand.outbox, WINBACK).by_pointer()
    tables, number = tables_of(Lake(store)), due[0]
    assert len(leaks_in(fetched(store, tmp_path / "before"), [number], ring=demo_ring())) > 1

    told = forgotten({"lake": on_s3, "policy": str(brand.policy)}, number)

    after = fetched(store, tmp_path / "after")
    (recall,) = after.rglob("recall.csv")
    assert leaks_in(after, [number], ring=demo_ring()) == {str(recall.relative_to(after)): [number]}
    assert Client(brand.outbox, WINBACK).by_pointer() == due[1:]
    kept = tables.keys() - {"deliveries"}
    new = tables_of(Lake(store))
    assert money_of({name: new[name] for name in kept}) == money_of({name: tables[name] for name in kept})
    proved = verify(on_s3)
    assert (proved.runs, proved.damaged, proved.mismatches, proved.unrepeatable) == (1, [], [], [])
    receipt = json.loads((after / "forget" / told["request"] / "receipt.json").read_bytes())
    assert receipt["sends_recalled"] == [WINBACK.id]

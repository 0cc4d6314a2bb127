"""Whom a request means: every key, order and event that belongs to one person alone. No task stands here.

Keys that are hubs, and keys that belong to somebody else, are no part of the person: they stay.
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import date, datetime

import polars as pl

from tasks.errors import MissingDataError
from tasks.refs import Snapshot
from tasks.stores.runs import finished_runs
from tasks.stores.tables import Lake
from tasks.transforms.erasure import Person, renamed_ids

NOBODY = "nobody is known by that"


def find_person(lake: Lake, snapshot: Snapshot, asked: str) -> Person:
    """Everything of the person whom a customer id (`c_…`, also an old one) or a printed key means.

    Raises:
        MissingDataError: no such id or key; the message does not repeat it.
    """
    identities = newest_identities(lake, snapshot)
    keys = _keys_of(identities, asked) or _reached_by(lake, snapshot, identities, asked)
    orders, events = _owned(lake, snapshot, keys)
    person = Person(keys=keys, orders=orders, events=events)
    while True:
        grown = _with_more_keys(lake, snapshot, identities, person)
        if grown.keys == person.keys:
            break
        orders, events = _owned(lake, snapshot, grown.keys)
        person = Person(keys=grown.keys, orders=orders, events=events)
    epochs = _epochs(lake, snapshot, person.keys)
    return Person(
        keys=person.keys | _codes(lake, snapshot, replace(person, epochs=epochs)), orders=person.orders,
        events=person.events, epochs=epochs, numbers=_numbers(lake, snapshot, person.orders),
    )  # fmt: skip


def _codes(lake: Lake, snapshot: Snapshot, person: Person) -> frozenset[str]:
    """Names of the coupon codes that the person was given: who holds such a code would find them by it."""
    given = lake.scan("coupon_allocations", snapshot).filter(pl.col("one_id").is_in(sorted(ids_of(person))))
    return frozenset(given.select("code_key").collect()["code_key"])


def newest_identities(lake: Lake, snapshot: Snapshot) -> pl.DataFrame:
    """The identities of the newest date; empty before the first refresh."""
    day = newest_date(lake, snapshot)
    rows = lake.scan("identities", snapshot, partitions=[day] if day else [])
    return rows.collect()


def newest_date(lake: Lake, snapshot: Snapshot) -> date | None:
    """The newest date that was refreshed; None before the first refresh."""
    day: date | None = lake.scan("identities", snapshot).select(pl.col("as_of").max()).collect().item()
    return day


def _keys_of(identities: pl.DataFrame, asked: str) -> frozenset[str]:
    """Every key of the customer who is meant, but those that somebody else's id rests on."""
    own_id = "own_id" if "own_id" in identities.columns else "one_id"
    found = identities.filter(pl.col(own_id if asked.startswith("c_") else "key") == asked)
    if found.is_empty():
        return frozenset()
    one_id = found.sort(*(name for name in ("epoch",) if name in found.columns))["one_id"][-1]
    mine = identities.filter(one_id=one_id)
    return frozenset(mine["key"]) - _shared(identities, mine)


def _shared(identities: pl.DataFrame, mine: pl.DataFrame) -> set[str]:
    """Keys that have another owner too (a number that was given away) and name them, or are theirs by now."""
    if "epoch" not in identities.columns:
        return set()
    others = identities.filter(pl.col("key").is_in(mine["key"].to_list())).join(mine, on=["key", "epoch"], how="anti")
    last = mine.group_by("key").agg(mine=pl.col("epoch").max())
    judged = others.join(last, on="key")
    lost = judged.filter(pl.col("epoch") > pl.col("mine"))["key"]
    named = set(identities.join(mine, on=["key", "epoch"], how="anti")["one_id"])
    naming = judged.filter(pl.col("own_id").is_in(named))["key"]
    return {*lost, *naming}


def _reached_by(lake: Lake, snapshot: Snapshot, identities: pl.DataFrame, asked: str) -> frozenset[str]:
    """Keys of the one customer whom a contact key reaches; a key that no refresh has seen yet stands alone."""
    sightings = lake.scan("sightings", snapshot)
    records = sightings.filter(pl.col("key") == asked).select("record").unique().collect()["record"]
    if records.is_empty():
        raise MissingDataError(
            f"{NOBODY} {'id' if asked.startswith('c_') else 'key'}",
            expected="a customer id such as c_abcdefgh12345678, or a key as the lake prints it",
            next_step="check it; `strata forget --ask` takes a phone number or e-mail address",
        )
    beside = sightings.filter(pl.col("record").is_in(records.to_list()), pl.col("key_role") == "identity")
    owners = identities.filter(pl.col("key").is_in(beside.select("key").unique().collect()["key"].to_list()))
    people = owners["one_id"].unique().sort().to_list()
    if len(people) > 1:
        raise MissingDataError(
            f"{len(people)} customers share that contact", expected="one person",
            next_step=f"name one of them by id: {', '.join(people[:5])}",
        )  # fmt: skip
    return _keys_of(identities, people[0]) | {asked} if people else frozenset({asked})


def _owned(
    lake: Lake, snapshot: Snapshot, keys: Collection[str]
) -> tuple[frozenset[tuple[str, str, str]], frozenset[tuple[str, str]]]:
    """Orders bought and events made under these keys."""
    mine = sorted(keys)
    orders = lake.scan("orders", snapshot).filter(pl.col("buyer_key").is_in(mine))
    events = lake.scan("events", snapshot).filter(pl.col("customer_key").is_in(mine))
    found = orders.select("channel", "shop_id", "order_id").unique().collect()
    return frozenset(found.iter_rows()), frozenset(events.select("channel", "event_id").unique().collect().iter_rows())


def _with_more_keys(lake: Lake, snapshot: Snapshot, identities: pl.DataFrame, person: Person) -> Person:
    """The person with the keys that no customer has, seen on their records and on nobody else's."""
    sightings = lake.scan("sightings", snapshot)
    records = _records(sightings, person)
    beside = sightings.filter(pl.col("record").is_in(sorted(records))).select("key").unique().collect()["key"]
    owned = set(identities["key"])
    strangers = sorted(set(beside) - owned - person.keys)
    seen = sightings.filter(pl.col("key").is_in(strangers)).select("key", "record", "known_from").collect()
    elsewhere = seen.filter(~pl.col("record").is_in(sorted(records)))
    judged = _judged(lake, snapshot)
    old = elsewhere.filter(pl.col("known_from") <= judged) if judged else elsewhere.clear()
    others = _of_others(sightings, elsewhere["record"].unique().to_list(), owned - person.keys)
    shared = {*old["key"], *elsewhere.filter(pl.col("record").is_in(sorted(others)))["key"]}
    return Person(keys=person.keys | (frozenset(strangers) - shared))


def _records(sightings: pl.LazyFrame, person: Person) -> frozenset[str]:
    """Records of the person: their orders and events, and the profiles that bear one of their keys as a name."""
    profiles = sightings.filter(pl.col("key").is_in(sorted(person.keys)), pl.col("record").str.starts_with("member:"))
    named = profiles.select("record").unique().collect()["record"]
    own = {record for record in named if record.rpartition(":")[2] in person.pseudonyms}
    return person.records | own


def _judged(lake: Lake, snapshot: Snapshot) -> datetime | None:
    runs = finished_runs(lake, snapshot).filter(flow="refresh").sort("as_of")
    return None if runs.is_empty() else runs["known_as_of"][-1]


def _of_others(sightings: pl.LazyFrame, records: Collection[str], others: Collection[str]) -> set[str]:
    """Those of the records that bear a key of another customer."""
    on_them = sightings.filter(pl.col("record").is_in(list(records))).select("record", "key").collect()
    return set(on_them.filter(pl.col("key").is_in(list(others)))["record"])


def _epochs(lake: Lake, snapshot: Snapshot, keys: Collection[str]) -> dict[str, int]:
    """The highest epoch of each key that was ever parted."""
    rows = lake.scan("identities", snapshot)
    if "epoch" not in rows.collect_schema():
        return {}
    parted = rows.filter(pl.col("key").is_in(sorted(keys)), pl.col("epoch") > 1)
    return dict(parted.group_by("key").agg(pl.col("epoch").max()).collect().iter_rows())


def _numbers(lake: Lake, snapshot: Snapshot, orders: Collection[tuple[str, str, str]]) -> frozenset[str]:
    """Numbers of the lines and refunds of these orders."""
    mine = pl.DataFrame(sorted(orders), ["channel", "shop_id", "order_id"], orient="row").cast(pl.String).lazy()
    found: set[str] = set()
    for table, number in (("order_lines", "line_id"), ("refunds", "refund_id")):
        rows = lake.scan(table, snapshot).join(mine, on=["channel", "shop_id", "order_id"], how="semi")
        found |= set(rows.select(number).unique().collect()[number])
    return frozenset(found)


def ids_of(person: Person) -> frozenset[str]:
    """Every customer id that the person has or ever had."""
    return frozenset(renamed_ids({key: key for key in person.keys}, person.epochs))

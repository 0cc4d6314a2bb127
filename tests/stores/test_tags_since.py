"""What a contact has of our tags is what the person's last send said, read from a lake with two dates behind it."""

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from tasks.refs import Run
from tasks.settings import Settings
from tasks.steps.past import past_of, with_all_seen
from tasks.stores.objects import open_objects
from tasks.stores.tables import Lake
from tasks.transforms.audience import base_of
from tests.support.campaigns import campaign, policy, rows
from tests.support.lakes import candidate, publish, run_on

MAY, JUNE, JULY = date(2026, 4, 30), date(2026, 5, 31), date(2026, 6, 30)
"""Dates of customers; the sends are two days later."""
SENDS = {MAY: date(2026, 5, 2), JUNE: date(2026, 6, 2)}
TIERS = {
    MAY: {"c_1": "base", "c_2": "base", "c_old": "gold"},
    JUNE: {"c_1": "gold", "c_2": "base", "c_old": "gold"},
    JULY: {"c_1": "base", "c_2": "base", "c_3": "gold", "c_4": "base"},
}
"""c_old is c_3 in July."""
HANDED = {MAY: ("c_1", "c_2", "c_old"), JUNE: ("c_1",)}
NOW = datetime(2026, 7, 2, tzinfo=UTC)
SYNC = campaign("sync", tag_sync=("tier",), audience="tags_to_add <> '' OR tags_to_remove <> ''", holdout=None)


def people(day: date) -> dict[str, pl.DataFrame]:
    ids = TIERS[day]
    told = {
        "customers": [{"one_id": one, "as_of": day, "tier": tier} for one, tier in ids.items()],
        "traits": [{"one_id": one, "as_of": day, "adviser_id": "li"} for one in ids],
        "tags": [{"one_id": one, "as_of": day} for one in ids],
    }
    return {table: rows(table, given).collect() for table, given in told.items()}


def lake_of(folder: Path) -> Run:
    """A lake with three dates of customers, and what was handed over after the first two."""
    objects = open_objects(str(folder / "lake"), Settings())
    lake = Lake(objects)
    touches = rows("touches", [
        {"one_id": one, "campaign": "sync", "send_id": f"v/sync/{SENDS[day]}", "send_on": SENDS[day], "vendor": "v",
         "touch_channel": "wecom", "recipient_key": f"k::{one}", "kind": "handed_over",
         "happened_at": datetime(*SENDS[day].timetuple()[:3], 2, tzinfo=UTC), "send_month": f"{SENDS[day]:%Y-%m}",
         "known_from": datetime(2026, 5, 2, tzinfo=UTC), "exported_at": NOW, "file_sha256": "f" * 64,
         "content_hash": f"{day}{one}"}
        for day, handed in HANDED.items() for one in handed
    ]).collect()  # fmt: skip
    tables = {name: pl.concat([people(day)[name] for day in TIERS]) for name in ("customers", "traits", "tags")}
    made = [candidate(folder, name, frame) for name, frame in (tables | {"touches": touches}).items()]
    snapshot = publish(lake, objects, *made)
    return run_on(objects, snapshot.seq)


def test_tags_are_compared_with_each_persons_last_send(tmp_path: Path):
    """c_1 was told gold in June; c_2 nothing since May, for nothing changed; c_3 has another id by now; c_4 is new."""
    run = lake_of(tmp_path)
    own = {"c_1": "c_1", "c_2": "c_2", "c_3": "c_3", "c_old": "c_3", "c_4": "c_4"}
    identities = rows("identities", [{"one_id": one, "own_id": old} for old, one in own.items()])
    rules = policy(SYNC)
    past = past_of(run, rules, as_of=JULY, send_on=date(2026, 7, 2), known_as_of=NOW, identities=identities)
    base = base_of(*(people(JULY)[name].lazy() for name in ("customers", "traits", "tags")))
    told = with_all_seen(base, rules, past).select("one_id", "tags_to_add", "tags_to_remove").sort("one_id").collect()
    assert told.rows() == [
        ("c_1", "tier_base", "tier_gold"), ("c_2", "", ""), ("c_3", "", ""), ("c_4", "tier_base", ""),
    ]  # fmt: skip

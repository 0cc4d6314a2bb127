"""What `strata keys rekey` does: everybody gets another name, as one recorded run that rewrites all tables.

First the ring gets a further pseudonym key, which waits; then the tables move, all at once, and the record of
the run says which key names people from then on. Killed before that, nothing has changed, and running it
again uses the key that waits; killed after it, all is done.
"""

import hashlib
from pathlib import Path
from typing import Any

import polars as pl

from flows.begin import House, begin, scratch_of, until_published
from flows.clock import business_date
from flows.rotation import changed, house_of
from tasks.errors import ConfigurationError
from tasks.refs import Run, StoredFile
from tasks.settings import Settings
from tasks.steps.house import objects_at, pseudonymiser_now
from tasks.steps.keyring import keeper_of
from tasks.steps.rekeyed import write_ids
from tasks.steps.rekeying import Rekeyed, Rekeying, reached_ids, rekey_tables, rekeying
from tasks.stores.failpoints import reach
from tasks.stores.rewrap import waiting_requests
from tasks.stores.ring import KeyRing, new_key
from tasks.stores.runs import REKEY, stage_record
from tasks.stores.whole import create_whole
from tasks.transforms.rekey import holds_names

Told = dict[str, Any]


def rekey(uri: str = "", *, out: Path | None = None, again: bool = False, dry_run: bool = False) -> Told:
    """Give everybody another pseudonym; with `out`, only write the ring with a further key there.

    Raises:
        ConfigurationError: the ring is kept where only a person can write, or is one for analysis; an erasure waits.
        SecurityRefusedError: the ring is not that of this lake.
    """
    house = house_of(uri)
    keeper = keeper_of(house.policy, house.uri)
    ring, named = keeper.ring(), pseudonymiser_now(house.policy, house.uri).key_id
    today = business_date(house.started_at, house.zone)
    waits = ring.key_id != named
    makes = again or not (waits or ring.pseudonym[-1].made_on == today)
    told = {"from": named, "new_key": makes and not waits, "rows": _rows(house)}
    if dry_run:
        return {"outcome": "dry run", **told}
    if out is not None:
        create_whole(out, [keeper.sealed(_with_a_key(ring, house)).encode()], 0o600)
        return {"outcome": "written", "ring": str(out), "next": "install it where the brand's keys are, re-key again"}
    _refuse_open_requests(house)
    if makes and not waits:
        ring = changed(house, keeper, lambda standing: _with_a_key(standing, house))
    reach("rekey:ring", "after")
    done = until_published(lambda: _publish_names(house, ring))
    if done is None:
        return {"outcome": "already done", "to": named, "rows": {}}
    return {"outcome": "re-keyed", **told, "to": ring.key_id, "rows": done.rows, "next": _NEXT}


def _refuse_open_requests(house: House) -> None:
    """A request for erasure knows its person by today's names: it must end first."""
    if waiting_requests(objects_at(house.uri)):
        raise ConfigurationError(
            "a request for erasure is not carried out yet",
            expected="none that waits: it names its person as the lake does now",
            next_step="finish it with `strata forget`, then re-key",
        )


_NEXT = "refresh once; past snapshots still hold the old names until they are given up (docs/keys.md)"


def _with_a_key(ring: KeyRing, house: House) -> KeyRing:
    key = new_key(house.policy.brand.key_name, business_date(house.started_at, house.zone))
    return ring.model_copy(update={"pseudonym": (*ring.pseudonym, key)})


def _rows(house: House) -> dict[str, int]:
    """Rows of every table of the snapshot."""
    snapshot = house.lake.snapshot()
    counts = {name: house.lake.scan(name, snapshot).select(pl.len()) for name in sorted(snapshot.tables)}
    return {name: int(count.collect().item()) for name, count in counts.items() if holds_names(name)}


def _publish_names(house: House, ring: KeyRing) -> Rekeyed | None:
    """Rename everything under the next key that the lake does not know; None when it knows all."""
    snapshot, named = house.lake.snapshot(), pseudonymiser_now(house.policy, house.uri).key_id
    if named == ring.key_id:
        return None
    key = ring.pseudonym[len(ring.chain(named))]
    inputs = {"pseudonym_key": key.id, "from": named}
    run = begin(house, REKEY, {**inputs, "seq": snapshot.seq}, snapshot=snapshot)
    with scratch_of(run):
        work = rekeying(run, house.policy, ring, key)
        done, aliases = rekey_tables(work), _keep_ids(house, work)
        _publish(house, run, {**inputs, "aliases": aliases.path, "restated": done.restated}, done, aliases)
    return done


def _keep_ids(house: House, work: Rekeying) -> StoredFile:
    """Leave the new ids of people in published sends, whose private lists cannot be changed."""
    outbox = Settings().outbox or f"{house.uri.rstrip('/')}/outbox"
    data = write_ids(reached_ids(work, outbox, house.policy))
    sha256 = hashlib.sha256(data).hexdigest()
    path = f"rekeys/{work.key.id}/{sha256}.csv"
    objects_at(house.uri).create(path, data)
    return StoredFile(path=path, bytes=len(data), sha256=sha256)


def _publish(house: House, run: Run, inputs: Told, done: Rekeyed, aliases: StoredFile) -> None:
    with house.lake.writer(run, Settings().lease_wait_seconds) as writer:
        published = [(candidate, *writer.commit(candidate)) for candidate in done.candidates]
        writer.commit(stage_record(run, inputs, published, house.started_at, [aliases]))
        writer.move_pointer()

"""The tables under one more key of the chain: every row renamed, contacts sealed for their new names. No task here."""

import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import polars as pl

from expectations.tables import TABLES, Table
from tasks.errors import UnbalancedError
from tasks.policy.models import Policy
from tasks.refs import Candidate, Run
from tasks.sources.canonical import content_hash_of
from tasks.sources.declared import layouts_of
from tasks.steps.house import lake_at, objects_at, snapshot_of
from tasks.steps.rekeyed import rename_of
from tasks.stores.access_log import EVERY_TYPE, Purpose
from tasks.stores.digests import digest_rows
from tasks.stores.opener import Opener
from tasks.stores.ring import Key, KeyRing
from tasks.stores.scratch import stage
from tasks.stores.sends import current_sends, read_manifest, read_people, read_send
from tasks.stores.tombstones import renamed_marks
from tasks.stores.vault import Sealer
from tasks.stores.vault import renamed as under
from tasks.transforms.rekey import NUMBERS, Names, holds_names, new_ids, renamed

Partition = str | date | None
DERIVED = "as_of"
_HASH = re.compile("([0-9a-f]{64})((?:#[0-9]+)?)$")


@dataclass
class Rekeyed:
    """What the renaming of all tables comes to."""

    candidates: list[Candidate] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    restated: list[dict[str, str]] = field(default_factory=list)
    """table, as_of, old and new digest of every partition of a date."""


@dataclass(frozen=True)
class Rekeying:
    """One re-key at work: the run, the ring, the key whose names everybody gets, and all names."""

    run: Run
    ring: KeyRing
    key: Key
    names: Names


def rekeying(run: Run, policy: Policy, ring: KeyRing, key: Key) -> Rekeying:
    """Everybody's new names, from every key that was ever seen."""
    lake, snapshot = lake_at(run.lake), snapshot_of(run)

    def rename(pseudonym: pl.Expr) -> pl.Expr:
        return under(pseudonym, (key.secret,))

    keys = lake.scan("sightings", snapshot).select("key_type", "key_scope", "pseudonym", "key").unique()
    epochs = lake.scan("identities", snapshot).group_by("key").agg(epochs=pl.col("epoch").max())
    known = keys.join(epochs, on="key", how="left").with_columns(pl.col("epochs").fill_null(1)).collect()
    return Rekeying(run, ring, key, Names(rename, new_ids(known, rename), _hashed(policy)))


def _hashed(policy: Policy) -> dict[str, frozenset[str]]:
    """Number to the channels in which a layout makes it of the record's content."""
    layouts = layouts_of(policy.layouts)
    return {name: frozenset(one.channel for one in layouts if name in one.hashed) for name in NUMBERS}


def rekey_tables(work: Rekeying) -> Rekeyed:
    """Every table that names people, renamed and staged."""
    done = Rekeyed()
    for name in sorted(snapshot_of(work.run).tables):
        table = TABLES[name]
        if name == "tombstones":
            _take(work, done, table, "tombstones", _tombstones, ())
        elif holds_names(name):
            rewrite = _contacts if name == "contacts" else _rows
            for number, partitions in enumerate(_partitions(work, table)):
                _take(work, done, table, f"{name}-{number:04}", rewrite, partitions)
    return done


def _partitions(work: Rekeying, table: Table) -> Iterator[tuple[Partition, ...]]:
    """One partition at a time; the whole of a table that has none."""
    if table.partition is None:
        yield ()
        return
    rows = lake_at(work.run.lake).scan(table.name, snapshot_of(work.run))
    yield from ((value,) for value in rows.select(pl.col(table.partition).unique().sort()).collect().to_series())


def _take(
    work: Rekeying, done: Rekeyed, table: Table, place: str, rewrite: Any, partitions: tuple[Partition, ...]
) -> None:
    """Rename one piece of a table, and stage it in place of what stands."""
    lake, snapshot = lake_at(work.run.lake), snapshot_of(work.run)
    old = lake.scan(table.name, snapshot, partitions=partitions or None).collect()
    new: pl.DataFrame = rewrite(work, old, table)
    _must_match(table, old, new)
    done.rows[table.name] = done.rows.get(table.name, 0) + new.height
    if table.partition == DERIVED:
        digests = {"old": digest_rows(old, table.name), "new": digest_rows(new, table.name)}
        done.restated.append({"table": table.name, "as_of": str(partitions[0]), **digests})
    run = work.run.model_copy(update={"scratch": f"{work.run.scratch}/{place}"})
    mode: Any = "replace" if partitions else "overwrite"
    done.candidates.append(stage(run, table.name, new, mode=mode, replaces=partitions, step=place))


def _rows(work: Rekeying, old: pl.DataFrame, table: Table) -> pl.DataFrame:
    new = renamed(old, table.name, work.names)
    if "content_hash" not in table.columns:
        return new
    return new.with_columns(content_hash=_content_hashes(old, new, table.name))


def _content_hashes(old: pl.DataFrame, new: pl.DataFrame, table: str) -> pl.Series:
    """The hash of the renamed row, where the old one was that of the row as it stands."""
    was = old.select(content_hash_of(table)).to_series()
    now = new.select(content_hash_of(table)).to_series()
    return now.zip_with(was == old["content_hash"], old["content_hash"])


def _contacts(work: Rekeying, old: pl.DataFrame, table: Table) -> pl.DataFrame:
    """The same contacts, opened and sealed for their new names: a sealed value belongs to a name."""
    purpose = Purpose(
        role="rekey", what="re-key of pseudonyms", contact_type=EVERY_TYPE, most=old.height, run_id=work.run.run_id
    )
    opened = Opener(work.ring, objects_at(work.run.lake), purpose).contacts(old)
    sealed = Sealer.of(work.ring).seal(renamed(opened, table.name, work.names))
    return old.with_columns(sealed.get_columns())


def _tombstones(work: Rekeying, old: pl.DataFrame, _: Table) -> pl.DataFrame:
    """Marks of the new names of who was forgotten, so that they are still recognised."""
    parts = [
        (kind, renamed_marks(old.filter(mark_kind=kind)["mark"], lambda text: _again(work, text), work.ring.tombstone))
        for kind in ("key", "record")
    ]
    marks = {mark: again for _, found in parts for mark, again in found.items()}
    return old.with_columns(pl.col("mark").replace(marks))


def _again(work: Rekeying, text: str) -> str:
    """A printed key or a record under its new name."""
    kind, channel, *_ = text.split(":")
    is_number = channel not in work.names.hashed.get(f"{kind}_id", ()) and kind in {"order", "event"}
    return text if is_number else _HASH.sub(lambda found: _hashed_again(work, found[1]) + found[2], text)


def _hashed_again(work: Rekeying, pseudonym: str) -> str:
    return hmac.digest(work.key.secret.encode(), pseudonym.encode(), "sha256").hex()


def _must_match(table: Table, old: pl.DataFrame, new: pl.DataFrame) -> None:
    """Raise UnbalancedError unless there are as many rows, as many different keys, and the same money as before."""
    money = [name for name in old.columns if name.endswith("_fen")]
    told = [
        (rows.height, rows.select(pl.struct(table.key).n_unique()).item(),
         rows.select(pl.col(money).cast(pl.Int128).sum()).rows() if money else [])
        for rows in (old, new)
    ]  # fmt: skip
    if told[0] != told[1]:
        raise UnbalancedError(
            f"{table.name} would have {told[1][:2]} rows and keys after {told[0][:2]}, or other money",
            expected="the same rows under other names", next_step="nothing was published; report this",
        )  # fmt: skip


def reached_ids(work: Rekeying, outbox: str, policy: Policy) -> pl.DataFrame:
    """One row per customer id in the private lists of published sends: old and new."""
    objects, rename = objects_at(outbox), rename_of(work.run)
    sends = (send for vendor in policy.vendors for send in current_sends(objects, vendor.code))
    lists = [
        rename(read_people(objects.read(send.people(revision.revision))), key_id)
        for send in sends
        for revision in read_send(objects, send).published.revisions
        if (key_id := read_manifest(objects, send, revision).origin.key_id)
    ]
    ids = pl.concat([pl.DataFrame(schema={"one_id": pl.String()}), *(people.select("one_id") for people in lists)])
    old = ids.unique().sort("one_id")
    return old.select(old="one_id").with_columns(renamed(old, "customers", work.names).select(new="one_id"))

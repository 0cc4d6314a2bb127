"""A small lake of an invented brand with a key of its own: sealed contacts, raw files, a record of the run."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import polars as pl

from expectations.tables import TABLES
from flows.begin import House
from tasks.policy.load import load_policy
from tasks.policy.models import Policy
from tasks.refs import Run, StoredFile
from tasks.settings import Settings
from tasks.stores.access_log import EVERY_TYPE, Purpose
from tasks.stores.keys import Keeper, KeyFile
from tasks.stores.objects import Objects, open_objects
from tasks.stores.opener import Opener
from tasks.stores.policies import keep_policy
from tasks.stores.runs import content_id, stage_record
from tasks.stores.scratch import stage
from tasks.stores.tables import Lake
from tasks.stores.vault import Pseudonymiser, Sealer
from tests.support.journey import POLICY

STARTED = datetime(2026, 11, 1, tzinfo=UTC)
BRAND = "acme"
PHONES = tuple(f"1540000{number:04d}" for number in range(20))
EXPORTS = {"orders.csv": b"order_id,phone\n1,15400000001\n", "bundle.zip/items.csv": b"order_id,item\n1,tea\n"}


@dataclass(frozen=True)
class Vaulted:
    """The lake, and where its brand's ring is kept: beside it, as an operator has it."""

    folder: Path

    @property
    def uri(self) -> str:
        return str(self.folder / "lake")

    @property
    def objects(self) -> Objects:
        return open_objects(self.uri, Settings())

    @property
    def lake(self) -> Lake:
        return Lake(self.objects)

    @property
    def keeper(self) -> Keeper:
        return Keeper(BRAND, "acme-1", KeyFile(self.folder / f"{BRAND}.key"), Settings())

    @property
    def house(self) -> House:
        return House(self.uri, self.lake, policy(), STARTED)

    def copied(self, folder: Path) -> "Vaulted":
        return Vaulted(Path(shutil.copytree(self.folder, folder)))

    def rows(self, table: str) -> pl.DataFrame:
        return self.lake.scan(table, self.lake.snapshot()).collect()

    def phones(self) -> list[str]:
        """Every contact in clear."""
        sealed = self.rows("contacts")
        purpose = Purpose(role="test", what="a look of a test", contact_type=EVERY_TYPE, most=sealed.height)
        opened = Opener(self.keeper.ring(), open_objects(str(self.folder / "aside"), Settings()), purpose)
        return sorted(opened.contacts(sealed)["value"])

    def publish(
        self,
        frames: Mapping[str, pl.DataFrame],
        flow: str,
        inputs: Mapping[str, object] | None = None,
        files: Sequence[StoredFile] = (),
    ) -> None:
        """Put rows into tables, as one recorded run."""
        snapshot = self.lake.snapshot()
        run = Run(
            run_id=content_id(flow, snapshot.seq)[:32], flow=flow, lake=self.uri, base_seq=snapshot.seq,
            policy_digest=keep_policy(self.objects, policy()), code_version="c", inputs_digest="i",
            scratch=str(self.folder / "scratch" / str(snapshot.seq)),
        )  # fmt: skip
        with self.lake.writer(run, 10) as writer:
            made = [stage(run, table, frame, mode="append") for table, frame in frames.items()]
            published = [(candidate, *writer.commit(candidate)) for candidate in made]
            writer.commit(stage_record(run, inputs or {}, published, STARTED, files))
            writer.move_pointer()


def policy() -> Policy:
    """The demo's policy for a brand of its own key."""
    demo = load_policy(POLICY)
    return demo.model_copy(update={"brand": demo.brand.model_copy(update={"code": BRAND, "key_name": "acme-1"})})


def found(folder: Path) -> Vaulted:
    """Make the lake and its key: twenty phones, two raw files."""
    vaulted = Vaulted(folder)
    ring = vaulted.keeper.ring(may_make=True)
    files = [_keep(vaulted, name, data, Sealer.of(ring)) for name, data in EXPORTS.items()]
    contacts = _contacts(Pseudonymiser.of(ring), Sealer.of(ring))
    frames = {"contacts": contacts, "sightings": _sightings(contacts)}
    vaulted.publish(frames, "ingest", {"pseudonym_key": ring.key_id}, files)
    return vaulted


def _contacts(named: Pseudonymiser, sealer: Sealer) -> pl.DataFrame:
    phones = pl.DataFrame({"value": PHONES}).with_columns(
        pseudonym=named("phone", "", pl.col("value")), contact_type=pl.lit("phone")
    )
    sealed = sealer.seal(phones).with_columns(known_from=pl.lit(STARTED), file_sha256=pl.lit("f" * 64))
    return sealed.cast(dict(TABLES["contacts"].schema))


def _sightings(contacts: pl.DataFrame) -> pl.DataFrame:
    """Each phone seen once, on its own order."""
    seen = contacts.select("pseudonym", "known_from", "file_sha256").with_row_index("number")
    return seen.select(
        "pseudonym", "known_from", "file_sha256", key_type=pl.lit("phone"), key_scope=pl.lit(""),
        key=pl.format("phone::{}", "pseudonym"), key_role=pl.lit("identity"), evidence_rank=pl.lit(3),
        record=pl.format("order:till:main:{}", "number"), channel=pl.lit("till"), seen_at="known_from",
        seen_month=pl.lit("2026-11"),
    ).select(TABLES["sightings"].columns).cast(dict(TABLES["sightings"].schema))  # fmt: skip


def _keep(vaulted: Vaulted, name: str, data: bytes, sealer: Sealer) -> StoredFile:
    clear, sealed = vaulted.folder / "clear", vaulted.folder / "sealed"
    clear.write_bytes(data)
    told = sealer.encrypt_file(clear, sealed)
    key = f"raw/till/{sha256(data).hexdigest()}/{name}"
    vaulted.objects.create_file(key, sealed)
    size = sealed.stat().st_size
    clear.unlink()
    sealed.unlink()
    return StoredFile(path=key, bytes=size, sha256=told)

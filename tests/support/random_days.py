"""A brand of six people on a real lake, whose days are made of plans, deliveries, noes and merges.

No flow runs: the product's own steps are called on a directory, without Prefect and without the gate. What went out is
read from the files alone, by code that knows the invented phones and docs/publishing.md.
"""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl

from expectations.tables import TABLES
from flows.begin import House, begin, scratch_of
from tasks.policy.contacting import Cap
from tasks.policy.models import Policy
from tasks.refs import Run
from tasks.settings import Settings
from tasks.steps.deliver import hand_over, prepare
from tasks.steps.house import lake_at
from tasks.steps.keyring import keeper_of
from tasks.steps.knowledge import horizon_of
from tasks.steps.plan import allocation_of, staged
from tasks.steps.publish import publish_candidates
from tasks.stores.objects import open_objects
from tasks.stores.policies import keep_policy
from tasks.stores.runs import content_id, stage_record
from tasks.stores.scratch import Mode, stage
from tasks.stores.vault import Pseudonymiser, Sealer
from tests.support.campaigns import campaign, policy, vendor

AS_OF, FIRST_DAY = date(2026, 6, 30), date(2026, 7, 1)
SEEN = datetime(2026, 5, 1, tzinfo=UTC)
PEOPLE = {"a": "15400000001", "b": "15400000002", "c": "15400000003", "d": "15400000004", "e": "15400000005",
          "f": "15400000001"}  # fmt: skip
"""The first and the last share a phone."""
WINDOW_DAYS = 3
CODES = ("one", "two")
_SHARED = PEOPLE["a"]


def rules() -> Policy:
    """Two campaigns for overlapping people, at most one SMS in three days by person and by phone."""
    caps = (Cap(touch_channel="sms", days=WINDOW_DAYS, most=1),)
    one = campaign("one", audience="m_score >= 3", priority=1, max_age_days=30)
    two = campaign("two", audience="m_score >= 1", priority=2, max_age_days=30)
    return policy(one, two, caps=caps).model_copy(update={"vendors": (vendor(),)})


@dataclass
class Days:
    """The brand, its clock, and all that its vendor was told."""

    root: Path
    now: datetime = datetime(2026, 7, 1, 1, tzinfo=UTC)
    is_one_with: dict[str, str] = field(default_factory=dict)
    said_no: set[str] = field(default_factory=set)
    live: dict[str, dict[str, str]] = field(default_factory=dict)
    """Send to the phones that have its message, each with who it was for."""

    def __post_init__(self) -> None:
        """Write the lake."""
        self.uri, self.policy = str(self.root / "lake"), rules()
        self.ring = keeper_of(self.policy, self.uri).ring(may_make=True)
        named = Pseudonymiser.of(self.ring)
        people = pl.DataFrame({"one_id": list(PEOPLE), "phone": list(PEOPLE.values())})
        self.people = people.with_columns(
            pseudonym=named("phone", "", pl.col("phone")), member=named("member", "brand", pl.col("one_id"))
        ).with_columns(phone_key=pl.format("phone::{}", "pseudonym"), member_key=pl.format("member:brand:{}", "member"))
        contacts = self.people.unique("pseudonym", maintain_order=True)
        sealed = contacts.select("pseudonym", contact_type=pl.lit("phone"), value="phone")
        yes = contacts.select(subject="phone_key", decision=pl.lit("granted"), decided_at=pl.lit(SEEN))
        log = {"sightings": self._sightings(), "consents": _said(yes), "contacts": Sealer.of(self.ring).seal(sealed)}
        self._write({**log, **self._layer()}, "append")

    def who(self, one_id: str) -> str:
        """The person whom somebody is now."""
        while one_id in self.is_one_with:
            one_id = self.is_one_with[one_id]
        return one_id

    def owners(self, phone: str) -> set[str]:
        """The persons of a phone now."""
        return {self.who(one_id) for one_id, number in PEOPLE.items() if number == phone}

    @property
    def send_on(self) -> date:
        """The day of the clock."""
        return self.now.date()

    def next_day(self) -> None:
        """Let a night pass."""
        self.now += timedelta(days=1)

    def refuse(self, one_id: str) -> None:
        """Somebody says no to SMS, by their phone."""
        self.now += timedelta(minutes=1)
        self.said_no.add(PEOPLE[one_id])
        said = self.people.filter(pl.col("one_id") == one_id)
        no = said.select(subject="phone_key", decision=pl.lit("withdrawn"), decided_at=pl.lit(self.now))
        self._write({"consents": _said(no).with_columns(known_from=pl.lit(self.now))}, "append")

    def merge(self, one: str, other: str) -> None:
        """Two of them turn out to be one person, who keeps the first id."""
        one, other = sorted((self.who(one), self.who(other)))
        if one == other:
            return
        self.now += timedelta(minutes=1)
        self.is_one_with[other] = one
        self._write(self._layer(), "replace")

    def plan(self) -> None:
        """Allocate what is not planned of the day."""
        self.now += timedelta(minutes=1)
        lake = lake_at(self.uri)
        rows = lake.scan("audience_members", lake.snapshot(), partitions=[self.send_on])
        missing = frozenset(CODES) - set(rows.select("campaign").unique().collect().to_series())
        if not missing:
            return
        run = self.run_of("plan", campaigns=sorted(missing))
        with scratch_of(run):
            allocation = allocation_of(run, self.outbox, self.send_on, missing, self.now)
            publish_candidates.fn(run, staged(run, self.send_on, allocation), {}, self.now)

    def deliver(self, code: str, send_on: date) -> tuple[dict[str, str], set[str]]:
        """Deliver a campaign of a day; the phones that the files add, each with whom for, and those they recall."""
        self.now += timedelta(minutes=1)
        run = self.run_of("campaign", code=code)
        with scratch_of(run):
            horizon = horizon_of(run, send_on)
            done = hand_over(run, self.outbox, horizon, prepare(run, self.outbox, code, horizon))
            if done.candidates:
                publish_candidates.fn(run, done.candidates, {}, self.now)
        return self._read(done.send_id)

    def is_planned(self, code: str, send_on: date) -> bool:
        """Whether the day's plan holds the campaign."""
        lake = lake_at(self.uri)
        rows = lake.scan("audience_members", lake.snapshot(), partitions=[send_on])
        return rows.filter(pl.col("campaign") == code).collect().height > 0

    @property
    def outbox(self) -> str:
        """Where the files lie."""
        return f"{self.uri}/outbox"

    def _read(self, send_id: str) -> tuple[dict[str, str], set[str]]:
        """What the newest revision of a send adds and recalls, if it is new."""
        folder = Path(self.outbox) / send_id
        if not (folder / "CURRENT.json").exists():
            return {}, set()
        told = json.loads((folder / "CURRENT.json").read_bytes())["revisions"]
        seen = self.live.setdefault(send_id, {})
        if len(told) == self._handled.get(send_id, 0):
            return {}, set()
        assert len(told) == self._handled.get(send_id, 0) + 1, "more than one revision of one delivery"
        self._handled[send_id] = len(told)
        newest = folder / told[-1]["revision"]
        parts = [row for part in sorted(newest.glob("part-*")) for row in _cells(part.read_text(encoding="utf-8"))]
        recall = newest / "recall.csv"
        recalled = set(_cells(recall.read_text(encoding="utf-8"))) if recall.exists() else set()
        assert len(parts) == len(set(parts)), "a contact twice in one revision"
        ledger = Path(self.outbox) / "_ledger" / send_id / f"{told[-1]['revision']}.csv"
        names = dict(self.people.select("phone_key", "phone").iter_rows())
        rows = list(csv.DictReader(io.StringIO(ledger.read_text(encoding="utf-8"))))
        added = {names[row["recipient_key"]]: row["one_id"] for row in rows if row["change"] == "added"}
        assert set(parts) == set(added), "the files do not hold whom the private list names"
        for phone in recalled:
            seen.pop(phone)
        return added, recalled

    @property
    def _handled(self) -> dict[str, int]:
        return self.__dict__.setdefault("_numbers", {})  # type: ignore[no-any-return]

    def _layer(self) -> dict[str, pl.DataFrame]:
        """Customers and identities of the date, under the ids that people have now."""
        now = {one_id: self.who(one_id) for one_id in PEOPLE}
        base = pl.DataFrame({"one_id": sorted(set(now.values()))}).with_columns(as_of=pl.lit(AS_OF))
        scores = base.with_columns(
            m_score=pl.col("one_id").replace_strict(dict(zip(PEOPLE, (5, 4, 3, 2, 5, 1), strict=True))), frequency=1,
            tier=pl.lit("gold"), tier_level=1, first_seen_at=pl.lit(SEEN),
        )  # fmt: skip
        own = self.people.with_columns(own_id="one_id").with_columns(pl.col("one_id").replace_strict(now))
        unshared = own.filter(pl.col("phone") != _SHARED)
        keys = [
            rows.select("one_id", "own_id", key=key, key_type=pl.lit(kind), key_class=pl.lit(strength))
            for rows, key, kind, strength in (
                (own, "member_key", "member", "strong"), (unshared, "phone_key", "phone", "linking"),
            )
        ]  # fmt: skip
        identities = pl.concat(keys).with_columns(epoch=1, as_of=pl.lit(AS_OF), first_seen_at=pl.lit(SEEN))
        return {"customers": scores, "traits": base, "tags": base, "identities": identities}

    def _sightings(self) -> pl.DataFrame:
        rows = [
            self.people.select(
                key=key, key_type=pl.lit(kind), key_scope=pl.lit(scope), channel=pl.lit("offline_pos"),
                record=pl.format("order:offline_pos:main:{}", "one_id"),
            )
            for key, kind, scope in (("member_key", "member", "brand"), ("phone_key", "phone", ""))
        ]  # fmt: skip
        return pl.concat(rows).with_columns(
            pseudonym=pl.col("key").str.split(":").list.last(), key_role=pl.lit("identity"), evidence_rank=3,
            seen_at=pl.lit(SEEN), seen_month=pl.lit("2026-05"),
        )  # fmt: skip

    def run_of(self, flow: str, **inputs: object) -> Run:
        """A run at the clock's time on the newest snapshot."""
        house = House(self.uri, lake_at(self.uri), self.policy, self.now)
        told = {**inputs, "now": self.now.isoformat()}
        return begin(house, flow, told, snapshot=house.lake.snapshot(), known_as_of=self.now)

    def _write(self, frames: Mapping[str, pl.DataFrame], mode: Mode) -> None:
        """One recorded run that named people by the key."""
        objects, lake = open_objects(self.uri, Settings()), lake_at(self.uri)
        scratch = self.root / "scratch" / self.now.strftime("%d%H%M")
        run = Run(
            run_id=content_id(self.now.isoformat(), mode)[:32], flow="ingest", lake=self.uri,
            base_seq=lake.snapshot().seq, code_version="c", inputs_digest="i", scratch=str(scratch),
            policy_digest=keep_policy(objects, self.policy),
        )  # fmt: skip
        replaces = [AS_OF] if mode == "replace" else []
        with lake.writer(run, 10) as writer:
            made = [stage(run, table, _filled(table, rows), mode=mode, replaces=replaces)
                    for table, rows in frames.items()]  # fmt: skip
            published = [(candidate, *writer.commit(candidate)) for candidate in made]
            writer.commit(stage_record(run, {"pseudonym_key": self.ring.key_id}, published, self.now))
            writer.move_pointer()


def _cells(text: str) -> list[str]:
    """The first cell of every line but the header."""
    return [row[0] for row in list(csv.reader(io.StringIO(text)))[1:]]


def _said(words: pl.DataFrame) -> pl.DataFrame:
    return words.with_columns(
        touch_channel=pl.lit("sms"), purpose=pl.lit("marketing"), channel=pl.lit("youzan"), exported_at=pl.lit(SEEN)
    )


def _filled(table: str, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with all columns of the table; where nothing is said, null, or what every stored row has."""
    given = {"known_from": SEEN, "file_sha256": "0" * 64, "content_hash": "0" * 64, "policy_digest": "0" * 64}
    missing: Sequence[tuple[str, pl.DataType]] = [
        (name, kind) for name, kind in TABLES[table].schema.items() if name not in rows.columns
    ]
    return rows.with_columns(pl.lit(given.get(name)).cast(kind).alias(name) for name, kind in missing)

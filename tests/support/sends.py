"""Publications of invented people, and two vendors' clients that share no code with the publisher."""

import csv
import hashlib
import io
import json
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

import polars as pl

from tasks.policy.vendors import Vendor
from tasks.steps.dropping import drop_send
from tasks.stores.manifest import Manifest, Origin, terms_of
from tasks.stores.objects import Objects
from tasks.stores.outbox import Outcome, publish
from tasks.stores.revision import Publication, cancellation
from tasks.stores.sends import Send, SendState, reached, read_send
from tests.support.campaigns import campaign, vendor

SEND = Send("sms_vendor", "winback", date(2026, 7, 1))
KEY = b"test key of the digests, 32 bytes"
NOBODY = pl.DataFrame(schema={"one_id": pl.String, "recipient_key": pl.String, "contact": pl.String})
PROFILE = vendor(rows_per_part=2)
TERMS = terms_of(campaign(), PROFILE, date(2026, 7, 31), "Asia/Shanghai")


def people(numbers: Iterable[int]) -> pl.DataFrame:
    """One invented person per number, with a phone."""
    rows = [(f"c_{n:06d}", f"phone::{n}", f"139{n:08d}") for n in numbers]
    return pl.DataFrame(rows, schema=NOBODY.schema, orient="row")


def origin(delivered: int, **more: Any) -> Origin:
    """Where a revision comes from; two customers were left out."""
    counts = {"base": delivered + 2, "rule_not_met": 1, "holdout": 1, "planned": delivered}
    given = {
        "policy_digest": "p" * 64, "code_version": "c" * 64, "snapshot_seq": 7, "as_of": date(2026, 6, 30),
        "consent_known_as_of": datetime(2026, 7, 1, tzinfo=UTC), "holdout_experiment": "exp:winback",
        "key_id": "demo-1", "waterfall": counts,
    }  # fmt: skip
    return Origin.model_validate(given | more)


def publication(objects: Objects, numbers: Iterable[int], send: Send = SEND, **more: Any) -> Publication:
    """The increment that brings a send to exactly these people."""
    wanted, base = people(numbers), read_send(objects, send)
    before = reached(objects, send, base.published)
    added = wanted.join(before, on="one_id", how="anti")
    gone = before.join(wanted, on="one_id", how="anti").select("one_id", "recipient_key")
    recalled = gone.with_columns(contact=pl.format("139{}", pl.col("recipient_key").str.slice(7).str.zfill(8)))
    given = {
        "send": send, "base": base, "vendor": PROFILE, "terms": TERMS, "origin": origin(wanted.height),
        "added": added, "recalled": recalled, "seeds": NOBODY.select("contact"),
    }  # fmt: skip
    return Publication(**(given | more))


def send_to(objects: Objects, numbers: Iterable[int], send: Send = SEND, **more: Any) -> Outcome:
    """Publish so that the send reaches exactly these people; the copy to the vendor's server follows, if it has one."""
    told = publication(objects, numbers, send, **more)
    return publish(objects, told, key=KEY, gate=accept, record=lambda _: copy_to_vendor(objects, told))


def copy_to_vendor(objects: Objects, told: Publication) -> None:
    """Copy what is published to the vendor's server; SSH is loaded only where it is used."""
    drop_send(objects, told.send, told.vendor)


def cancel(objects: Objects, send: Send = SEND, vendor: Vendor = PROFILE) -> Outcome:
    """Call everyone back."""
    everyone = publication(objects, [], send)
    request = cancellation(send, everyone.base, vendor, TERMS, origin(0), everyone.recalled)
    return publish(objects, request, key=KEY, gate=accept, record=forget)


def accept(_: Manifest) -> None:
    """A gate that lets everything pass."""


def forget(_: Outcome) -> None:
    """A record that is not kept."""


def stale(state: SendState, request: Publication) -> Publication:
    """The request as computed by someone who read the send earlier."""
    return Publication(**{**vars(request), "base": state})


class Client:
    """A vendor's machine: reads, checks every hash, and keeps a list of everyone it would send to."""

    def __init__(self, objects: Objects, send: Send = SEND) -> None:
        """Look at one send of a store."""
        self.objects = objects
        self.send = send

    def by_pointer(self) -> list[str]:
        """Contacts of the revisions that CURRENT.json names."""
        if self.objects.head(f"{self.send.id}/CURRENT.json") is None:
            return []
        current = json.loads(self.objects.read(f"{self.send.id}/CURRENT.json"))
        assert [r["seq"] for r in current["revisions"]] == list(range(1, len(current["revisions"]) + 1))
        return [c for r in current["revisions"] for c in self._revision(r["revision"], r["manifest_sha256"])]

    def by_success(self) -> list[str]:
        """Contacts of the folders that hold a _SUCCESS."""
        keys = [m.key for m in self.objects.list(f"{self.send.id}/") if m.key.endswith("/_SUCCESS")]
        marks = [(key.split("/")[-2], self.objects.read(key).decode().strip()) for key in keys]
        return [contact for revision, sha256 in marks for contact in self._revision(revision, sha256)]

    def _revision(self, revision: str, sha256: str) -> list[str]:
        folder = f"{self.send.id}/{revision}"
        manifest = json.loads(self._checked(f"{folder}/manifest.json", sha256))
        contacts = []
        for part in manifest["parts"]:
            data = self._checked(f"{folder}/{part['name']}", part["sha256"])
            header, *found = list(csv.reader(io.StringIO(data.decode(manifest["encoding"]), newline="")))
            assert header == manifest["columns"]
            assert (len(found), len(data)) == (part["rows"], part["bytes"])
            contacts += [row[0] for row in found]
        assert len(contacts) == manifest["rows"]
        return contacts

    def _checked(self, key: str, sha256: str) -> bytes:
        data = self.objects.read(key)
        assert hashlib.sha256(data).hexdigest() == sha256, f"{key} is not what was promised"
        return data

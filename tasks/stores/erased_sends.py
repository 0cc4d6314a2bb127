"""A person taken out of the outbox: out of every part and list that was published, and called back at the vendor.

What was published is never changed in place. Each revision that holds the person is written once more
without them, under a name of its own; one swap of CURRENT.json puts the new ones in place of the old
and adds a revision whose recall.csv names the contact, which is all that still does. Then the old go.
"""

import hmac
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from tasks.policy.vendors import Vendor
from tasks.stores.encryption import lock_of, locked
from tasks.stores.failpoints import reach
from tasks.stores.manifest import Manifest, StoredPart, canonical, sha256_of
from tasks.stores.objects import Objects
from tasks.stores.outbox import finish
from tasks.stores.revision import DIGEST_HEX, stored_part
from tasks.stores.sends import (
    CURRENT,
    LEDGER,
    MANIFEST,
    RECALLED,
    Published,
    Revision,
    Send,
    SendState,
    read_manifest,
    read_people,
    read_send,
)
from tasks.stores.vendor.without import without
from tasks.stores.vendor_files import CONTACT, File, render_recall


@dataclass(frozen=True)
class Erasure:
    """Whom to take out, and how they are called afterwards."""

    tokens: Mapping[str, str]
    """Pseudonyms and customer ids to their new names."""
    contacts: Mapping[str, str]
    """Recipient key to the plain contact that was used."""
    vendor: Vendor
    """As the policy had it when the newest revision was made."""
    expires_on: date
    """Last day of the recall file."""
    key: bytes
    """The brand's secret for the names of folders."""


def sends_with(objects: Objects, tokens: Collection[str]) -> list[Send]:
    """Sends of which a revision, published or left behind, concerns the person; in order of id."""
    found = {_send_of(meta.key) for meta in objects.list(f"{LEDGER}/") if _names(objects.read(meta.key), tokens)}
    return sorted(found)


def recipients_in(objects: Objects, send: Send, tokens: Collection[str]) -> set[str]:
    """Contact keys by which the send reached, or was to reach, the person."""
    people = [read_people(objects.read(meta.key)) for meta in objects.list(f"{LEDGER}/{send.id}/")]
    mine = [rows.filter(pl.col("one_id").is_in(sorted(tokens)))["recipient_key"] for rows in people]
    return {key for keys in mine for key in keys}


def _send_of(ledger: str) -> Send:
    return Send.parse("/".join(ledger.split("/")[1:4]))


def _names(data: bytes, tokens: Collection[str]) -> bool:
    return any(token.encode() in data for token in tokens)


def erase_from(objects: Objects, send: Send, erasure: Erasure) -> Published:
    """Take the person out of one send; twice is once.

    Raises:
        SnapshotMovedError: somebody published meanwhile; read again.
    """
    state = read_send(objects, send)
    ledgers = {r: objects.read(send.people(r.revision)) for r in state.published.revisions}
    concerned = [revision for revision, data in ledgers.items() if _names(data, erasure.tokens)]
    published = state.published
    if concerned:
        new = {revision: _rewrite(objects, send, revision, erasure) for revision in concerned}
        published = _replace(objects, send, state, new, erasure, ledgers)
    reach("forget:send", "after")
    _delete_old(objects, send, published, erasure.tokens)
    return published


def _replace(
    objects: Objects, send: Send, state: SendState, new: Mapping[Revision, Revision], erasure: Erasure,
    ledgers: Mapping[Revision, bytes],
) -> Published:  # fmt: skip
    """Swap the pointer once: the new revisions for the old, and the recall behind them."""
    before = state.published
    revisions = [new.get(revision, revision) for revision in before.revisions]
    reached = _reached(ledgers, erasure.tokens)
    if reached and not before.is_cancelled and not before.is_expired:
        revisions.append(_recall(objects, send, before, erasure, reached))
    published = before.model_copy(update={"seq": revisions[-1].seq, "revisions": tuple(revisions)})
    reach("forget:swap", "before")
    objects.swap(send.current, published.encoded(), state.etag)
    reach("forget:swap", "after")
    return finish(objects, send)


def _reached(ledgers: Mapping[Revision, bytes], tokens: Collection[str]) -> dict[str, str]:
    """Customer id to contact key of the person, where the send still reaches them."""
    reached: dict[str, str] = {}
    for revision in sorted(ledgers, key=lambda one: one.seq):
        for one_id, recipient_key, change in read_people(ledgers[revision]).iter_rows():
            if one_id in tokens and change == RECALLED:
                reached.pop(one_id, None)
            elif one_id in tokens:
                reached[one_id] = recipient_key
    return reached


def _rewrite(objects: Objects, send: Send, revision: Revision, erasure: Erasure) -> Revision:
    """Store a revision once more without the person; return what the pointer is to name.

    What is locked to the vendor's key nobody here can open: those files go altogether. The vendor's own machine
    handles a number once, and whoever fetched it before has it; to the others the send did not come.
    """
    manifest = read_manifest(objects, send, revision)
    can_open = not manifest.key_ids and not revision.is_expired
    files = [_without(objects, send, manifest, part, erasure) for part in manifest.parts if can_open]
    recall = _without(objects, send, manifest, manifest.recall, erasure) if can_open and manifest.recall else None
    people = _renamed(objects.read(send.people(revision.revision)), erasure.tokens)
    stored = _store(objects, send, manifest, [file for file in files if file], recall, people, erasure.key)
    return stored.model_copy(update={"is_expired": revision.is_expired})


def _without(objects: Objects, send: Send, manifest: Manifest, part: StoredPart, erasure: Erasure) -> File | None:
    """A file without the lines of these contacts, every other byte as it was; None when nobody is left in it."""
    data = objects.read(send.key(manifest.revision, part.name))
    kept, gone = without(data, part.name, erasure.contacts.values(), _as_written(erasure.vendor, manifest, part))
    return File(part.name, kept, part.rows - gone) if part.rows > gone else None


def _as_written(vendor: Vendor, manifest: Manifest, part: StoredPart) -> Vendor:
    """The profile by which a file was written: what its manifest says, whatever the vendor takes by now."""
    told = {
        "encoding": manifest.encoding, "line_end": manifest.line_end, "with_header": manifest.with_header,
        "format": manifest.file_format, "compress": manifest.compress, "contact_form": manifest.contact_form,
        "hash": manifest.hash,
    }  # fmt: skip
    is_recall = manifest.recall is not None and part.name == manifest.recall.name
    return vendor.model_copy(update=told | ({"format": "txt"} if is_recall and vendor.request else {}))


def _renamed(people: bytes, tokens: Mapping[str, str]) -> bytes:
    """The private list under the new names, in its order."""
    rows = read_people(people)
    old, new = list(tokens), list(tokens.values())
    named = rows.with_columns(pl.col("one_id", "recipient_key").str.replace_many(old, new))
    return named.sort("change", "one_id").write_csv().encode()


def _recall(objects: Objects, send: Send, before: Published, erasure: Erasure, reached: Mapping[str, str]) -> Revision:
    """Store the revision that calls the person back; its list knows them by their new name alone."""
    newest = read_manifest(objects, send, before.revisions[-1])
    contacts = pl.DataFrame(
        {CONTACT: sorted({erasure.contacts[key] for key in reached.values() if key in erasure.contacts})}
    )
    file = render_recall(contacts.cast(pl.String), erasure.vendor)
    lock = lock_of(erasure.vendor.encryption, send.send_on)
    stored = locked(file, lock) if file else None
    rows = [(one_id, key, RECALLED) for one_id, key in sorted(reached.items())]
    people = pl.DataFrame(rows, ["one_id", "recipient_key", "change"], orient="row").write_csv().encode()
    manifest = newest.model_copy(
        update={
            "seq": before.seq + 1,
            "terms": newest.terms.model_copy(update={"expires_on": erasure.expires_on}),
            "origin": newest.origin.model_copy(update={"waterfall": _less(newest.origin.waterfall, len(reached))}),
            "seeds": 0,
            "encryption": erasure.vendor.encryption.kind if erasure.vendor.encryption else "none",
            "key_ids": lock.key_ids if lock else (),
        }
    )
    return _store(objects, send, manifest, [], stored, _renamed(people, erasure.tokens), erasure.key)


def _less(waterfall: Mapping[str, int], people: int) -> dict[str, int]:
    """The account of the send: those called back are `erased` now."""
    told = dict(waterfall)
    return told | {"delivered": told.get("delivered", 0) - people, "erased": told.get("erased", 0) + people}


def _store(
    objects: Objects, send: Send, model: Manifest, files: list[File], recall: File | None, people: bytes, key: bytes
) -> Revision:
    """Write files, private list and manifest under a name made of all of them."""
    every = [*files, *([recall] if recall else [])]
    own = tuple(stored_part(file) for file in files)
    called = stored_part(recall) if recall else None
    told = model.model_copy(
        update={
            "parts": own, "recall": called, "rows": sum(part.rows for part in own), "revision": "",
            "total_bytes": sum(part.bytes for part in own), "recalled": called.rows if called else 0,
            "people_sha256": sha256_of(people),
        }
    )  # fmt: skip
    name = f"rev-{hmac.digest(key, canonical(told.model_dump(mode='json')), 'sha256').hex()[:DIGEST_HEX]}"
    manifest = told.model_copy(update={"revision": name})
    for file in every:
        objects.create(send.key(name, file.name), file.data)
    objects.create(send.people(name), people)
    objects.create(send.key(name, MANIFEST), manifest.encoded())
    return Revision(seq=manifest.seq, revision=name, manifest_sha256=sha256_of(manifest.encoded()))


def _delete_old(objects: Objects, send: Send, published: Published, tokens: Collection[str]) -> None:
    """Delete what no pointer names and what still knows the person."""
    named = {revision.revision for revision in published.revisions}
    for meta in list(objects.list(f"{LEDGER}/{send.id}/")):
        name = meta.key.rpartition("/")[2].removesuffix(".csv")
        if name not in named and _names(objects.read(meta.key), tokens):
            for file in list(objects.list(f"{send.id}/{name}/")):
                objects.delete(file.key)
            objects.delete(meta.key)  # last: it is by the list that a killed run finds the rest


def expired_recalls(objects: Objects, today: date) -> list[tuple[Send, Revision]]:
    """Published revisions whose recall file still names contacts although its last day is over."""
    currents = [meta.key.rpartition("/")[0] for meta in objects.list("") if meta.key.endswith(f"/{CURRENT}")]
    sends = [Send.parse(folder) for folder in currents]
    return [
        (send, revision)
        for send in sends
        for revision in read_send(objects, send).published.revisions
        if not revision.is_expired
        if (manifest := read_manifest(objects, send, revision)).recall and manifest.terms.expires_on < today
    ]


def drop_recall(objects: Objects, send: Send, revision: Revision, key: bytes) -> None:
    """Publish a revision once more without its recall file, and delete the old one; its private list stays."""
    state = read_send(objects, send)
    manifest = read_manifest(objects, send, revision)
    read = ((part, objects.read(send.key(revision.revision, part.name))) for part in manifest.parts)
    files = [File(part.name, data, part.rows) for part, data in read]
    people = objects.read(send.people(revision.revision))
    new = _store(objects, send, manifest, files, None, people, key)
    revisions = tuple(new if one == revision else one for one in state.published.revisions)
    objects.swap(send.current, state.published.model_copy(update={"revisions": revisions}).encoded(), state.etag)
    finish(objects, send)
    for file in list(objects.list(f"{send.id}/{revision.revision}/")):
        objects.delete(file.key)
    objects.delete(send.people(revision.revision))

"""One increment of a send in memory: its files, the digest that names it, its manifest. Nothing is stored here."""

import hmac
from dataclasses import dataclass
from typing import Final, NamedTuple

import polars as pl

from tasks.errors import SecurityRefusedError
from tasks.policy.vendors import Vendor
from tasks.stores.encryption import lock_of, locked
from tasks.stores.manifest import Manifest, Origin, StoredPart, Terms, canonical, settled, sha256_of
from tasks.stores.sends import Rename, Send, SendState, as_they_are, write_people
from tasks.stores.vendor.order import in_order
from tasks.stores.vendor_files import CONTACT, File, headers_of, render_parts, render_recall, same_id, variables_of

DIGEST_HEX: Final = 32
"""128 bits of the HMAC name a folder: no two contents meet by chance, and keys stay readable."""


@dataclass(frozen=True)
class Publication:
    """One increment of a send, ready to be written."""

    send: Send
    base: SendState
    """The pointer from which the increment was computed; if it has moved since, nothing is published."""
    vendor: Vendor
    terms: Terms
    origin: Origin
    added: pl.DataFrame
    """one_id, recipient_key, contact (plain) and the template's variables; one row per person."""
    recalled: pl.DataFrame
    """one_id, recipient_key, contact: of those to be called back, the contact used then."""
    seeds: pl.DataFrame
    """contact and variables of the brand's own test contacts; they go into every revision with parts."""
    is_cancellation: bool = False
    rename: Rename = as_they_are
    """Names people of earlier revisions as they are named now."""

    @property
    def seq(self) -> int:
        """The number of the revision that this becomes."""
        return self.base.published.seq + 1

    @property
    def is_empty(self) -> bool:
        """True when the vendor would learn nothing: no revision is made."""
        return self.added.is_empty() and self.recalled.is_empty() and not self.is_cancellation


class Built(NamedTuple):
    """A revision in memory: what the vendor gets, whom it concerns, and what it says about itself."""

    files: tuple[File, ...]
    people: bytes
    manifest: Manifest


def cancellation(
    send: Send, base: SendState, vendor: Vendor, terms: Terms, origin: Origin, recalled: pl.DataFrame
) -> Publication:
    """The increment that calls everyone back (`recalled`: one_id, recipient_key, contact) and closes the send."""
    nobody = recalled.clear()
    return Publication(send, base, vendor, terms, origin, nobody, recalled, nobody, is_cancellation=True)


def build(publication: Publication, key: bytes) -> Built:
    """Render the files of an increment and name them by a digest under the brand's key.

    Raises:
        SecurityRefusedError: a person or contact twice, a contact that cannot be written, or a key of the
            vendor's that is not in force.
        BadPolicyError: the vendor's profile wants what the campaign does not give.
    """
    lock = lock_of(publication.vendor.encryption, publication.send.send_on)
    files = _render(publication)
    people = write_people(publication.added, publication.recalled)
    revision = _revision_name(publication, files, people, key)
    stored = tuple(locked(file, lock) for file in files)
    manifest = _describe(publication, stored, revision, people)
    return Built(stored, people, manifest.model_copy(update={"key_ids": lock.key_ids if lock else ()}))


def _render(publication: Publication) -> tuple[File, ...]:
    """All files of the revision: parts in a total order with the seeds at their end, then the recalls."""
    vendor, added, recalled = publication.vendor, publication.added, publication.recalled
    _check_people(publication)
    recall = render_recall(recalled.sort("one_id"), vendor)
    called_back = (recall,) if recall else ()
    if added.is_empty():
        return called_back
    told = {
        "send_id": publication.send.id, "seq": str(publication.seq), "template": publication.terms.template,
    }  # fmt: skip
    rows = in_order(added, vendor).select(CONTACT, *_variables(publication))
    return (*render_parts(pl.concat([rows, _seeds(publication)], how="diagonal"), vendor, told), *called_back)


def _variables(publication: Publication) -> list[str]:
    """The variables that the vendor's profile writes and the campaign gives; render_parts refuses a lack."""
    added = publication.added.columns
    return [name for name in variables_of(publication.vendor, added) if name in added]


def _seeds(publication: Publication) -> pl.DataFrame:
    """The brand's own contacts in this revision: each once, and none that gets the message anyway."""
    if publication.seeds.is_empty():
        return publication.seeds.select(CONTACT)
    own = same_id(pl.col(CONTACT), publication.vendor).fill_null(pl.col(CONTACT)).alias("id")
    named = publication.seeds.sort(CONTACT).with_columns(own).unique("id", keep="first", maintain_order=True)
    seeds = named.join(publication.added.select(own), on="id", how="anti", maintain_order="left")
    return seeds.select(name for name in (CONTACT, *_variables(publication)) if name in seeds.columns)


def _check_people(publication: Publication) -> None:
    """Refuse a person or a contact twice, also one that only the vendor writes alike: the last look left none."""
    own = same_id(pl.col(CONTACT), publication.vendor).fill_null(pl.col(CONTACT)).alias(CONTACT)
    people = publication.added.select("one_id", "recipient_key", own)
    doubled = [name for name in people.columns if people[name].n_unique() != people.height]
    called_back = people.join(publication.recalled.select(own), on=CONTACT, how="semi").height
    if doubled or called_back:
        raise SecurityRefusedError(
            f"{publication.send.id}: {', '.join(doubled) or CONTACT} occurs twice in one increment",
            expected="each person and each contact once",
            next_step="plan the send again",
        )


def _revision_name(publication: Publication, files: tuple[File, ...], people: bytes, key: bytes) -> str:
    """`rev-` and a keyed digest over all that the vendor gets and is told: without the key nobody can test a guess."""
    content = hmac.new(key, digestmod="sha256")
    told = {
        "send_id": publication.send.id,
        "seq": publication.seq,
        "vendor": publication.vendor.model_dump(mode="json"),
        "terms": publication.terms.model_dump(mode="json"),
        "is_cancellation": publication.is_cancellation,
    }
    for name, data in [("told", canonical(told)), *((f.name, f.data) for f in files), ("people", people)]:
        content.update(f"{name}\x1f{len(data)}\x1f".encode())
        content.update(data)
    return f"rev-{content.hexdigest()[:DIGEST_HEX]}"


def _describe(publication: Publication, files: tuple[File, ...], revision: str, people: bytes) -> Manifest:
    stored = {kind: tuple(stored_part(f) for f in files if f.kind == kind) for kind in ("part", "recall")}
    parts = stored["part"]
    vendor, origin = publication.vendor, publication.origin
    rows = sum(part.rows for part in parts)
    return Manifest(
        send_id=publication.send.id,
        vendor=vendor.code,
        campaign=publication.send.campaign,
        send_on=publication.send.send_on,
        seq=publication.seq,
        revision=revision,
        columns=headers_of(vendor, publication.added.columns),
        encoding=vendor.encoding,
        line_end=vendor.line_end,
        with_header=vendor.with_header,
        encryption=vendor.encryption.kind if vendor.encryption else "none",
        file_format=vendor.format,
        compress=vendor.compress,
        contact_form=vendor.contact_form,
        hash=vendor.hash,
        parts=parts,
        recall=next(iter(stored["recall"]), None),
        rows=rows,
        total_bytes=sum(part.bytes for part in parts),
        seeds=rows - publication.added.height,
        recalled=publication.recalled.height,
        is_cancellation=publication.is_cancellation,
        people_sha256=sha256_of(people),
        terms=publication.terms,
        origin=origin.model_copy(update={"waterfall": settled(origin.waterfall)}),
    )


def stored_part(file: File) -> StoredPart:
    """What a manifest says of a file."""
    return StoredPart(name=file.name, rows=file.rows, bytes=len(file.data), sha256=file.sha256)

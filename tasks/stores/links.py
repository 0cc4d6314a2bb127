"""Links for a vendor without keys: each opens one file of one send, for a short while."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from tasks.errors import ConfigurationError, MissingDataError
from tasks.policy.vendors import Vendor
from tasks.stores.objects import Objects
from tasks.stores.sends import MANIFEST, Send, read_manifest, read_send


class Link(NamedTuple):
    """One file and the address that opens it; the address is a secret until it expires."""

    key: str
    url: str
    expires_at: datetime
    sha256: str


def links_of(objects: Objects, send: Send, vendor: Vendor, minutes: int) -> tuple[Link, ...]:
    """A link to the manifest and to each file of every published revision that stands, in order of number.

    Raises:
        ConfigurationError: longer than the vendor's profile allows, or the outbox is a directory.
        MissingDataError: nothing of the send is there for the vendor.
    """
    if not 1 <= minutes <= vendor.link_minutes:
        raise ConfigurationError(
            f"a link of {minutes} minutes", expected=f"1 to {vendor.link_minutes} (`link_minutes` of {vendor.code})",
            next_step="ask for less; the profile may allow more, at most the 7 days that S3 signs",
        )  # fmt: skip
    expires_at = datetime.now(UTC) + timedelta(minutes=minutes)
    told = [(key, sha256) for key, sha256 in _files(objects, send)]
    if not told:
        raise MissingDataError(
            f"nothing of {send.id} is there for the vendor", expected="a send that is published and has not expired",
            next_step="`strata campaign` delivers it",
        )  # fmt: skip
    return tuple(Link(key, objects.link(key, minutes * 60), expires_at, sha256) for key, sha256 in told)


def _files(objects: Objects, send: Send) -> list[tuple[str, str]]:
    """Key and SHA-256 of everything that a vendor reads of a send, each revision's manifest first.

    Of a cancelled one nobody is to be sent to any more: its parts are left out.
    """
    found: list[tuple[str, str]] = []
    published = read_send(objects, send).published
    for revision in published.revisions:
        if revision.is_expired:
            continue
        manifest = read_manifest(objects, send, revision)
        found.append((send.key(revision.revision, MANIFEST), revision.manifest_sha256))
        recall = (manifest.recall,) if manifest.recall else ()
        files = recall if published.is_cancelled else manifest.files
        found += [(send.key(revision.revision, part.name), part.sha256) for part in files]
    return found

"""What a published revision says about itself: files, terms, origin. No person's data, not even a pseudonym."""

import hashlib
import json
from datetime import date, datetime
from decimal import Decimal
from typing import Final, Literal

from pydantic import Field

from tasks.errors import UnbalancedError
from tasks.policy.campaigns import Campaign
from tasks.policy.hours import shared_hours
from tasks.policy.vendors import Vendor
from tasks.refs import Ref

FORMAT: Final = "strata-audience/1"


class Terms(Ref):
    """What the vendor is told and bound to; part of the revision's digest."""

    touch_channel: str
    template: str
    purpose: str
    recipient: str = Field(description="name of the vendor who receives the file")
    legal_role: Literal["entrusted", "third_party"]
    expires_on: date = Field(description="last day on which the vendor may keep the file")
    not_before: str = Field(
        default="", exclude_if=lambda told: not told, description="`09:00`: no message may arrive earlier in the day"
    )
    not_after: str = Field(default="", exclude_if=lambda told: not told, description="from here on none may arrive")
    zone: str = Field(default="", exclude_if=lambda told: not told, description="of these hours: the brand's")


class Origin(Ref):
    """What the revision was made from; enough to recompute it."""

    policy_digest: str
    code_version: str
    snapshot_seq: int
    as_of: date
    consent_known_as_of: datetime = Field(description="consents were read as known at this instant")
    holdout_experiment: str | None = Field(default=None, description="salt of the holdout's hash")
    holdout_percent: Decimal | None = None
    global_holdout_experiment: str | None = Field(
        default=None, exclude_if=lambda told: told is None, description="salt of the hash of the global holdout"
    )
    global_holdout_percent: Decimal | None = Field(default=None, exclude_if=lambda told: told is None)
    variants: dict[str, int] = Field(
        default_factory=dict, exclude_if=lambda told: not told, description="people by variant, over the whole send"
    )
    key_id: str = Field(description="key of the pseudonyms and of the revision's digest")
    waterfall: dict[str, int] = Field(description="base, each reason, delivered: over the whole send so far")


class StoredPart(Ref):
    """One file of the revision as stored."""

    name: str
    rows: int
    bytes: int
    sha256: str


class Manifest(Ref):
    """One revision of one send."""

    format: str = FORMAT
    send_id: str
    vendor: str
    campaign: str
    send_on: date
    seq: int
    revision: str
    columns: tuple[str, ...]
    encoding: str
    line_end: str
    with_header: bool
    file_format: str = Field(default="csv", exclude_if=lambda told: told == "csv", description="of the parts")
    compress: str = Field(default="none", exclude_if=lambda told: told == "none", description="how a part is packed")
    contact_form: str = Field(default="stored", exclude_if=lambda told: told == "stored", description="of the ids")
    hash: str = Field(default="none", exclude_if=lambda told: told == "none", description="digest of the ids")
    encryption: Literal["none", "sse", "age", "openpgp"] = Field(
        default="none", exclude_if=lambda kind: kind == "none", description="what the files are locked with"
    )
    key_ids: tuple[str, ...] = Field(
        default=(), exclude_if=lambda ids: not ids, description="public keys or fingerprints that open the files"
    )
    parts: tuple[StoredPart, ...]
    recall: StoredPart | None = None
    rows: int = Field(description="rows in the parts, seeds included")
    total_bytes: int = Field(description="bytes of the parts")
    seeds: int = Field(description="rows that are the brand's own test contacts; outside the waterfall")
    recalled: int
    is_cancellation: bool = False
    people_sha256: str = Field(description="SHA-256 of the private list of whom the revision adds and recalls")
    terms: Terms
    origin: Origin

    def encoded(self) -> bytes:
        """Canonical JSON: the same manifest always has the same bytes."""
        return canonical(self.model_dump(mode="json"))

    def says_the_same(self, other: "Manifest") -> bool:
        """True when both describe the same files under the same terms, whatever run made them.

        Ciphertext differs from attempt to attempt: of locked files what is inside counts, which the
        revision's name stands for.
        """
        return self.opened().model_copy(update={"origin": other.origin}) == other.opened()

    def opened(self) -> "Manifest":
        """The manifest without what chance decides: name, bytes and digest of locked files."""
        if not self.key_ids:
            return self
        bare = {"name": "", "bytes": 0, "sha256": ""}
        return self.model_copy(
            update={
                "parts": tuple(part.model_copy(update=bare) for part in self.parts),
                "recall": self.recall and self.recall.model_copy(update=bare),
                "total_bytes": 0,
            }
        )

    @property
    def files(self) -> tuple[StoredPart, ...]:
        """Every file for the vendor: the parts, then the recalls."""
        return (*self.parts, *([self.recall] if self.recall else []))


def canonical(content: dict[str, object]) -> bytes:
    """JSON with sorted keys and a final newline."""
    return (json.dumps(content, ensure_ascii=False, sort_keys=True, indent=1) + "\n").encode()


def sha256_of(data: bytes) -> str:
    """Hex SHA-256."""
    return hashlib.sha256(data).hexdigest()


def terms_of(campaign: Campaign, vendor: Vendor, expires_on: date, zone: str) -> Terms:
    """The terms that follow from the policy; without hours where there are none, for a recall goes out at any."""
    told = {}
    if hours := shared_hours(campaign, vendor):
        told = {"not_before": f"{hours[0]:%H:%M}", "not_after": f"{hours[1]:%H:%M}", "zone": zone}
    return Terms(
        touch_channel=campaign.touch_channel,
        template=campaign.template,
        purpose=campaign.purpose,
        recipient=vendor.label.en,
        legal_role=vendor.role,
        expires_on=expires_on,
        **told,
    )


def settled(waterfall: dict[str, int]) -> dict[str, int]:
    """The waterfall as the vendor's manifest shows it: what was planned counts as delivered."""
    counts = {name: count for name, count in waterfall.items() if name != "planned"}
    return counts | {"delivered": waterfall.get("delivered", 0) + waterfall.get("planned", 0)}


def check_account(waterfall: dict[str, int], *, reached: int) -> None:
    """Refuse a revision whose account does not sum, or does not name as many people as its files reach.

    Raises:
        UnbalancedError: base is not the sum of delivered and each reason, or delivered is not `reached`.
    """
    total = sum(count for name, count in waterfall.items() if name != "base")
    if waterfall["base"] != total or waterfall["delivered"] != reached:
        raise UnbalancedError(
            f"base {waterfall['base']}, outcomes {total}, delivered {waterfall['delivered']}, in the files {reached}",
            expected="base = delivered + each reason, delivered = people in the files",
            next_step="nothing was published; plan the send again",
        )

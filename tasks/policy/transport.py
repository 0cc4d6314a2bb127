"""How a vendor's files are locked and brought over: encryption to the vendor's key, links, an SFTP drop.

Public keys stand here; no private key and no password ever does.
"""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from tasks.policy.base import Rule

SECRET_WORDS = ("AGE-SECRET-KEY", "PRIVATE KEY")
_SEGMENT = r"[A-Za-z0-9_-][A-Za-z0-9_.-]*"
MINUTES_OF_A_WEEK = 7 * 24 * 60
"""S3 signs no link for longer."""


def _public(key: str) -> str:
    if any(word in key.upper() for word in SECRET_WORDS):
        raise ValueError("a private key stands in the policy: take it out, replace it everywhere, give the public one")
    return key.strip()


PublicKey = Annotated[str, StringConstraints(min_length=1), AfterValidator(_public)]


class Encryption(Rule):
    """How a vendor's files are encrypted before they are hashed and published."""

    kind: Literal["sse", "age", "openpgp"] = Field(
        description="`sse`: by the bucket, with its own key; `age` or `openpgp`: to the vendor's key, before upload"
    )
    recipient: PublicKey | None = Field(
        default=None, description="the vendor's public key: `age1…`, or an armoured OpenPGP certificate"
    )
    escrow: PublicKey | None = Field(default=None, description="the brand's own public key, so that it can look too")
    valid_until: date | None = Field(
        default=None, description="last day of sends for which the key may be used; OpenPGP keys also know their own"
    )

    @model_validator(mode="after")
    def _has_its_key(self) -> Self:
        if (self.kind == "sse") is bool(self.recipients):
            raise ValueError(
                f"encryption {self.kind} with {len(self.recipients)} keys: age and openpgp need one, sse none"
            )
        if self.escrow and not self.recipient:
            raise ValueError("an escrow key without the vendor's: the vendor could not read its files")
        return self

    @property
    def recipients(self) -> tuple[str, ...]:
        """The vendor's key, then the brand's own."""
        return tuple(key for key in (self.recipient, self.escrow) if key)


class SftpDrop(Rule):
    """A vendor's SFTP server, to which published files are copied."""

    kind: Literal["sftp"] = Field(description="the only transport beside the outbox")
    host: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.:-]*$", description="name or address of the server")
    port: int = Field(default=22, ge=1, le=65_535, description="its port")
    user: str = Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.@-]*$", description="whom to log in as")
    path: str = Field(pattern=rf"^(\.|/?{_SEGMENT}(/{_SEGMENT})*)$", description="folder below which files are put")
    host_key: str = Field(
        pattern=r"^(ssh-ed25519|ecdsa-sha2-nistp(256|384|521)|ssh-rsa) [A-Za-z0-9+/=]+$",
        description="the server's own public key as `ssh-keyscan` prints it behind the name; another one is refused",
    )

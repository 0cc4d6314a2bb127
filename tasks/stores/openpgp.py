"""OpenPGP keys of vendors: which may be encrypted to, and the encryption itself.

The library encrypts to keys that have expired or were revoked, whole ones and subkeys alike; so what is
dead is taken out of the certificate before the library sees it, and where nothing is left we refuse.
"""

from collections.abc import Iterator
from datetime import datetime

from pysequoia import Cert, encrypt
from pysequoia.packet import Packet, PacketPile, SignatureType, Tag

from tasks.errors import SecurityRefusedError


def living_key(text: str, at: datetime) -> Cert:
    """The certificate with those of its subkeys that are valid at an instant.

    Raises:
        SecurityRefusedError: no certificate, or one that is expired or revoked.
    """
    cert = _parsed(text)
    if cert.is_revoked:
        raise _refused(f"{cert.fingerprint} was revoked", "a key in force")
    if cert.expiration and cert.expiration <= at:
        raise _refused(f"{cert.fingerprint} expired on {cert.expiration:%Y-%m-%d}", "a key in force")
    primary, *subkeys = _groups(cert)
    return Cert.from_packets([*primary, *(packet for group in subkeys if _lives(group, at) for packet in group)])


def encrypt_to(keys: tuple[Cert, ...], data: bytes) -> bytes:
    """The data as one binary OpenPGP message that each of the keys opens, with integrity protection.

    Raises:
        SecurityRefusedError: a key has no living part that may encrypt.
    """
    try:
        return bytes(encrypt(recipients=list(keys), bytes=data, armor=False))
    except RuntimeError as error:
        raise _refused(_first_line(error), "a certificate with a subkey for encryption in force") from error


def _parsed(text: str) -> Cert:
    try:
        return Cert.from_bytes(text.encode())
    except RuntimeError as error:
        raise _refused("is no OpenPGP certificate", "what `gpg --armor --export` prints") from error


def _groups(cert: Cert) -> list[list[Packet]]:
    """The packets of the primary key with its names, then those of each subkey."""
    groups: list[list[Packet]] = [[]]
    for packet in _packets(cert):
        if packet.tag == Tag.PublicSubkey:
            groups.append([])
        groups[-1].append(packet)
    return groups


def _packets(cert: Cert) -> Iterator[Packet]:
    yield from PacketPile.from_bytes(bytes(cert))


def _lives(group: list[Packet], at: datetime) -> bool:
    """Whether a subkey is neither revoked nor, by its newest binding, expired."""
    if any(packet.signature_type == SignatureType.SubkeyRevocation for packet in group):
        return False
    bindings = [packet for packet in group if packet.signature_type == SignatureType.SubkeyBinding]
    created = group[0].key_created
    if not bindings or created is None:
        return False
    validity = max(bindings, key=lambda packet: packet.signature_created or created).key_validity_period
    return not validity or created + validity > at


def _refused(what: str, expected: str) -> SecurityRefusedError:
    return SecurityRefusedError(
        f"the vendor's OpenPGP key {what}", expected=expected,
        next_step="put the vendor's key in force into `encryption` of its profile; nothing goes out in clear instead",
    )  # fmt: skip


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]

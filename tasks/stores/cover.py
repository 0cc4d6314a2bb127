"""What passes through scratch in clear lies there encrypted, under a key that no process keeps or writes down."""

import os
from collections.abc import Callable

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12
Cover = Callable[[bytes], bytes]


def passing_cover() -> tuple[Cover, Cover]:
    """Encrypt and decrypt pieces of one file while it is read; what a killed run leaves opens for nobody."""
    aead = AESGCM(AESGCM.generate_key(bit_length=256))

    def cover(data: bytes) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return nonce + aead.encrypt(nonce, data, None)

    def uncover(data: bytes) -> bytes:
        return aead.decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], None)

    return cover, uncover

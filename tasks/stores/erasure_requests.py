"""Requests for erasure in the lake: sealed while they are worked on, then a receipt that names nobody.

    forget/<request>/request.sealed    who is meant, under the brand's key; gone at the end
    forget/<request>/state.sealed      what was found and the one-time secret; gone at the end
    forget/<request>/receipt.json      what was done; stays

Deleting the state destroys the secret under which the person was renamed: nobody can undo it then.
"""

import json
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tasks.errors import ConfigurationError, MissingDataError
from tasks.stores.abandoned import desk
from tasks.stores.objects import Objects
from tasks.stores.ring import KeyRing
from tasks.stores.sealed_files import decrypt_file, encrypt_file

ROOT: Final = "forget"
REQUEST: Final = "request.sealed"
STATE: Final = "state.sealed"
RECEIPT: Final = "receipt.json"
_ID: Final = re.compile(r"fr-[0-9a-f]{16}")

Content = dict[str, Any]


def new_id() -> str:
    """An id that tells nothing."""
    return f"fr-{secrets.token_hex(8)}"


def new_secret() -> str:
    """The secret of one erasure, in hex."""
    return secrets.token_hex(32)


def key_of(request_id: str, name: str) -> str:
    """Where a part of a request lies.

    Raises:
        ConfigurationError: not the id of a request; it is not repeated, because it may be a phone number.
    """
    if not _ID.fullmatch(request_id):
        raise ConfigurationError(
            "that is no request", expected="an id such as fr-0123456789abcdef", next_step="`strata forget` prints it"
        )
    return f"{ROOT}/{request_id}/{name}"


class Requests:
    """The requests of one lake, opened with its ring."""

    def __init__(self, objects: Objects, ring: KeyRing, scratch: Path) -> None:
        """Open nothing yet; `scratch` is where a sealed part lies in clear for a moment, for this user alone."""
        self._objects, self._ring, self._scratch = objects, ring, scratch

    def seal(self, request_id: str, name: str, content: Content) -> None:
        """Store a part under the brand's key, in place of what stood there."""
        with desk(self._scratch) as folder:
            clear, sealed = folder / "clear", folder / "sealed"
            clear.write_text(json.dumps(content, sort_keys=True), encoding="utf-8")
            encrypt_file(clear, sealed, self._ring.in_force("file"))
            self._objects.put(key_of(request_id, name), sealed.read_bytes())

    def open(self, request_id: str, name: str) -> Content | None:
        """Read a part; None where there is none."""
        key = key_of(request_id, name)
        with desk(self._scratch) as folder:
            clear, sealed = folder / "clear", folder / "sealed"
            try:
                self._objects.fetch(key, sealed)
            except MissingDataError:
                return None
            decrypt_file(sealed, clear, self._ring)
            content: Content = json.loads(clear.read_text(encoding="utf-8"))
            return content

    def close(self, request_id: str, receipt: Content) -> None:
        """Store the receipt, then destroy request and state; twice is once."""
        data = (json.dumps(receipt, sort_keys=True, indent=1, ensure_ascii=False) + "\n").encode()
        if self._objects.head(key_of(request_id, RECEIPT)) is None:
            self._objects.create(key_of(request_id, RECEIPT), data)
        for name in (STATE, REQUEST):
            self._objects.delete(key_of(request_id, name))

    def receipt(self, request_id: str) -> Content | None:
        """What was done; None while it is not done."""
        try:
            content: Content = json.loads(self._objects.read(key_of(request_id, RECEIPT)))
        except MissingDataError:
            return None
        return content

    def waiting(self) -> Iterator[str]:
        """Ids of requests that were not carried out to their end."""
        for meta in self._objects.list(f"{ROOT}/"):
            _, request_id, name = meta.key.split("/")
            if name == REQUEST:
                yield request_id

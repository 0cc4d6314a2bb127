"""Signed words of operators that let a stopped send go: who, about what, with which numbers, why.

Nobody can add one by writing into the lake: each is signed under the brand's key, and read only when that holds.
"""

import hmac
import json
from typing import Any, Final, NamedTuple

from tasks.errors import ObjectExistsError, SecurityRefusedError
from tasks.stores.manifest import canonical
from tasks.stores.objects import Objects

_USE: Final = b"strata breaker override\x1f"
"""Keeps this use of the key apart from every other."""


class Override(NamedTuple):
    """One operator's word for one send with one set of numbers."""

    send_id: str
    numbers: dict[str, Any]
    broken: list[str]
    reason: str
    said_by: str
    said_at: str

    def signature(self, key: bytes) -> str:
        """Hex HMAC-SHA256 over everything that is said."""
        return hmac.new(key, _USE + canonical(self._asdict()), "sha256").hexdigest()


def override_key(send_id: str, numbers: dict[str, Any]) -> str:
    """Where the word for a send with these numbers lies in the lake."""
    named = hmac.new(b"", canonical(numbers), "sha256").hexdigest()[:16]
    return f"overrides/{send_id}/{named}.json"


def write_override(objects: Objects, said: Override, key: bytes) -> Override:
    """Store the word signed; the first one for a send with these numbers stands."""
    data = canonical(said._asdict() | {"signature": said.signature(key)})
    try:
        objects.create(override_key(said.send_id, said.numbers), data)
    except ObjectExistsError:
        standing = read_override(objects, said.send_id, said.numbers, key)
        return standing or said
    return said


def read_override(objects: Objects, send_id: str, numbers: dict[str, Any], key: bytes) -> Override | None:
    """The word for this send with these numbers; None where nobody has said any.

    Raises:
        SecurityRefusedError: it is not signed under the brand's key, or is about another send or other numbers.
    """
    place = override_key(send_id, numbers)
    if objects.head(place) is None:
        return None
    try:
        told = json.loads(objects.read(place))
        signature, said = str(told.pop("signature")), Override(**told)
        is_true = hmac.compare_digest(signature, said.signature(key))
    except (ValueError, KeyError, TypeError, AttributeError):
        is_true = False
    if not is_true or (said.send_id, said.numbers) != (send_id, numbers):
        raise SecurityRefusedError(
            f"{place} does not carry the brand's signature",
            expected="the word of an operator as `--override-breaker` wrote it",
            next_step="find out who changed it, delete it, and say the word again",
        )
    return said

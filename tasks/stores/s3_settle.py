"""Won, lost or unknown: how an unclear answer to a conditional write is settled by reading back."""

import random
import time
from collections.abc import Callable
from typing import NamedTuple

from tasks.errors import OutcomeUnknownError, StoreUnavailableError
from tasks.stores.s3_errors import CLIENT_ERRORS, explain, is_conflict, is_question, was_refused

PAUSES_SECONDS = (0.0, 0.1, 0.3, 1.0, 2.0)
"""Waits before each attempt while the store reports a conflict and nothing has changed (RGW's 409)."""


class Standing(NamedTuple):
    """What stands under a key now."""

    etag: str
    sha256: str


def settle(
    attempt: Callable[[], str], look: Callable[[], Standing | None], *, sha256: str, etag: str | None, what: str
) -> str | None:
    """Write on condition and return the new etag, or None when other bytes stand there: lost.

    `etag` is what was there before, None for nothing. Our own bytes standing there mean won, whatever
    the store answered. A conflict with nothing changed is tried again; it stays safe because
    a late landing of an earlier attempt would be seen as our own bytes.

    Raises:
        StoreUnavailableError: the store refused until the end, and nothing was written.
        OutcomeUnknownError: the answer was lost and so was the answer to reading back.
    """
    for pause in PAUSES_SECONDS:
        time.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
        try:
            return attempt()
        except CLIENT_ERRORS as error:
            if not is_question(error):
                raise explain(error, what) from error
            unclear = error
        standing = _look_back(look, unclear, what)
        if standing and standing.sha256 == sha256:
            return standing.etag
        if (standing.etag if standing else None) != etag:
            return None
        if not is_conflict(unclear):
            break
    raise StoreUnavailableError(
        f"{what}: the store did not take the write, and nothing has changed there",
        expected="a store that takes conditional writes",
        next_step="check that the store is up, then run again",
    ) from unclear


def _look_back(look: Callable[[], Standing | None], unclear: Exception, what: str) -> Standing | None:
    try:
        return look()
    except StoreUnavailableError as error:
        if was_refused(unclear):
            raise
        raise OutcomeUnknownError(
            f"{what}: the answer to a write was lost, and reading back failed too",
            expected="either our bytes or the ones before",
            next_step="when the store answers again, compare its pointer with `strata runs`; then run again",
        ) from error

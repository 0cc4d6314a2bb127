"""The access log: one object for each time that something was opened, written before it was.

`audit/access/<date>/<time>-<token>.json` below the lake root, created and never changed; no personal
data, no pseudonym. Who may write into the bucket should not be allowed to delete there.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import uuid4

from pydantic import Field

from tasks.account import account
from tasks.refs import Ref
from tasks.stores.objects import Objects

FOLDER = "audit/access/"
EVERY_TYPE = "*"


class Purpose(Ref):
    """What somebody opens the vault for, declared beforehand: no more and nothing else is opened."""

    role: str = Field(min_length=1, description="delivery, rotation, rekey, or a role of the brand's policy")
    what: str = Field(min_length=1, description="the send, file or request that it is for; never a person's data")
    contact_type: str = Field(description="kind of contact point; `*` is every kind, `file` a whole raw file")
    most: int = Field(ge=0, description="how many values or files may be opened")
    run_id: str = ""


class Access(Ref):
    """One record of the log."""

    at: datetime
    by: str = Field(description="the account that ran the process")
    role: str
    what: str
    contact_type: str
    count: int = Field(description="values or files opened")
    key_ids: tuple[str, ...]
    run_id: str = ""
    token: str = Field(description="tells two openings of one moment apart")


def record_access(objects: Objects, purpose: Purpose, count: int, key_ids: tuple[str, ...]) -> Access:
    """Write down that `count` values are about to be opened; raises what the store raises, and nothing is opened."""
    told = Access(
        at=datetime.now(UTC), by=account(), count=count, key_ids=key_ids, token=uuid4().hex[:16],
        **purpose.model_dump(exclude={"most"}),
    )  # fmt: skip
    objects.create(f"{FOLDER}{told.at:%Y-%m-%d/%H%M%S%f}-{told.token}.json", told.model_dump_json().encode())
    return told


def accesses(objects: Objects, *, since: str = "") -> Iterator[Access]:
    """Every record from the date `since` (YYYY-MM-DD) on, oldest first."""
    for meta in objects.list(FOLDER):
        if meta.key.removeprefix(FOLDER) >= since:
            yield Access.model_validate_json(objects.read(meta.key))

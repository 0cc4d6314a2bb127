"""The small frozen references that tasks hand to each other. A frame never crosses a task boundary."""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Ref(BaseModel):
    """Base of all references: frozen, nothing extra."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Run(Ref):
    """One flow run: what it reads, under which rules, as of when, as known when."""

    run_id: str = Field(description="content id of the run: the same inputs give the same id")
    flow: str
    lake: str = Field(description="lake root URI")
    base_seq: int = Field(description="sequence of the snapshot that this run reads")
    policy_digest: str
    code_version: str
    inputs_digest: str
    as_of: date | None = None
    known_as_of: datetime | None = Field(default=None, description="UTC instant")
    scratch: str = Field(description="local folder of this run's candidates")


class Candidate(Ref):
    """Rows waiting in local scratch to be gated and then published to one table."""

    table: str
    step: str = Field(default="", description="step that made it; the record of runs has a row for each")
    path: str = Field(description="Parquet file in local scratch")
    rows: int
    digest: str = Field(description="SHA-256 over the logical rows in total order")
    mode: Literal["append", "replace", "overwrite"] = Field(
        description="append adds rows, replace swaps whole partitions, overwrite swaps the table"
    )
    replaces: tuple[str | None, ...] = Field(
        default=(), description="partition values swapped by `replace`; None is the null partition"
    )


class TableRef(Ref):
    """A published table: its Delta version and what the run put there."""

    table: str
    version: int
    rows: int
    digest: str


class StoredFile(Ref):
    """One file that a run added to the lake."""

    path: str = Field(description="key below the lake root")
    bytes: int
    sha256: str


class Snapshot(Ref):
    """One consistent set of table versions; seq 0 with no tables is the empty lake."""

    seq: int = 0
    run_id: str = ""
    tables: dict[str, int] = {}
    manifest_sha256: str = ""

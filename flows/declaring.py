"""Take in what no export says: lines in a list of the brand's own, ingested like any other file.

So a declaration has a file, a proof, a time of receipt and an account like everything else in the lake.
"""

import csv
from collections.abc import Sequence
from pathlib import Path

from flows.parameters import IngestParameters
from tasks.settings import Settings
from tasks.stores.abandoned import desk


def take_in(
    layout: str, header: Sequence[str], lines: Sequence[Sequence[str]], *, exported_at: str, received_at: str = "",
    uri: str, policy: str,
) -> str:  # fmt: skip
    """Write the lines into a file of `layout` and ingest it; what became of the file."""
    from flows.ingest import ingest  # noqa: PLC0415  Prefect takes seconds to import

    with desk(Path(Settings().scratch)) as folder:
        path = folder / f"{layout}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([header, *lines])
        told = IngestParameters(
            paths=(str(path),), exported_at=exported_at, received_at=received_at, settle_seconds=0, lake=uri,
            policy=policy,
        )  # fmt: skip
        files = ingest(told)["files"]
    return str(files[0]["outcome"]) if files else "already known"

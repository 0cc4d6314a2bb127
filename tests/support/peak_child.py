"""A process that reads one file and says how much memory that took; its peak counts for nothing but this file."""

import json
import resource
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tasks.errors import BadFileError
from tasks.sources.read import read_export
from tasks.sources.unpack import Refusal, unpack
from tests.unit.sources.reading import context, spill


def read(path: Path, name: str) -> str:
    """What came of it, in words."""
    with TemporaryDirectory() as scratch:
        for part in unpack(path, name, Path(scratch)):
            if isinstance(part, Refusal):
                return str(part.error)
            try:
                export = read_export(part.path, context(part.path, name=part.name), spill())
            except BadFileError as error:
                return str(error)
            return f"{export.rows_read} rows, {export.rows_refused} refused"
    return "nothing"


def peak_kilobytes(who: int) -> int:
    return resource.getrusage(who).ru_maxrss


def main() -> None:
    """The first file warms libraries up, the second is measured."""
    warm, file = map(Path, sys.argv[1:])
    read(warm, warm.name)
    before = peak_kilobytes(resource.RUSAGE_SELF)
    outcome = read(file, file.name)
    grown = peak_kilobytes(resource.RUSAGE_SELF) - before
    sys.stdout.write(json.dumps([outcome, grown, peak_kilobytes(resource.RUSAGE_CHILDREN)]))


if __name__ == "__main__":
    main()

"""A writer in a process of its own, for tests that kill, freeze or race it.

Usage: lake_child LAKE BASE_SEQ LEASE_SECONDS WAIT_SECONDS CANDIDATE.json…  It prints the number of the
snapshot that it published, or the name of the error on which it gave up.
"""

import sys
from pathlib import Path

from tasks.errors import StrataError
from tasks.refs import Candidate
from tasks.settings import Settings
from tasks.stores.objects import open_objects
from tasks.stores.tables import Lake
from tests.support.lakes import run_on


def main(uri: str, base_seq: str, lease_seconds: str, wait_seconds: str, *candidates: str) -> str:
    """Publish the candidates as one run and say what came of it."""
    objects = open_objects(uri, Settings())
    run = run_on(objects, int(base_seq))
    try:
        with Lake(objects, lease_seconds=float(lease_seconds)).writer(run, float(wait_seconds)) as writer:
            for path in candidates:
                writer.commit(Candidate.model_validate_json(Path(path).read_text()))
            return str(writer.move_pointer().seq)
    except StrataError as error:
        return type(error).__name__


if __name__ == "__main__":
    sys.stdout.write(main(*sys.argv[1:]))

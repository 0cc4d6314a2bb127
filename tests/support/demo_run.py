"""`strata demo` in a process of its own, with a Prefect of its own, and what it left to look at."""

import fcntl
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from tasks.stores.directory import DirectoryObjects
from tasks.stores.tables import Lake
from tests.support.journey import MONTH_ENDS, Contact, contacts_in, member_key

YEAR_END = MONTH_ENDS[-1]
BRANDS = ("complete_journey", "demo_cn")


@dataclass(frozen=True)
class Demo:
    """A folder in which the demo ran twice: its lakes, Prefect's home, and what the runs said and left."""

    folder: Path

    @property
    def root(self) -> Path:
        """Both lakes and the exports."""
        return self.folder / "lake"

    @cached_property
    def told(self) -> list[dict[str, Any]]:
        """Seconds, digests and stored bytes after each run."""
        return list(json.loads((self.folder / "told.json").read_text()))

    def lake(self, brand: str = "complete_journey") -> Lake:
        """One brand's lake."""
        return Lake(DirectoryObjects(self.root / brand))

    def rows(self, table: str, day: date | None = None, brand: str = "complete_journey") -> pl.DataFrame:
        """A table of a brand, at one date where it has them."""
        lake = self.lake(brand)
        return lake.scan(table, lake.snapshot(), partitions=[day] if day else None).collect()

    @cached_property
    def contacts(self) -> dict[int, Contact]:
        """Every invented contact of the exports."""
        return contacts_in([self.root / "exports"])

    @cached_property
    def one_ids(self) -> dict[int, str]:
        """The customer of each household at the year's end, by pseudonyms worked out in the tests."""
        keys = dict(self.rows("identities", YEAR_END).select("key", "one_id").iter_rows())
        return {household: keys[member_key(household)] for household in self.contacts}

    @cached_property
    def households(self) -> dict[str, int]:
        """The household of each customer."""
        return {one_id: household for household, one_id in self.one_ids.items()}

    def canaries(self) -> set[str]:
        """Every value that must not be read anywhere but in exports and the vendors' files."""
        return {value for contact in self.contacts.values() for value in (contact.phone, contact.push_token)}

    def strata(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command line with a Prefect of this folder's own."""
        own = {"PREFECT_HOME": str(self.folder / "prefect"), "STRATA_SCRATCH": str(self.folder / "scratch")}
        env = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"} | own
        command = [str(Path(sys.executable).with_name("strata")), *arguments]
        return subprocess.run(command, cwd=self.folder, env=env, capture_output=True, text=True, check=False)

    def run(self) -> dict[str, Any]:
        """Run the demo, and note what it said and what it left."""
        begun = time.monotonic()
        done = self.strata("demo", "--lake", str(self.root), "--json")
        assert done.returncode == 0, done.stderr
        seconds, digests = time.monotonic() - begun, json.loads(done.stdout)["digests"]
        return {"seconds": seconds, "digests": digests, "stored": self._stored()}

    def _stored(self) -> dict[str, str]:
        """SHA-256 of every object that a reader or vendor may rest on."""
        places = [path for brand in BRANDS for path in (self.root / brand).rglob("*")]
        files = [path for path in places if path.is_file() and "validations" not in path.parts]
        return {str(path.relative_to(self.root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def run_twice(folder: Path) -> Demo:
    """The demo in a folder, run twice; whoever comes first runs it for all."""
    demo = Demo(folder)
    demo.folder.mkdir(exist_ok=True)
    with _alone(demo.folder / "lock"):
        if not (demo.folder / "told.json").exists():
            (demo.folder / "prefect").mkdir()
            (demo.folder / "told.json").write_text(json.dumps([demo.run(), demo.run()]))
    return demo


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield

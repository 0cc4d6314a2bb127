"""The brand's own contacts stand in every file of every shipped profile, and in no account."""

from pathlib import Path

import polars as pl
import pytest

from tasks.policy.presets import names
from tasks.policy.vendors import Vendor
from tasks.stores.directory import DirectoryObjects
from tasks.stores.revision import build
from tests.support.sends import KEY, publication
from tests.support.vendor_readers import STORED, expected_id, ids_in, profile


@pytest.mark.parametrize("name", names("vendors"))
def test_seeds_are_in_the_files_of_every_profile(name: str, tmp_path: Path):
    vendor = profile(name)
    named = (source.partition(":") for source in _sources(vendor))
    wanted = {name for kind, _, name in named if kind in {"variable", "list"}}
    contact = STORED[vendor.contact_type]
    numbers = range(1, 6)
    added = pl.DataFrame({
        "one_id": [f"c_{n:06d}" for n in numbers], "recipient_key": [f"k::{n}" for n in numbers],
        "contact": [contact(n) for n in numbers], **{one: ["text"] * 5 for one in {*wanted, "tier"}},
    })  # fmt: skip
    seeds = [contact(90), contact(91)]
    objects = DirectoryObjects(tmp_path)
    told = publication(objects, numbers, vendor=vendor, added=added, seeds=pl.DataFrame({"contact": seeds}))
    built = build(told, KEY)
    listed = [one for file in built.files for one in ids_in(file, vendor)]
    assert set(listed) >= {expected_id(seed, vendor) for seed in seeds}
    assert len(listed) == 7
    assert (built.manifest.rows, built.manifest.seeds) == (7, 2)


def _sources(vendor: Vendor) -> list[str]:
    fields = vendor.request.fields if vendor.request else ()
    return [part.source for part in (*vendor.columns, *fields)]

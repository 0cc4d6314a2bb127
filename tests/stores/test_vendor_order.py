"""Files for people: one for each adviser, the most valuable first; and a mass message as one task per adviser."""

import csv
import io
from pathlib import Path

import polars as pl
import pytest
import yaml

from tasks.errors import BadPolicyError
from tasks.policy.vendors import Vendor
from tasks.stores.directory import DirectoryObjects
from tasks.stores.revision import Built, build
from tasks.stores.vendor_files import render_parts
from tests.support.sends import KEY, publication
from tests.support.vendor_readers import profile, requests

PLAYS = Path(__file__).parents[2] / "infra" / "plays" / "vendors"
ADVISERS = Vendor.model_validate(yaml.safe_load((PLAYS / "plays_advisers.yaml").read_text(encoding="utf-8")))
CALLS = {1: ("li", "100"), 2: ("wu", "9000"), 3: ("li", "20000"), 4: ("wu", ""), 5: ("li", "20000")}


def calls(numbers: list[int]) -> pl.DataFrame:
    return pl.DataFrame({
        "one_id": [f"c_{n:06d}" for n in numbers], "recipient_key": [f"phone::{n}" for n in numbers],
        "contact": [f"139{n:08d}" for n in numbers], "adviser": [CALLS[n][0] for n in numbers],
        "value": [CALLS[n][1] for n in numbers], "tier": ["gold"] * len(numbers), "days": ["70"] * len(numbers),
        "category": ["奶粉"] * len(numbers),
    })  # fmt: skip


def built(folder: Path, numbers: list[int], vendor: Vendor = ADVISERS, **more: object) -> Built:
    told = publication(DirectoryObjects(folder), numbers, vendor=vendor, added=calls(numbers), **more)
    return build(told, KEY)


def listed(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))[1:]


def test_each_adviser_has_a_file_with_the_most_valuable_first(tmp_path: Path):
    """Of equal ones the first by customer; whose value is not known comes last."""
    first, second = (listed(file.data) for file in built(tmp_path, [1, 2, 3, 4, 5]).files)
    assert [(row[0][-1], row[1]) for row in first] == [("3", "li"), ("5", "li"), ("1", "li")]
    assert [(row[0][-1], row[1]) for row in second] == [("2", "wu"), ("4", "wu")]
    assert first[0][2:] == ["gold", "70", "奶粉"]


def test_the_order_in_which_people_come_makes_no_other_files(tmp_path: Path):
    one, other = (built(tmp_path, numbers) for numbers in ([1, 2, 3, 4, 5], [5, 4, 3, 2, 1]))
    assert one.files == other.files


def test_long_lists_are_cut_within_an_adviser_and_files_are_numbered_through(tmp_path: Path):
    files = built(tmp_path, [1, 2, 3, 4, 5], ADVISERS.model_copy(update={"rows_per_part": 2})).files
    assert [(file.name, file.rows) for file in files] == [
        ("part-00000.csv", 2), ("part-00001.csv", 1), ("part-00002.csv", 2),
    ]  # fmt: skip


def test_seeds_of_no_adviser_stand_in_a_file_of_their_own(tmp_path: Path):
    revision = built(tmp_path, [1, 2], seeds=pl.DataFrame({"contact": ["13900000099"]}))
    assert [[row[0] for row in listed(file.data)] for file in revision.files][-1] == ["13900000099"]
    assert (revision.manifest.rows, revision.manifest.seeds) == (3, 1)


def test_an_order_by_what_the_campaign_does_not_give_is_refused(tmp_path: Path):
    with pytest.raises(BadPolicyError, match="orders by age"):
        built(tmp_path, [1], ADVISERS.model_copy(update={"order": ("-age",)}))


def test_files_apart_need_the_variable_in_them():
    with pytest.raises(ValueError, match="part_by"):
        Vendor.model_validate(ADVISERS.model_dump(mode="json") | {"part_by": "age"})


def test_a_profile_that_says_nothing_of_it_is_stored_as_before():
    assert not {"order", "part_by", "confirmed_by_staff"} & profile("aliyun_sms").model_dump().keys()


def test_a_mass_message_is_a_task_per_adviser_of_at_most_so_many_and_names_everyone_once():
    vendor, count = profile("wecom_message"), 25_000
    assert vendor.confirmed_by_staff
    people = pl.DataFrame({"contact": [f"wm{n}" for n in range(count)]}).with_row_index("n")
    rows = people.select("contact", sender=pl.when(pl.col("n") % 5 == 0).then(pl.lit("wu")).otherwise(pl.lit("li")),
                         content=pl.lit("您好"))  # fmt: skip
    tasks = [body for part in render_parts(rows, vendor, {}) for body in requests(part, vendor)]
    assert [(task["sender"], len(task["external_userid"])) for task in tasks] == [
        ("wu", 5000), ("li", 10_000), ("li", 10_000),
    ]  # fmt: skip
    assert sorted(one for task in tasks for one in task["external_userid"]) == sorted(people["contact"])

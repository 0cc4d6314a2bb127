"""The lake's contract, on a directory and on a real S3 server: what is written, and what readers see."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from expectations.tables import TABLES
from tasks.errors import (
    ConfigurationError,
    GateRefusedError,
    MissingDataError,
    SnapshotMovedError,
    UnbalancedError,
)
from tasks.refs import Snapshot
from tasks.stores.objects import Objects
from tasks.stores.tables import Lake
from tests.support.lakes import MONTH_END, candidate, contact, cutoff, ids, publish, refund, run_on


@pytest.fixture
def lake(objects: Objects) -> Lake:
    return Lake(objects)


def test_the_empty_lake_has_every_table_without_rows(lake: Lake):
    assert lake.snapshot() == Snapshot()
    assert lake.scan("refunds", lake.snapshot()).collect().equals(TABLES["refunds"].empty().collect())
    assert lake.manifest(lake.snapshot()) == {}


def test_a_table_comes_back_as_it_went_in(lake: Lake, objects: Objects, tmp_path: Path):
    refunds = pl.DataFrame([refund("a", "2026-05"), refund("b", None)], schema=TABLES["refunds"].schema)
    contacts = pl.DataFrame([contact("p", b""), contact("q", b"\x00\xfe")], schema=TABLES["contacts"].schema)
    cutoffs = pl.DataFrame([cutoff(MONTH_END, 7)], schema=TABLES["cutoffs"].schema)
    now = publish(
        lake,
        objects,
        candidate(tmp_path, "refunds", refunds),
        candidate(tmp_path, "contacts", contacts),
        candidate(tmp_path, "cutoffs", cutoffs),
    )
    assert now.seq == 1
    assert_frame_equal(lake.scan("refunds", now).sort("refund_id").collect(), refunds)
    assert_frame_equal(lake.scan("contacts", now).sort("pseudonym").collect(), contacts)
    assert_frame_equal(lake.scan("cutoffs", now, partitions=[MONTH_END]).collect(), cutoffs)


def test_commit_tells_what_it_published(lake: Lake, objects: Objects, tmp_path: Path):
    made = candidate(tmp_path, "refunds", [refund("a", "2026-05"), refund("b", "2026-06")])
    with lake.writer(run_on(objects, 0), wait_seconds=0) as writer:
        ref, added = writer.commit(made)
        now = writer.move_pointer()
    assert (ref.table, ref.rows, ref.digest) == ("refunds", 2, made.digest)
    assert now.tables == {"refunds": ref.version}
    assert lake.manifest(now) == {"refunds": added}
    assert [objects.sha256(file.path) for file in added] == [file.sha256 for file in added]


def test_append_adds_rows(lake: Lake, objects: Objects, tmp_path: Path):
    publish(lake, objects, candidate(tmp_path, "refunds", [refund("a", "2026-05")]))
    now = publish(lake, objects, candidate(tmp_path, "refunds", [refund("b", "2026-05")]))
    assert ids(lake, now) == ["a", "b"]


def test_replace_swaps_whole_partitions_and_the_null_one_in_one_commit(lake: Lake, objects: Objects, tmp_path: Path):
    standing = [refund("a", "2026-05"), refund("b", None), refund("c", "2026-06")]
    before = publish(lake, objects, candidate(tmp_path, "refunds", standing))
    newer = candidate(tmp_path, "refunds", [refund("d", "2026-05")], "replace", ("2026-05", None))
    now = publish(lake, objects, newer)
    assert now.tables["refunds"] == before.tables["refunds"] + 1
    assert ids(lake, now) == ["c", "d"]
    assert ids(lake, now, [None]) == []
    assert ids(lake, before) == ["a", "b", "c"]


def test_replace_by_no_rows_empties_the_partition(lake: Lake, objects: Objects, tmp_path: Path):
    publish(lake, objects, candidate(tmp_path, "refunds", [refund("a", None), refund("b", "2026-06")]))
    now = publish(lake, objects, candidate(tmp_path, "refunds", [], "replace", (None,)))
    assert ids(lake, now) == ["b"]


def test_replace_of_a_date(lake: Lake, objects: Objects, tmp_path: Path):
    later = date(2026, 6, 30)
    publish(lake, objects, candidate(tmp_path, "cutoffs", [cutoff(MONTH_END, 1), cutoff(later, 2)]))
    now = publish(lake, objects, candidate(tmp_path, "cutoffs", [cutoff(MONTH_END, 3)], "replace", (str(MONTH_END),)))
    assert lake.scan("cutoffs", now).sort("as_of").collect()["cutoff"].to_list() == [3, 2]


def test_overwrite_swaps_the_table(lake: Lake, objects: Objects, tmp_path: Path):
    publish(lake, objects, candidate(tmp_path, "refunds", [refund("a", "2026-05"), refund("b", None)]))
    now = publish(lake, objects, candidate(tmp_path, "refunds", [refund("c", "2026-07")], "overwrite"))
    assert ids(lake, now) == ["c"]


def test_two_commits_of_one_run_build_on_each_other(lake: Lake, objects: Objects, tmp_path: Path):
    now = publish(
        lake,
        objects,
        candidate(tmp_path, "refunds", [refund("a", "2026-05")]),
        candidate(tmp_path, "refunds", [refund("b", "2026-06")]),
    )
    assert (now.seq, ids(lake, now)) == (1, ["a", "b"])


def test_readers_see_only_the_partitions_they_ask_for(lake: Lake, objects: Objects, tmp_path: Path):
    rows = [refund("a", "2026-05"), refund("b", None), refund("c", "2026-06")]
    now = publish(lake, objects, candidate(tmp_path, "refunds", rows))
    assert ids(lake, now, ["2026-05", None]) == ["a", "b"]
    assert ids(lake, now, ["1999-01"]) == []


def test_every_past_snapshot_stays_readable(lake: Lake, objects: Objects, tmp_path: Path):
    for name in "abc":
        publish(lake, objects, candidate(tmp_path, "refunds", [refund(name, "2026-05")]))
    assert [ids(lake, lake.at(seq)) for seq in (1, 2, 3)] == [["a"], ["a", "b"], ["a", "b", "c"]]
    with pytest.raises(MissingDataError, match="no snapshot 4"):
        lake.at(4)


def test_policy_may_add_columns_to_an_open_table(lake: Lake, objects: Objects, tmp_path: Path):
    may, june = (
        pl.DataFrame({"one_id": ["x"], "as_of": [day]}).with_columns(**tags)
        for day, tags in ((MONTH_END, {"tag_price": pl.lit(3)}), (date(2026, 6, 30), {"tag_new": pl.lit(value=True)}))
    )
    publish(lake, objects, candidate(tmp_path, "tags", may.cast({"tag_price": pl.Int64})))
    now = publish(lake, objects, candidate(tmp_path, "tags", june))
    seen = lake.scan("tags", now).sort("as_of").collect()
    assert seen.columns == ["one_id", "as_of", "tag_price", "tag_new"]
    assert seen["tag_price"].to_list() == [3, None]
    assert seen["tag_new"].to_list() == [None, True]


def test_a_tag_keeps_its_type(lake: Lake, objects: Objects, tmp_path: Path):
    tags = pl.DataFrame({"one_id": ["x"], "as_of": [MONTH_END], "tag_price": ["3"]})
    publish(lake, objects, candidate(tmp_path, "tags", tags))
    with pytest.raises(ConfigurationError, match="tag_price of tags is Int64 and was String"):
        publish(lake, objects, candidate(tmp_path, "tags", tags.cast({"tag_price": pl.Int64})))


def test_undeclared_columns_and_types_are_refused(lake: Lake, objects: Objects, tmp_path: Path):
    frame = pl.DataFrame([refund("a", "2026-05")], schema=TABLES["refunds"].schema)
    wrong = frame.with_columns(pl.col("refund_fen").cast(pl.Float64), surprise=1)
    with pytest.raises(GateRefusedError, match=r"refund_fen is Float64, declared Int64; surprise is Int32"):
        publish(lake, objects, candidate(tmp_path, "refunds", wrong))
    assert lake.snapshot().seq == 0


def test_rows_outside_the_replaced_partitions_are_refused(lake: Lake, objects: Objects, tmp_path: Path):
    stray = candidate(tmp_path, "refunds", [refund("a", "2026-05"), refund("b", None)], "replace", ("2026-05",))
    with pytest.raises(UnbalancedError, match="rows of paid_month None"):
        publish(lake, objects, stray)


def test_other_rows_than_announced_are_refused(lake: Lake, objects: Objects, tmp_path: Path):
    short = candidate(tmp_path, "refunds", [refund("a", "2026-05")]).model_copy(update={"rows": 2})
    with pytest.raises(UnbalancedError, match="holds 1 rows"):
        publish(lake, objects, short)


def test_a_run_that_read_an_old_snapshot_writes_nothing(lake: Lake, objects: Objects, tmp_path: Path):
    publish(lake, objects, candidate(tmp_path, "refunds", [refund("a", "2026-05")]))
    before = [meta.key for meta in objects.list("tables/")]
    with pytest.raises(SnapshotMovedError, match="read snapshot 0, and 1 stands"), lake.writer(run_on(objects, 0), 0):
        pytest.fail("the writer was let in")
    assert [meta.key for meta in objects.list("tables/")] == before


def test_a_run_that_commits_nothing_moves_nothing(lake: Lake, objects: Objects):
    assert publish(lake, objects) == Snapshot()


def test_commits_of_a_run_that_failed_are_undone_by_the_next(lake: Lake, objects: Objects, tmp_path: Path):
    first = publish(lake, objects, candidate(tmp_path, "refunds", [refund("a", "2026-05")]))
    with lake.writer(run_on(objects, 1), 0) as writer:
        writer.commit(candidate(tmp_path, "refunds", [refund("stray", "2026-05")]))
        writer.commit(candidate(tmp_path, "contacts", [contact("stray", b"1")]))
    assert (lake.snapshot(), ids(lake, lake.snapshot())) == (first, ["a"])
    now = publish(
        lake,
        objects,
        candidate(tmp_path, "refunds", [refund("b", "2026-05")]),
        candidate(tmp_path, "contacts", [contact("p", b"2")]),
    )
    assert ids(lake, now) == ["a", "b"]
    assert lake.scan("contacts", now).collect()["pseudonym"].to_list() == ["p"]


def test_a_lake_in_a_folder_named_like_a_partition(tmp_path: Path):
    from tasks.stores.directory import DirectoryObjects

    objects = DirectoryObjects(tmp_path / "brand=x" / "paid_month=no")
    lake = Lake(objects)
    now = publish(lake, objects, candidate(tmp_path, "refunds", [refund("a", "2026-05")]))
    assert lake.scan("refunds", now).collect()["paid_month"].to_list() == ["2026-05"]

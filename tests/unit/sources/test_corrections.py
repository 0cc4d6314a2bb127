"""Known errors of a source: which rows change, how they are counted, and when the guard speaks."""

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.errors import BadFileError, BadPolicyError
from tasks.sources.corrections import Correction, Tally, add_tallies, corrected_rows, corrector
from tasks.sources.declared import corrections_of, layouts_of
from tests.unit.sources.reading import SAMPLES, balance, read_bytes, utc

FREIGHT: dict[str, Any] = {
    "name": "freight_times_ten",
    "why": "freight is printed ten times too high since the June update (ticket 4711)",
    "owner": "data",
    "layout": "youzan_orders",
    "among": "freight_fen > 0",
    "where": "freight_fen >= 8000",
    "set": {"freight_fen": "DIV(freight_fen, 10)"},
    "since": "2026-06-01",
    "until": "2026-12-31",
}
ZONE = "Asia/Shanghai"
LAYOUTS = layouts_of(())
YOUZAN = next(layout for layout in LAYOUTS if layout.name == "youzan_orders")


def frame(*freights: int | None) -> pl.DataFrame:
    rows = len(freights)
    return pl.DataFrame(
        {
            "row_number": list(range(1, rows + 1)),
            "freight_fen": pl.Series(freights, dtype=pl.Int64),
            "ordered_at": [utc("2026-06-02T00:30:00")] * rows,
            "status": ["paid"] * rows,
            "broken_rules": [[] for _ in range(rows)],
        },
        schema_overrides={"broken_rules": pl.List(pl.String), "ordered_at": pl.Datetime("us", "UTC")},
    )


def correct(rows: pl.DataFrame, exported: str = "2026-06-03T00:00:00", of_shop: str = "mall", **changes: Any):
    chosen = corrector([Correction(**FREIGHT | changes)], YOUZAN, of_shop, utc(exported), ZONE, "orders.csv")
    return chosen, *chosen.apply(rows)


def test_the_rows_that_show_the_error_are_corrected_and_counted():
    _, corrected, tallies = correct(frame(800, 8000, None, 12000, 0))
    assert corrected["freight_fen"].to_list() == [800, 800, None, 1200, 0]
    assert tallies == {"freight_times_ten": Tally(among=3, corrected=2)}
    assert corrected_rows(tallies) == {"freight_times_ten": 2}


@given(freights=st.lists(st.none() | st.integers(min_value=0, max_value=20_000), min_size=1, max_size=30))
def test_only_matching_rows_change_and_every_one_is_counted(freights: list[int | None]):
    rows = frame(*freights)
    _, corrected, tallies = correct(rows)
    wrong = [at for at, freight in enumerate(freights) if freight is not None and freight >= 8000]
    assert tallies["freight_times_ten"].corrected == len(wrong)
    assert [f for at, f in enumerate(corrected["freight_fen"]) if at in wrong] == [freights[at] // 10 for at in wrong]
    assert corrected.filter(~pl.col("row_number").is_in([at + 1 for at in wrong])).equals(
        rows.filter(~pl.col("row_number").is_in([at + 1 for at in wrong]))
    )


@given(freights=st.lists(st.none() | st.integers(), max_size=30), cut=st.integers(min_value=0, max_value=30))
def test_without_a_correction_nothing_changes(freights: list[int | None], cut: int):
    rows = frame(*(f if f is None else f % 10**9 for f in freights)).head(cut)
    corrected, tallies = corrector([], YOUZAN, "mall", utc("2026-06-03T00:00:00"), ZONE, "orders.csv").apply(rows)
    assert corrected.equals(rows)
    assert tallies == {}


@given(freights=st.lists(st.integers(min_value=0, max_value=20_000), min_size=2, max_size=20), cut=st.integers(0, 20))
def test_a_file_read_in_parts_counts_as_one_read_whole(freights: list[int], cut: int):
    whole = frame(*freights)
    chosen, corrected, tallies = correct(whole)
    first, second = (chosen.apply(part) for part in (whole.head(cut), whole.slice(cut)))
    assert pl.concat([first[0], second[0]]).equals(corrected)
    assert add_tallies(first[1], second[1]) == tallies


@pytest.mark.parametrize(
    ("exported", "shop", "changes"),
    [
        ("2026-05-31T15:59:59", "mall", {}),  # 23:59:59 of 31 May in the brand's zone
        ("2026-06-03T00:00:00", "outlet", {"shop": "mall"}),
        ("2026-06-03T00:00:00", "mall", {"layout": "youzan_customers"}),
        ("2026-06-03T00:00:00", "mall", {"mended": "2026-06-03"}),
    ],
    ids=["before since", "another shop", "another layout", "mended since"],
)
def test_a_file_that_a_correction_does_not_concern_is_left_alone(exported: str, shop: str, changes: dict[str, Any]):
    rows = frame(8000, 800)
    chosen, corrected, tallies = correct(rows, exported, shop, **changes)
    chosen.guard(tallies)
    assert corrected.equals(rows)


def test_the_first_day_counts_in_the_zone_of_the_brand():
    _, corrected, _ = correct(frame(8000), "2026-05-31T16:00:00")
    assert corrected["freight_fen"].to_list() == [800]


def test_a_source_that_is_mended_fails_the_file():
    chosen, _, tallies = correct(frame(800, 900, None))
    with pytest.raises(BadFileError) as mended:
        chosen.guard(tallies)
    assert "orders.csv has 2 rows in which freight_times_ten can occur, and it occurs in none" in mended.value.found
    assert "write `mended: 2026-06-03` into corrections/freight_times_ten.yaml" in mended.value.next_step


@pytest.mark.parametrize(
    ("freights", "changes"),
    [((None, 0), {}), ((800, 900), {"at_least": 3}), ((800, 8000), {})],
    ids=["no row in which it can occur", "too few to tell", "the error is there"],
)
def test_the_guard_is_silent(freights: tuple[int | None, ...], changes: dict[str, Any]):
    chosen, _, tallies = correct(frame(*freights), **changes)
    chosen.guard(tallies)


def test_a_correction_nobody_looked_at_any_more_fails_the_file():
    chosen, _, tallies = correct(frame(8000), "2027-01-01T00:00:00")
    with pytest.raises(BadFileError, match="which was looked at until 2026-12-31 only"):
        chosen.guard(tallies)


def test_an_old_correction_leaves_files_alone_in_which_the_error_cannot_occur():
    chosen, _, tallies = correct(frame(None, 0), "2027-01-01T00:00:00")
    chosen.guard(tallies)


def test_conditions_see_wall_clock_and_may_shift_it():
    """00:30 UTC is half past eight in Shanghai; the till ran eight hours slow."""
    shifted = {"among": "TRUE", "where": "ordered_at < TIMESTAMP '2026-06-02 09:00:00'",
               "set": {"ordered_at": "ordered_at + INTERVAL '8 hours'"}}  # fmt: skip
    _, corrected, tallies = correct(frame(1), **shifted)
    assert corrected["ordered_at"].to_list() == [utc("2026-06-02T08:30:00")]
    assert tallies["freight_times_ten"] == Tally(1, 1)


def test_a_corrected_cell_that_could_not_be_read_is_no_fault_any_more():
    marked = frame(None, None).with_columns(
        status=pl.Series([None, "paid"]),
        broken_rules=pl.Series([["status:status_unknown_code", "x:x_unreadable"], ["x:x_unreadable"]]),
    )
    _, corrected, _ = correct(marked, among="TRUE", where="status IS NULL", set={"status": "'closed'"})
    assert corrected["status"].to_list() == ["closed", "paid"]
    assert corrected["broken_rules"].to_list() == [["x:x_unreadable"], ["x:x_unreadable"]]


def test_an_expression_that_fails_on_a_value_fails_that_file_and_shows_no_value():
    rows = frame(1, 2).with_columns(status=pl.Series(["3", "林小彤"]))
    with pytest.raises(BadFileError) as failed:
        correct(rows, where="CAST(status AS BIGINT) > 1")
    assert "orders.csv: corrections/freight_times_ten.yaml: where" in failed.value.found
    assert "林小彤" not in str(failed.value)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"layout": "youzan"}, "there is no layout youzan"),
        ({"where": "fright_fen > 1"}, "there is no column `fright_fen`"),
        ({"among": "freight_fen"}, "gives Int64"),
        ({"set": {"freight_fen": "freight_fen / 10"}}, "gives Float64"),
        ({"set": {"freight_fen": "'free'"}}, "gives String"),
        ({"set": {"paid_fen": "0"}}, "`paid_fen` cannot be set"),
        ({"where": "freight_fen > MAX(freight_fen)"}, "looks beyond its row"),
        ({"set": {"freight_fen": "SUM(freight_fen)"}}, "looks beyond its row"),
        ({"set": {"freight_fen": "SUM(freight_fen) OVER (PARTITION BY status)"}}, "looks beyond its row"),
        ({"where": "freight_fen > (CASE WHEN COUNT(*) > 1 THEN 1 ELSE 2 END)"}, "looks beyond its row"),
        ({"where": "freight_fen = 'x'"}, "does not fit its columns"),
        ({"where": "freight_fen > 1; DROP TABLE x"}, "is not one expression"),
        ({"until": "2026-05-01"}, "since 2026-06-01 is after until 2026-05-01"),
        ({"mended": "2026-06-01"}, "mended 2026-06-01 is not after since"),
        ({"why": "bad"}, "why: String should have at least 10 characters"),
        ({"set": {}}, "set: Dictionary should have at least 1 item"),
        ({"fix": "x"}, "fix: Extra inputs are not permitted"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_declaration_that_cannot_work_is_refused_before_any_file_is_read(changes: dict[str, Any], found: str):
    with pytest.raises(BadPolicyError) as wrong:
        corrections_of([FREIGHT | changes], LAYOUTS)
    assert found in wrong.value.found
    assert "corrections/freight_times_ten.yaml" in wrong.value.found


def test_a_sound_declaration_is_taken():
    assert [one.until for one in corrections_of([FREIGHT], LAYOUTS)] == [date(2026, 12, 31)]


def printed(orders: list[dict[str, str]]) -> str:
    """Orders of the sample's first customer that differ in these columns."""
    header, first, *_ = (SAMPLES / "youzan_orders_20260601.csv").read_text(encoding="utf-8-sig").splitlines()
    names, cells = header.split(","), first.split(",")
    rows = [header]
    for number, changed in enumerate(orders):
        told = {0: f"{cells[0][:-2]}{number:02d}"} | {names.index(name): text for name, text in changed.items()}
        rows.append(",".join(told.get(at, cell) for at, cell in enumerate(cells)))
    return "\n".join(rows)


def youzan(folder: Path, freights: tuple[str, ...], status: str = "交易完成") -> Any:
    """Orders with these freights, read under the declared correction."""
    free = FREIGHT | {"where": "freight_fen >= 8000 OR status IS NULL"}
    declared = corrections_of([free | {"set": free["set"] | {"status": "COALESCE(status, 'closed')"}}], LAYOUTS)
    return read_bytes(
        folder, printed([{"运费": freight, "订单状态": status} for freight in freights]), corrections=declared
    )


def test_a_whole_file_is_read_as_corrected(tmp_path: Path):
    """Paid 238.00 with a freight of 80.00 printed for 8.00: the goods cost 230.00, not 158.00."""
    export = youzan(tmp_path, ("8.00", "80.00"))
    assert export.frame("orders").sort("order_id")["paid_fen"].to_list() == [23_000, 23_000]
    assert export.drift["corrected"] == {"freight_times_ten": 1}
    assert balance(export) == (0, 0)


def test_a_row_whose_bad_cell_is_corrected_is_accepted(tmp_path: Path):
    export = youzan(tmp_path, ("80.00", "90.00"), "怪状态")
    assert (export.rows_refused, export.frame("orders")["status"].to_list()) == (0, ["closed", "closed"])
    assert export.drift["corrected"] == {"freight_times_ten": 2}


def test_a_corrected_amount_counts_as_read(tmp_path: Path):
    """Both payments are unreadable: one is mended by the list price, of the other nobody knows what was paid."""
    mend = {"among": "total_paid IS NULL", "where": "gross_fen = 23800", "set": {"total_paid": "gross_fen"}}
    lines = printed([{"订单实付金额": "见备注", "商品金额合计": gross} for gross in ("238.00", "9.00")])
    export = read_bytes(tmp_path, lines, corrections=corrections_of([FREIGHT | mend], LAYOUTS))
    assert (export.money_read_fen, export.money_unreadable, export.rows_refused) == (23_800, 1, 1)
    assert export.frame("quarantine")["column"].to_list() == ["paid_fen", "total_paid"]


def test_a_whole_file_is_refused_when_the_source_is_mended(tmp_path: Path):
    with pytest.raises(BadFileError, match="it occurs in none"):
        youzan(tmp_path, ("8.00", "9.00"))

"""A refund that an order export showed, and a later one no longer shows, is taken back: whatever arrives when."""

import itertools
import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import polars as pl
import pytest

from expectations.tables import TABLES
from tasks.settings import Settings
from tasks.sources.canonical import content_hash_of
from tasks.sources.spill import lay
from tasks.steps.merging import merge_table
from tasks.steps.withdrawing import with_withdrawn
from tasks.stores.objects import open_objects
from tasks.stores.tables import Lake
from tasks.transforms.orders import known_refunds, paid_back
from tests.support.lakes import run_on

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
FOREVER = datetime(2030, 1, 1, tzinfo=UTC)
ORDER = {"channel": "taobao", "shop_id": "main", "order_id": "1"}
PAID = 100


class Seen(NamedTuple):
    """One export of one order on a day of January; `shown` is None where the file has no column for it."""

    day: int
    shown: int | None = 0
    status: str = "finished"

    @property
    def refunded(self) -> int:
        return self.shown or (PAID if self.status == "closed" else 0)

    @property
    def rows(self) -> dict[str, list[dict]]:
        """What the source makes of the export."""
        both = ORDER | {"exported_at": NEW_YEAR + timedelta(days=self.day), "file_sha256": f"day {self.day}"}
        order = both | {
            "kind": "purchase", "ordered_at": NEW_YEAR, "paid_at": NEW_YEAR, "paid_on": NEW_YEAR.date(),
            "paid_month": "2026-01", "status": self.status, "currency": "CNY", "gross_fen": PAID, "paid_fen": PAID,
            "refunded_fen": self.refunded, "unsaid": "refunded_fen" if self.shown is None else None,
        }  # fmt: skip
        back = both | {
            "refund_id": "1", "refund_basis": "shown" if self.shown else "status", "refund_state": "paid_back",
            "refund_fen": self.refunded, "refunded_at": both["exported_at"], "paid_month": "2026-01",
            "refunded_on": both["exported_at"].date(),
        }  # fmt: skip
        return {"orders": [order], "refunds": [back] if self.refunded else []}


class Desk:
    """Takes exports in, as the ingest step does."""

    def __init__(self, folder: Path) -> None:
        """Begin with an empty lake."""
        self.folder, self.objects = folder, open_objects(str(folder / uuid4().hex), Settings())
        self.lake, self.calls = Lake(self.objects), 0

    def take_in(self, *seen: Seen, itemised: int = 0) -> "Desk":
        self.calls += 1
        run = run_on(self.objects, self.lake.snapshot().seq)
        run = run.model_copy(update={"scratch": str(self.folder / uuid4().hex)})
        snapshot = self.lake.snapshot()
        incoming = with_withdrawn(run, self.lake, snapshot, self._written(seen, itemised))
        merged = [merge_table(run, self.lake, snapshot, name, paths) for name, paths in incoming.items()]
        if candidates := [one.candidate for one in merged if one.candidate is not None]:
            with self.lake.writer(run, wait_seconds=10) as writer:
                for candidate in candidates:
                    writer.commit(candidate)
                writer.move_pointer()
        return self

    def _written(self, seen: tuple[Seen, ...], itemised: int) -> dict[str, list[str]]:
        incoming = {}
        for name in ("orders", "refunds"):
            rows = [row for one in seen for row in one.rows[name]]
            if name == "refunds" and itemised:
                rows.append(_own(itemised))
            if rows:
                incoming[name] = [self._file(name, rows)]
        return incoming

    def _file(self, name: str, rows: list[dict]) -> str:
        schema, known = TABLES[name].schema, {"known_from": received(self.calls)}
        frame = pl.DataFrame([dict.fromkeys(schema) | row | known for row in rows], schema)
        numbers = pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("row_number")
        return str(lay(frame.with_columns(content_hash_of(name), numbers), self.folder / f"{uuid4().hex}.arrow"))

    def rows(self, name: str = "refunds") -> pl.DataFrame:
        return self.lake.scan(name, self.lake.snapshot()).collect()

    def current(self) -> list[tuple]:
        """Basis, state, amount, date and last export of what stands."""
        now = self.rows().filter(pl.col("known_to").is_null())
        return (
            now.select("refund_basis", "refund_state", "refund_fen", "refunded_on", "exported_at").sort(pl.all()).rows()
        )

    def back(self, at: date = date.max, known: datetime = FOREVER) -> int:
        """What had been paid back by a date, as known at an instant."""
        changes = paid_back(known_refunds(self.rows().lazy(), known)).collect()
        return changes.filter(pl.col("refunded_on") <= at)["refund_fen"].sum()


def received(call: int) -> datetime:
    return datetime(2027, 1, call, tzinfo=UTC)


def _own(fen: int) -> dict:
    at = NEW_YEAR + timedelta(days=1)
    return ORDER | {
        "refund_id": "R1", "refund_basis": "itemised", "refund_state": "paid_back", "refund_fen": fen,
        "refunded_at": at, "refunded_on": at.date(), "exported_at": at, "file_sha256": "refunds",
    }  # fmt: skip


def test_what_was_shown_and_is_no_longer_is_taken_back_and_was_known_before(tmp_path: Path):
    at = Desk(tmp_path).take_in(Seen(1, 29)).take_in(Seen(2, 0))
    assert (at.back(), at.back(known=received(1))) == (0, 29)
    assert [row[:3] for row in at.current()] == [("shown", "void", 0)]


@pytest.mark.parametrize(
    ("later", "back"),
    [
        (Seen(2, None), 29),
        (Seen(2, None, "closed"), 29),
        (Seen(2, 0, "closed"), PAID),
        (Seen(2, 40), 40),
        (Seen(2, 10), 10),
    ],
    ids=["no column for it", "closed, no column for it", "a word alone in its place", "more", "less"],
)
def test_a_later_export_takes_back_what_it_speaks_of(tmp_path: Path, later: Seen, back: int):
    assert Desk(tmp_path).take_in(Seen(1, 29)).take_in(later).back() == back
    assert Desk(tmp_path).take_in(later).take_in(Seen(1, 29)).back() == back


def test_a_refund_of_a_refund_file_is_not_taken_back_by_an_order_that_lags_behind(tmp_path: Path):
    at = Desk(tmp_path).take_in(Seen(1, 29), itemised=29).take_in(Seen(2, 0))
    assert at.back() == 29
    assert {row[:2] for row in at.current()} == {("itemised", "paid_back"), ("shown", "void")}


def test_an_order_that_was_closed_and_is_open_again_was_not_paid_back(tmp_path: Path):
    for columns in (0, None):
        assert Desk(tmp_path).take_in(Seen(1, columns, "closed")).take_in(Seen(2, columns)).back() == 0
        assert Desk(tmp_path).take_in(Seen(2, columns)).take_in(Seen(1, columns, "closed")).back() == 0


def test_a_refund_that_comes_back_counts_again_from_the_day_that_first_showed_it(tmp_path: Path):
    at = Desk(tmp_path).take_in(Seen(1, 29)).take_in(Seen(2, 0)).take_in(Seen(3, 29))
    assert [row[:4] for row in at.current()] == [("shown", "paid_back", 29, date(2026, 1, 2))]
    assert at.back() == 29


def test_orders_without_refunds_leave_no_trace_among_them(tmp_path: Path):
    at = Desk(tmp_path).take_in(Seen(1, 0)).take_in(Seen(2, 29)).take_in(Seen(1, 0), Seen(2, 29))
    assert at.rows().height == 1


def by_hand(seen: tuple[Seen, ...]) -> int:
    """What the newest export that speaks of refunds says, and where none does what the newest status says."""
    ordered = sorted(seen)
    speaking = [one for one in ordered if one.shown is not None]
    closed = [one for one in ordered if one.status == "closed"]
    if not speaking:
        return ordered[-1].refunded
    last = speaking[-1]
    later_word = any(one.day > last.day for one in closed)
    return last.refunded or (PAID if later_word else 0)


STORIES = [
    (Seen(1, 29), Seen(2, 0), Seen(3, 0)),
    (Seen(1, 29), Seen(2, 0), Seen(3, 40)),
    (Seen(1, 29), Seen(2, None), Seen(3, 0)),
    (Seen(1, 0, "closed"), Seen(2, 29), Seen(3, 0)),
    (Seen(1, 29), Seen(2, 0, "closed"), Seen(3, 0, "closed")),
    (Seen(1, None, "closed"), Seen(2, None), Seen(3, None)),
]


@pytest.mark.parametrize(
    "story",
    [pytest.param(one, id=str(n), marks=[pytest.mark.acceptance] * (n > 1)) for n, one in enumerate(STORIES)],
)
def test_any_order_of_arrival_ends_in_the_same_refunds(tmp_path: Path, story: tuple[Seen, ...]):
    ends, backs = set(), set()
    for arriving in (story, story[::-1], (story[1], story[0], story[2])):
        at = Desk(tmp_path)
        for seen in arriving:
            at.take_in(seen)
        ends.add(tuple(at.current()))
        backs.add(at.back())
    height = at.rows().height
    assert at.take_in(*story).rows().height == height
    assert backs == {by_hand(story)}
    assert len(ends) == 1


@pytest.mark.proof
@pytest.mark.parametrize("seed", [pytest.param(n, marks=[pytest.mark.acceptance] * (n > 7)) for n in range(20)])
def test_random_stories_end_alike_in_every_order_of_arrival(tmp_path: Path, seed: int):
    chance = random.Random(seed)  # noqa: S311
    story = tuple(
        Seen(day, chance.choice([None, 0, 0, 29, 40]), chance.choice(["finished", "finished", "closed"]))
        for day in range(1, 5)
    )
    ends = set()
    for arriving in itertools.permutations(story):
        at = Desk(tmp_path)
        for seen in arriving:
            at.take_in(seen)
        ends.add((tuple(at.current()), at.back()))
    assert len(ends) == 1

"""A whole refresh by the product's own transforms, stage by stage: what each took, and the most memory held in it."""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path

import polars as pl

from expectations.tables import TABLES
from tasks.policy.models import Policy
from tasks.refs import Run
from tasks.steps.refresh import PIECE
from tasks.stores.scratch import read, spool, spooled, stage, stage_pieces
from tasks.transforms.customers import customers_and_models
from tasks.transforms.cutoffs import cutoffs_of, standing_cutoffs
from tasks.transforms.inputs import Inputs
from tasks.transforms.refresh import figures_of, moves_of, tag_changes_of, tag_pieces_of
from tasks.transforms.traits import describe_customers, with_fitted
from tests.bench.lake import identities_of, inputs_of
from tests.bench.orders import AS_OF, MONTH_BEFORE

BEFORE = "before"
"""Folder of the tables of the month before, beside those of the brand."""
STOOD = ("customers", "cutoffs", "models", "tags")
"""What a refresh reads of the date before; who is who has not changed since."""


@dataclass(frozen=True)
class Stage:
    """What one stage took; `peak_gib` is the most that the process held while it ran."""

    name: str
    seconds: float
    cpu_seconds: float
    rows: int
    peak_gib: float


class Watch:
    """A `Hold` that works rows out in memory and writes down what that took, with all that was done since the last."""

    def __init__(self) -> None:
        """Begin now."""
        self.stages: list[Stage] = []
        self._begin()

    def __call__(self, name: str, rows: pl.LazyFrame) -> pl.LazyFrame:
        """Work out and hold."""
        held = rows.collect(engine="streaming")
        self.note(name, held.height)
        return held.lazy()

    def note(self, name: str, rows: int) -> None:
        """Write down what was done since the last note."""
        wall, busy = time.perf_counter() - self._wall, time.process_time() - self._busy
        self.stages.append(Stage(name, wall, busy, rows, _peak_gib()))
        self._begin()

    def _begin(self) -> None:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak starts from what is held now
        self._wall, self._busy = time.perf_counter(), time.process_time()


def run(lake: Path, result: Path, policy: Policy) -> None:
    """Refresh the last month, going on from the one before; tables stand beside `result`, which lists the stages."""
    watch, identities = Watch(), identities_of(lake)
    scratch = _scratch(lake, result.with_suffix(".scratch"), AS_OF)
    _refresh(_going_on(inputs_of(lake), identities, lake / BEFORE), identities, policy, scratch, watch)
    result.write_text(json.dumps([asdict(one) for one in watch.stages]), encoding="utf-8")


def run_before(lake: Path, policy: Policy) -> None:
    """Refresh the month before, which is the first, into a folder beside the brand's rows."""
    _refresh(inputs_of(lake), identities_of(lake), policy, _scratch(lake, lake / BEFORE, MONTH_BEFORE), Watch())


def _scratch(lake: Path, folder: Path, as_of: date) -> Run:
    return Run(
        run_id="bench", flow="refresh", lake=str(lake), base_seq=0, policy_digest="", code_version="", inputs_digest="",
        as_of=as_of, scratch=str(folder),
    )  # fmt: skip


def _going_on(inputs: Inputs, identities: pl.LazyFrame, before: Path) -> Inputs:
    """The inputs with the tables of the month before, where it was refreshed."""
    if not before.is_dir():
        return inputs
    stood = {f"previous_{table}": pl.scan_parquet(before / f"{table}.parquet") for table in STOOD}
    return replace(inputs, **stood, previous_identities=identities, previous_as_of=MONTH_BEFORE)


def _refresh(inputs: Inputs, identities: pl.LazyFrame, policy: Policy, scratch: Run, watch: Watch) -> None:
    as_of = scratch.as_of or AS_OF

    def keep(orders: pl.LazyFrame) -> pl.LazyFrame:
        kept = spool(scratch, "net_orders", orders)
        watch.note("net orders", kept.select(pl.len()).collect().item())
        return kept

    def write(table: str, rows: pl.LazyFrame) -> pl.LazyFrame:
        made = stage(scratch, table, rows, mode="replace", replaces=[as_of])
        watch.note(f"write {table}", made.rows)
        return read(made)

    def write_pieces(table: str, pieces: Iterator[pl.LazyFrame]) -> pl.LazyFrame:
        rows = (piece.collect(engine="streaming") for piece in pieces)
        made = stage_pieces(scratch, table, rows, mode="replace", replaces=[as_of])
        watch.note(f"write {table}", made.rows)
        return read(made)

    customers, models = customers_and_models(inputs, policy, as_of, identities, keep, watch)
    customers = write("customers", customers)
    standing = standing_cutoffs(inputs.previous_cutoffs, policy.rfm, as_of)
    write("cutoffs", cutoffs_of(customers, policy.rfm, as_of=as_of, standing=standing))
    known = replace(inputs, owned_orders=spooled(scratch, "net_orders"), net_as_of=as_of)
    described = describe_customers(known, policy, as_of, identities, customers, watch)
    traits = write_pieces("traits", described.pieces(PIECE))
    write("models", with_fitted(models, described.fitted))
    del described
    tags = write_pieces("tags", tag_pieces_of(known, policy, as_of, identities, customers, traits, PIECE))
    write("tag_changes", tag_changes_of(known, policy, as_of, identities, tags))
    changes = TABLES["identity_changes"].empty()
    write("migrations", moves_of(known, policy, customers, identities, changes, as_of))
    write("metrics", figures_of(known, policy, customers, models, identities, as_of))


def _peak_gib() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024**2  # type: ignore[index]

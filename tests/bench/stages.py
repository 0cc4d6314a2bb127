"""A whole refresh by the product's own transforms, stage by stage: what each took, and the most memory held in it."""

import json
import re
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import polars as pl

from tasks.policy.models import Policy
from tasks.refs import Run
from tasks.steps.refresh import PIECE
from tasks.stores.scratch import read, spool, spooled, stage, stage_pieces
from tasks.transforms.customers import Inputs, customers_and_models
from tasks.transforms.cutoffs import cutoffs_of
from tasks.transforms.refresh import figures_of, tag_changes_of, tags_of
from tasks.transforms.traits import beside_traits, describe_customers, with_fitted
from tests.bench.lake import identities_of, inputs_of
from tests.bench.orders import AS_OF


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
    """Refresh one date without a date before; the candidates stand beside `result`, which lists the stages."""
    watch = Watch()
    scratch = Run(
        run_id="bench", flow="refresh", lake=str(lake), base_seq=0, policy_digest="", code_version="", inputs_digest="",
        as_of=AS_OF, scratch=str(result.with_suffix(".scratch")),
    )  # fmt: skip
    _refresh(inputs_of(lake), identities_of(lake), policy, scratch, watch)
    result.write_text(json.dumps([asdict(one) for one in watch.stages]), encoding="utf-8")


def _refresh(inputs: Inputs, identities: pl.LazyFrame, policy: Policy, scratch: Run, watch: Watch) -> None:
    def keep(orders: pl.LazyFrame) -> pl.LazyFrame:
        kept = spool(scratch, "net_orders", orders)
        watch.note("net orders", kept.select(pl.len()).collect().item())
        return kept

    def write(table: str, rows: pl.LazyFrame) -> pl.LazyFrame:
        made = stage(scratch, table, rows, mode="replace", replaces=[AS_OF])
        watch.note(f"write {table}", made.rows)
        return read(made)

    customers, models = customers_and_models(inputs, policy, AS_OF, identities, keep, watch)
    customers = write("customers", customers)
    write("cutoffs", cutoffs_of(customers, policy.rfm, as_of=AS_OF))
    known = replace(inputs, owned_orders=spooled(scratch, "net_orders"), net_as_of=AS_OF)
    described = describe_customers(known, policy, AS_OF, identities, customers, watch)
    pieces = (piece.collect(engine="streaming") for piece in described.pieces(PIECE))
    made = stage_pieces(scratch, "traits", pieces, mode="replace", replaces=[str(AS_OF)])
    watch.note("write traits", made.rows)
    traits = read(made)
    write("models", with_fitted(models, described.fitted))
    del described
    people = beside_traits(customers, traits)
    tags = write("tags", tags_of(known, policy, AS_OF, identities, people))
    write("tag_changes", tag_changes_of(known, policy, AS_OF, identities, tags))
    write("metrics", figures_of(known, policy, customers, models, identities, AS_OF))


def _peak_gib() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024**2  # type: ignore[index]

"""Who is who among ten million sightings, beside scipy's plain `connected_components` on the same records.

Both read the same Parquet file, make numbers of keys and records in the same way, and write one row per key. Scipy only
labels; ours also divides numbers that changed hands, takes out hubs, keeps caps, and names persons by their content.
"""

import sys
import tempfile
from pathlib import Path

import polars as pl

from infra.population.score import score
from infra.population.write import Population, write
from tests.bench.measure import Measured, measure

GOAL_RATIO, GOAL_GIB = 3.0, 4.0
"""At most three times scipy's time, and 4 GiB, at 10 million sightings on two cores."""
_SIDES = ("scipy", "strata")


def report(people: int, rounds: int) -> bool:
    """Measure and print; False when an answer joins what no record joins."""
    with tempfile.TemporaryDirectory(prefix="strata-bench-") as folder:
        population = write(Path(folder), people)
        best = best_of(population, Path(folder), rounds)
        good = is_within(Path(folder))
        _say(_size(population), best, _verdict(population, Path(folder)) if good else "DIFFERS")
    return good


def best_of(population: Population, folder: Path, rounds: int) -> dict[str, Measured]:
    """The best round of each side; sides take turns, so that a busy minute hits them both."""
    seen: dict[str, list[Measured]] = {side: [] for side in _SIDES}
    for _ in range(rounds):
        for side in _SIDES:
            seen[side].append(measure(f"identities_{side}", population.sightings, folder / side))
    return {side: min(measured, key=lambda one: one.seconds) for side, measured in seen.items()}


def is_within(folder: Path) -> bool:
    """Whether each of our persons lies within one of scipy's components: guards part, they never join."""
    plain, ours = pl.scan_parquet(folder / "scipy"), pl.scan_parquet(folder / "strata")
    parts = ours.join(plain, on="key", how="left").group_by("one_id").agg(pl.col("component").n_unique())
    return bool(parts.select((pl.col("component") == 1).all()).collect().item())


def _size(population: Population) -> str:
    seen = pl.scan_parquet(population.sightings).select(pl.len()).collect().item()
    keys = pl.scan_parquet(population.truth).select(pl.col("key").n_unique()).collect().item()
    mebibytes = population.sightings.stat().st_size / 1024**2
    return f"\n{seen:,} sightings of {keys:,} keys, {mebibytes:,.0f} MiB Parquet"


def _verdict(population: Population, folder: Path) -> str:
    found = score(pl.scan_parquet(folder / "strata"), pl.scan_parquet(population.truth))
    return f"precision {found.precision:.2%}, recall {found.recall:.2%}, largest {found.largest}"


def _say(size: str, best: dict[str, Measured], verdict: str) -> None:
    theirs, ours = best["scipy"], best["strata"]
    lines = [size, f"{'':8}{'seconds':>9}{'cpu':>9}{'peak GiB':>10}{'time ratio':>12}{'cpu ratio':>11}  result"]
    for side, one in best.items():
        lines.append(
            f"{side:8}{one.seconds:9.2f}{one.cpu_seconds:9.2f}{one.peak_gib:10.2f}"
            f"{one.seconds / theirs.seconds:12.2f}{one.cpu_seconds / theirs.cpu_seconds:11.2f}  "
            f"{verdict if side == 'strata' else 'components of keys and records, nothing else'}"
        )
    lines.append(
        f"goal: at most {GOAL_RATIO} of scipy's time ({ours.seconds / theirs.seconds:.2f}), at most {GOAL_GIB} GiB "
        f"({ours.peak_gib:.2f})"
    )
    sys.stdout.write("\n".join(lines) + "\n")

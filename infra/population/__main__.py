"""`python -m infra.population FOLDER --people 1000000`: writes sightings.parquet and truth.parquet."""

import argparse
import sys
from pathlib import Path

from infra.population.write import write


def main() -> None:
    """Write a population and say where."""
    parser = argparse.ArgumentParser(prog="python -m infra.population", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--seed", default="population")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    written = write(options.folder, options.people, seed=options.seed)
    sys.stdout.write(f"{written.sightings}\n{written.truth}\n")


if __name__ == "__main__":
    main()

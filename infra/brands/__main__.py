"""`python -m infra.brands FOLDER`: write the months of three invented brands."""

import argparse
import sys
from pathlib import Path

from infra.brands import BRANDS, write_months


def main() -> None:
    """Write every brand's months and print where they lie."""
    parser = argparse.ArgumentParser(prog="python -m infra.brands", description="People and orders are invented.")
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    for brand in BRANDS:
        for month in write_months(folder / brand.code, brand):
            sys.stdout.write(f"{month}\n")


if __name__ == "__main__":
    main()

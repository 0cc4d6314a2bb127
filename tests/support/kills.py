"""Places at which a run is killed: a few on each test run, every one in `make proof`."""

from collections.abc import Collection, Iterable
from typing import Any

import pytest


def places(points: Iterable[str], by_default: Collection[str]) -> list[Any]:
    """The points as parameters of a test; those that are not by default are proofs."""
    return [pytest.param(point, marks=[] if point in by_default else pytest.mark.proof) for point in points]

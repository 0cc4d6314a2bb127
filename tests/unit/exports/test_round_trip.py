"""Canonical rows, written as an export of any layout and read again, are the same canonical rows."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.exports.quirks import quirks_of
from infra.exports.rows import ROWS
from tasks.sources.layouts import Layout, built_in
from tests.support.examples import examples
from tests.unit.exports.returning import assert_returns, write

SHOPS = [layout for layout in built_in() if layout.grain in ROWS]
"""Every layout but the brand's own lists, which no shop exports."""
LAYOUTS = pytest.mark.parametrize("layout", SHOPS, ids=lambda layout: layout.name)
FORMATS = [(layout, fmt) for layout in SHOPS for fmt in layout.formats]


@pytest.mark.parametrize(("layout", "fmt"), FORMATS, ids=[f"{layout.name}-{fmt}" for layout, fmt in FORMATS])
def test_plain(layout: Layout, fmt: str, tmp_path: Path):
    assert assert_returns(write(tmp_path, layout, fmt=fmt)).layout == layout.name


@LAYOUTS
@settings(max_examples=examples(1), deadline=None)
@given(seed=st.integers(0, 10_000))
def test_with_quirks(layout: Layout, seed: int):
    fmt = layout.formats[seed % len(layout.formats)]
    with TemporaryDirectory() as folder:
        assert_returns(write(Path(folder), layout, seed=str(seed), quirks=quirks_of(seed), fmt=fmt, orders=25))

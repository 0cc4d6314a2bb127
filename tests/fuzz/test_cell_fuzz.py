"""The parsers of cells and the reader of text under atheris, which is guided by coverage; it ships for Linux alone."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.test_reader import SECONDS
from tests.support.source import ROOT

pytestmark = pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris ships for Linux alone")

SEEDS = [
    "\x02\x00¥1,299.90\x1e(12.00)\x1e499.00（系统计算中）".encode(),
    "\x03\x002026-05-14 11:23:45 +0800\x1e2026/3/2 8:01\x1e2026年3月2日".encode(),
    b'\x05\x00+86 138-0000-0101\x1e6.91793E+18\x1e="2104"\x1e\'139',
    b'\xff\x00a,b\n"1,2",3\r\n="4",\n\n5,"6\n7"\n',
    b'\xff\x00{"a": [1, {"b": "\\ud800"}]}\n',
]
"""A parser and a zone each, then texts; or text of a file."""


def fuzz(folder: Path, *limits: str) -> None:
    """Run atheris in a process of its own; what it finds is in its output, with the input that shows it."""
    for number, seed in enumerate(SEEDS):
        (folder / f"seed-{number}").write_bytes(seed)
    options = [*limits, "-timeout=30", "-rss_limit_mb=3000", f"-artifact_prefix={folder}/"]
    command = [sys.executable, "-m", "tests.fuzz.cell_target", *options, str(folder)]
    ran = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "POLARS_MAX_THREADS": "1"}, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, (ran.stdout + ran.stderr)[-4_000:]


def test_cells_and_text_for_a_moment(tmp_path: Path):
    fuzz(tmp_path, "-runs=400", "-seed=1")


@pytest.mark.proof
def test_cells_and_text_for_minutes(tmp_path: Path):
    fuzz(tmp_path, f"-max_total_time={SECONDS:.0f}")

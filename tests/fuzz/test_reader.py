"""The reader under damaged files: bits flipped, files cut at every hundredth, sound files spliced into one another.

A short run is part of every test run; `make proof` goes on for STRATA_FUZZ_SECONDS, ten minutes by default,
half of it here and half in test_cell_fuzz.py. A failure prints the round, and Hypothesis the shortest example.
"""

import os
import time
from collections.abc import Callable
from itertools import count

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from tests.fuzz.reader import corpus, survive

SECONDS = float(os.environ.get("STRATA_FUZZ_SECONDS", "600")) / 2
PLACE = st.floats(0, 1, exclude_max=True)
Damage = Callable[[bytes], bytes]


def flip(place: float, bit: int) -> Damage:
    """One bit the other way."""

    def damage(data: bytes) -> bytes:
        changed = bytearray(data)
        if changed:
            changed[int(place * len(changed))] ^= 1 << bit
        return bytes(changed)

    return damage


def cut(place: float) -> Damage:
    """The beginning alone, as a broken download leaves it."""
    return lambda data: data[: int(place * len(data))]


def hole(start: float, length: int) -> Damage:
    """Some bytes gone."""
    return lambda data: data[: int(start * len(data))] + data[int(start * len(data)) + length :]


def put(place: float, text: bytes) -> Damage:
    """Some bytes too many."""
    return lambda data: data[: int(place * len(data))] + text + data[int(place * len(data)) :]


def splice(place: float, other: str, start: float) -> Damage:
    """The beginning of one file and the end of another."""
    return lambda data: data[: int(place * len(data))] + corpus()[other][int(start * len(corpus()[other])) :]


NAMES = st.sampled_from(sorted(corpus()))
TOKENS = st.sampled_from(
    [
        b'"',
        b"'",
        b",",
        b"\n",
        b"\r",
        b"\t",
        b"\0",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b'="',
        b"{",
        b"[",
        b"9" * 400,
        b"-",
        b"\x81\x30",
    ]
)
DAMAGES = st.one_of(
    st.builds(flip, PLACE, st.integers(0, 7)),
    st.builds(flip, PLACE, st.integers(0, 7)),
    st.builds(cut, PLACE),
    st.builds(hole, PLACE, st.integers(1, 500)),
    st.builds(put, PLACE, TOKENS | st.binary(max_size=20)),
    st.builds(splice, PLACE, NAMES, PLACE),
)


def damaged_files(names: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[str, bytes]]:
    """A file of the corpus after one to four damages."""

    def build(name: str, damages: list[Damage]) -> tuple[str, bytes]:
        data = corpus()[name]
        for damage in damages:
            data = damage(data)
        return name, data

    return st.builds(build, names, st.lists(DAMAGES, min_size=1, max_size=4))


def survives(damaged: tuple[str, bytes]) -> None:
    name, content = damaged
    survive(content, name)


@pytest.mark.parametrize("name", sorted(corpus()))
def test_the_corpus_is_sound(name: str):
    """Else nothing would be fuzzed but refusals. What no layout is meant to know is refused even when whole."""
    assert survive(corpus()[name], name) or "UNVERIFIED" in name


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(damaged_files(NAMES))
def test_damaged_files_neither_crash_nor_hang_nor_lose_a_row(damaged: tuple[str, bytes]):
    survives(damaged)


@pytest.mark.proof
@pytest.mark.parametrize("name", sorted(corpus()))
def test_a_file_cut_at_every_hundredth(name: str):
    for hundredth in range(100):
        survive(cut(hundredth / 100)(corpus()[name]), name)


@pytest.mark.proof
def test_damaged_files_for_minutes():
    """Rounds of Hypothesis, each with another seed, until the time is over."""
    end = time.monotonic() + SECONDS
    for round_number in count():
        examples = settings(max_examples=200, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        seed(round_number)(examples(given(damaged_files(NAMES))(survives)))()
        if time.monotonic() > end:
            return

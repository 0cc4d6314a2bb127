"""Marks: the same for the same, nothing to read without the key, renamed with everything else by a re-key."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.errors import ConfigurationError, DamagedError
from tasks.stores.ring import demo_ring, named_ring
from tasks.stores.tombstones import mark_of, open_marks, renamed_marks

KEY = demo_ring().tombstone
OTHER = named_ring("other", bytes(range(32))).tombstone


@given(st.sets(st.text(min_size=1, max_size=90), max_size=5))
def test_marks_stand_for_what_was_marked(texts: set[str]):
    marks = [mark_of(text, KEY) for text in sorted(texts)]
    assert open_marks(marks, KEY) == texts
    assert marks == [mark_of(text, KEY) for text in sorted(texts)]
    assert not any(text in mark for text in texts if len(text) > 4 for mark in marks)


def test_another_key_opens_nothing():
    mark = mark_of("phone::abc", KEY)
    assert mark_of("phone::abc", OTHER) != mark
    with pytest.raises(DamagedError, match="a tombstone does not open"):
        open_marks([mark], OTHER)
    with pytest.raises(DamagedError):
        open_marks([mark[:-2] + "00"], KEY)


def test_a_ring_for_analysis_marks_nobody():
    with pytest.raises(ConfigurationError, match="no tombstone key"):
        mark_of("phone::abc", demo_ring().for_analysis().tombstone)


def test_a_re_key_renames_what_is_marked():
    old = mark_of("phone::abc", KEY)
    new = renamed_marks([old], lambda text: text.replace("abc", "xyz"), KEY)
    assert open_marks(new.values(), KEY) == {"phone::xyz"}

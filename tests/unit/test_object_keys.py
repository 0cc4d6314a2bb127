"""A key is refused or stays below the root, whatever a shop, a vendor or an attacker wrote into a name."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tasks.errors import SecurityRefusedError
from tasks.stores.objects import check_key, is_listed

ROOT = Path("/lake")
segments = st.one_of(st.sampled_from(["..", ".", "", "C:", ".strata-x", "a\\b", "\x00"]), st.text(max_size=8))


@given(st.lists(segments, max_size=5).map("/".join))
@example("../../etc/passwd")
@example("a/\ud800")
def test_a_key_is_refused_or_stays_below_the_root(key: str) -> None:
    try:
        checked = check_key(key)
    except SecurityRefusedError:
        return
    assert checked == key == key.encode().decode()
    assert Path(ROOT, key).is_relative_to(ROOT)
    assert ".." not in Path(key).parts
    assert Path(key).as_posix() == key
    assert is_listed(key)


@pytest.mark.parametrize(
    "key", ["a", "..a", "a..", "月报/2026 03.csv", "%2e%2e/x", "a" * 255, "/".join(["a" * 100] * 10)]
)
def test_a_strange_but_harmless_key_is_kept(key: str) -> None:
    assert check_key(key) == key


@pytest.mark.parametrize("key", ["a" * 256, "/".join(["a" * 100] * 11), "é" * 128])
def test_a_key_longer_than_stores_take_is_refused(key: str) -> None:
    with pytest.raises(SecurityRefusedError, match="too many bytes"):
        check_key(key)

"""What a terminal shows of long values."""

import pytest

from flows.show import short

HEX = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (f"phone::{HEX}", "phone::01234567…"),
        (f"phone::{HEX}#2", "phone::01234567…#2"),
        (HEX, "01234567…"),
        ("a sentence that happens to be as long as a digest is, to a letter.", None),
        ("x" * 64, None),
        ([f"member:a:{HEX}", "c_1"], "member:a:01234567…, c_1"),
        ({"old": HEX, "rows": 3}, {"old": "01234567…", "rows": 3}),
    ],
)
def test_pseudonyms_and_digests_are_cut_and_nothing_else(value: object, shown: object):
    assert short(value) == (shown or value)

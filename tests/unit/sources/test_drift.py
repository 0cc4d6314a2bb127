"""What changes from file to file: against the layout, and against the file before of the same shop."""

import itertools
import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tasks.sources.drift import find_drift


def receipt(name: str, day: int, *, shop: str = "mall", layout: str | None = "orders", **drift: Any) -> dict[str, Any]:
    at = datetime(2026, 6, day, tzinfo=UTC)
    return {
        "name": name, "sha256": name * 8, "channel": "youzan", "shop_id": shop, "layout": layout, "exported_at": at,
        "received_at": at, "drift": json.dumps(drift, ensure_ascii=False),
    }  # fmt: skip


def found(*files: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    return [(one.file, one.against, one.kind, one.what) for one in find_drift(files)]


def test_what_the_layout_did_not_expect_is_told_for_every_file():
    file = receipt("a", 1, extra=["序列号"], missing=["运费"], changed=["paid_at"], unknown_codes={"status": ["挂起"]})
    assert found(file) == [
        ("a", "layout", "new column", "序列号"),
        ("a", "layout", "missing column", "运费"),
        ("a", "layout", "retyped column", "paid_at"),
        ("a", "layout", "unknown word in status", "挂起"),
    ]


def test_a_file_is_compared_with_the_one_before_of_its_shop():
    older = receipt("a", 1, headers=["订单号", "运费"], unknown_codes={"status": ["挂起"]})
    newer = receipt(
        "b", 2, headers=["订单号 ", "邮费"], changed=["paid_at"], unknown_codes={"status": ["挂起", "冻结"]}
    )
    assert [one for one in found(newer, older) if one[1] == "a"] == [
        ("b", "a", "column came", "邮费"),
        ("b", "a", "column went", "运费"),
        ("b", "a", "column retyped since", "paid_at"),
        ("b", "a", "word since then in status", "冻结"),
    ]


def test_another_shop_another_layout_and_a_refused_file_are_no_file_before():
    files = [
        receipt("a", 1, headers=["x"]), receipt("b", 2, shop="outlet", headers=["y"]),
        receipt("c", 3, layout="items", headers=["z"]), receipt("d", 4, layout=None), receipt("e", 5, headers=["x"]),
    ]  # fmt: skip
    assert found(*files) == []


def test_a_receipt_from_before_headers_were_recorded_is_not_compared():
    assert found(receipt("a", 1), receipt("b", 2, headers=["x"])) == []


HEADERS = st.lists(st.sampled_from("abcde"), unique=True)


@given(headers=st.lists(HEADERS, max_size=5), order=st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter_and_equal_files_do_not_drift(headers: list[list[str]], order: Any):
    files = [receipt(f"{at}", at, headers=one) for at, one in enumerate(headers, start=1)]
    shuffled = list(files)
    order.shuffle(shuffled)
    assert found(*shuffled) == found(*files)
    pairs = itertools.pairwise(headers)
    assert len(found(*files)) == sum(len(set(one) ^ set(other)) for one, other in pairs)

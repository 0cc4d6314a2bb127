"""A vendor's bytes: profile, order, quotes, and texts that no spreadsheet runs."""

import csv
import io
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tasks.errors import BadPolicyError, SecurityRefusedError
from tasks.policy.vendors import Vendor
from tasks.stores.vendor_files import check_profile, is_plain_contact, render_parts, render_recall
from tests.support.campaigns import vendor
from tests.support.examples import examples

COLUMNS = ({"header": "phone", "source": "contact"}, {"header": "称呼", "source": "variable:name"})


def rows(*given: tuple[str, str | None]) -> pl.DataFrame:
    return pl.DataFrame(list(given), schema={"contact": pl.String, "name": pl.String}, orient="row")


def only_part(profile: Vendor, *given: tuple[str, str | None]) -> bytes:
    (part,) = render_parts(rows(*given), profile)
    return part.data


def with_name(**more: Any) -> Vendor:
    return vendor(columns=COLUMNS, **more)


def test_the_bytes_follow_the_profile() -> None:
    two = (("13900000001", "王"), ("13900000002", None))
    assert only_part(with_name(), *two) == "phone,称呼\n13900000001,王\n13900000002,".encode()
    assert only_part(with_name(line_end="crlf", encoding="gb18030"), *two) == (
        "phone,称呼\r\n13900000001,王\r\n13900000002,".encode("gb18030")
    )
    assert only_part(with_name(with_header=False, encoding="utf-8-sig"), *two[:1]).startswith(b"\xef\xbb\xbf139")
    assert only_part(vendor(with_header=False), *two) == b"13900000001\n13900000002"


def test_rows_are_split_into_parts_that_each_have_the_header() -> None:
    parts = list(render_parts(rows(*((str(n), "x") for n in range(5))), with_name(rows_per_part=2)))
    assert [(p.name, p.rows) for p in parts] == [("part-00000.csv", 2), ("part-00001.csv", 2), ("part-00002.csv", 1)]
    assert {p.data.decode().splitlines()[0] for p in parts} == {"phone,称呼"}
    assert list(render_parts(rows(), with_name())) == []


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1", "\0=1", "＝1", "＋1", "－1", "＠x"])
def test_a_text_that_begins_like_a_formula_gets_an_apostrophe(text: str) -> None:
    (_, (_, found)) = csv.reader(io.StringIO(only_part(with_name(), ("1", text)).decode(), newline=""))
    assert found == f"'{text}"


def test_a_contact_is_never_changed() -> None:
    assert only_part(vendor(with_header=False), ("+8613900000001", None)) == b"+8613900000001"


@pytest.mark.parametrize("contact", ["", None, "=1+1", "-1", "@x", "139 1", "139,1", '1"2', "139\n", "１３９", "++1"])
def test_a_contact_that_cannot_stand_as_it_is_is_refused_unseen(contact: str | None) -> None:
    with pytest.raises(SecurityRefusedError, match="1 contacts for sms_vendor") as refused:
        only_part(vendor(), ("13900000001", None), (contact, None))  # type: ignore[arg-type]
    assert not contact or contact not in str(refused.value)
    assert rows((contact, None)).select(is_plain_contact(pl.col("contact"))).item() is False  # type: ignore[arg-type]


@settings(max_examples=examples(60))
@given(st.lists(st.text(st.characters(codec="utf-8")), min_size=1, max_size=4), st.sampled_from(["utf-8", "gb18030"]))
def test_any_reader_gets_back_what_was_written(names: list[str], encoding: str) -> None:
    given_rows = [(str(n), name) for n, name in enumerate(names)]
    text = only_part(with_name(encoding=encoding, line_end="crlf"), *given_rows).decode(encoding)
    (_, *found) = csv.reader(io.StringIO(text, newline=""), strict=True)
    assert [(key, value.removeprefix("'")) for key, value in found] == [
        (key, name.removeprefix("'")) for key, name in given_rows
    ]


def test_a_recall_lists_contacts_alone() -> None:
    recall = render_recall(pl.DataFrame({"contact": ["13900000001"]}), with_name())
    assert recall is not None
    assert (recall.name, recall.data) == ("recall.csv", b"phone\n13900000001")
    assert render_recall(rows(), with_name()) is None


def test_a_profile_that_wants_more_than_is_given_is_refused() -> None:
    with pytest.raises(BadPolicyError, match="writes name, which the campaign does not give"):
        check_profile(with_name(), ["one_id", "contact"])
    with pytest.raises(ValidationError, match=r"columns\.0\.source"):
        vendor(columns=({"header": "x", "source": "phone"},))

"""Laws of vendors' files: as few parts as limits allow, bytes as other writers have them, people taken out again."""

import csv
import io
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.errors import BadPolicyError, SecurityRefusedError
from tasks.stores.vendor.limits import cuts
from tasks.stores.vendor.without import without
from tasks.stores.vendor_files import render_parts
from tests.support.campaigns import vendor
from tests.support.examples import examples
from tests.support.vendor_readers import STORED, profile, requests, table

COLUMNS = ({"header": "phone", "source": "contact"}, {"header": "称呼", "source": "variable:name"})
TEXTS = st.lists(st.text(st.characters(codec="utf-8"), max_size=30), min_size=1, max_size=30)


def greedy(sizes: list[int], rows_most: int, bytes_most: int, base: int, between: int) -> list[int]:
    """Rows of each part, filled one row at a time."""
    parts, held, rows = [], base, 0
    for size in sizes:
        more = size + (between if rows else 0)
        if rows and (rows == rows_most or held + more > bytes_most):
            parts, held, rows = [*parts, rows], base, 0
            more = size
        held, rows = held + more, rows + 1
    return [*parts, rows] if rows else parts


@settings(max_examples=examples(200))
@given(
    st.lists(st.integers(0, 40), max_size=60), st.integers(1, 9), st.integers(45, 120), st.integers(0, 5),
    st.integers(0, 2),
)  # fmt: skip
def test_parts_are_as_full_as_one_row_at_a_time_fills_them(
    sizes: list[int], rows_most: int, bytes_most: int, base: int, between: int
) -> None:
    spans = cuts(
        np.array(sizes, dtype=np.int64), rows_most=rows_most, bytes_most=bytes_most, base=base, between=between
    )
    assert [span.stop - span.start for span in spans] == greedy(sizes, rows_most, bytes_most, base, between)


def test_a_row_larger_than_a_file_is_refused() -> None:
    with pytest.raises(SecurityRefusedError, match="one row has 50 bytes, the file may have 40"):
        list(cuts(np.array([10, 50]), rows_most=9, bytes_most=40, base=0, between=1))


@settings(max_examples=examples(40))
@given(TEXTS, st.sampled_from(["utf-8", "gb18030", "utf-8-sig"]), st.sampled_from(["lf", "crlf"]))
def test_parts_keep_their_bytes_and_the_next_row_would_not_have_fitted(
    names: list[str], encoding: str, line_end: str
) -> None:
    rows = pl.DataFrame({"contact": [str(n + 1) for n in range(len(names))], "name": names})
    whole = vendor(columns=COLUMNS, encoding=encoding, line_end=line_end)
    one = [len(part.data) for part in render_parts(rows, whole.model_copy(update={"rows_per_part": 1}))]
    limit = max(*one, 120) if len(one) > 1 else one[0]
    parts = list(render_parts(rows, whole.model_copy(update={"bytes_per_part": limit})))
    assert all(len(part.data) <= limit for part in parts)
    start = 0
    for part in parts[:-1]:
        bigger = rows.slice(start, part.rows + 1)
        (once,) = render_parts(bigger, whole)
        assert len(once.data) > limit
        start += part.rows


@settings(max_examples=examples(60))
@given(TEXTS)
def test_necessary_quotes_are_those_that_polars_writes(names: list[str]) -> None:
    rows = pl.DataFrame({"contact": [str(n + 1) for n in range(len(names))], "name": [f"x{name}" for name in names]})
    (part,) = render_parts(rows, vendor(columns=COLUMNS))
    assert part.data.decode() + "\n" == rows.rename({"contact": "phone", "name": "称呼"}).write_csv()


def test_quotes_always_and_never() -> None:
    rows = pl.DataFrame({"contact": ["1"], "name": ['a,"b"\nc']})
    (always,) = render_parts(rows, vendor(columns=COLUMNS, quoting="all"))
    (never,) = render_parts(rows, vendor(columns=COLUMNS, quoting="never"))
    assert always.data.decode() == '"phone","称呼"\n"1","a,""b""\nc"'
    assert never.data.decode() == "phone,称呼\n1,a  b  c"


def test_more_columns_than_the_vendor_takes_are_refused() -> None:
    rows = pl.DataFrame({"contact": ["1"], "a": ["x"], "b": ["y"]})
    wide = vendor(columns=({"header": "phone", "source": "contact"}, {"header": "{name}", "source": "variables"}))
    (part,) = render_parts(rows, wide)
    assert part.data == b"phone,a,b\n1,x,y"
    with pytest.raises(BadPolicyError, match="would have 3 columns"):
        render_parts(rows, wide.model_copy(update={"columns_most": 2}))


@pytest.mark.parametrize("people", [6_000, 12_000])
def test_a_workbook_keeps_its_bytes_and_is_nearly_full(people: int) -> None:
    """Few are tried as they are; of more the first ten thousand tell how many fit."""
    sheet = profile("huawei_sms", bytes_per_part=30_000)
    rows = pl.DataFrame({"contact": [f"138{n * 7919 % 10**8:08d}" for n in range(people)]})
    parts = list(render_parts(rows, sheet))
    assert all(part.rows and len(part.data) <= 30_000 for part in parts)
    assert all(len(part.data) >= 25_000 for part in parts[:-1])
    assert [row[0] for part in parts for row in table(part, sheet)[1:]] == [f"+86{c}" for c in rows["contact"]]


def test_a_workbook_is_made_in_scratch_where_the_dead_are_swept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library writes rows in clear beside the file: a killed process must leave them where they are swept."""
    monkeypatch.setenv("STRATA_SCRATCH", str(tmp_path / "scratch"))
    left = tmp_path / "scratch" / "0123456789abcdef-0-999999999"
    left.mkdir(parents=True)
    (left / "rows").write_text("13800000101")
    list(render_parts(pl.DataFrame({"contact": ["13800000101"]}), profile("huawei_sms")))
    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.parametrize("name", ["umeng", "aliyun_sms", "aliyun_sms_same"])
@pytest.mark.parametrize("people", [1, 2])
def test_a_request_of_one_person_keeps_the_bytes_too(name: str, people: int) -> None:
    one = profile(name)
    rows = pl.DataFrame({"contact": [STORED[one.contact_type](n) for n in range(people)], "name": ["x"] * people})
    size = max(len(part.data) for part in render_parts(rows, one.model_copy(update={"rows_per_part": 1})))
    parts = list(render_parts(rows, one.model_copy(update={"bytes_per_part": size})))
    assert [len(part.data) for part in parts] == [size] * people
    with pytest.raises(SecurityRefusedError, match=f"one row has .*, the file may have {size - 1}"):
        list(render_parts(rows, one.model_copy(update={"bytes_per_part": size - 1})))


def test_an_archive_keeps_the_limit_whatever_is_inside() -> None:
    packed = profile("tpns", bytes_per_part=8192)
    rows = pl.DataFrame({"contact": [f"{n * 2654435761 % 2**64:016x}{n:08d}" for n in range(3000)]})
    parts = list(render_parts(rows, packed))
    assert all(len(part.data) <= 8192 for part in parts)
    assert [row[0] for part in parts for row in table(part, packed)] == rows["contact"].to_list()


@pytest.mark.parametrize("name", ["google_audience", "tencent_ads", "tencent_sms_console", "tpns", "klaviyo", "jpush"])
def test_a_person_is_taken_out_of_a_stored_part(name: str) -> None:
    one = profile(name)
    rows = pl.DataFrame({"contact": [STORED[one.contact_type](n) for n in range(1, 6)]})
    (part,) = render_parts(rows, one)
    data, gone = without(part.data, part.name, [rows["contact"][2]], one)
    (wanted,) = render_parts(rows.filter(pl.int_range(pl.len()) != 2), one)
    assert (data, gone) == (wanted.data, 1)


@pytest.mark.parametrize("name", ["aliyun_sms", "tencent_sms", "umeng", "wecom_tags", "chuanglan_sms", "getui"])
def test_a_person_is_taken_out_of_every_list_of_a_request(name: str) -> None:
    one = profile(name)
    own = {"userid": ["li"] * 5, "add_tag": ["a"] * 5, "remove_tag": [""] * 5} if name == "wecom_tags" else {}
    rows = pl.DataFrame({"contact": [STORED[one.contact_type](n) for n in range(1, 6)], **own})
    (part,) = render_parts(rows, one)
    data, gone = without(part.data, part.name, [rows["contact"][2]], one)
    (wanted,) = render_parts(rows.filter(pl.int_range(pl.len()) != 2), one)
    assert (requests(part._replace(data=data), one), gone) == (requests(wanted, one), 1)


def test_any_reader_finds_a_phone_to_be_text() -> None:
    import duckdb

    rows = pl.DataFrame({"contact": ["13900000001", "13900000002"], "name": ["01", "1e5"]})
    (part,) = render_parts(rows, vendor(columns=COLUMNS, line_end="crlf"))
    found = duckdb.read_csv(io.StringIO(part.data.decode()), all_varchar=True, header=True).fetchall()
    assert found == rows.rows()
    assert list(csv.reader(io.StringIO(part.data.decode(), newline="")))[1:] == [list(row) for row in rows.rows()]

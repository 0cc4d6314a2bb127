"""Files that must be refused as a whole, rows that must be refused alone, and encodings."""

from collections.abc import Collection
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any

import polars as pl
import pytest

from tasks.errors import BadFileError
from tasks.sources.decode import open_export
from tasks.sources.opened import Chunk, Opened, Wanted

FILES = TemporaryDirectory(prefix="strata-decode-")
EVERYTHING = Wanted()
GOOD = "订单号,金额\nA1,1.00\nA2,2.00\n"


def take(content: str | bytes, known: Collection[str] = (), **options: Any) -> Opened:
    path = Path(mkdtemp(dir=FILES.name)) / "f.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return open_export(path, "f.csv", frozenset(known), **options)


def whole(opened: Opened, wanted: Wanted = EVERYTHING) -> Chunk:
    """All chunks as one."""
    rows, bad, counts, _ = zip(*opened.chunks(wanted), strict=True)
    return Chunk(pl.concat(rows), pl.concat(bad), sum(counts))


def rows(opened: Opened, wanted: Wanted = EVERYTHING) -> list[tuple[object, ...]]:
    return whole(opened, wanted).rows.rows()


def bad(opened: Opened) -> list[tuple[int, str]]:
    return whole(opened).undecodable.select("row_number", "rule").rows()


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (GOOD.encode(), "utf-8"),
        (GOOD.encode("utf-8-sig"), "utf-8"),
        (GOOD.encode("gbk"), "gb18030"),
        (GOOD.encode("gb18030"), "gb18030"),
        (GOOD.replace("\n", "\r\n").encode(), "utf-8"),
        (GOOD.rstrip().encode(), "utf-8"),
        (f"\n{GOOD}\n\n".encode(), "utf-8"),
        (GOOD.replace(",", "\t").encode(), "utf-8"),
        (GOOD.replace(",", ";").encode(), "utf-8"),
        (GOOD.replace(",", "|").encode(), "utf-8"),
        (GOOD.replace("\n", "\r").encode("gbk"), "gb18030"),
    ],
)
def test_spellings_of_the_same_file(content: bytes, encoding: str):
    opened = take(content)
    assert (opened.encoding, opened.headers) == (encoding, ("订单号", "金额"))
    assert rows(opened) == [(1, "A1", "1.00"), (2, "A2", "2.00")]


def test_emoji_survive_gb18030():
    assert rows(take("a,b\n一鸣😀,1\n".encode("gb18030"))) == [(1, "一鸣😀", "1")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b" \n\n ", "is empty"),
        (GOOD.encode("utf-16"), "UTF-16"),
        (GOOD.encode("utf-16-le"), "UTF-16"),
        (GOOD.encode("utf-16-be"), "UTF-16"),
        (GOOD.encode("utf-32"), "UTF-16"),
        (b"a,b\x00\n1,2\n", "not text"),
        (b"a,b\r" + b"1,2\r" * 300_000 + b"3,4\n", "later ones with LF"),
        (GOOD.encode() + b"\xff\xff,1\n", "neither in UTF-8 nor in GB18030"),
        (GOOD.encode("utf-8-sig") + "退".encode("gbk"), "is not UTF-8"),
        (GOOD.encode("gbk")[:-2] + b"\x81", "neither"),
        (b'a,b\n1,"2\n3,4\n5,6\n', "opened in row 1 is never closed"),
        (b'a,b\n5" x,1\n2,3\n6" y,4\n', "joins 3 lines"),
        (b"PK\x03\x04rest", "a workbook"),
        (b"\x1f\x8b\x08rest", "a gzip file"),
        (b"\xd0\xcf\x11\xe0rest", "a workbook"),
        (b"PAR1cut off", "cannot be read as Parquet"),
        (b"x" * 2_000_000, "expected a header row"),
        (b",".join([b"c"] * 5_000) + b"\n1\n", "expected a header row"),
        (b"{broken\n{also\n", "no line is a JSON object"),
    ],
)
def test_files_refused_as_a_whole(content: bytes, message: str):
    with pytest.raises(BadFileError, match=message):
        whole(take(content))


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("only one", "wrong_field_count"),
        ("one,two,three", "wrong_field_count"),
        ("nul\0byte,1", "nul_byte"),
        ('5" pipe 6",1', "stray_quote"),
        (f"{'x' * 1_100_000},1", "record_too_long"),
    ],
)
def test_rows_refused_alone(line: str, rule: str):
    opened = take(f"a,b{' ' * 4096}\n1,2\n{line}\n3,4\n")
    assert (rows(opened), bad(opened)) == ([(1, "1", "2"), (3, "3", "4")], [(2, rule)])
    assert whole(opened).rows_read == 3


def test_quoted_fields_hold_commas_quotes_and_line_ends():
    opened = take('a,b\n"x, ""y""","two\nlines"\n="0012",z\n=""," "\n')
    assert rows(opened) == [(1, 'x, "y"', "two\nlines"), (2, '="0012"', "z"), (3, '=""', " ")]


def test_numbers_stay_text():
    assert rows(take("phone,amount\n01380013800,1e3\n")) == [(1, "01380013800", "1e3")]


def test_duplicate_and_empty_headers_keep_their_columns():
    opened = take("分销员,x,分销员,\nA,1,B,\n")
    assert whole(opened).rows.columns == ["row_number", "分销员", "x", "分销员#2", ""]
    assert rows(opened) == [(1, "A", "1", "B", None)]


def test_parquet_becomes_text(tmp_path: Path):
    frame = pl.DataFrame({"id": [2**62], "name": ["a"], "price": [1.5], "tags": [["x"]]})
    frame.write_parquet(tmp_path / "f.parquet")
    opened = take((tmp_path / "f.parquet").read_bytes())
    assert (opened.format, opened.headers) == ("parquet", ("id", "name", "price", "tags"))
    assert rows(opened) == [(1, "4611686018427387904", "a", "1.5")]


def test_cut_parquet_is_refused(tmp_path: Path):
    pl.DataFrame({"id": [1]}).write_parquet(tmp_path / "f.parquet")
    with pytest.raises(BadFileError, match="Parquet"):
        take((tmp_path / "f.parquet").read_bytes()[:-20])


def test_json_lines_keep_digits_and_join_what_is_many():
    opened = take('{"id": 12345678901234567890, "p": {"q": 1.10, "ok": true}, "tags": [{"n": "a"}, {"n": "b"}]}\n')
    assert opened.headers == ("id", "p.ok", "p.q", "tags[].n")
    assert rows(opened) == [(1, "12345678901234567890", "true", "1.10", "a|b")]


def test_json_members_become_rows_of_their_own():
    opened = take('{"id": 1, "f": [{"u": "a"}, {"u": "b"}]}\n{"id": 2, "g": {"u": "c"}}\n{"id": 3}\n')
    assert opened.headers == ("f[].u", "g.u", "id")
    assert rows(opened, Wanted(("f", "g"))) == [
        (1, "a", None, "1"), (1, "b", None, "1"), (2, None, "c", "2"), (3, None, None, "3"),
    ]  # fmt: skip


@pytest.mark.parametrize("line", ["[1]", "{broken", '{"a": "\\ud800"}', '{"a":' * 100_000, "null"])
def test_json_lines_that_are_no_object_are_refused_alone(line: str):
    opened = take(f'{{"a": "1"}}\n{line}\n\n{{"a": "2"}}\n')
    assert (rows(opened), bad(opened)) == ([(1, "1"), (3, "2")], [(2, "not_a_json_object")])


def test_title_lines_above_the_header_are_skipped_and_told():
    opened = take(f"订单报表\n导出时间,2026-06-01\n\n{GOOD}", known=["订单号", "金额"])
    assert (opened.headers, opened.about) == (("订单号", "金额"), ("2 lines above the header were skipped",))
    assert rows(opened) == [(1, "A1", "1.00"), (2, "A2", "2.00")]


def test_one_known_word_makes_no_header():
    opened = take(f"a,b\n{GOOD}", known=["订单号"])
    assert (opened.headers, opened.about) == (("a", "b"), ())


def test_a_formula_that_polars_would_split_is_refused_and_no_other():
    content = 'a,b\n="12",x\n="1,2",x\n"=""3""",x\nq="4",x\n'
    opened = take(content)
    assert rows(opened) == [(1, '="12"', "x"), (3, '="3"', "x")]
    assert bad(opened) == [(2, "stray_quote"), (4, "stray_quote")]


def test_an_endless_line_is_kept_out_and_the_next_row_is_read():
    opened = take(b"a,b\n" + b"x" * 3_000_000 + b"\n1,2\n", chunk_bytes=1 << 16)
    assert (rows(opened), bad(opened)) == ([(2, "1", "2")], [(1, "record_too_long")])
    assert whole(opened).undecodable["value"].str.len_chars().to_list() == [4096]


LIST = '[{"a": 1.10, "b": "x"}, {"a": 2}, 3]'


@pytest.mark.parametrize(
    "text",
    [LIST, f'{{"code": 0, "data": {LIST}}}', f'{{\n "code": 0,\n "answer": {{"tags": [1, 2], "list": {LIST}}}\n}}'],
)
def test_a_list_in_one_document_is_read_member_by_member(text: str):
    opened = take(text, known=["a", "b"])
    assert (opened.format, opened.headers) == ("json", ("a", "b"))
    assert (rows(opened), bad(opened)) == ([(1, "1.10", "x"), (2, "2", None)], [(3, "not_a_json_object")])


def test_one_line_that_layouts_know_as_a_document_is_one():
    opened = take('{"who": {"id": 1}, "follow": [{"u": "a"}, {"u": "b"}]}', known=["who.id", "follow[].u"])
    assert (opened.format, rows(opened)) == ("jsonl", [(1, "a|b", "1")])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[{"a": 1}, {"a":', "is no JSON, or was cut off"),
        ('[{"a": 1}] x', "goes on behind the end"),
        ('{\n"a": [{"b": 1}],\n"c": [{"d": 2}]\n}', "holds two lists of objects"),
        ("[1, 2, 3]", "no line is a JSON object|holds no list of objects"),
        ("[" * 100_000, "is no JSON"),
        (f"[{','.join(['1'] * 200_000)}]", "values that are no objects"),
        (f'[{{"a": "{"x" * 9_000_000}"}}]', "holds a document of more than"),
        ("\n".join(f'{{"k{i}": 1}}' for i in range(3_000)), "more than 2000 different paths"),
    ],
)
def test_documents_refused_as_a_whole(text: str, message: str):
    with pytest.raises(BadFileError, match=message):
        whole(take(text))

"""Refused rows taken out of their file: as they stood, with their header, ready to come in again."""

import json
from pathlib import Path

import pytest

from tasks.sources.correcting import refused_text
from tasks.sources.layouts import built_in
from tasks.sources.recognise import known_headers
from tests.unit.sources.reading import SAMPLES, read_bytes, read_sample, rules

KNOWN = known_headers(built_in())
YOUZAN = (SAMPLES / "youzan_orders_20260601.csv").read_text(encoding="utf-8-sig").splitlines()


def taken(path: Path, *rows: int) -> bytes:
    return b"".join(refused_text(path, path.name, KNOWN, rows))


def write(folder: Path, content: bytes, name: str = "export.csv") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def test_rows_stand_as_they_stood_in_the_files_encoding(tmp_path: Path):
    path = write(tmp_path, '标,题\na,"b, ""c"""\n"\t6917",\'139\n="2104",\n'.encode("gb18030"))
    assert taken(path, 1, 3).decode("gb18030") == '标,题\r\na,"b, ""c"""\r\n"=""2104""",\r\n'
    assert taken(path, 2).decode("gb18030") == "标,题\r\n\t6917,'139\r\n"


def test_utf_8_gets_the_mark_that_spreadsheets_need(tmp_path: Path):
    path = write(tmp_path, "编号,名\n1,一\n2,二\n".encode())
    assert taken(path, 2) == b"\xef\xbb\xbf" + "编号,名\r\n2,二\r\n".encode()


def test_a_row_that_could_not_be_taken_apart_is_its_raw_text_between_the_others(tmp_path: Path):
    path = write(tmp_path, b'a;b\n1;2\n3;4;5\n6;x"y"z\n7;8\n')
    assert taken(path, 1, 2, 3, 4).decode("utf-8-sig") == 'a;b\r\n1;2\r\n3;4;5\r\n6;x"y"z\r\n7;8\r\n'


def test_titles_above_the_header_and_blank_lines_do_not_shift_the_rows(tmp_path: Path):
    path = write(tmp_path, "\n".join(["导出报表", "", YOUZAN[0], "", *YOUZAN[1:]]).encode())
    again = taken(path, 2).decode("utf-8-sig").splitlines()
    assert len(again) == 2
    assert again[1].split(",")[0].strip('"') == YOUZAN[2].split(",")[0].strip('"')


def test_a_workbook_gives_a_csv():
    path = SAMPLES / "qianniu_orders_2026.xlsx"
    header, row = taken(path, 3).decode("utf-8-sig").splitlines()
    assert header.startswith("订单编号,支付单号,")
    assert row.count(",") >= header.count(",")


def test_json_lines_stand_as_they_stood(tmp_path: Path):
    path = write(tmp_path, b'{"a": 1.10, "b": [1,2]}\n\nnot json\n{"a": 2}\n', "events.jsonl")
    assert taken(path, 1, 2) == b'{"a": 1.10, "b": [1,2]}\nnot json\n'


def test_members_of_a_list_become_lines_whose_numbers_keep_their_digits(tmp_path: Path):
    path = write(tmp_path, '[{"a": 1.10, "人": "x"}, {"a": 123456789012345678901}]'.encode(), "report.json")
    lines = [json.loads(line) for line in taken(path, 1, 2).splitlines()]
    assert lines == [{"a": "1.10", "人": "x"}, {"a": "123456789012345678901"}]


def broken(line: str, column: int) -> str:
    cells = line.split(",")
    cells[column] = "not a time"
    return ",".join(cells)


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_corrected_file_comes_in_like_the_rows_would_have(tmp_path: Path, encoding: str):
    created = YOUZAN[0].split(",").index("订单创建时间")
    damaged = "\n".join([YOUZAN[0], broken(YOUZAN[1], created), broken(YOUZAN[2], created), *YOUZAN[3:]]) + "\n"
    first = read_bytes(tmp_path, damaged.encode(encoding), "youzan.csv")
    assert rules(first) == {"ordered_at_unreadable": 2}
    path = write(tmp_path, taken(tmp_path / "youzan.csv", *first.frame("quarantine")["row_number"]), "corrected.csv")
    text = path.read_bytes().decode("utf-8-sig" if encoding == "utf-8" else encoding)
    good = [line.split(",")[created] for line in YOUZAN[1:3]]
    for value in good:
        text = text.replace("not a time", value, 1)
    again = read_bytes(tmp_path, text.encode(encoding), "mended.csv")
    whole = read_sample("youzan_orders_20260601.csv").frame("orders")
    mended = again.frame("orders")
    assert (again.rows_read, again.rows_refused) == (2, 0)
    assert set(mended["content_hash"]) == set(whole.filter(whole["row_number"] <= 2)["content_hash"])

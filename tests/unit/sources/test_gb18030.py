"""Text in GB18030 is checked as Python's decoder checks it, whatever the bytes and wherever a block ends."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tasks.errors import BadFileError
from tasks.sources import gb18030
from tasks.sources.gb18030 import first_error, last_start
from tests.unit.sources.reading import read_bytes

HEADER = "订单编号,买家会员名,买家应付邮费,总金额,买家实际支付金额,订单状态,订单创建时间,订单付款时间"
ROW = "21040{number},{nick},0.00,9.90,9.90,交易成功,2026-03-02 10:15:22,2026-03-02 10:16:00"
_PIECES = st.one_of(
    st.text(alphabet='林小彤亐€¥ａ😀㐀,\n"|@~0aé', max_size=70).map(lambda text: text.encode("gb18030")),
    st.binary(max_size=4),
    st.sampled_from([b"\x80", b"\xff", b"\x81", b"\x81\x30", b"\x81\x30\x81", b"\xb0\xa1" * 64, b"\xb0\xa1" * 33]),
)


@given(st.lists(_PIECES, max_size=12).map(b"".join))
@example(b"\xb0\xa1" * 32 + b"\x81")
@example(b"a" + b"\xb0\xa1" * 63 + b"\xb0" + b"@")
@example(b"\xb0\n\xa1")
@example(b"\x81\x30\x81\x81")
def test_an_error_is_found_where_the_decoder_finds_it(data: bytes) -> None:
    assert first_error(data) == _by_decoder(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gb18030, "_SPARSE", 0)  # as among many sound lines
        assert first_error(data) == _by_decoder(data)


def _by_decoder(data: bytes) -> int | None:
    try:
        data.decode("gb18030")
    except UnicodeDecodeError as error:
        return error.start
    return None


@given(st.text(), st.integers(min_value=0))
def test_a_text_is_cut_between_two_characters(text: str, at: int) -> None:
    data = text.encode("gb18030", errors="ignore")
    piece = data[: at % (len(data) + 1)]
    whole = piece[: last_start(piece)]
    assert text.encode("utf-8", errors="ignore").decode().startswith(whole.decode("gb18030"))
    assert len(piece) - len(whole) < 4


@pytest.mark.parametrize("byte", list(b'\t\n\r ",;'))
def test_commas_quotes_and_line_ends_are_part_of_no_longer_character(byte: int) -> None:
    assert all(_by_decoder(bytes([lead, byte])) == 0 for lead in range(0x80, 0x100))


@pytest.mark.parametrize("separator", [",", "\t", ";", "|"])
def test_cells_are_the_same_in_both_encodings(tmp_path: Path, separator: str) -> None:
    nicks = ["小鹿_1", "亐w|a", '"请""放|门口，谢谢"', "", '""', "ab", "小鹿😀", "颸"]  # GBK ends some with `|` and `w`
    rows = [ROW.format(number=number, nick=nick.replace("|", "") if separator == "|" else nick)
            for number, nick in enumerate(nicks)]  # fmt: skip
    text = "\r\n".join([HEADER, *rows, ""]).replace(",", separator)
    read = [
        read_bytes(tmp_path, text.encode(encoding), f"{encoding}.csv", chunk_bytes=size)
        for encoding, size in (("utf-8", 1 << 20), ("gb18030", 64))
    ]
    assert [export.encoding for export in read] == ["utf-8", "gb18030"]
    one, other = (export.frame("orders").drop("file_sha256") for export in read)
    assert one.equals(other)
    assert one.height == len(nicks)


@pytest.mark.parametrize("damage", [b"\xff", b"\x81\n", b"\xb0\x20"])
def test_a_damaged_byte_is_found_in_a_column_that_nobody_reads(tmp_path: Path, damage: bytes) -> None:
    text = "\n".join([HEADER + ",买家留言", *(ROW.format(number=n, nick="小鹿") + ",谢谢" for n in range(15_000))])
    good = text.encode("gb18030")
    with pytest.raises(BadFileError, match=f"byte {len(good)} is not GB18030"):
        read_bytes(tmp_path, good + damage)

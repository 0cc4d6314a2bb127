"""Recognition by the set of headers, and what a file that fits nothing or too much is told."""

from pathlib import Path

import pytest

from tasks.errors import BadFileError, ConfigurationError
from tasks.sources.headers import normalise_header, unique_names
from tasks.sources.layouts import Cell, Layout, built_in, load_layouts
from tasks.sources.opened import Opened
from tasks.sources.recognise import recognise

HEADERS = ("订单编号", "买家会员名", "总金额")


def layout(name: str, *headers: str, channel: str = "taobao", known: tuple[str, ...] = ()) -> Layout:
    columns = {f"column_{at}": Cell(header=header) for at, header in enumerate(headers)}
    return Layout(name=name, channel=channel, about="a test", grain="product", columns=columns, known=known)


def opened(*headers: str, kind: str = "csv") -> Opened:
    return Opened(kind, "utf-8", headers, lambda _: iter([]))


@pytest.mark.parametrize(
    "header", ["订单编号", "订单编号 ", "\ufeff订单编号", "订 单编号", "\u3000订单编号\u200b", "订单编号\n"]
)
def test_headers_that_differ_in_spelling_alone(header: str):
    assert normalise_header(header) == "订单编号"


def test_full_width_forms_and_case_fold():
    assert normalise_header("商家实收金额（元）") == normalise_header("商家实收金额(元)")
    assert normalise_header("店铺Id") == normalise_header("店铺ID")


def test_duplicate_headers_are_kept_apart_by_position():
    assert unique_names(["分销员", "x", "分销员 ", "", ""]) == ("分销员", "x", "分销员#2", "", "#2")


def test_order_and_extra_columns_do_not_matter():
    match = recognise(opened("新列", *reversed(HEADERS)), [layout("orders", *HEADERS)], "f.csv")
    assert (match.layout.name, match.extra, match.runner_up) == ("orders", ("新列",), None)


def test_the_layout_with_more_known_headers_wins_and_the_other_is_named():
    wide, narrow = layout("wide", *HEADERS), layout("narrow", *HEADERS[:2])
    match = recognise(opened(*HEADERS), [narrow, wide], "f.csv")
    assert (match.layout.name, match.runner_up) == ("wide", "narrow")


def test_missing_known_headers_are_drift():
    match = recognise(opened(*HEADERS), [layout("orders", *HEADERS, known=("物流公司",))], "f.csv")
    assert match.missing == ("物流公司",)


def test_aliases_carry_a_column_through_a_rename():
    renamed = Layout(
        name="orders", channel="taobao", about="a test", grain="product",
        columns={"paid": Cell(header=("买家实际支付金额", "买家实付金额"))},
    )  # fmt: skip
    match = recognise(opened("买家实付金额"), [renamed], "f.csv")
    assert (match.sources, match.missing) == ({"paid": ("买家实付金额",)}, ())


def test_two_layouts_that_fit_equally_are_asked_about():
    twins = [layout("one", *HEADERS), layout("two", *HEADERS, channel="jd")]
    with pytest.raises(BadFileError, match="equally well"):
        recognise(opened(*HEADERS), twins, "f.csv")
    assert recognise(opened(*HEADERS), twins, "f.csv", channel="jd").layout.name == "two"


def test_a_near_miss_says_what_is_lacking():
    with pytest.raises(BadFileError, match="looks like orders but lacks 总金额"):
        recognise(opened(*HEADERS[:2]), [layout("orders", *HEADERS)], "f.csv")


def test_a_file_without_headers_shows_nobody():
    with pytest.raises(BadFileError) as error:
        recognise(opened("林小彤", "13800000101"), [layout("orders", *HEADERS)], "f.csv")
    assert "林小彤" not in str(error.value)
    assert "13800000101" not in str(error.value)


def test_another_format_is_another_layout():
    with pytest.raises(BadFileError):
        recognise(opened(*HEADERS, kind="jsonl"), [layout("orders", *HEADERS)], "f.jsonl")


@pytest.mark.parametrize("one", [one for one in built_in() if one.verified], ids=lambda one: one.name)
def test_every_layout_recognises_its_own_headers(one: Layout):
    headers = [header for cell in one.columns.values() for header in cell.headers] + list(one.known)
    spelled = dict.fromkeys(header.removesuffix("#2") for header in headers)
    match = recognise(opened(*spelled, kind=one.formats[0]), built_in(), "f")
    assert match.layout.name == one.name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: [", "is not YAML"),
        ("name: x\nsurprise: 1", "Field required|not permitted"),
        ("name: x\nchannel: c\nabout: a\ngrain: order\ncolumns: {}\nmoney: paid", "paid: used"),
        ("name: x\nchannel: c\nabout: a\ngrain: order\ncolumns: {s: {header: s, parse: code}}", "needs codes"),
    ],
)
def test_a_broken_layout_is_named(tmp_path: Path, text: str, message: str):
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=rf"mine.yaml.*({message})"):
        load_layouts(tmp_path)

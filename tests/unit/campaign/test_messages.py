"""Messages counted as operators bill them, against plain Python; links found however they are written."""

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.errors import BadPolicyError
from tasks.policy.base import Label
from tasks.policy.campaigns import Campaign
from tasks.policy.message_text import check_text, check_texts, text_of
from tasks.policy.vendors import Sms, Vendor
from tasks.transforms.messages import (
    LINK,
    LONG,
    bill,
    bill_by_variant,
    cost_by_person,
    holds_link,
    message_units,
    parts,
    refused_variable,
    units,
    without_refused,
)
from tasks.transforms.waterfall import OUTCOMES
from tests.support.campaigns import campaign, vendor
from tests.support.examples import examples

OPT_OUT = "拒收请回复R"
TEXTS = st.text(st.characters(codec="utf-8"), max_size=90)


def sms(**more: Any) -> Sms:
    return Sms.model_validate({"signature": "青禾", "opt_out": (OPT_OUT, "回T退订")} | more)


def sender(**more: Any) -> Vendor:
    return vendor(sms=sms(**more))


def winback(text: str | Label | None, **more: Any) -> Campaign:
    return campaign(text=text, variables={"name": "one_id", "days": "recency_days"}, **more)


@settings(max_examples=examples(80))
@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=8), TEXTS, st.integers(1, 90), st.integers(1, 90))
def test_length_and_parts_are_those_of_plain_python(
    values: list[tuple[str, str]], words: str, first: int, next_: int
) -> None:
    words = words.replace("{", "").replace("}", "")
    rules, text = sms(first=first, next=next_), f"{{name}}{words}{{days}}{words}{{name}}{OPT_OUT}"
    frame = pl.DataFrame(values, schema={"name": pl.String, "days": pl.String}, orient="row")
    length = message_units(text, rules, is_marketing=True)
    found = frame.select(length.alias("n"), parts(length, rules).alias("p")).rows()
    for (name, days), (n, p) in zip(values, found, strict=True):
        message = f"【青禾】{name}{words}{days}{words}{name}{OPT_OUT}"
        expected = len(message.encode("utf-16-le")) // 2
        assert n == expected
        assert p == (1 if expected <= first else -(-expected // next_))


@pytest.mark.parametrize(("length", "expected"), [(0, 1), (70, 1), (71, 2), (134, 2), (135, 3), (201, 3), (202, 4)])
def test_seventy_are_one_message_and_each_part_of_more_has_sixty_seven(length: int, expected: int) -> None:
    assert pl.select(parts(pl.lit(length), Sms())).item() == expected


def test_the_bill_is_parts_times_price_and_the_opt_out_counts_wherever_it_stands() -> None:
    names = pl.DataFrame({"name": ["王", "王" * 60, None]})
    rules = sms(opt_out_added=OPT_OUT)
    told = bill(names, "{name}您好", winback("x", message_cost_fen=4), rules)
    assert told._asdict() == {"people": 3, "longest": 72, "parts": {1: 2, 2: 1}, "cost_fen": 16}
    assert told.messages == 4
    assert bill(names, "{name}您好", winback("x", purpose="service"), rules).longest == 66
    assert bill(names.clear(), "{name}", winback("x"), rules)._asdict() == {
        "people": 0, "longest": 0, "parts": {}, "cost_fen": 0,
    }  # fmt: skip


def test_an_emoji_counts_two() -> None:
    assert pl.select(units(pl.lit("a王😀"))).item() == 4


@pytest.mark.parametrize("text", [
    "http://a.b", "https://t.cn/x", "HTTP://A.CN", "ｈｔｔｐ：／／ａ．ｃｎ", "h t t p : / / a", "hxxp://a", "t.cn/abc",
    "T。CN", "看 www.abc", "weixin://dl", "ab\u200bc.com", "例子.中国", "点开qinghe.shop!", "a(dot)com",
    "1.2.3.4/abc", "看1.2.3.4", "访问 192.168.0.1:8080。", "１.２.３.４", "foo.ai/x", "shop.art/x", "a.la/x",
    "url.so/x", "dwz.mk/1", "suo.nz/1", "看FOO.AI/X", "foo。ai/x", "foo.ai/", "foo.ai:80/x", "foo.ai?id=7",
    "foo.a\u200bi/x", "淘宝.fans/1", "//abc.fans/1", "//淘宝.fans", "xn--fiq228c.xn--p1ai/x", "看xn--fiq228c.xn--p1ai",
    "a.b.foo.ai/x", "T.CN/SPRING0038QXZ",
])  # fmt: skip
def test_a_link_is_found_however_it_is_written(text: str) -> None:
    assert pl.select(holds_link(pl.lit(text))).item() is True


@pytest.mark.parametrize("text", [
    "王小明", "J.R. Smith", "12.50", "2026.07.01", "A/B", "满300减30", "", "3:2", "青禾。好",
    "3.5折", "1.2.3", "2026.11.22", "A.B", "A.B/C", "12.50/kg", "¥9.9/件", "2.5kg/袋", "1.5L/瓶", "4.2.1.300",
    "1.2.3.4.5", "2026.11.22.10", "11.22 11.25", "1. 2. 3. 4. 件", "DR.WU/达尔肤", "Dr.Martens/马汀博士",
    "St.Ives / 圣艾芙", "A.H.C/面膜", "a.m./p.m.", "No.1/2", "Vol.2/3", "Nice. And/or more", "满减//见店内", "和/或",
    "22/11/2026", "您好。hello/x", "SK-II", "SPRING-0038-QXZ", "x--n", "¥1.5/¥2.5", "e.g. this", "第3.day", "24h/7d",
])  # fmt: skip
def test_a_name_or_a_number_is_no_link(text: str) -> None:
    assert pl.select(holds_link(pl.lit(text))).item() is False


@settings(max_examples=examples(80))
@given(
    st.sampled_from(["", "看", "看 ", "(", "a."]), st.from_regex(r"[a-z0-9]{1,8}", fullmatch=True),
    st.from_regex(r"[a-z]{2,7}", fullmatch=True), st.from_regex(r"[a-zA-Z0-9]{1,5}", fullmatch=True),
    st.sampled_from(["", "领券", " 领"]),
)  # fmt: skip
def test_a_name_with_any_ending_and_a_path_is_a_link(
    before: str, host: str, ending: str, path: str, after: str
) -> None:
    assert pl.select(holds_link(pl.lit(f"{before}{host}.{ending}/{path}{after}"))).item() is True


@settings(max_examples=examples(80))
@given(
    st.lists(st.integers(0, 2100), min_size=1, max_size=3), st.sampled_from(["", "元", "折", "/件", "/kg", " 起", "%"])
)
def test_numbers_dates_and_prices_are_no_links(numbers: list[int], unit: str) -> None:
    assert pl.select(holds_link(pl.lit(f"满{'.'.join(map(str, numbers))}{unit}"))).item() is False


def test_variables_that_the_vendor_refuses_are_told_by_row() -> None:
    frame = pl.DataFrame({"a": ["x", "t.cn/1", "y" * 13, None], "b": ["", "", "", "z"]})
    told = {
        "strict": refused_variable(["a", "b"], sms(variable_most=12)),
        "mild": refused_variable(["a", "b"], sms(links_in_variables="allow")),
        "no_sms": refused_variable(["a"], None),
    }
    found = frame.with_columns(**told)
    assert found["strict"].to_list() == [None, LINK, LONG, None]
    assert found["mild"].to_list() == found["no_sms"].to_list() == [None] * 4


@pytest.mark.parametrize(("text", "rules", "told"), [
    (f"{{name}}您好，回来看看，{OPT_OUT}", {}, ""),
    ("{name}您好，回T退订。", {}, ""),
    ("{name}您好", {"opt_out_added": OPT_OUT}, ""),
    ("{name}您好", {}, "ends with its opt-out"),
    (f"{OPT_OUT}，{{name}}您好", {}, "ends with its opt-out"),
    (f"{{name}}{{days}}，{OPT_OUT}", {}, "variables alone"),
    (f"【青禾】您好，{OPT_OUT}", {}, "holds 【】"),
    (f"{{nick}}您好，{OPT_OUT}", {}, "names nick"),
    (f"您好，{OPT_OUT}", {"signature": None}, "signature is missing"),
    (f"您好，{OPT_OUT}", {"signature": "青"}, "has 1 characters"),
    (f"您好，{OPT_OUT}", {"signature": "【青禾】"}, "without brackets"),
    (f"您好，{OPT_OUT}", {"signature": "12345"}, "not digits alone"),
    (f"您好，{OPT_OUT}", {"signature": "青" * 13}, "expected 2 to 12"),
])  # fmt: skip
def test_a_text_is_checked_before_anybody_gets_it(text: str, rules: dict[str, Any], told: str) -> None:
    found = list(check_text(winback(text), sender(**rules)))
    assert found == [] if not told else told in found[0]


def test_what_is_no_sms_or_says_no_text_is_not_checked() -> None:
    assert list(check_text(winback(None), sender())) == []
    assert list(check_text(winback("x", touch_channel="push"), sender())) == []
    assert list(check_text(winback("x"), vendor())) == []
    assert list(check_text(winback("您好", purpose="service"), sender())) == []


def test_the_vendor_says_in_which_language_it_sends() -> None:
    both = Label(zh="您好", en="Hello")
    assert [text_of(winback(both), sender(language=one)) for one in ("zh", "en")] == ["您好", "Hello"]


def test_whoever_has_a_variable_that_the_vendor_refuses_gets_nothing_and_the_account_says_why() -> None:
    ids = ["c1", "c2", "c3", "c4"]
    members = pl.DataFrame({"one_id": ids, "outcome": ["planned"] * 3 + ["capped"], "evidence": ["x"] * 4})
    told = pl.DataFrame({"one_id": ids, "name": ["王", "t.cn/1", "y" * 13, "t.cn/1"]})
    found = without_refused(members, told, ["name"], sms(variable_most=12))
    assert found["outcome"].to_list() == ["planned", "refused_text", "refused_text", "capped"]
    assert found["evidence"].to_list() == [
        "x", "a variable of the message holds a link", "a variable of the message has more than 12 characters", "x",
    ]  # fmt: skip
    assert set(found["outcome"]) <= set(OUTCOMES)


def test_each_variant_is_billed_by_its_own_text() -> None:
    rows = pl.DataFrame({"variant": ["a", "b", "b"], "name": ["王"] * 3})
    found = bill_by_variant(rows, {"": "x" * 66, "b": "x" * 67}, winback("x", message_cost_fen=5), sms())
    assert found is not None
    assert (found.parts, found.messages, found.cost_fen) == ({1: 1, 2: 2}, 5, 25)
    assert bill_by_variant(rows, {"b": "x"}, winback("x"), sms()) is None


def test_a_campaign_whose_text_the_vendor_refuses_is_no_policy() -> None:
    with pytest.raises(BadPolicyError, match="campaign winback: a marketing message ends with its opt-out"):
        check_texts([winback("{name}您好")], [sender()])
    check_texts([winback(f"{{name}}您好，{OPT_OUT}"), campaign()], [sender()])


@settings(max_examples=examples(40))
@given(st.lists(st.tuples(st.sampled_from(["a", "b", None]), TEXTS), max_size=8), st.booleans())
def test_what_persons_cost_is_the_bill(given_: list[tuple[str | None, str]], is_all_said: bool) -> None:  # noqa: FBT001
    people = pl.DataFrame(
        [(str(n), *row) for n, row in enumerate(given_)],
        {"one_id": pl.String, "variant": pl.String, "name": pl.String}, orient="row",
    )  # fmt: skip
    texts = {"a": "{name}" + OPT_OUT} | ({"": "{name}" * 9 + OPT_OUT} if is_all_said else {})
    whole, each = (make(people, texts, winback(None, message_cost_fen=5), sms()) for make in
                   (bill_by_variant, cost_by_person))  # fmt: skip
    if whole is None or each is None:
        assert whole is each
        return
    assert each["cost_fen"].sum() == whole.cost_fen
    assert sorted(each["one_id"]) == sorted(people["one_id"])

"""A campaign of several messages in every vendor's form: each request names one template and its variables alone."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.policy.campaigns import Campaign
from tasks.policy.vendors import Vendor
from tasks.stores.directory import DirectoryObjects
from tasks.stores.manifest import terms_of
from tasks.stores.revision import Built, build
from tasks.stores.vendor_files import render_parts
from tasks.transforms.variables import variables_by_variant
from tests.support.campaigns import campaign
from tests.support.examples import examples
from tests.support.sends import KEY, NOBODY, people, publication
from tests.support.vendor_readers import profile, requests, table

TWO = (
    {"code": "a", "template": "TPL_A", "variables": {"coupon": "'ten'"}, "hour": 10},
    {"code": "b", "template": "TPL_B", "variables": {"gift": "'tea'", "zone": "'east'"}},
)
NUMBERS = (1, 2, 3, 4)
DRAWN = ("b", "a", None, "b")
SEED = "13800000909"
ALIYUN = [
    ("TPL_B", {"days": "1", "gift": "tea", "zone": "east"}),
    ("TPL_A", {"coupon": "ten", "days": "2"}),
    ("TPL_MAIN", {"days": "3"}),
    ("TPL_B", {"days": "4", "gift": "tea", "zone": "east"}),
]
"""Template and variables of each person, in order."""


def split(**more: Any) -> Campaign:
    """Two messages, and the campaign's own for whoever takes no part."""
    given = {"percent": 0, "template": "TPL_MAIN", "variants": TWO, "variables": {"days": "days"}}
    return campaign(**(given | more))


def told(one: Campaign, days: tuple[str, ...] = ("1", "2", "3", "4")) -> pl.DataFrame:
    """The people of the send with what their message says, as `publication_of` has them."""
    everyone = people(NUMBERS)
    base = everyone.select("one_id", days=pl.Series(days))
    members = everyone.select("one_id", variant=pl.Series(DRAWN, dtype=pl.String))
    return everyone.join(variables_by_variant(base.lazy(), one, members.lazy()).collect(), on="one_id")


def built(folder: Path, vendor: Vendor, one: Campaign | None = None, added: pl.DataFrame | None = None) -> Built:
    chosen = one or split()
    rows = told(chosen) if added is None else added
    seeds = pl.DataFrame({"contact": [SEED]})
    terms = terms_of(chosen, vendor, date(2026, 7, 31), "Asia/Shanghai")
    return build(
        publication(DirectoryObjects(folder), NUMBERS, vendor=vendor, terms=terms, added=rows, seeds=seeds), KEY
    )


def bodies(found: Built, vendor: Vendor) -> list[dict[str, Any]]:
    return [body for file in found.files for body in requests(file, vendor)]


def phone(number: int) -> str:
    return f"139{number:08d}"


def test_one_content_for_many_is_each_variants_own(tmp_path: Path) -> None:
    vendor = profile("aliyun_sms_same")
    found = [
        (b["TemplateCode"], b["PhoneNumbers"], b["TemplateParam"]) for b in bodies(built(tmp_path, vendor), vendor)
    ]
    wanted = [(template, phone(n), said) for n, (template, said) in zip(NUMBERS, ALIYUN, strict=True)]
    assert found == [*wanted, ("TPL_MAIN", SEED, {"days": ""})]


def test_an_array_of_contents_stands_under_one_template(tmp_path: Path) -> None:
    """The seed, which no variant drew, gets the campaign's own template with its variables empty."""
    vendor = profile("aliyun_sms")
    found = [
        (b["TemplateCode"], b["PhoneNumberJson"], b["TemplateParamJson"])
        for b in bodies(built(tmp_path, vendor), vendor)
    ]
    said = [params for _, params in ALIYUN]
    assert found == [
        ("TPL_B", [phone(1), phone(4)], [said[0], said[3]]),
        ("TPL_A", [phone(2)], [said[1]]),
        ("TPL_MAIN", [phone(3), SEED], [said[2], {"days": ""}]),
    ]


def test_values_by_place_are_those_of_the_template_in_order_of_name(tmp_path: Path) -> None:
    vendor = profile("tencent_sms")
    found = {
        number: (body["TemplateId"], body["TemplateParamSet"])
        for body in bodies(built(tmp_path, vendor), vendor) for number in body["PhoneNumberSet"]
    }  # fmt: skip
    assert found == {
        f"+86{phone(1)}": ("TPL_B", ["1", "tea", "east"]),
        f"+86{phone(2)}": ("TPL_A", ["ten", "2"]),
        f"+86{phone(3)}": ("TPL_MAIN", ["3"]),
        f"+86{phone(4)}": ("TPL_B", ["4", "tea", "east"]),
        f"+86{SEED}": ("TPL_MAIN", [""]),
    }


def test_rows_within_a_text_stand_under_their_own_message(tmp_path: Path) -> None:
    vendor = profile("chuanglan_sms")
    found = [(body["msg"], body["params"]) for body in bodies(built(tmp_path, vendor), vendor)]
    assert found == [
        ("TPL_B", f"{phone(1)},1,tea,east;{phone(4)},4,tea,east"),
        ("TPL_A", f"{phone(2)},ten,2"),
        ("TPL_MAIN", f"{phone(3)},3;{SEED},"),
    ]


def test_a_list_with_one_template_per_person(tmp_path: Path) -> None:
    fields = [
        {"name": "to", "source": "contact", "take": "each"},
        {"name": "tpl", "source": "template", "take": "each"},
    ]
    vendor = profile("aliyun_sms", request={"fields": fields})
    (body,) = bodies(built(tmp_path, vendor), vendor)
    assert body["tpl"] == ["TPL_B", "TPL_A", "TPL_MAIN", "TPL_B", "TPL_MAIN"]


@pytest.mark.parametrize("name", ["aliyun_sms", "aliyun_sms_same", "tencent_sms", "chuanglan_sms"])
def test_nothing_that_the_run_adds_is_in_a_request_or_among_its_columns(name: str, tmp_path: Path) -> None:
    vendor = profile(name)
    found = built(tmp_path, vendor)
    assert found.manifest.columns[1:] == ("coupon", "days", "gift", "zone")
    assert not {"variant", "hour", "10"} & set(json.dumps(bodies(found, vendor)).split('"'))


def test_variables_of_those_names_are_the_campaigns_own(tmp_path: Path) -> None:
    """With variants and without: what the campaign names goes out, and the template is still the variant's."""
    vendor = profile("aliyun_sms_same")
    own = {"days": "days", "hour": "'8'", "template": "'mine'"}
    found = [
        (b["TemplateCode"], b["TemplateParam"]) for b in bodies(built(tmp_path, vendor, split(variables=own)), vendor)
    ]
    mine = {"hour": "8", "template": "mine"}
    assert found[:-1] == [(template, said | mine) for template, said in ALIYUN]
    plain = campaign(template="TPL_MAIN", variables={"hour": "'8'", "template": "'mine'"})
    body, _ = bodies(built(tmp_path / "plain", vendor, plain), vendor)
    assert (body["TemplateCode"], body["TemplateParam"]) == ("TPL_MAIN", mine)


def test_a_request_names_what_the_run_adds_where_the_profile_asks_for_it(tmp_path: Path) -> None:
    fields = [{"name": "to", "source": "contact"}, {"name": "at", "source": "variable:hour"},
              {"name": "which", "source": "variable:variant"}]  # fmt: skip
    vendor = profile("aliyun_sms", request={"most": 1, "fields": fields})
    found = [(body["at"], body["which"]) for body in bodies(built(tmp_path, vendor), vendor)]
    assert found == [("", "b"), ("10", "a"), ("", ""), ("", "b"), ("", "")]


def test_one_file_of_lines_holds_all_variants(tmp_path: Path) -> None:
    """Columns by name stand in order of name; numbered ones are the template's first, then what the run adds."""
    by_name, numbered = profile("huawei_sms"), profile("tencent_sms_console")
    header, first, *_ = table(built(tmp_path, by_name).files[0], by_name)
    assert header[1:] == ["coupon", "days", "gift", "hour", "template", "variant", "zone"]
    assert first == [f"+86{phone(1)}", "", "1", "tea", "", "TPL_B", "b", "east"]
    header, first, second, third, *_ = table(built(tmp_path / "n", numbered).files[0], numbered)
    assert header == ["手机号", *(f"变量{n}" for n in range(1, 8))]
    assert first[1:] == ["", "1", "tea", "east", "b", "TPL_B", ""]
    assert second[5:] == ["a", "TPL_A", "10"]
    assert third[5:] == ["", "TPL_MAIN", ""]


def test_a_campaign_of_one_message_is_rendered_as_ever(tmp_path: Path) -> None:
    rows = people(NUMBERS).with_columns(b=pl.Series(["x", None, "y", "x"]), a=pl.lit("z"))
    vendor = profile("tencent_sms")
    found = [(b["TemplateId"], b["TemplateParamSet"]) for b in bodies(built(tmp_path, vendor, split(), rows), vendor)]
    assert found == [("TPL_MAIN", one) for one in (["z", "x"], ["z", ""], ["z", "y"], ["", ""])]


@settings(max_examples=examples(30), deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.text("xy", max_size=2)), min_size=1, max_size=12))
@pytest.mark.parametrize("name", ["aliyun_sms", "aliyun_sms_same", "tencent_sms", "chuanglan_sms"])
def test_everyone_stands_once_under_the_template_they_drew(name: str, drawn: list[tuple[str, str]]) -> None:
    vendor = profile(name, rows_per_part=5)
    rows = people(range(len(drawn))).select(
        NOBODY.columns[2], variant=pl.Series([code for code, _ in drawn]), days=pl.Series([days for _, days in drawn]),
        template=pl.Series([f"TPL_{code}" for code, _ in drawn]), hour=pl.lit(""),
    )  # fmt: skip
    asked = [body for part in render_parts(rows, vendor, {"template": "NO"}) for body in requests(part, vendor)]
    template = next(field.name for field in vendor.request.fields if field.source == "template")  # type: ignore[union-attr]
    assert sorted((str(body[template]), phone(n)) for body in asked for n in numbers_in(body)) == sorted(
        (f"TPL_{code}", phone(n)) for n, (code, _) in enumerate(drawn)
    )


def numbers_in(body: dict[str, Any]) -> list[int]:
    """The people that a request of any of the four profiles names."""
    listed = body.get("PhoneNumberJson") or body.get("PhoneNumberSet") or body.get("PhoneNumbers") or body["params"]
    texts = listed if isinstance(listed, list) else listed.replace(";", " ").split() if ";" in listed else [listed]
    several = [part for text in texts for part in ([text.split(",")[0]] if "params" in body else text.split(","))]
    return [int(number[-8:]) for number in several]

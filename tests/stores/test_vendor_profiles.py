"""Every shipped profile against its vendor's own rules, read by readers that share no code with what wrote it."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import yaml

from tasks.errors import BadPolicyError
from tasks.policy.presets import names
from tasks.policy.vendors import Vendor
from tasks.stores.vendor.without import without
from tasks.stores.vendor_files import File, render_parts, render_recall
from tests.support.vendor_readers import HOSTILE, STORED, expected_id, ids_in, opened, profile, requests, table

PROFILES = names("vendors")
ADDED = Path(__file__).parent / "vendors"
OURS = {"wecom_message": ("content", "sender"), "wecom_tags": ("add_tag", "remove_tag", "userid")}
"""Variables that a profile asks for by name."""


def people(vendor: Vendor, count: int) -> pl.DataFrame:
    """One row per person: a contact as the vault has it, and two variables of hostile text where the file has any."""
    own = OURS.get(str(vendor.preset), ("name", "tier") if takes_variables(vendor) else ())
    columns: dict[str, list[str]] = {"contact": [STORED[vendor.contact_type](n) for n in range(count)]}
    for place, name in enumerate(own):
        texts = [text.replace(";", "；") for text in HOSTILE] if vendor.request and vendor.request.apart else HOSTILE
        columns[name] = [texts[(n + place) % len(texts)] for n in range(count)]
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))


def takes_variables(vendor: Vendor) -> bool:
    return any(column.source == "variables" for column in vendor.columns)


def kinds(*conditions: Callable[[Vendor], bool]) -> list[str]:
    """The profiles of which all of this holds."""
    return [name for name in PROFILES if all(holds(profile(name)) for holds in conditions)]


def rendered(vendor: Vendor, rows: pl.DataFrame) -> list[File]:
    return list(render_parts(rows, vendor, {"send_id": "v/winback/2026-07-01", "seq": "1", "template": "T1"}))


@pytest.fixture(params=PROFILES)
def vendor(request: pytest.FixtureRequest) -> Vendor:
    return profile(request.param)


def test_a_file_names_everyone_once_by_the_vendors_own_id(vendor: Vendor) -> None:
    rows = people(vendor, 60)
    parts = rendered(vendor, rows)
    wanted = [expected_id(contact, vendor) for contact in rows["contact"]]
    found = [one for part in parts for one in ids_in(part, vendor)]
    assert sorted(found) == sorted(wanted)
    assert found == wanted or any(field.take == "shared" for field in vendor.request.fields)  # type: ignore[union-attr]
    assert sum(part.rows for part in parts) == 60


def test_the_limits_hold_and_no_file_ends_before_it_must(vendor: Vendor) -> None:
    small = vendor.model_copy(update={"rows_per_part": 25, "bytes_per_part": vendor.bytes_per_part and 40_000})
    rows = people(vendor, 60)
    parts = rendered(small, rows)
    assert all(part.rows <= 25 for part in parts)
    assert all(len(part.data) <= (small.bytes_per_part or len(part.data)) for part in parts)
    if not vendor.request and not small.bytes_per_part:
        assert [part.rows for part in parts] == [25, 25, 10]


def test_the_same_rows_give_the_same_bytes(vendor: Vendor) -> None:
    first, second = (rendered(vendor, people(vendor, 30)) for _ in range(2))
    assert first == second


def test_names_are_plain_and_end_as_the_format_does(vendor: Vendor) -> None:
    (part,) = rendered(vendor, people(vendor, 3))[:1]
    assert re.fullmatch(r"[A-Za-z0-9一-鿿_-]+" + re.escape(vendor.suffix), part.name)
    recall = render_recall(people(vendor, 2).select("contact"), vendor)
    assert recall is not None
    assert (recall.kind, recall.rows, recall.name.split(".")[0]) == ("recall", 2, "recall")


@pytest.mark.parametrize("vendor", kinds(takes_variables, lambda one: not one.request), indirect=True)
def test_texts_come_back_as_they_were_written_and_run_nowhere(vendor: Vendor) -> None:
    rows = people(vendor, len(HOSTILE))
    (part,) = rendered(vendor, rows)
    (header, *found) = table(part, vendor)
    assert len({len(row) for row in found}) == 1
    assert header[1:] in (["name", "tier"], ["变量1", "变量2"])
    for row, given in zip(found, rows["name"], strict=True):
        assert row[1].removeprefix("'") == given.removeprefix("'")
        assert row[1] == "" or row[1][0] not in "=+-@\t\r\n＝＋－＠"


@pytest.mark.parametrize("vendor", kinds(lambda one: one.format in {"csv", "txt"}), indirect=True)
def test_lines_end_as_the_vendor_wants_and_none_is_blank(vendor: Vendor) -> None:
    text = opened(rendered(vendor, people(vendor, 5))[0], vendor)
    assert text.startswith(b"\xef\xbb\xbf") == (vendor.encoding == "utf-8-sig")
    assert not text.endswith(b"\n")
    assert (b"\r\n" in text) == (vendor.line_end == "crlf")


@pytest.mark.parametrize("vendor", kinds(lambda one: one.request is not None), indirect=True)
def test_a_request_holds_no_more_people_than_the_vendor_takes(vendor: Vendor) -> None:
    assert vendor.request
    most = min(vendor.request.most or 10**9, 7)
    small = vendor.model_copy(update={"request": vendor.request.model_copy(update={"most": most})})
    for part in rendered(small, people(vendor, 30)):
        assert all(len(ids_in(part._replace(data=line), vendor)) <= most for line in part.data.split(b"\n"))


def test_recall_names_people_as_the_parts_do(vendor: Vendor) -> None:
    contacts = people(vendor, 4).select("contact")
    recall = render_recall(contacts, vendor)
    assert recall is not None
    as_lines = {"request": None, "format": "txt", "with_header": False}
    plain = vendor.model_copy(update=as_lines) if vendor.request else vendor
    rows = table(recall, plain)
    found = [row[0] for row in (rows[1:] if plain.with_header else rows)]
    assert found == [expected_id(contact, vendor) for contact in contacts["contact"]]


@pytest.mark.parametrize(("name", "contact", "digest"), [
    ("meta_audience_email", "John_Smith@gmail.com", "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f"),
    ("tencent_ads", "13800000101", "e9be36113117a04d"),
    ("ocean_engine", "13800000101", "e9be36113117a04d"),
    ("meta_audience", "13800000101", "a0e6ae0b752ee0c1"),
    ("google_audience", "13800000101", "0c0fe2fd75026717"),
    ("google_audience_email", "Jo.Hn+x@googlemail.com", "dc8763aaab45283a"),
])  # fmt: skip
def test_a_digest_is_that_of_the_vendors_own_documents(name: str, contact: str, digest: str) -> None:
    vendor = profile(name)
    (part,) = rendered(vendor, pl.DataFrame({"contact": [contact]}))
    assert ids_in(part, vendor)[0].startswith(digest)


def test_platforms_that_match_people_are_third_parties() -> None:
    hashed = [name for name in PROFILES if profile(name).hash != "none"]
    assert {profile(name).role for name in hashed} == {"third_party"}
    assert {profile(name).role for name in PROFILES if name not in hashed} == {"entrusted"}


def test_every_limit_says_how_sure_it_is() -> None:
    folder = Path(__file__).parents[2] / "tasks" / "policy" / "presets" / "vendors"
    limits = re.compile(r"^\s*(rows_per_part|bytes_per_part|most|signature_most|first|next|hours|variable_most|hash)\b")
    unsure = [
        f"{path.name}: {line}" for path in sorted(folder.glob("*.yaml")) for line in path.read_text().splitlines()
        if limits.match(line) and not re.search(r"\[(V|V2|K)\b", line)
    ]  # fmt: skip
    assert unsure == []


@pytest.mark.parametrize("path", sorted(ADDED.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_profile_is_added_by_yaml_alone(path: Path) -> None:
    vendor = Vendor.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    rows = people(vendor, 5)
    (part,) = rendered(vendor, rows)
    assert ids_in(part, vendor) == [expected_id(contact, vendor) for contact in rows["contact"]]
    assert table(part, vendor)[0][0] in {"phone", "identifier_type"}


def test_aliyun_gets_arrays_of_one_length() -> None:
    vendor = profile("aliyun_sms")
    (part,) = rendered(vendor, people(vendor, 250))
    bodies = requests(part, vendor)
    assert [len(body["PhoneNumberJson"]) for body in bodies] == [100, 100, 50]
    for body in bodies:
        assert len(body["SignNameJson"]) == len(body["TemplateParamJson"]) == len(body["PhoneNumberJson"])
        assert set(body["SignNameJson"]) == {"青禾"}
        assert body["TemplateCode"] == "T1"


def test_tencent_gets_only_people_with_the_same_values_in_one_request() -> None:
    vendor = profile("tencent_sms")
    rows = pl.DataFrame({"contact": [f"138{n:08d}" for n in range(900)], "tier": ["gold", "silver", "gold"] * 300})
    (part,) = rendered(vendor, rows)
    tiers = dict(zip((f"+86{c}" for c in rows["contact"]), rows["tier"], strict=True))
    bodies = requests(part, vendor)
    assert [len(body["PhoneNumberSet"]) for body in bodies] == [200, 200, 200, 200, 100]
    for body in bodies:
        assert {tiers[number] for number in body["PhoneNumberSet"]} == set(body["TemplateParamSet"])
    assert {body["SessionContext"] for body in bodies} == {"v/winback/2026-07-01"}


def test_umeng_gets_one_upload_per_file_of_ids_between_line_feeds() -> None:
    vendor = profile("umeng", rows_per_part=3)
    rows = people(vendor, 7)
    bodies = [requests(part, vendor)[0] for part in rendered(vendor, rows)]
    assert [one for body in bodies for one in body["content"].split("\n")] == rows["contact"].to_list()
    assert [len(body["content"].split("\n")) for body in bodies] == [3, 3, 1]


def test_a_request_of_bytes_is_as_full_as_it_may_be() -> None:
    vendor = profile("umeng", bytes_per_part=5000)
    parts = rendered(vendor, people(vendor, 1000))
    room = 5000 - len(STORED["push_token"](0)) - len("\\n")
    assert all(room < len(part.data) <= 5000 for part in parts[:-1])


def test_wecom_tags_are_lists() -> None:
    vendor = profile("wecom_tags")
    rows = pl.DataFrame(
        {"contact": ["wm1", "wm2"], "userid": ["li", "wu"], "add_tag": ["a,b", ""], "remove_tag": ["", "c"]}
    )
    (part,) = rendered(vendor, rows)
    assert requests(part, vendor) == [
        {"userid": "li", "external_userid": "wm1", "add_tag": ["a", "b"], "remove_tag": []},
        {"userid": "wu", "external_userid": "wm2", "add_tag": [], "remove_tag": ["c"]},
    ]


def test_a_customer_of_two_advisers_has_a_request_for_each_and_is_one_person() -> None:
    vendor = profile("wecom_tags", rows_per_part=2)
    rows = pl.DataFrame({
        "contact": ["wm1", "wm2", "wm3"], "userid": ["li;wu", "wu", "he;li;wu"], "add_tag": ["a,b;a", "", "x;;x"],
        "remove_tag": [";c", "c", ";y;"],
    })  # fmt: skip
    parts = rendered(vendor, rows)
    told = [[(one["userid"], one["external_userid"], one["add_tag"], one["remove_tag"])
             for one in requests(part, vendor)] for part in parts]  # fmt: skip
    assert told == [
        [("li", "wm1", ["a", "b"], []), ("wu", "wm1", ["a"], ["c"]), ("wu", "wm2", [], ["c"])],
        [("he", "wm3", ["x"], []), ("li", "wm3", [], ["y"]), ("wu", "wm3", ["x"], [])],
    ]
    assert [part.rows for part in parts] == [2, 1]
    left, gone = without(parts[0].data, parts[0].name, ["wm1"], vendor)
    assert (gone, [json.loads(line)["external_userid"] for line in left.split(b"\n")]) == (1, ["wm2"])
    with pytest.raises(BadPolicyError, match="other numbers of parts"):
        rendered(vendor, rows.with_columns(add_tag=pl.lit("a,b")))


def test_an_alias_of_forty_bytes_passes_and_one_more_does_not() -> None:
    vendor = profile("jpush")
    (part,) = rendered(vendor, pl.DataFrame({"contact": ["会员_13" + "a" * 31, "=a+b|c"]}))
    assert part.data.decode().split("\n") == ["会员_13" + "a" * 31, "=a+b|c"]
    with pytest.raises(Exception, match="1 contacts"):
        rendered(vendor, pl.DataFrame({"contact": ["会员_13" + "a" * 32]}))

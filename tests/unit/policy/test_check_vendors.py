"""Slips in a vendor's file or in a campaign that sends by it, found at their file and line."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli import app
from tasks.policy.lint.check import check_folder
from tasks.policy.load import load_policy
from tasks.policy.presets import names
from tests.unit.transforms.builders import ROOT

SOUND = ROOT / "infra/demo/complete_journey/policy"
SMS = "code: demo_sms\nlabel: {zh: 甲, en: A}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SOUND, tmp_path / "policy"))


def found(folder: Path) -> list[tuple[str, int, str]]:
    return [(one.place.file, one.place.line, one.rule) for one in check_folder(folder)]


def test_a_profile_is_taken_by_name_and_a_part_of_it_changed_alone(folder: Path) -> None:
    (folder / "vendors/demo_sms.yaml").write_text(
        f"preset: aliyun_sms\n{SMS}sms: {{signature: 青禾}}\n", encoding="utf-8"
    )
    vendor = load_policy(folder).vendor("demo_sms")
    assert vendor.sms is not None
    assert (vendor.sms.signature, vendor.sms.first, vendor.label.en, vendor.format) == ("青禾", 70, "A", "jsonl")
    assert found(folder) == []


@pytest.mark.parametrize(("written", "line", "rule"), [
    ("preset: aliyun_sms\n" + SMS, 1, "signature"),
    (f"preset: aliyun_sms\n{SMS}sms: {{signature: 青禾}}\nrows_per_part: 60000\n", 5, "limits"),
    (f"preset: meta_audience\n{SMS}role: entrusted\n", 4, "role"),
    (f"preset: aliyun_sms\n{SMS}contact_type: email\n", 1, "field"),
    (f"preset: aliyun_sms\n{SMS}format: csv\n", 1, "field"),
    (f"preset: aliyun_sms\n{SMS}hours: {{from: '20:00', to: '08:00'}}\n", 4, "field"),
    (f"preset: no_such\n{SMS}", 1, "readable"),
])  # fmt: skip
def test_a_slip_in_a_vendors_file_is_found_where_it_stands(folder: Path, written: str, line: int, rule: str) -> None:
    (folder / "vendors/demo_sms.yaml").write_text(written, encoding="utf-8")
    assert rule in {each for _, _, each in found(folder)}
    if rule not in {"readable", "field"}:
        assert ("vendors/demo_sms.yaml", line, rule) in found(folder)


def test_a_campaign_that_does_not_give_what_its_vendor_writes_is_found(folder: Path) -> None:
    (folder / "vendors/demo_sms.yaml").write_text(
        SMS + "role: entrusted\ncontact_type: phone\ncolumns:\n  - {header: p, source: contact}\n"
        '  - {header: n, source: "variable:nick"}\n', encoding="utf-8",
    )  # fmt: skip
    assert ("campaigns/winback_sms.yaml", 9, "vendor_fits") in found(folder)


def test_ids_of_tags_are_held_against_the_tags_that_are_kept_in_step(folder: Path) -> None:
    """Every tier has an id, a misspelt one and one of another column are told; of an open column nothing is known."""
    path, sound = folder / "campaigns/winback_sms.yaml", (folder / "campaigns/winback_sms.yaml").read_text("utf-8")
    codes = ["none", *(tier.code for tier in load_policy(folder).tiers.tiers)]
    whole = {f"tier_{code}": f"et{code}" for code in codes} | {"preferred_brand_青禾": "etB"}
    for ids, told in (
        (whole, []),
        ({name: value for name, value in whole.items() if name != "tier_none"}, ["no id of tier_none"]),
        (whole | {"tier_gould": "etG", "stage_active": "etS"}, ["stage_active, tier_gould is no tag of tier"]),
    ):
        written = f"tag_sync: [tier, preferred_brand]\ntag_ids: {json.dumps(ids, ensure_ascii=False)}\n"
        path.write_text(sound + written, encoding="utf-8")
        findings = [one for one in check_folder(folder) if one.rule == "tag_ids"]
        assert [one.severity for one in findings] == ["warning"] * len(told)
        assert all(words in one.found for words, one in zip(told, findings, strict=True)), findings


def test_a_text_that_the_vendor_refuses_is_found_at_its_campaign(folder: Path) -> None:
    (folder / "vendors/demo_sms.yaml").write_text(
        f"preset: aliyun_sms\n{SMS}sms: {{signature: 青禾}}\n", encoding="utf-8"
    )
    path = folder / "campaigns/winback_sms.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "text: '{tier}会员您好'\n", encoding="utf-8")
    (finding,) = check_folder(folder)
    assert finding.place.file == "campaigns/winback_sms.yaml"
    assert "ends with its opt-out" in finding.found


def test_the_command_lists_every_profile_and_leaves_with_the_code_of_a_bad_policy(folder: Path) -> None:
    listed = CliRunner().invoke(app, ["vendors", "list", "--json"])
    assert all(f'"{name}"' in listed.output for name in names("vendors"))
    assert CliRunner().invoke(app, ["vendors", "check", str(folder)]).exit_code == 0
    (folder / "vendors/demo_sms.yaml").write_text("code: demo_sms\n", encoding="utf-8")
    assert CliRunner().invoke(app, ["vendors", "check", str(folder), "--json"]).exit_code == 4

"""Each slip that an operator can make is found, at its file and line; sound policies have none."""

import shutil
from pathlib import Path

import pytest

from tasks.policy.lint.check import check_folder
from tests.unit.transforms.builders import ROOT

SOUND = ROOT / "infra/demo/complete_journey/policy"
TAG = '- {{code: {code}, label: {{zh: 一, en: One}}, meaning: {{zh: 一, en: One}}, when: "{when}"}}\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SOUND, tmp_path / "policy"))


def found(folder: Path) -> list[tuple[str, int, str]]:
    return [(one.place.file, one.place.line, one.rule) for one in check_folder(folder)]


@pytest.mark.parametrize("brand", ["complete_journey", "demo_cn", "who_is_who"])
def test_the_demo_brands_are_sound(brand: str):
    assert check_folder(ROOT / f"infra/demo/{brand}/policy") == ()


@pytest.mark.parametrize(
    ("when", "rule"),
    [
        ("monetary_fen > 500", "units"),
        ("coupon_rate >= 30", "units"),
        ("m_score = 6", "reachable"),
        ("r_score > 5", "reachable"),
        ("days_since_order > 60 AND days_since_order <= 60", "reachable"),
        ("recency_days BETWEEN 30 AND 20", "reachable"),
        ("stage = 'slient'", "unknown_code"),
        ("segment IN ('loyal', 'champion')", "unknown_code"),
        ("tier = 'platinum'", "unknown_code"),
        ("frequncy > 2", "condition"),
        ("frequency > ", "condition"),
    ],
)
def test_a_doubtful_condition_is_found_where_it_stands(folder: Path, when: str, rule: str):
    (folder / "tags.yaml").write_text(
        "# the brand's own\n" + TAG.format(code="first", when="frequency > 2") + TAG.format(code="second", when=when),
        encoding="utf-8",
    )
    shutil.rmtree(folder / "campaigns")
    assert found(folder) == [("tags.yaml", 3, rule)]


@pytest.mark.parametrize(
    "when", ["monetary_fen > 50000", "stage = 'silent' OR days_since_order > 90", "coupon_rate >= 0.3", "m_score = 5"]
)
def test_a_sound_condition_is_left_alone(folder: Path, when: str):
    (folder / "tags.yaml").write_text(TAG.format(code="first", when=when), encoding="utf-8")
    shutil.rmtree(folder / "campaigns")
    assert found(folder) == []


def test_two_tags_with_one_rule_are_one(folder: Path):
    both = TAG.format(code="one", when="frequency>2") + TAG.format(code="two", when="frequency  >  2")
    (folder / "tags.yaml").write_text(both, encoding="utf-8")
    shutil.rmtree(folder / "campaigns")
    assert found(folder) == [("tags.yaml", 2, "one_condition")]


TIERS = """qualify_window_days: 365
tiers:
  - {code: base, label: {zh: 普通, en: Base}, up_fen: 0, keep_fen: 0}
  - code: silver
    label: {zh: 白银, en: Silver}
    up_fen: %d
    keep_fen: %d
"""


def test_a_threshold_in_yuan_is_doubted(folder: Path):
    (folder / "tiers.yaml").write_text(TIERS % (500, 400), encoding="utf-8")
    assert found(folder)[:2] == [("tiers.yaml", 6, "units"), ("tiers.yaml", 7, "units")]


def test_a_tier_that_is_harder_to_keep_than_to_reach_is_refused(folder: Path):
    (folder / "tiers.yaml").write_text(TIERS % (50000, 60000), encoding="utf-8")
    assert next(one for one in found(folder) if one[0] == "tiers.yaml")[2] == "field"


def test_a_field_that_nobody_knows_is_found_at_its_line(folder: Path):
    (folder / "tiers.yaml").write_text(TIERS % (50000, 40000) + "    keep_fe: 3\n", encoding="utf-8")
    assert found(folder) == [("tiers.yaml", 8, "field")]


def test_a_segment_below_another_that_takes_it_all_is_never_reached(folder: Path):
    text = (ROOT / "tasks/policy/defaults/segments.yaml").read_text(encoding="utf-8")
    lines = text.splitlines()
    place = next(number for number, line in enumerate(lines) if "code: loyal" in line)
    lines.insert(place + 1, lines[place].replace("code: loyal", "code: loyal_too"))
    (folder / "segments.yaml").write_text("\n".join(lines), encoding="utf-8")
    assert found(folder) == [("segments.yaml", place + 2, "one_condition"), ("segments.yaml", place + 2, "reachable")]


def test_a_gap_in_the_map_is_found(folder: Path):
    text = (ROOT / "tasks/policy/defaults/segments.yaml").read_text(encoding="utf-8")
    kept = [line for line in text.splitlines() if "code: lost," not in line]
    (folder / "segments.yaml").write_text("\n".join(kept), encoding="utf-8")
    assert ("segments.yaml", 2, "complete") in found(folder)


def test_what_is_no_yaml_is_told_with_its_line_and_alone(folder: Path):
    (folder / "rfm.yaml").write_text("window_days: 365\nlevels: [5\n", encoding="utf-8")
    assert [(name, rule) for name, _, rule in found(folder)] == [("rfm.yaml", "readable")]


def test_a_file_that_nothing_reads_is_told(folder: Path):
    (folder / "tier.yaml").write_text("tiers: []\n", encoding="utf-8")
    assert found(folder) == [("tier.yaml", 0, "read_by_nobody")]


def test_what_a_default_says_is_named_as_the_default(folder: Path):
    (folder / "rfm.yaml").write_text("levels: 3\n", encoding="utf-8")
    assert ("defaults/tags.yaml", "reachable") in {(name, rule) for name, _, rule in found(folder)}

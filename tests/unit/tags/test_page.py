"""What docs/tags.md shows is a policy that holds, and its list is an export that is read."""

import re
from pathlib import Path

import pytest
import yaml

from tasks.policy.tag_graph import check_tags
from tasks.policy.tags import Tag
from tasks.sources.layouts import Layout
from tasks.sources.read import read_export
from tests.support.source import ROOT
from tests.unit.sources.reading import context, spill
from tests.unit.transforms import builders

PAGE = (ROOT / "docs/tags.md").read_text(encoding="utf-8")
BLOCKS = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)]
TAGS = [Tag.model_validate(entry) for block in BLOCKS if isinstance(block, list) for entry in block]


def test_the_tags_of_the_page_hold_beside_the_default_ones():
    defaults = builders.demo_policy().tags
    assert not {tag.code for tag in defaults} & {tag.code for tag in TAGS}
    check_tags([*defaults, *TAGS], "page")


@pytest.mark.parametrize("form", ["when", "window", "top", "imported"])
def test_the_page_shows_the_forms(form: str):
    assert form in {tag.form for tag in TAGS}


def test_the_list_of_the_page_is_read_into_profiles(tmp_path: Path):
    (layout,) = (Layout.model_validate(block) for block in BLOCKS if isinstance(block, dict))
    path = tmp_path / "gold_club.csv"
    path.write_text("phone,tags\n13800000101,gold;early\n13900000202,\n", encoding="utf-8")
    export = read_export(path, context(path, shops={"gold_club": "main"}), spill(), [layout])
    told = export.frame("members").sort("row_number").select("channel", "member_key", "source_tags").rows()
    assert told == [
        ("gold_club", "phone::<13800000101>", "gold|early"), ("gold_club", "phone::<13900000202>", None),
    ]  # fmt: skip

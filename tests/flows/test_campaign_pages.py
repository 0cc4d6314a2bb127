"""docs/campaigns.md and docs/vendor-day.md as a CRM operator follows them: every command on the pages is run."""

import re
import shutil
from pathlib import Path

import pytest
import yaml

from tests.support.followed import ended
from tests.support.source import ROOT
from tests.support.winback import Brand, copy_policy

pytestmark = [pytest.mark.slow, pytest.mark.acceptance]
PAGES = ("campaigns.md", "vendor-day.md")
SHOWN = re.compile(r"(?:`|^ *)strata ([a-z-]+(?: (?:list|show|check))?)", re.MULTILINE)
DAY = ("--send-on", "2018-01-01")
NOW = ("--known-as-of", "2018-01-01")
CLICK = "send_id,recipient,clicked_at\ndemo_sms/winback_sms/2018-01-01,15400000033,2018-01-01 12:00:00\n"


def walk(policy: str, clicks: str) -> list[list[str]]:
    """The commands in the order of the pages, told which day it is."""
    own = ("--policy", policy)
    today = (*DAY, "--today", "2018-01-01", *NOW, *own)
    return [
        ["policy", "check", policy],
        ["audiences", "list", *own],
        ["audiences", "show", "silent_vips", *DAY, *own],
        ["plan", *DAY, *NOW, *own],
        ["campaign", "winback_sms", *today, "--dry-run"],
        ["send-due", *today],
        ["approve", "winback_sms", *DAY],
        ["campaign", "winback_sms", *today],
        ["triggers", "--at", "2018-01-01T15:00:00-05:00", "--today", "2018-01-01", *own, "--dry-run"],
        ["ingest", clicks, "--shop", "main", *own],
        ["sends", *DAY],
        ["sends", *DAY, "--by-adviser"],
        ["cancel", "winback_sms", *DAY],
        ["master", "--as-of", "2017-12-31"],
    ]


def shown() -> set[str]:
    """Every command that the pages name."""
    return {words for page in PAGES for words in SHOWN.findall((ROOT / "docs" / page).read_text(encoding="utf-8"))}


def test_every_command_of_the_pages_is_walked() -> None:
    walked = {" ".join(words) for command in walk("", "") for words in (command[:1], command[:2])}
    assert shown() - walked == set()


def test_the_pages_are_followed(founded: Brand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The plays are copied over the brand's policy, as the page begins; a campaign waits for a yes and gets it."""
    policy = copy_policy(tmp_path / "policy", winback_sms={"hold": True})
    shutil.copytree(ROOT / "infra/plays", policy, dirs_exist_ok=True)
    for play in (policy / "campaigns").glob("*.yaml"):
        told = yaml.safe_load(play.read_text(encoding="utf-8"))
        if told["code"] not in {"winback_sms", "winback_vips", "cart_left"}:
            play.unlink()
    brand = founded.copy(tmp_path / "brand").under(policy)
    monkeypatch.setenv("STRATA_LAKE", brand.uri)
    monkeypatch.setenv("STRATA_SCRATCH", str(tmp_path / "scratch"))
    clicks = tmp_path / "clicks.csv"
    clicks.write_text(CLICK, encoding="utf-8")
    ends = {" ".join(command[:2]): ended(command) for command in walk(str(policy), str(clicks))}
    assert {command: code for command, code in ends.items() if code} == {"send-due --send-on": 4}, "held for a yes"
    assert (brand.folder / "lake/outbox/demo_sms/INDEX.json").exists()
    assert list((brand.folder / "lake/outbox/master").glob("*/whole-*/_SUCCESS"))

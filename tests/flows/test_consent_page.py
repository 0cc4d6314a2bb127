"""docs/consent.md is followed to the letter: its files written, its commands run, and what they say is what it says."""

import json

import polars as pl
import pytest

from flows.consenting import take_down
from tasks.errors import ConfigurationError
from tests.support.followed import Followed, ended
from tests.support.leaks import leaks_in

pytestmark = pytest.mark.acceptance

NUMBERS = ("13800000101", "13900000202", "ann@example.com")


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Followed:
    """The whole page, followed once."""
    lists = ("exports/club.csv", "lists/consents.csv", "receipts/replies.json")
    return Followed(tmp_path_factory.mktemp("tea_house"), lists).follow("consent.md")


def answers(followed: Followed, words: str) -> list[str]:
    """What the commands that begin so said, blanks made one."""
    return [" ".join(said.split()) for said in followed.answers(words)]


def test_a_ledger_says_what_held_when_and_why(followed: Followed):
    now, before, after_import, after_reply = answers(followed, "consent show member:club:1")
    assert "sms marketing granted 2025-03-01 02:00 – the contact itself said yes" in now
    assert "granted" not in before
    assert "* profiling withdrawn 2025-05-02 01:00" in after_import
    assert "letter 9; by wu" in after_import
    assert "sms marketing withdrawn 2025-06-02 02:00 – the latest word is no" in after_reply


def test_a_shared_telephone_is_closed_by_either(followed: Followed):
    (second,) = answers(followed, "consent show member:club:2")
    assert "sms marketing withdrawn" in second.split("ledger")[0]


def test_a_dry_run_writes_nothing_and_a_no_is_taken_down_on_its_key(followed: Followed):
    rehearsed, done = answers(followed, "consent withdraw")
    assert "dry run: nothing was written" in rehearsed
    assert "outcome: accepted" in done
    own = rows(followed).filter(pl.col("evidence") == "call 4711; by lin")
    assert own.select("touch_channel", "purpose", "decision").rows() == [("*", "*", "withdrawn")]


def test_a_yes_opens_nothing_that_stays_closed(followed: Followed):
    granted = answers(followed, "consent grant")[0]
    assert "a no to everything; only a later yes to everything lifts it" in granted


def test_the_same_replies_twice_are_one_word(followed: Followed):
    assert rows(followed).filter(pl.col("channel") == "aliyun").height == 1


def test_what_goes_out_holds_pseudonyms_and_comes_in_again(followed: Followed):
    everything = pl.read_csv(followed.folder / "consents.csv", infer_schema=False)
    assert everything.height == rows(followed).height
    assert everything["key"].str.contains(r"^[a-z_]+:[^:]*:[0-9a-f]{64}$").all()
    of_april = json.loads((followed.folder / "consents.json").read_text(encoding="utf-8"))
    assert {row["decision"] for row in of_april} == {"granted"}
    assert [row["stands"] for row in of_april].count(True) == 2  # of the two words about one telephone the later one
    assert ended(["consent", "import", str(followed.folder / "consents.csv"), "--dry-run", "--lake",
                  str(followed.folder / "lake")]) == 0  # fmt: skip


def test_a_no_of_a_customer_is_kept_on_every_key(followed: Followed):
    lake = str(followed.folder / "lake")
    identities = followed.brand.rows("identities")
    one_id = identities["one_id"].min()
    told = take_down("withdrawn", str(one_id), evidence="call", dry_run=True, uri=lake)
    assert told["subjects"] == identities.filter(one_id=one_id)["key"].unique().sort().to_list()
    with pytest.raises(ConfigurationError, match="an id says nothing"):
        take_down("granted", str(one_id), evidence="form", dry_run=True, uri=lake)


def test_in_clear_only_in_a_role_and_on_the_record(followed: Followed):
    clear = pl.read_csv(followed.folder / "clear.csv", infer_schema=False)
    assert {*clear["contact"].drop_nulls()} == {"13800000101", "13900000202"}
    (log,) = answers(followed, "access-log")
    assert "privacy_officer" in log
    assert "list of consents" in log


def test_no_number_is_said_or_kept_in_clear(followed: Followed):
    assert not [number for _, said in followed.said for number in NUMBERS if number in said]
    assert leaks_in(followed.folder / "lake", NUMBERS) == {}


def rows(followed: Followed) -> pl.DataFrame:
    return followed.brand.rows("consents")

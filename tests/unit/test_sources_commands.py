"""`strata sources list`, `check` and `new`: what they show, that they show nobody, and that they write nothing."""

import gzip
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows.checking import Look, check_file
from flows.scaffold import scaffold
from flows.sources import list_layouts, new_layout
from tasks.errors import BadFileError, BadPolicyError, ConfigurationError
from tasks.sources.layouts import Layout
from tests.unit.sources.reading import SAMPLES

YOUZAN = SAMPLES / "youzan_orders_20260601.csv"
PEOPLE = ("林小彤", "赵一鸣", "13800000101", "13900000202", "136****0404", "样例街道", "麻烦周末送", "E2026")


@pytest.fixture(autouse=True)
def _no_brand(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """No policy and no lake but those that a test names."""
    monkeypatch.setenv("STRATA_LAKE", str(tmp_path / "no-lake"))
    monkeypatch.delenv("STRATA_POLICY", raising=False)


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    scaffold(tmp_path / "policy", "qinghe")
    brand = tmp_path / "policy" / "brand.yaml"
    brand.write_text(brand.read_text(encoding="utf-8").replace("shops: {}", "shops: {youzan: mall}"), encoding="utf-8")
    return tmp_path / "policy"


def check(path: Path, **look: Any) -> dict[str, Any]:
    (told,) = check_file(path, Look(**look))
    return told


def damaged(folder: Path, **cells: str) -> Path:
    """The sample with some cells of its first row replaced."""
    header, first, *rest = YOUZAN.read_text(encoding="utf-8-sig").splitlines()
    row = first.split(",")
    for name, text in cells.items():
        row[header.split(",").index(name)] = text
    path = folder / "orders.csv"
    path.write_text("\n".join([header, ",".join(row), *rest]) + "\n", encoding="utf-8")
    return path


def test_every_layout_is_listed_with_its_state():
    rows = {row["layout"]: row for row in list_layouts()}
    assert rows["youzan_orders"]["state"] == "verified"
    assert rows["youzan_orders"]["headers"] == 60
    assert {row["state"] for row in rows.values()} <= {"verified", "template"}


def test_the_brands_own_layouts_are_listed_as_such(policy: Path):
    own = {"name": "till", "channel": "pos", "about": "a till", "grain": "product",
           "columns": {"product_id": {"header": "SKU"}}}  # fmt: skip
    (policy / "layouts" / "till.yaml").write_text(yaml.safe_dump(own), encoding="utf-8")
    rows = {row["layout"]: row["state"] for row in list_layouts(str(policy))}
    assert (rows["till"], rows["youzan_orders"]) == ("brand's own", "verified")


def test_a_layout_that_is_not_sound_is_named_before_any_file_is_read(policy: Path):
    (policy / "layouts" / "till.yaml").write_text("name: till\ngrain: row\n", encoding="utf-8")
    with pytest.raises(BadPolicyError, match=r"layouts/till\.yaml"):
        check_file(YOUZAN, Look(policy=str(policy)))


def test_a_sound_file_is_accounted_for(policy: Path):
    told = check(YOUZAN, policy=str(policy))
    assert (told["outcome"], told["format"], told["encoding"], told["columns"]) == ("accepted", "csv", "utf-8", 60)
    assert told["layout"] == "youzan_orders (strata), 60 headers known"
    assert {"column": "order_id", "header": "订单号", "read_as": "id"} in told["mapped"]
    assert (told["unmapped"], told["missing"], told["problems"]) == ([], [], [])
    assert told["shop"] == "youzan/mall"
    assert told["account"][:3] == [
        {"what": "read", "rows": 6, "money_fen": 225_190}, {"what": "good", "rows": 6, "money_fen": 225_190},
        {"what": "refused", "rows": 0, "money_fen": 0},
    ]  # fmt: skip


@pytest.mark.parametrize("name", sorted(path.name for path in SAMPLES.iterdir() if path.suffix != ".md"))
def test_no_sample_shows_anybody(name: str):
    shown = json.dumps(check_file(SAMPLES / name, Look(shop="shop")), ensure_ascii=False, default=str)
    assert [person for person in PEOPLE if person in shown] == []


def test_without_a_shop_everything_is_shown_and_the_file_would_be_refused():
    told = check(YOUZAN)
    assert (told["outcome"], told["account"][0]["rows"]) == ("refused", 6)
    assert told["found"] == "nothing says which shop of youzan this is"


def test_problems_are_counted_explained_and_masked(tmp_path: Path):
    told = check(damaged(tmp_path, 订单创建时间="昨天13800000101", 归属店铺="x"), shop="mall")
    assert told["problems"] == [{
        "rule": "ordered_at_unreadable", "rows": 1, "first_row": 1, "example": "xxxxxxxxxxxxx",
        "means": "The text in `ordered_at` cannot be read as what the layout says.",
    }]  # fmt: skip
    assert told["outcome"] == "refused"
    assert told["found"] == "1 of 6 rows are refused"


def test_a_file_that_no_layout_knows_says_what_comes_nearest(tmp_path: Path):
    path = tmp_path / "x.csv"
    path.write_text("订单号,订单状态\n1,完成\n", encoding="utf-8")
    told = check(path)
    assert (told["outcome"], told["columns"]) == ("refused", 2)
    assert "looks like" in told["found"]


def test_every_member_of_an_archive_has_its_account(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "may.zip", "w") as archive:
        archive.write(YOUZAN, "orders.csv")
        archive.writestr("note.csv", "x\n1\n")
    told = check_file(tmp_path / "may.zip", Look(shop="mall"))
    assert [(one["file"], one["outcome"]) for one in told] == [
        ("may.zip/orders.csv", "accepted"), ("may.zip/note.csv", "refused"),
    ]  # fmt: skip


def test_a_gzipped_file_is_drafted_like_a_plain_one(tmp_path: Path):
    packed = tmp_path / "till.csv.gz"
    packed.write_bytes(gzip.compress(b"Order ID,Date,Total\n1,2026-05-01 10:00:00,3.00\n", mtime=0))
    layout = Layout.model_validate(yaml.safe_load(new_layout(packed, name="till")))
    assert (layout.name, layout.grain, sorted(layout.columns)) == (
        "till",
        "order",
        ["order_id", "ordered_at", "paid_at", "paid_fen"],
    )


@pytest.mark.parametrize(
    ("file", "name"),
    [("Till-Export 2026.csv", "till_export_2026"), ("订单.csv", "layout"), ("2026.csv", "layout_2026")],
)
def test_a_draft_is_named_after_its_file(tmp_path: Path, file: str, name: str):
    (tmp_path / file).write_text("Order ID,Total\n1,3.00\n", encoding="utf-8")
    assert yaml.safe_load(new_layout(tmp_path / file))["name"] == name


def test_a_draft_overwrites_nothing(tmp_path: Path):
    out = tmp_path / "till.yaml"
    out.write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="is there already"):
        new_layout(YOUZAN, out=out)
    assert out.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(("content", "found"), [(b"", "empty"), (b"a,b\n", "no rows"), (b"PK\x03\x04", "x.csv")])
def test_what_cannot_be_drafted_says_why(tmp_path: Path, content: bytes, found: str):
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    with pytest.raises(BadFileError, match=found):
        new_layout(path)


def test_looking_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STRATA_SCRATCH", str(tmp_path / "scratch"))
    check_file(YOUZAN, Look(shop="mall"))
    new_layout(YOUZAN)
    assert list((tmp_path / "scratch").iterdir()) == []
    assert not (tmp_path / "no-lake").exists()


def test_the_brands_categories_hold_where_a_file_is_checked(policy: Path):
    path = SAMPLES / "douyin_orders_1791430000.csv"
    assert "products" not in check(path, policy=str(policy), shop="dy")["feeds"]
    with (policy / "brand.yaml").open("a", encoding="utf-8") as brand:
        brand.write('\ncategories: [{match: ".", category: 家居}]\n')
    assert check(path, policy=str(policy), shop="dy")["feeds"]["products"] > 0

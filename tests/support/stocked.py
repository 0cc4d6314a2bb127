"""The small brand of the win-back with a pool of sixty coupon codes, and where each code went."""

import csv
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from tests.support.winback import SEND_ON, Brand, copy_policy

CODES = tuple(f"SPRING-{n:04}-QXZ" for n in range(60))


def pool_file(path: Path, codes: Iterable[str], pool: str = "spring") -> Path:
    """A file of codes as a shop exports them."""
    path.write_text("pool,code,face_value\n" + "".join(f"{pool},{code},20\n" for code in codes))
    return path


def stocked_brand(folder: Path) -> Brand:
    """The brand with the pool taken in, before any send."""
    brand = Brand.found(folder)
    brand.take_in(pool_file(brand.folder / "codes.csv", CODES), "2018-01-01T06:30:00-05:00")
    return brand


def coupon_policy(folder: Path, pool: Any = "spring", **vendor: Any) -> Path:
    """The policy of the brand, its win-back with a code for each person in the column `code`; more of the vendor's."""
    policy = copy_policy(folder, winback_sms={"coupon_pool": pool})
    path = policy / "vendors" / "demo_sms.yaml"
    told = yaml.safe_load(path.read_text(encoding="utf-8"))
    told["columns"].append({"header": "code", "source": "variable:coupon"})
    path.write_text(yaml.safe_dump(told | vendor, allow_unicode=True), encoding="utf-8")
    return policy


def codes_sent(brand: Brand, day: date = SEND_ON) -> dict[str, str]:
    """Phone to code in all parts of a day's send; a phone that stands twice fails."""
    folder = Path(brand.uri) / "outbox" / "demo_sms" / "winback_sms" / str(day)
    rows = [
        (row["phone"], row["code"])
        for path in sorted(folder.glob("rev-*/part-*.csv"))
        for row in csv.DictReader(path.open(encoding="utf-8", newline=""))
    ]
    assert len(dict(rows)) == len(rows)
    return dict(rows)

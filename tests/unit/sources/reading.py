"""Read export files in tests: pseudonyms that can be read, so that expected keys can be written out."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any

import polars as pl

from tasks.sources.cells import read_cells
from tasks.sources.layouts import Cell
from tasks.sources.read import Export, ReadContext, read_export

SAMPLES = Path(__file__).parents[2] / "samples"
SHOPS = {
    "taobao": "qinghe_tmall", "youzan": "qinghe_mall", "wecom": "qinghe", "complete_journey": "main", "jd": "qinghe_jd",
    "douyin": "qinghe_dy", "pdd": "qinghe_pdd", "wechat_shop": "qinghe_wx", "kuaishou": "qinghe_ks",
    "xiaohongshu": "qinghe_xhs", "weimob": "qinghe_wm", "pos_cn": "west_lake", "shopify": "qinghe_us",
    "woocommerce": "qinghe_woo", "square": "qinghe_sq", "magento": "qinghe_mag", "sensors": "qinghe_mall",
    "segment": "qinghe_mall", "ga4": "qinghe_mall", "growingio": "qinghe_mall", "aliyun": "main", "jpush": "main",
}  # fmt: skip
RECEIVED = datetime(2026, 6, 3, tzinfo=UTC)
SPILLS = TemporaryDirectory(prefix="strata-spills-")
"""Where the rows of exports that tests read lie until the tests are over."""


def legible(_key_type: str, _key_scope: str, value: pl.Expr) -> pl.Expr:
    """Stand where the vault's HMAC stands, without hiding anything."""
    return pl.format("<{}>", value)


def context(path: Path, **changes: Any) -> ReadContext:
    """What is known of a file by default: received on 3 June 2026 by a brand in Shanghai."""
    known: dict[str, Any] = {
        "file_sha256": hashlib.sha256(path.read_bytes() if path.is_file() else b"").hexdigest(),
        "name": path.name,
        "received_at": RECEIVED,
        "file_month": "2026-06",
        "zone": "Asia/Shanghai",
        "currency": "CNY",
        "pseudonymise": legible,
        "shops": SHOPS,
        "seal": lambda contacts: contacts,
    }
    return ReadContext(**known | changes)


def spill() -> Path:
    """A folder of its own for the rows of one file."""
    return Path(mkdtemp(dir=SPILLS.name))


def read_sample(name: str, **changes: Any) -> Export:
    return read_export(SAMPLES / name, context(SAMPLES / name, **changes), spill())


def read_bytes(folder: Path, content: bytes | str, name: str = "export.csv", **changes: Any) -> Export:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_export(path, context(path, **changes), spill())


def read_one(text: str | None, zone: str = "Asia/Shanghai", **cell: Any) -> tuple[Any, str | None]:
    """Value and fault of one cell."""
    read = read_cells(pl.Series([text], dtype=pl.String), Cell(header="x", **cell), zone)
    return read["value"].to_list()[0], read["fault"][0]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def frames(export: Export) -> dict[str, pl.DataFrame]:
    """All tables of an export."""
    return {name: export.frame(name) for name in export.tables}


def balance(export: Export) -> tuple[int, int]:
    """Rows and fen that are in neither of the two places in which they must be; both are 0 when all is well.

    A row that is no event stands in the sightings alone.
    """
    places = [export.primary, *({"sightings"} & {*export.tables})]
    rows_kept = [export.frame(place).select("row_number", "row_money_fen") for place in places]
    kept = pl.concat(rows_kept).unique("row_number", keep="first", maintain_order=True)
    rows = export.rows_read - kept.height - export.rows_refused
    money = export.money_read_fen - int(kept["row_money_fen"].sum() or 0) - export.money_refused_fen
    return rows, money


def rules(export: Export) -> dict[str, int]:
    """Rule to number of refused rows."""
    return dict(export.frame("quarantine").group_by("rule").len().sort("rule").iter_rows())

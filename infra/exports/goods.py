"""The invented shop's products and their prices."""

import polars as pl

from infra.exports.draw import ROW, draw, pick

_WHAT = ("竹纤维四件套", "棉麻抱枕套", "香薰蜡烛", "亚麻窗帘", "羊毛地毯", "陶瓷花瓶", "藤编收纳篮", "全棉浴巾")
_COLOURS = ("燕麦色", "米白", "雾蓝", "松绿", "白茶")
_CATEGORIES = ("床品", "软装", "香氛", "窗帘", "地毯", "器皿", "收纳", "卫浴")
COUNT = len(_WHAT) * len(_COLOURS)


def invent_products() -> pl.DataFrame:
    """One row per product, numbered from 0: id, name, options, brand, category, department, price in fen.

    Prices are whole yuan, so that discounts in whole percent are exact on every line.
    """
    kind = pl.col(ROW) // len(_COLOURS)
    what = kind.replace_strict(range(len(_WHAT)), list(_WHAT))
    return pl.DataFrame({ROW: pl.int_range(COUNT, eager=True)}).with_columns(
        product_id=pl.format("QH-{}-{}", kind.cast(pl.String).str.zfill(2), pl.col(ROW).cast(pl.String).str.zfill(3)),
        product_name=pl.concat_str(pl.lit("青禾"), what),
        options=pl.concat_str(pl.lit("颜色分类："), pick("colour", _COLOURS, pl.col(ROW) % len(_COLOURS))),
        category=kind.replace_strict(range(len(_WHAT)), list(_CATEGORIES)),
        brand=pl.lit("青禾"),
        department=pl.lit("家居"),
        price_fen=(draw("price", 300) + 10) * 100,
    )

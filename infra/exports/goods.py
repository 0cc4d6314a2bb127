"""What an invented shop sells: one assortment per trade, and its prices."""

from dataclasses import dataclass

import polars as pl

from infra.exports.draw import ROW, draw, pick


@dataclass(frozen=True)
class Assortment:
    """Eight kinds of product in five options each."""

    prefix: str
    """Of the product ids."""
    brand: str
    department: str
    what: tuple[str, ...]
    """Names of the kinds, without the brand."""
    categories: tuple[str, ...]
    """Category of each kind."""
    option: str
    options: tuple[str, ...]
    least_yuan: int = 10
    most_yuan: int = 310


HOME, BEAUTY, BABY, FRESH = "home", "beauty", "baby", "fresh"
ASSORTMENTS: dict[str, Assortment] = {
    HOME: Assortment(
        "QH", "青禾", "家居",
        ("竹纤维四件套", "棉麻抱枕套", "香薰蜡烛", "亚麻窗帘", "羊毛地毯", "陶瓷花瓶", "藤编收纳篮", "全棉浴巾"),
        ("床品", "软装", "香氛", "窗帘", "地毯", "器皿", "收纳", "卫浴"),
        "颜色分类", ("燕麦色", "米白", "雾蓝", "松绿", "白茶"),
    ),
    BEAUTY: Assortment(
        "LY", "岚月", "美妆",
        ("保湿精华", "修护面霜", "氨基酸洁面", "防晒乳", "丝绒口红", "轻透粉底", "舒缓面膜", "小样礼盒"),
        ("精华", "面霜", "洁面", "防晒", "口红", "粉底", "面膜", "礼盒"),
        "规格", ("30ml", "50ml", "正装", "替换装", "限定色"), 39, 420,
    ),
    BABY: Assortment(
        "BB", "贝小宝", "母婴",
        ("婴儿奶粉1段", "婴儿奶粉2段", "纸尿裤", "有机米粉", "宽口奶瓶", "婴儿湿巾", "连体衣", "断奶辅食泥"),
        ("奶粉", "奶粉", "纸尿裤", "辅食", "喂养", "洗护", "服饰", "辅食"),
        "规格", ("小包装", "标准装", "量贩装", "礼盒装", "试用装"), 19, 380,
    ),
    FRESH: Assortment(
        "XD", "鲜达", "生鲜",
        ("当季蓝莓", "进口车厘子", "有机蔬菜箱", "冰鲜三文鱼", "谷饲牛排", "散养鸡蛋", "鲜牛奶", "手工水饺"),
        ("水果", "水果", "蔬菜", "水产", "肉类", "蛋奶", "蛋奶", "速食"),
        "规格", ("单份", "双份", "家庭装", "早市特价", "次日达"), 8, 120,
    ),
}  # fmt: skip
COUNT = 40
"""Products of every assortment."""


def invent_products(goods: str = HOME) -> pl.DataFrame:
    """One row per product, numbered from 0: id, name, options, brand, category, department, price in fen.

    Prices are whole yuan, so that discounts in whole percent are exact on every line.
    """
    sold = ASSORTMENTS[goods]
    kind, kinds = pl.col(ROW) // len(sold.options), range(len(sold.what))
    number = pl.col(ROW).cast(pl.String).str.zfill(3)
    return pl.DataFrame({ROW: pl.int_range(COUNT, eager=True)}).with_columns(
        product_id=pl.format(f"{sold.prefix}-{{}}-{{}}", kind.cast(pl.String).str.zfill(2), number),
        product_name=pl.concat_str(pl.lit(sold.brand), kind.replace_strict(kinds, list(sold.what))),
        options=pl.concat_str(
            pl.lit(f"{sold.option}："), pick("colour", sold.options, pl.col(ROW) % len(sold.options))
        ),
        category=kind.replace_strict(kinds, list(sold.categories)),
        brand=pl.lit(sold.brand),
        department=pl.lit(sold.department),
        price_fen=(draw("price", sold.most_yuan - sold.least_yuan) + sold.least_yuan) * 100,
    )

"""Invented people: everything about a person is a function of their number, so every channel meets the same one."""

import polars as pl

from infra.exports.draw import ROW, chance, draw, pick

PHONE_PREFIX = "154"
"""Never given to a carrier, so no such number can ring."""
_FAMILY = tuple("林赵陈孙周吴郑王冯沈韩杨朱秦许何吕张孔曹")
_GIVEN = ("小彤", "一鸣", "样例", "小样", "思远", "若溪", "子涵", "雨桐", "浩然", "清禾", "晓晨", "文静")
_NICKS = ("林间小鹿", "样例用户", "青禾", "小样🌿", "sample_", "lin_", "云朵☁️", "tree")
_CITIES = (
    ("浙江省", "杭州市"), ("江苏省", "南京市"), ("广东省", "深圳市"), ("四川省", "成都市"), ("上海市", "上海市"),
    ("北京市", "北京市"), ("湖北省", "武汉市"), ("福建省", "厦门市"),
)  # fmt: skip
_BANDS = {
    "age_band": ("19-24", "25-34", "35-44", "45-54"), "income_band": ("Under 15K", "35-49K", "75-99K"),
    "home_ownership": ("Homeowner", "Renter"), "marital_status": ("Married", "Unmarried"),
    "household_size": ("1", "2", "3", "4", "5+"), "kids_count": ("0", "1", "2", "3+"),
    "gender": ("female", "male", "other"), "member_level": ("VIP1", "VIP2", "VIP3"),
    "source_tags": ("老客", "新客", "会员日", "直播间"),
}  # fmt: skip
_NUMBERED = {
    "unionid": "oSAMPLEunion{}", "external_userid": "wmSAMPLEAAAAAAAAAAAAAAAA{}", "member": "9{}",
    "email": "sample{}@example.com", "push_token": "sampletoken{}",
}  # fmt: skip
"""Key types with a shape of their own; any other is its type's name and the person's number."""


def invent_people(count: int, seed: str) -> pl.DataFrame:
    """One row per person, numbered from 0; null is what the person never told anyone."""
    people = pl.DataFrame({ROW: pl.int_range(count, eager=True)})
    place = draw(f"{seed}/place", len(_CITIES))
    bands = {name: _told(seed, name, pick(f"{seed}/{name}", codes)) for name, codes in _BANDS.items()}
    month = (draw(f"{seed}/birth", 12) + 1).cast(pl.String).str.zfill(2)
    return people.with_columns(
        name=pl.concat_str(pick(f"{seed}/family", _FAMILY), pick(f"{seed}/given", _GIVEN)),
        province=place.replace_strict(range(len(_CITIES)), [province for province, _ in _CITIES]),
        city=place.replace_strict(range(len(_CITIES)), [city for _, city in _CITIES]),
        birth_month=_told(seed, "birth", month),
        **bands,
    )


def _told(seed: str, what: str, answer: pl.Expr) -> pl.Expr:
    """Null for the one in five who did not answer."""
    return pl.when(~chance(f"{seed}/silent on {what}", 200)).then(answer)


def key_value(key_type: str, person: str | pl.Expr, seed: str) -> pl.Expr:
    """What a person's key of that type reads in plain text; null for an anonymous row."""
    number = (pl.col(person) if isinstance(person, str) else person).cast(pl.String)
    if key_type == "phone":
        return pl.concat_str(pl.lit(PHONE_PREFIX), number.str.zfill(8))
    if key_type == "nick":
        return pl.concat_str(pick(f"{seed}/nick", _NICKS, person), number.str.zfill(3))
    before, after = _NUMBERED.get(key_type, key_type + "-{}").split("{}")
    return pl.concat_str(pl.lit(before), number.str.zfill(8), pl.lit(after))

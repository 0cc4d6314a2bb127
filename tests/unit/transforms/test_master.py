"""The customer master: what it was, and what is told of changes, make what it is."""

from datetime import date

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.transforms.master import applied, changes, master
from tests.support.examples import examples

D0, D1 = date(2026, 5, 31), date(2026, 6, 30)
ONE = st.tuples(
    st.sampled_from(["gold", "silver"]), st.sampled_from(["new", "lost"]), st.booleans(),
    st.none() | st.integers(0, 2), st.none() | st.just(date(2026, 12, 31)),
)  # fmt: skip
PEOPLE = st.dictionaries(st.sampled_from([f"c_{n}" for n in range(8)]), ONE)


def at(day: date, people: dict[str, tuple[object, ...]]) -> pl.DataFrame:
    customers = [
        {"one_id": who, "as_of": day, "tier": tier, "segment": "s", "stage": stage, "tier_valid_until": until}
        for who, (tier, stage, _, _, until) in people.items()
    ]  # fmt: skip
    schema = {"one_id": pl.String, "as_of": pl.Date, "tier": pl.String, "segment": pl.String, "stage": pl.String,
              "tier_valid_until": pl.Date}  # fmt: skip
    kinds = pl.Schema({"vip": pl.Boolean(), "gifts": pl.Int64()})
    tags = [{"one_id": who, "vip": vip, "gifts": gifts} for who, (_, _, vip, gifts, _) in people.items()]
    return master(pl.LazyFrame(customers, schema), pl.LazyFrame(tags, {"one_id": pl.String, **kinds}), kinds)


def test_tags_stand_by_their_codes():
    told = at(D0, {"c_1": ("gold", "new", True, 2, None), "c_2": ("gold", "new", False, None, None)})
    assert told["tags"].to_list() == ["gifts=2|vip", ""]


@settings(max_examples=examples(60), deadline=None)
@given(PEOPLE, PEOPLE)
def test_the_master_and_its_changes_make_the_next_one(before, now):
    first, second = at(D0, before), at(D1, now)
    told = changes(first, second)
    assert applied(first, told, D1).equals(second)
    expected = dict.fromkeys(now.keys() - before.keys(), "added")
    expected |= dict.fromkeys(before.keys() - now.keys(), "removed")
    expected |= {who: "changed" for who in before.keys() & now.keys() if before[who] != now[who]}
    assert dict(told.select("one_id", "change").iter_rows()) == expected
    removed = told.filter(pl.col("change") == "removed")
    assert removed["tier"].null_count() == removed.height
    assert dict(removed.select("one_id", "old_tier").iter_rows()) == {
        who: before[who][0] for who in before.keys() - now.keys()
    }

"""What the commands about tags tell: the tags of a policy, one of them whole, where it comes from, what moved.

Values and counts are read from the lake; rules from the policy of the refresh that made them, or from a folder.
"""

import difflib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from expectations.tables import TABLES
from expectations.vocabulary import VOCABULARY
from flows.clock import month_end
from flows.naming import Register, register_of
from tasks.errors import ConfigurationError, MissingDataError
from tasks.policy.load import load_policy
from tasks.policy.tag_graph import PEOPLE, lineage, tags_behind
from tasks.policy.tag_words import rule_of
from tasks.policy.tags import Tag
from tasks.settings import Settings
from tasks.steps.house import lake_at, objects_at
from tasks.stores.policies import stored_policy
from tasks.transforms.lineage import aliases
from tasks.transforms.tags.carry import inherited_tags
from tasks.transforms.tags.changes import changes_of

Told = dict[str, Any]
MOST_VALUES = 30
"""Values of an open tag that `show` lists, the most frequent first."""


@dataclass(frozen=True)
class Shelf:
    """The tags of one policy, and the date at which they stand in the lake, if they do."""

    tags: dict[str, Tag]
    register: Register | None

    def tag(self, code: str) -> Tag:
        """The tag of that code.

        Raises:
            ConfigurationError: there is none; near names are told.
        """
        if code in self.tags:
            return self.tags[code]
        near = difflib.get_close_matches(code, self.tags, n=3)
        raise ConfigurationError(
            f"there is no tag {code}", expected="a tag of the policy",
            next_step=f"did you mean {', '.join(near)}?" if near else "see `strata tags list`",
        )  # fmt: skip

    def rows(self) -> pl.LazyFrame | None:
        """The tags of every customer of the date; None without a lake."""
        return None if self.register is None else _tags_at(self.register, self.register.day)


def shelf_of(uri: str = "", policy: str = "", as_of: date | None = None) -> Shelf:
    """The tags of a policy folder, or those that stand in the lake at a date, the newest when none is named."""
    if policy:
        return Shelf({tag.code: tag for tag in load_policy(Path(policy)).tags}, None)
    register = register_of(uri or Settings().lake, as_of)
    return Shelf(_declared(register), register)


def _declared(register: Register) -> dict[str, Tag]:
    """The tags of the policy under which the register's date was refreshed."""
    customers = register.lake.scan("customers", register.snapshot, partitions=[register.day])
    digest = customers.select(pl.col("policy_digest").first()).collect().item()
    return {tag.code: tag for tag in stored_policy(objects_at(register.uri), str(digest)).tags}


def _tags_at(register: Register, day: date) -> pl.LazyFrame:
    return register.lake.scan("tags", register.snapshot, partitions=[day])


def list_tags(shelf: Shelf) -> list[Told]:
    """One entry per tag, in the policy's order; with a lake, how many customers have it."""
    counts = _holders(shelf)
    return [
        {"tag": tag.code, "type": tag.type, "zh": tag.label.zh, "en": tag.label.en, "owner": tag.owner,
         **({} if counts is None else {"customers": counts[tag.code]}), "rule": rule_of(tag)}
        for tag in shelf.tags.values()
    ]  # fmt: skip


def _holders(shelf: Shelf) -> dict[str, int] | None:
    """How many customers have each tag: yes, or any value."""
    if (rows := shelf.rows()) is None:
        return None
    known = [tag for tag in shelf.tags.values() if tag.code in rows.collect_schema()]
    counts = rows.select(_has(tag).sum().alias(tag.code) for tag in known).collect().to_dicts()
    return dict.fromkeys(shelf.tags, 0) | (counts[0] if counts else {})


def _has(tag: Tag) -> pl.Expr:
    column = pl.col(tag.code)
    return column.fill_null(value=False) if tag.is_yes_or_no else column.is_not_null()


def show_tag(shelf: Shelf, code: str) -> Told:
    """Everything that is declared of one tag, and with a lake how many customers have which value."""
    tag = shelf.tag(code)
    told: Told = {
        "tag": tag.code, "type": tag.type, "owner": tag.owner, "label": tag.label.model_dump(),
        "meaning": tag.meaning.model_dump(), "rule": rule_of(tag), "values": _values_of(tag),
        "where_nothing_is_known": _null_policy(tag), "valid_days": tag.valid_days,
        "rests_on_tags": [each.code for each in tags_behind(tag, shelf.tags)],
        "rests_on_columns": [f"{read.table}.{read.column}" for read in lineage(tag, shelf.tags)],
        "read_by_tags": sorted(each.code for each in shelf.tags.values() if tag in tags_behind(each, shelf.tags)),
    }  # fmt: skip
    if (rows := shelf.rows()) is not None and shelf.register is not None:
        told |= {"as_of": shelf.register.day, "customers": _value_counts(rows, tag)}
    return told


def _values_of(tag: Tag) -> Any:
    if tag.codes:
        return [{"code": code, **label.model_dump()} for code, label in tag.codes.items()]
    return "yes or no" if tag.is_yes_or_no else "open"


def _null_policy(tag: Tag) -> str:
    if tag.when_null == "carry":
        return f"the last value, for {tag.valid_days} days after it was last confirmed"
    return "no" if tag.is_yes_or_no else "no value"


def _value_counts(rows: pl.LazyFrame, tag: Tag) -> list[Told]:
    if tag.code not in rows.collect_schema():
        return []
    counts = rows.group_by(value=pl.col(tag.code)).agg(customers=pl.len()).collect()
    return counts.sort("customers", "value", descending=[True, False]).head(MOST_VALUES).to_dicts()


def trace_tag(shelf: Shelf, code: str) -> Told:
    """From the tag down: the tags that it rests on, then every column with its table and meaning."""
    tag = shelf.tag(code)
    reads = list(lineage(tag, shelf.tags))
    return {
        "tag": tag.code,
        "rule": rule_of(tag),
        "through": [{"tag": each.code, "rule": rule_of(each)} for each in tags_behind(tag, shelf.tags)],
        "columns": [
            {"table": read.table, "column": read.column, "meaning": VOCABULARY[read.column].meaning} for read in reads
        ],
        "tables": [
            {"table": name, "one_row_is": TABLES[name].grain} for name in sorted({read.table for read in reads})
        ],
        "worked_out_from": sorted({name for read in reads if read.table in PEOPLE for name in MADE_FROM[read.table]}),
    }


MADE_FROM = {
    "customers": ("order_lines", "orders", "products", "refunds", "sightings"),
    "traits": ("events", "follows", "members", "order_lines", "orders", "products", "refunds", "touches"),
}
"""The canonical tables from which a refresh works out the tables that tags read."""


def diff_tags(month: str, uri: str = "", tag: str = "") -> Told:
    """What became of every tag between the last date of the month and the date before it, counted.

    Raises:
        MissingDataError: the lake has no customers in that month.
    """
    register = _register_of_month(month, uri)
    rows = register.lake.scan("tag_changes", register.snapshot, partitions=[register.day]).collect()
    shelf = Shelf(_declared(register), register)
    told = rows.filter(pl.col("tag") == shelf.tag(tag).code) if tag else rows
    changes = told.sort(
        "tag", "change", "customers", "from_value", "to_value", descending=[False, False, True, False, False]
    )
    return {
        "as_of": register.day,
        "from_as_of": rows["from_as_of"].first(),
        "changes": changes.drop("as_of", "from_as_of").to_dicts(),
    }


def diff_customer(month: str, who: str, uri: str = "") -> Told:
    """What became of one customer's tags between the last date of the month and the date before it."""
    register = _register_of_month(month, uri)
    one_id, earlier = register.person(who), _date_before(register)
    told: Told = {"one_id": one_id, "as_of": register.day, "from_as_of": earlier}
    if earlier is None:
        return told | {"changes": []}
    customers = register.lake.scan("customers", register.snapshot, partitions=[earlier])
    names = aliases(register.identities.lazy()).filter(pl.col("one_id") == one_id)
    before = inherited_tags(_tags_at(register, earlier), customers, names)
    now = _tags_at(register, register.day).filter(pl.col("one_id") == one_id)
    return told | {"changes": changes_of(before, now, _declared(register).values())}


def _register_of_month(month: str, uri: str) -> Register:
    """The register of the last date of a month for which customers stand."""
    lake = lake_at(uri or Settings().lake)
    end = month_end(month)
    days = lake.scan("customers", lake.snapshot()).select(pl.col("as_of").unique()).collect().to_series()
    inside = [day for day in days if end.replace(day=1) <= day <= end]
    if not inside:
        raise MissingDataError(
            f"the lake has no customers in {month}", expected="a month that was refreshed",
            next_step=f"run `strata refresh --as-of {end}`, or see `strata runs` for the dates that there are",
        )  # fmt: skip
    return register_of(uri or Settings().lake, max(inside))


def _date_before(register: Register) -> date | None:
    """The date of customers before the register's, if any."""
    days = register.lake.scan("customers", register.snapshot).select("as_of").filter(pl.col("as_of") < register.day)
    newest: date | None = days.select(pl.col("as_of").max()).collect().item()
    return newest

"""What each tag reads, in which order tags are worked out, and what they rest on in the end."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from expectations.tables import TABLES
from tasks.errors import BadPolicyError
from tasks.policy import conditions
from tasks.policy.ordering import in_levels_of
from tasks.policy.tags import ROWS, Tag

PEOPLE = ("customers", "traits")
"""The tables whose columns conditions read, one row per customer and date in each."""
KEYS = ("one_id", "as_of")
_PLACE_COLUMNS = {
    "event_names": (("events", "event_name"),),
    "services": (("events", "event"), ("events", "event_name")),
    "products": (("order_lines", "product_name"), ("products", "product_name")),
    "source_tags": (("members", "source_tags"), ("follows", "source_tags")),
}
_ROW_TABLES = {
    "orders": "orders", "lines": "order_lines", "events": "events",
}  # fmt: skip
_ELSEWHERE = {
    ("orders", "net_fen"): (("orders", "paid_fen"), ("refunds", "refund_fen")),
    ("orders", "refunded_fen"): (("refunds", "refund_fen"),),
    ("orders", "has_coupon"): (("orders", "coupon_fen"),),
    ("lines", "net_fen"): (("order_lines", "paid_fen"), ("orders", "paid_fen"), ("refunds", "refund_fen")),
    ("lines", "paid_on"): (("orders", "paid_on"),),
    ("lines", "brand"): (("products", "brand"),),
    ("lines", "category"): (("products", "category"),),
    ("lines", "department"): (("products", "department"),),
}
"""Columns of a window's rows that are made of others, or lie in another table."""


@dataclass(frozen=True)
class Read:
    """One column that a tag rests on."""

    table: str
    column: str


def people_columns() -> tuple[str, ...]:
    """The columns of a customer at a date that a condition may read, tags apart."""
    return tuple(dict.fromkeys(name for table in PEOPLE for name in TABLES[table].columns))


def condition_texts(tag: Tag) -> tuple[str, ...]:
    """The conditions of a tag over people's columns and tags."""
    ranked = (tag.top.by, tag.top.among) if tag.top else ()
    return tuple(text for text in (tag.when, tag.value, tag.measure, *ranked) if text is not None)


def names_read(tag: Tag) -> frozenset[str]:
    """The columns of people, and the tags, that a tag's conditions name."""
    return frozenset[str]().union(*(conditions.names_in(text) for text in condition_texts(tag)))


def tags_read(tag: Tag, tags: Mapping[str, Tag]) -> frozenset[str]:
    """Codes of the tags that a tag's conditions name, also by the column that says when one was confirmed."""
    names = names_read(tag)
    return frozenset(code for code, each in tags.items() if names & {code, each.confirmed_column})


def in_levels(tags: Iterable[Tag], where: str = "tags.yaml") -> tuple[tuple[Tag, ...], ...]:
    """The tags in as few levels as they allow: each reads tags of earlier levels alone. Within one, as declared.

    Raises:
        BadPolicyError: tags read each other in a circle; the message names the file and all of them.
    """
    named = {tag.code: tag for tag in tags}
    reads = {code: tags_read(tag, named) for code, tag in named.items()}
    levels = in_levels_of(reads, where=where, kind="tags", kinds="tags that rest on columns in the end")
    return tuple(tuple(named[code] for code in level) for level in levels)


def check_tags(tags: Iterable[Tag], where: str) -> None:
    """Parse every condition of every tag, and refuse circles and types that are not what they say.

    Raises:
        BadPolicyError: names the file and the tag.
    """
    tags = tuple(tags)
    own = [name for tag in tags for name in (tag.code, tag.confirmed_column) if name]
    known = (*people_columns(), *own)
    for tag in tags:
        at = f"{where}: tag {tag.code}"
        for text in condition_texts(tag):
            conditions.parse(text, known, where=at)
        if tag.window is not None and tag.window.where is not None:
            rows = tag.window.of
            conditions.parse(tag.window.where, ROWS[rows], where=f"{at}: window", of=f"a column of {rows}")
        _check_type(tag, frozenset(own), at)
    in_levels(tags, where)


def _check_type(tag: Tag, tags: frozenset[str], where: str) -> None:
    """A composite reads tags, a static tag reads profiles."""
    names = names_read(tag)
    if tag.type == "composite" and not names & tags:
        raise BadPolicyError(
            f"{where}: a composite that reads no tag", expected="a condition over other tags",
            next_step="name a tag in it, or leave the type out",
        )  # fmt: skip
    if tag.type != "composite" and tag.type in {"static", "model"} and names & tags:
        raise BadPolicyError(
            f"{where}: type {tag.type}, but it reads the tags {', '.join(sorted(names & tags))}",
            expected="columns alone", next_step="write `type: composite`",
        )  # fmt: skip


def lineage(tag: Tag, tags: Mapping[str, Tag]) -> Iterator[Read]:
    """Every column that a tag rests on, through other tags too, each once, in order of table and name."""
    found = {read for each in (tag, *tags_behind(tag, tags)) for read in _own_reads(each)}
    yield from sorted(found, key=lambda read: (read.table, read.column))


def tags_behind(tag: Tag, tags: Mapping[str, Tag]) -> tuple[Tag, ...]:
    """The tags that a tag rests on, directly or through others, in order of their codes."""
    found: dict[str, Tag] = {}
    waiting = [tag]
    while waiting:
        for code in tags_read(waiting.pop(), tags) - found.keys():
            found[code] = tags[code]
            waiting.append(tags[code])
    return tuple(found[code] for code in sorted(found))


def _own_reads(tag: Tag) -> Iterator[Read]:
    """What a tag reads itself: columns of people, or of the canonical tables."""
    for name in names_read(tag):
        yield from [Read(table, name) for table in PEOPLE if name in TABLES[table].columns][:1]
    if tag.window is not None:
        yield from _window_reads(tag)
    if tag.imported is not None:
        yield Read(tag.imported.table, "source_tags")
    for place in tag.keyword.places if tag.keyword else ():
        yield from (Read(*column) for column in _PLACE_COLUMNS[place])


def _window_reads(tag: Tag) -> Iterator[Read]:
    if (window := tag.window) is None:
        return
    day = "happened_on" if window.of == "events" else "paid_on"
    names = {day, *([window.column] if window.column else [])}
    names |= conditions.names_in(window.where) if window.where else frozenset()
    for name in names:
        origin = _ELSEWHERE.get((window.of, name), ((_ROW_TABLES[window.of], name),))
        yield from (Read(*column) for column in origin)

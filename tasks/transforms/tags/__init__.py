"""Tags: what the policy says of each customer, one column per tag, in the policy's order.

The engine works out what a tag rests on before the tag, whatever the order of declarations. What was seen (windows.py,
keywords.py, imported.py), what was carried and where the top begins are worked out once over everybody; then come as
few levels of expressions as the tags depend on, over all customers or a piece of them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce

import polars as pl

from tasks.policy.models import Policy
from tasks.policy.tag_graph import KEYS, in_levels, names_read
from tasks.policy.tags import Tag
from tasks.transforms.held import shrunk
from tasks.transforms.tags.carry import carried, confirmed_on, under_past
from tasks.transforms.tags.imported import imported_tags
from tasks.transforms.tags.keywords import keyword_tags
from tasks.transforms.tags.top import Cut, cuts_of
from tasks.transforms.tags.values import value_of
from tasks.transforms.tags.windows import window_tags
from tasks.transforms.traits.ground import Ground

_NUMBER = "_number"
Cuts = Mapping[str, Cut]


@dataclass(frozen=True)
class Tagging:
    """What tags are told from, over all customers."""

    tags: tuple[Tag, ...]
    evidence: tuple[pl.LazyFrame, ...]
    """What was seen of customers and what they carry, by number (one_id); each held."""
    has_past: bool
    """Whether the evidence says what was carried."""
    cuts: Cuts
    """Where the top begins, by the code of the tag."""

    def tell(self, people: pl.LazyFrame, first: int = 0) -> pl.LazyFrame:
        """The tags of `people`, customers who follow each other and of whom the first has this number."""
        columns = [name for tag in self.tags for name in (tag.code, tag.confirmed_column) if name]
        seen = self._with_evidence(people, first)
        tagged = reduce(lambda rows, level: _add_level(rows, level, self.cuts), in_levels(self.tags), seen)
        return tagged.select("one_id", "as_of", *columns)

    def _with_evidence(self, people: pl.LazyFrame, first: int) -> pl.LazyFrame:
        """People with the columns that some tag reads, what was seen of them, and what they carry; their order stays.

        What was seen is joined to the numbers of people alone, then laid beside the wide columns: a join would copy
        them.
        """
        read = frozenset(KEYS).union(*(names_read(tag) for tag in self.tags))
        known = people.select([name for name in people.collect_schema().names() if name in read])
        seen = reduce(_beside, self.evidence, _numbered(people, first))
        seen = seen if self.has_past else under_past(seen, None, self.tags)
        return pl.concat([known, seen.drop("one_id", _NUMBER)], how="horizontal")


def tag_customers(
    people: pl.LazyFrame, policy: Policy, ground: Ground | None = None, previous: pl.LazyFrame | None = None
) -> pl.LazyFrame:
    """One row per customer with one_id, as_of and a column per tag, and when each carried one was confirmed.

    A yes-or-no tag is true or false; where nothing is known it is false, because what is not known is not so. Any
    other tag is null there. A tag with `when_null: carry` keeps its last value instead, for as long as it is valid.
    A banded tag is the code of the highest band whose `at_least` the measure reaches, null below the lowest.
    Sorted by one_id.

    Args:
        people: customers of one date with their traits, sorted by one_id. Nothing here sorts them again: that would
            cost as much as the tags.
        policy: whose tags.
        ground: what window, imported and keyword tags look at, of the same customers.
        previous: the tags of the date before, under present ids (`carry.inherited_tags`).

    Raises:
        BadPolicyError: a condition cannot be read, names a column that does not exist, or tags read each other.
    """
    return tagging_of(people, policy, ground, previous).tell(people)


def tagging_of(
    people: pl.LazyFrame, policy: Policy, ground: Ground | None = None, previous: pl.LazyFrame | None = None
) -> Tagging:
    """What the tags of `people` are told from, worked out over all of them; arguments as of `tag_customers`."""
    tags, past = policy.tags, _past(people, previous, policy.tags)
    evidence = tuple(shrunk(rows) for rows in (*_evidence(tags, ground), *past))
    bare = Tagging(tags, evidence, bool(past), {})
    return replace(bare, cuts=_cuts(bare, people))


def _cuts(bare: Tagging, people: pl.LazyFrame) -> Cuts:
    """Where the top begins: level by level, for a measure may read tags of the levels before it."""
    found: dict[str, Cut] = {}
    rows = people
    for number, level in enumerate(in_levels(bare.tags)):
        if number == 1:
            rows = _add_level(bare._with_evidence(people, 0), in_levels(bare.tags)[0], found)  # noqa: SLF001
        found |= cuts_of(rows, level)
        rows = _add_level(rows, level, found) if number else rows
    return found


def _numbered(people: pl.LazyFrame, first: int) -> pl.LazyFrame:
    """One row per customer as given: one_id, and the number that follows."""
    return people.select("one_id").with_row_index(_NUMBER, first).with_columns(pl.col(_NUMBER).cast(pl.Int64))


def _past(people: pl.LazyFrame, previous: pl.LazyFrame | None, tags: Sequence[Tag]) -> tuple[pl.LazyFrame, ...]:
    """What the customers carry, by number; nothing where there is no date before."""
    if previous is None:
        return ()
    under = under_past(_numbered(people, 0), previous, tags)
    return (under.drop("one_id").rename({_NUMBER: "one_id"}),)


def _evidence(tags: Sequence[Tag], ground: Ground | None) -> Iterator[pl.LazyFrame]:
    """One frame per kind of evidence that some tag needs: one_id (the number) and a column per tag."""
    needed = tuple(tag for tag in tags if tag.form in {"window", "imported", "keyword"})
    if not needed:
        return
    if ground is None:
        raise ValueError(f"the tags {', '.join(tag.code for tag in needed)} need the orders, events and profiles")
    yield from window_tags(needed, ground)
    yield from imported_tags(needed, ground)
    yield from keyword_tags(needed, ground)


def _beside(people: pl.LazyFrame, evidence: pl.LazyFrame) -> pl.LazyFrame:
    return people.join(evidence.rename({"one_id": _NUMBER}), on=_NUMBER, how="left", maintain_order="left")


def _add_level(people: pl.LazyFrame, tags: Iterable[Tag], cuts: Cuts) -> pl.LazyFrame:
    """Add the columns of tags that read nothing of each other."""
    schema = people.collect_schema()
    expressions = []
    for tag in tags:
        now = value_of(tag, schema.names(), cuts.get(tag.code))
        if tag.when_null == "carry":
            expressions.append(confirmed_on(tag, now).alias(str(tag.confirmed_column)))
            now = carried(tag, now)
        expressions.append((now.fill_null(value=False) if tag.is_yes_or_no else now).alias(tag.code))
    return people.with_columns(expressions)

"""Erasure: a person's keys and numbers get names that lead nowhere; everything else stays as it was.

Every key, record and number of the person is renamed by a keyed hash whose key is thrown away afterwards.
The graph stays the same in shape and in order, so nobody else's score, cut-off or tier moves and all sums
balance: what is left is a tombstone. What described the person becomes null.
"""

import hmac
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from expectations.tables import TABLES
from tasks.policy.holds import BLANKED
from tasks.policy.tag_graph import lineage
from tasks.policy.tags import Tag
from tasks.transforms.identity.ids import one_id_of
from tasks.transforms.split_orders import PARENT

UNIT = "\x1f"
PERSONAL = frozenset({
    "joined_at", "gender", "birth_month", "age_band", "income_band", "home_ownership", "marital_status",
    "household_size", "kids_count", "province", "city", "member_level", "source_tags", "add_way", "member_since_on",
})  # fmt: skip
"""What describes a person beyond what was bought and when."""
FREE_TEXT = {"consents": ("evidence",), "identity_links": ("evidence",)}
"""Columns into which people write what they like."""
REASONS = frozenset({"tier_lock_reason"})
"""What people wrote that a policy repeats: blanked there in the same words, so that a repetition comes out alike."""
NUMBERS = ("order_id", "line_id", "refund_id", "event_id")
OrderId = tuple[str, str, str]
"""Channel, shop, order number."""
EventId = tuple[str, str]
"""Channel, event number."""


@dataclass(frozen=True)
class Person:
    """Everything by which one person can be found in the tables."""

    keys: frozenset[str]
    """Printed keys that belong to nobody else."""
    epochs: Mapping[str, int] = field(default_factory=dict)
    """Key to its highest epoch, where it has more than one."""
    orders: frozenset[OrderId] = frozenset()
    events: frozenset[EventId] = frozenset()
    numbers: frozenset[str] = frozenset()
    """Numbers of lines and refunds of these orders."""

    @property
    def pseudonyms(self) -> frozenset[str]:
        """The hashes of the keys."""
        return frozenset(key.rpartition(":")[2] for key in self.keys)

    @property
    def records(self) -> frozenset[str]:
        """Orders and events as sightings name them."""
        orders = {f"order:{channel}:{shop}:{number}" for channel, shop, number in self.orders}
        return frozenset(orders | {f"event:{channel}:{number}" for channel, number in self.events})


@dataclass(frozen=True)
class Renaming:
    """Old names to new ones."""

    person: Person
    tokens: Mapping[str, str]
    """Pseudonyms and customer ids: long enough to be replaced wherever they stand."""
    numbers: Mapping[str, str]
    """Numbers of orders, lines, refunds and events: replaced on the person's rows alone."""
    secret: bytes = field(repr=False)

    @property
    def records(self) -> dict[str, str]:
        """Orders and events as sightings name them."""
        return {old: f"{old.removesuffix(number)}{self.numbers[number]}" for old, number in _numbered(self.person)}


def _numbered(person: Person) -> Iterable[tuple[str, str]]:
    yield from ((f"order:{channel}:{shop}:{number}", number) for channel, shop, number in person.orders)
    yield from ((f"event:{channel}:{number}", number) for channel, number in person.events)


def renaming_of(person: Person, secret: bytes) -> Renaming:
    """New names for everything of a person; the order among equals stays, so that every tie falls as before."""
    keys = renamed_keys(person.keys, secret)
    pseudonyms = {old.rpartition(":")[2]: new.rpartition(":")[2] for old, new in keys.items()}
    numbers = {*person.numbers, *(order[2] for order in person.orders), *(event[1] for event in person.events)}
    ids = renamed_ids(keys, person.epochs)
    return Renaming(person, {**pseudonyms, **ids}, renamed(numbers, secret), secret)


def renamed(values: Collection[str], secret: bytes) -> dict[str, str]:
    """Each value to a keyed hash, in the same order of bytes; without the key nobody finds the way back.

    >>> list(renamed({"b", "a"}, b"k")) == ["a", "b"]
    True
    """
    old = sorted(set(values))
    return dict(zip(old, sorted(_hash(value, secret) for value in old), strict=True))


def renamed_keys(keys: Collection[str], secret: bytes) -> dict[str, str]:
    """Printed keys to printed keys of the same type and scope."""
    kinds = sorted({key.rpartition(":")[0] for key in keys})
    new: dict[str, str] = {}
    for kind in kinds:
        own = [key.rpartition(":")[2] for key in keys if key.rpartition(":")[0] == kind]
        hashes = sorted(_hash(f"{kind}{UNIT}{value}", secret) for value in own)
        new |= {f"{kind}:{old}": f"{kind}:{fresh}" for old, fresh in zip(sorted(own), hashes, strict=True)}
    return new


def renamed_ids(keys: Mapping[str, str], epochs: Mapping[str, int]) -> dict[str, str]:
    """The customer id that each key (and epoch) gives to the one that its new name gives."""
    pairs = [
        (_anchor(old, epoch), _anchor(new, epoch))
        for old, new in sorted(keys.items())
        for epoch in range(1, epochs.get(old, 1) + 1)
    ]
    frame = pl.DataFrame(pairs, {"old": pl.String(), "new": pl.String()}, orient="row")
    return dict(frame.select(one_id_of(pl.col("old")), one_id_of(pl.col("new")).alias("to")).iter_rows())


def _anchor(key: str, epoch: int) -> str:
    kind, _, rest = key.partition(":")
    scope, _, pseudonym = rest.rpartition(":")
    return f"{kind}{UNIT}{scope}{UNIT}{pseudonym}" + (f"#{epoch}" if epoch > 1 else "")


def _hash(text: str, secret: bytes) -> str:
    return hmac.digest(secret, text.encode(), "sha256").hex()


def touched(rows: pl.DataFrame, table: str, naming: Renaming) -> pl.Series:
    """True for every row that says anything of the person."""
    columns = [name for name, dtype in rows.schema.items() if dtype == pl.String]
    tokens = sorted(naming.tokens)
    by_name = [pl.col(name).str.contains_any(tokens) for name in columns] if tokens else []
    by_number = [_is_one_of(rows, naming.person, table)]
    if "record" in rows.columns:
        by_number.append(pl.col("record").is_in(sorted(naming.person.records)))
    found = rows.select(pl.any_horizontal(*by_name, *by_number).fill_null(value=False).alias("touched"))
    return found.to_series()


def _is_one_of(rows: pl.DataFrame, person: Person, table: str) -> pl.Expr:
    """Whether a row bears the number of one of the person's orders or events."""
    if {"channel", "shop_id", "order_id"} <= set(rows.columns):
        named = pl.concat_str("channel", "shop_id", "order_id", separator=UNIT)
        return named.is_in(sorted(UNIT.join(order) for order in person.orders))
    if table == "events":
        return pl.concat_str("channel", "event_id", separator=UNIT).is_in(sorted(map(UNIT.join, person.events)))
    return pl.lit(value=False)


def erase(rows: pl.DataFrame, table: str, naming: Renaming, described: Collection[str] = ()) -> pl.DataFrame:
    """Rows of a table (all of it or a partition) without the person.

    Sealed contacts are removed; everywhere else a row stays, under other names. No other row is touched.
    `described` are columns of an open table that describe a person (`descriptive_tags`).
    """
    mask = touched(rows, table, naming)
    others = rows.filter(~mask)
    if table == "contacts":
        return others
    own = rows.filter(mask).pipe(_renamed, table, naming)
    gone = [name for name in own.columns if name in described]
    return pl.concat([others, own.with_columns(_blank(name, own.schema[name]) for name in gone)])


def descriptive_tags(tags: Sequence[Tag]) -> frozenset[str]:
    """The columns of tags that rest on what describes a person, through other tags too."""
    named = {tag.code: tag for tag in tags}
    telling = [tag for tag in tags if any(read.column in PERSONAL for read in lineage(tag, named))]
    return frozenset(name for tag in telling for name in (tag.code, tag.confirmed_column) if name)


def _blank(name: str, dtype: pl.DataType) -> pl.Expr:
    """What a tag says of somebody of whom nothing is known."""
    return pl.lit(value=False).alias(name) if dtype == pl.Boolean else pl.lit(None, dtype).alias(name)


def _renamed(rows: pl.DataFrame, table: str, naming: Renaming) -> pl.DataFrame:
    """Rows of the person under their new names."""
    texts = [name for name, dtype in rows.schema.items() if dtype == pl.String and name != "content_hash"]
    numbers = [name for name in NUMBERS if name in rows.columns]
    own = pl.lit(value=True) if table != "events" else _is_one_of(rows, naming.person, table)
    return (
        rows.with_columns(pl.col("record").replace(naming.records) if "record" in rows.columns else [])
        .with_columns(pl.when(own).then(pl.col(n).replace(naming.numbers)).otherwise(n).alias(n) for n in numbers)
        .pipe(_under_new_parents, naming)
        .with_columns(_replaced(name, naming.tokens) for name in texts)
        .pipe(_without_words, table)
        .pipe(_rehashed, naming.secret)
        .select(rows.columns)
    )


def _under_new_parents(rows: pl.DataFrame, naming: Renaming) -> pl.DataFrame:
    """Parts of a split order under the new number of the whole, which may be that of no order that is here."""
    if PARENT not in rows.columns:
        return rows
    old = rows[PARENT].drop_nulls().unique().to_list()
    new = {name: naming.numbers.get(name) or _hash(name, naming.secret) for name in old}
    return rows.with_columns(pl.col(PARENT).replace(new))


def _replaced(name: str, tokens: Mapping[str, str]) -> pl.Expr:
    return pl.col(name).str.replace_many(list(tokens), list(tokens.values()))


def _without_words(rows: pl.DataFrame, table: str) -> pl.DataFrame:
    """Rows without what describes the person; what must not be null stays."""
    optional = TABLES[table].optional
    gone = [
        name for name in rows.columns if name in optional and (name in PERSONAL or name in FREE_TEXT.get(table, ()))
    ]
    reason = [
        pl.when(pl.col(name).is_not_null()).then(pl.lit(BLANKED)).alias(name) for name in REASONS & {*rows.columns}
    ]
    return rows.with_columns(*(pl.lit(None, rows.schema[name]).alias(name) for name in gone), *reason)


def _rehashed(rows: pl.DataFrame, secret: bytes) -> pl.DataFrame:
    """A version's content hash covers what was renamed: it would let the old content be guessed."""
    if "content_hash" not in rows.columns:
        return rows
    hashes = [_hash(value, secret) for value in rows["content_hash"]]
    marks = [pl.col("unsaid").str.replace_all(r"\.[0-9a-f]{16}\b", "." + "0" * 16)] if "unsaid" in rows.columns else []
    return rows.with_columns(pl.Series("content_hash", hashes, pl.String), *marks)


def as_received(positions: Iterable[int], erased: Collection[int]) -> list[int]:
    """Numbers in the file as received of rows counted in what is left of it.

    >>> as_received([1, 2, 3], {2})
    [1, 3, 4]
    """
    gone, found = sorted(erased), []
    for position in sorted(positions):
        number = position
        for one in gone:
            if one > number:
                break
            number += 1
        found.append(number)
    return found


def as_left(numbers: Iterable[int], erased: Collection[int]) -> list[int]:
    """Positions in what is left of a file of rows numbered as received; erased ones are left out.

    >>> as_left([1, 2, 3], {2})
    [1, 2]
    """
    gone = set(erased)
    return [number - sum(one < number for one in gone) for number in sorted(numbers) if number not in gone]

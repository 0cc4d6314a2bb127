"""What a layout is: one YAML file that says how the export of one back office becomes canonical rows.

A layout is recognised by the set of its headers, never by position or file name. Adding a shop's
format means adding a file to channels/, or to a folder beside the brand's policy.
"""

from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import BeforeValidator, Field, ValidationError, model_validator

from expectations.tables import TABLES
from tasks.errors import ConfigurationError
from tasks.sources.parts import (
    Cell,
    Choices,
    ConsentRule,
    ContactRule,
    ExportedAt,
    Flag,
    KeyRule,
    Names,
    Part,
    RecordKey,
    RefundRule,
    Share,
    Sum,
    When,
    listed,
)

__all__ = [
    "PERSON_OF", "TABLE_OF", "Cell", "ConsentRule", "ContactRule", "ExportedAt", "Flag", "Format", "Grain", "KeyRule",
    "Layout", "Part", "RecordKey", "RefundRule", "Share", "Sum", "When", "built_in", "load_layouts",
]  # fmt: skip

Grain = Literal[
    "order",
    "line",
    "refund",
    "member",
    "contact",
    "follow",
    "product",
    "touch",
    "event",
    "statistics",
    "consent",
    "link",
    "coupon",
]
Format = Literal["csv", "parquet", "jsonl", "xlsx"]

TABLE_OF: dict[Grain, str] = {
    "order": "orders", "line": "order_lines", "refund": "refunds", "member": "members", "contact": "sightings",
    "follow": "follows", "product": "products", "touch": "touches", "event": "events",
    "statistics": "send_statistics", "consent": "consents", "link": "identity_links",
    "coupon": "coupons",
}  # fmt: skip
"""The table in which the rows of a file of that grain are counted."""

PERSON_OF: dict[Grain, str] = {
    "order": "buyer_key", "line": "buyer_key", "member": "member_key", "contact": "member_key",
    "follow": "customer_key", "touch": "recipient_key", "event": "customer_key", "consent": "subject",
    "coupon": "code_key",
}  # fmt: skip
"""The column that holds the strongest identity key of a row of that grain."""


class Layout(Part):
    """How one export format is recognised and read."""

    name: str = Field(description="unique name, as `files` records it")
    channel: str = Field(description="sales channel that the rows come from")
    about: str = Field(description="where the file comes from, for people")
    shop: str = Field(default="", description="shop of a format that belongs to none, where nobody says another")
    grain: Grain = Field(description="what one row of the file is")
    verified: bool = Field(
        default=True,
        description="false: headers are guessed; a template that no file is recognised by until it is copied",
    )
    formats: Annotated[tuple[Format, ...], BeforeValidator(listed)] = Field(
        default=("csv", "xlsx"), description="one or several"
    )
    encodings: Names = Field(default=("utf-8", "gb18030"), description="tried in this order, strictly")
    zone: str = Field(default="brand", description="zone of times without one; `brand` is the business zone")
    columns: dict[str, Cell] = Field(description="column of ours, or a name used below, to where it stands in the file")
    known: tuple[str, ...] = Field(default=(), description="headers that belong to the format and are not read")
    picked: bool = Field(
        default=False, description="sellers pick the columns: an optional one that is absent is no drift"
    )
    fill_down: bool = Field(default=False, description="grain line: a blank order number is that of the line above it")
    each: Names = Field(default=(), description="JSON: the list or object whose members are rows of their own")
    constants: dict[str, str] = Field(default_factory=dict, description="columns with the same text in every row")
    first_of: dict[str, Choices] = Field(
        default_factory=dict, description="columns that are the first filled of others"
    )
    sums: dict[str, Sum] = Field(default_factory=dict, description="money made of other money")
    products: dict[str, tuple[str, str]] = Field(default_factory=dict, description="money: price and pieces")
    shares: dict[str, Share] = Field(default_factory=dict, description="money of the order divided over its lines")
    templates: dict[str, str] = Field(default_factory=dict, description="text built from other columns, in order")
    numbered: dict[str, Names] = Field(
        default_factory=dict, description="ids of rows that have none: a hash of these columns, equal rows numbered"
    )
    hashed: dict[str, Names] = Field(
        default_factory=dict,
        description="ids of rows that have none: a keyed hash of these columns; equal rows are one",
    )
    silent: When = Field(
        default_factory=dict,
        description="grain event: rows with one of these codes are no event; what keys and consents they tell is kept",
    )
    money: str | None = Field(default=None, description="the one money column by which the file is balanced")
    keys: tuple[KeyRule, ...] = Field(
        default=(), description="strongest first; the first identity key names the person"
    )
    record_key: RecordKey | None = Field(default=None, description="names a profile that carries no usable key")
    contacts: tuple[ContactRule, ...] = Field(default=(), description="contact points that go to the vault")
    consents: tuple[ConsentRule, ...] = Field(default=(), description="consents that the file states")
    refund: RefundRule | None = Field(default=None, description="refunds that stand on the order itself")
    flags: tuple[Flag, ...] = Field(default=(), description="rows that a person should look at, told as drift")
    with_orders: bool = Field(default=True, description="grain line: orders are the sums of their lines")
    seen: str | None = Field(default=None, description="instant of the record itself; the export's when blank")
    exported_at: ExportedAt | None = Field(default=None, description="when the file was exported, as its name tells")
    may_be_empty: bool = Field(default=False, description="a file with a header and no rows is fine")

    @property
    def table(self) -> str:
        """The table in which the file's rows are counted."""
        return TABLE_OF[self.grain]

    @property
    def person(self) -> str | None:
        """The column that holds the strongest identity key; None where a row is about no person."""
        return PERSON_OF.get(self.grain)

    @property
    def made(self) -> frozenset[str]:
        """Every column that a part of the layout fills."""
        built = (
            self.constants,
            self.first_of,
            self.products,
            self.sums,
            self.shares,
            self.templates,
            self.numbered,
            self.hashed,
        )
        return frozenset({*self.columns, *(name for part in built for name in part)})

    @property
    def money_columns(self) -> frozenset[str]:
        """The columns that hold money."""
        read = {name for name, cell in self.columns.items() if cell.parse in {"money", "labelled_money"}}
        return frozenset({*read, *self.products, *self.sums, *self.shares})

    @property
    def order_level(self) -> frozenset[str]:
        """The columns that belong to the order: those declared so, and what is built of nothing else."""
        level = {name for name, cell in self.columns.items() if cell.order_level}
        built = {name: set(choice.of) - {*self.constants} for name, choice in self.first_of.items()}
        built |= {name: {*one.plus, *one.minus} for name, one in self.sums.items()}
        for _ in built:
            level |= {name for name, parts in built.items() if parts and parts <= level}
        return frozenset(level)

    @model_validator(mode="after")
    def _references(self) -> Self:
        """Refuse a part that names a column which nothing fills, and a code column without codes."""
        unknown = sorted(set(self._used()) - self.made)
        if unknown:
            raise ValueError(f"{', '.join(unknown)}: used, but no column, constant, sum or template of that name")
        wordless = sorted(n for n, c in self.columns.items() if c.parse == "code" and not (c.codes or c.prefixes))
        if wordless:
            raise ValueError(f"{', '.join(wordless)}: parse code needs codes")
        if self.grain != "line" and (self.order_level or self.shares or self.fill_down):
            raise ValueError("order_level, shares and fill_down are for grain line")
        return self

    def _used(self) -> list[str]:
        """Every column that another part of the layout refers to."""
        sums = [name for s in self.sums.values() for name in (*s.plus, *s.minus, s.only_if)]
        choices = [name for c in self.first_of.values() for name in (*c.of, *c.when)]
        shares = [name for s in self.shares.values() for name in (s.of, s.by)]
        consents = [name for c in self.consents for name in (c.column, c.at, c.withdrawn_at)]
        single = [self.money, self.seen, *(k.column for k in self.keys), *(c.column for c in self.contacts)]
        groups = [*self.products.values(), *self.numbered.values(), *self.hashed.values(), tuple(self.silent)]
        record = self.record_key.columns if self.record_key else ()
        refund = (
            (self.refund.column, *self.refund.itemised_when, *self.refund.counted_when, *self.refund.full_when)
            if self.refund
            else ()
        )
        flags = [name for flag in self.flags for name in (flag.column, *flag.unless)]
        named = [*sums, *choices, *shares, *consents, *single, *(n for group in groups for n in group), *record]
        return [name for name in (*named, *refund, *flags) if name is not None]

    def filled(self) -> frozenset[str]:
        """The columns of its own table that this layout fills; the rest is null."""
        return frozenset(self.made & set(TABLES[self.table].columns))


@cache
def built_in() -> tuple[Layout, ...]:
    """The layouts that come with Strata, by name."""
    return load_layouts(Path(str(resources.files("tasks.sources") / "channels")))


def load_layouts(folder: Path) -> tuple[Layout, ...]:
    """Read every layout of a folder, by name.

    Raises:
        ConfigurationError: a file is not YAML or breaks the layout's rules; the message names it.
    """
    layouts = [_load(path) for path in sorted(folder.glob("*.yaml"))]
    names = [layout.name for layout in layouts]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise ConfigurationError(f"{folder}: layout {doubled[0]} is there twice", expected="one file for each name")
    return tuple(sorted(layouts, key=lambda layout: layout.name))


def _load(path: Path) -> Layout:
    try:
        # The loader in C is ten times faster than Python's, and every command reads two dozen layouts.
        return Layout.model_validate(yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path.name} is not YAML: {error}", next_step="correct the layout") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(
            f"{path.name}: {place}: {first['msg']}", expected="the fields of tasks/sources/layouts.py"
        ) from error

"""What a layout is: one YAML file that says how the export of one back office becomes canonical rows.

A layout is recognised by the set of its headers, never by position or file name. Adding a shop's
format means adding a file to channels/, or to a folder beside the brand's policy.
"""

from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from expectations.tables import TABLES
from tasks.errors import ConfigurationError

Grain = Literal["order", "line", "member", "contact", "follow", "product", "touch", "event"]
Format = Literal["csv", "parquet", "jsonl"]
Parser = Literal[
    "text", "id", "money", "integer", "instant", "date", "code", "nick", "phone", "phones", "token", "birth_month"
]

TABLE_OF: dict[Grain, str] = {
    "order": "orders", "line": "order_lines", "member": "members", "contact": "sightings", "follow": "follows",
    "product": "products", "touch": "touches", "event": "events",
}  # fmt: skip
"""The table in which the rows of a file of that grain are counted."""

PERSON_OF: dict[Grain, str] = {
    "order": "buyer_key", "line": "buyer_key", "member": "member_key", "contact": "member_key",
    "follow": "customer_key", "touch": "recipient_key", "event": "customer_key",
}  # fmt: skip
"""The column that holds the strongest identity key of a row of that grain."""


def _listed(value: Any) -> Any:
    """Let YAML write one name where several are possible."""
    return (value,) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class Part(BaseModel):
    """Base of every part of a layout: frozen, an unknown field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Cell(Part):
    """One mapped column: where it stands in the file and how its text is read."""

    header: Names = Field(min_length=1, description="header; several are names of the same column over the years")
    parse: Parser = Field(default="text", description="how the text becomes a value")
    optional: bool = Field(default=False, description="the header may be missing; the layout fits all the same")
    unit: Literal["yuan", "dollars", "fen"] = Field(default="yuan", description="money: what 1 stands for")
    patterns: Names = Field(default=(), description="instants: strptime patterns, epoch_s, epoch_ms")
    zone: str = Field(default="", description="instants without a zone: IANA name or `brand`; the layout's when empty")
    codes: dict[str, str] = Field(default_factory=dict, description="code: source word to canonical code")
    otherwise: str | None = Field(default=None, description="code for an unknown word; without it the row is refused")


class Sum(Part):
    """Money made of other money: `plus` less `minus`; blank parts are 0, all of `plus` blank is blank.

    What is subtracted never takes it below zero (an unpaid order does not owe its freight);
    a negative `plus` stays negative, so that the row rules see it.
    """

    plus: Names = Field(min_length=1, description="money columns that are added")
    minus: Names = Field(default=(), description="money columns that are taken off")
    only_if: str | None = Field(default=None, description="0 where this column is blank: not paid, nothing paid")


class KeyRule(Part):
    """One identity key that a record may carry; masked and unreadable values are no key."""

    type: str = Field(description="key type: member, phone, nick, unionid, …")
    scope: str = Field(default="", description="may use {channel} and {shop}")
    column: str = Field(description="column that holds its value")
    role: Literal["identity", "contact"] = Field(description="identity: may define the person; contact: reaches them")
    evidence: int = Field(ge=1, le=4, description="1 bind, 2 authenticated record, 3 order, 4 imported list")


class RecordKey(Part):
    """The key of a profile that carries no usable identity key: it names the record, never a person."""

    type: str = Field(description="key type, one of its own")
    scope: str = Field(default="", description="may use {channel} and {shop}")
    columns: Names = Field(min_length=1, description="columns that together name the record")


class ContactRule(Part):
    """A contact point that goes to the vault: under its own key, or a name under the person's key."""

    type: Literal["phone", "email", "push_token", "name"] = Field(description="what it is")
    column: str = Field(description="column that holds it")


class ConsentRule(Part):
    """A consent column: what it says about which channel, and when."""

    key: str = Field(description="key type of the contact that the consent is about")
    touch_channel: str = Field(description="channel of messages that it is about")
    purpose: str = Field(default="marketing", description="purpose of messages that it is about")
    column: str = Field(description="code column: granted, withdrawn, or blank for never asked")
    at: str = Field(description="instant at which it was said")
    withdrawn_at: str | None = Field(default=None, description="instant of a later withdrawal")


class RefundRule(Part):
    """Refunds that an order export shows on the order itself."""

    column: str = Field(description="money column with what was refunded so far")
    full_when: tuple[str, ...] = Field(default=(), description="statuses that refund what was paid in full")


class ExportedAt(Part):
    """When the file was exported, as its name tells; `at` is the regular expression's group."""

    pattern: str = Field(description="regular expression over the file's name, with a group `at`")
    format: str = Field(description="strptime pattern of that group, in the layout's zone")


class Layout(Part):
    """How one export format is recognised and read."""

    name: str = Field(description="unique name, as `files` records it")
    channel: str = Field(description="sales channel that the rows come from")
    about: str = Field(description="where the file comes from, for people")
    grain: Grain = Field(description="what one row of the file is")
    formats: Annotated[tuple[Format, ...], BeforeValidator(_listed)] = Field(
        default=("csv",), description="one or several"
    )
    encodings: Names = Field(default=("utf-8", "gb18030"), description="tried in this order, strictly")
    zone: str = Field(default="brand", description="zone of times without one; `brand` is the business zone")
    columns: dict[str, Cell] = Field(description="column of ours, or a name used below, to where it stands in the file")
    known: tuple[str, ...] = Field(default=(), description="headers that belong to the format and are not read")
    each: Names = Field(default=(), description="JSON: the list or object whose members are rows of their own")
    constants: dict[str, str] = Field(default_factory=dict, description="columns with the same text in every row")
    sums: dict[str, Sum] = Field(default_factory=dict, description="money made of other money")
    products: dict[str, tuple[str, str]] = Field(default_factory=dict, description="money: price and pieces")
    templates: dict[str, str] = Field(default_factory=dict, description="text built from other columns, in order")
    numbered: dict[str, Names] = Field(
        default_factory=dict, description="ids of rows that have none: a hash of these columns, equal rows numbered"
    )
    money: str | None = Field(default=None, description="the one money column by which the file is balanced")
    keys: tuple[KeyRule, ...] = Field(
        default=(), description="strongest first; the first identity key names the person"
    )
    record_key: RecordKey | None = Field(default=None, description="names a profile that carries no usable key")
    contacts: tuple[ContactRule, ...] = Field(default=(), description="contact points that go to the vault")
    consents: tuple[ConsentRule, ...] = Field(default=(), description="consents that the file states")
    refund: RefundRule | None = Field(default=None, description="refunds that stand on the order itself")
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

    @model_validator(mode="after")
    def _references(self) -> Self:
        """Refuse a part that names a column which nothing fills, and a code column without codes."""
        made = {*self.columns, *self.constants, *self.sums, *self.products, *self.templates, *self.numbered}
        unknown = sorted(set(self._used()) - made)
        if unknown:
            raise ValueError(f"{', '.join(unknown)}: used, but no column, constant, sum or template of that name")
        wordless = sorted(name for name, cell in self.columns.items() if cell.parse == "code" and not cell.codes)
        if wordless:
            raise ValueError(f"{', '.join(wordless)}: parse code needs codes")
        return self

    def _used(self) -> list[str]:
        """Every column that another part of the layout refers to."""
        sums = [name for s in self.sums.values() for name in (*s.plus, *s.minus, s.only_if)]
        consents = [name for c in self.consents for name in (c.column, c.at, c.withdrawn_at)]
        single = [self.money, self.seen, *(k.column for k in self.keys), *(c.column for c in self.contacts)]
        groups = [*self.products.values(), *self.numbered.values()]
        record = self.record_key.columns if self.record_key else ()
        refund = self.refund.column if self.refund else None
        named = [*sums, *consents, *single, *(n for group in groups for n in group), *record, refund]
        return [name for name in named if name is not None]

    def filled(self) -> frozenset[str]:
        """The columns of its own table that this layout fills; the rest is null."""
        made = {*self.columns, *self.constants, *self.sums, *self.products, *self.templates, *self.numbered}
        return frozenset(made & set(TABLES[self.table].columns))


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
        return Layout.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path.name} is not YAML: {error}", next_step="correct the layout") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(
            f"{path.name}: {place}: {first['msg']}", expected="the fields of tasks/sources/layouts.py"
        ) from error

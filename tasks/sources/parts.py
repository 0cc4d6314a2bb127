"""The parts of a layout: how a column is read, how one is built, who a record is about, what says refunded."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from tasks.sources.words import CODES, PREFIXES

Parser = Literal[
    "text", "id", "money", "labelled_money", "integer", "instant", "date", "code", "nick", "phone", "phones", "token",
    "birth_month", "email", "reply", "tags", "hash",
]  # fmt: skip


def listed(value: Any) -> Any:
    """Let YAML write one name where several are possible."""
    return (value,) if isinstance(value, str) else value


def _shared(tables: Mapping[str, dict[str, str | None]]) -> BeforeValidator:
    """Let YAML write the name of a table of words in place of words."""
    return BeforeValidator(lambda value: tables.get(value, value) if isinstance(value, str) else value)


Names = Annotated[tuple[str, ...], BeforeValidator(listed)]
When = dict[str, Names]
"""Code column to the codes that are meant."""


class Part(BaseModel):
    """Base of every part of a layout: frozen, an unknown field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Cell(Part):
    """One mapped column: where it stands in the file and how its text is read.

    It has one of `header` (one cell), `joined` (a text made of several) and `gathered` (many columns of one pattern).
    """

    header: Names = Field(
        default=(), description="header; several are names of the same column over the years, the first filled counts"
    )
    joined: Names = Field(default=(), description="headers whose cells make one text, a blank between: date and time")
    gathered: str = Field(
        default="",
        description="regular expression over folded headers with a group `label`: all such columns make one text, "
        "`label:value|label:value`",
    )
    extract: str = Field(default="", description="regular expression: only its first group is read, none is blank")
    parse: Parser = Field(default="text", description="how the text becomes a value")
    optional: bool = Field(default=False, description="the header may be missing; the layout fits all the same")
    order_level: bool = Field(
        default=False,
        description="grain line: belongs to the order and may repeat or go blank on its lines; counted once",
    )
    unit: Literal["yuan", "dollars", "fen"] = Field(default="yuan", description="money: what 1 stands for")
    by_weight: bool = Field(
        default=False, description="integer: goods may be sold by weight; a fraction such as 0.534 is then one piece"
    )
    patterns: Names = Field(default=(), description="instants: strptime patterns, epoch_s, epoch_ms, epoch_us")
    zone: str = Field(default="", description="instants without a zone: IANA name or `brand`; the layout's when empty")
    zones: dict[str, str] = Field(
        default_factory=dict, description="instants: names of zones that may end the text, to IANA names"
    )
    codes: Annotated[dict[str, str | None], _shared(CODES)] = Field(
        default_factory=dict,
        description="code: source word to canonical code, or to null where it says nothing; `payments`: all known ones",
    )
    prefixes: Annotated[dict[str, str | None], _shared(PREFIXES)] = Field(
        default_factory=dict,
        description="code: beginning of a word to its code, looked at before the whole word; `payments`: known ones",
    )
    otherwise: str | None = Field(default=None, description="code for an unknown word; without it the row is refused")
    lenient: bool = Field(default=False, description="code: an unknown word is null and told as drift")

    @property
    def headers(self) -> tuple[str, ...]:
        """The headers that the cell names; those that it gathers are known by their pattern alone."""
        return (*self.header, *self.joined)

    @model_validator(mode="after")
    def _in_one_place(self) -> Self:
        """Refuse a cell that stands nowhere or in two ways, and a pattern without its group."""
        if sum(bool(place) for place in (self.header, self.joined, self.gathered)) != 1:
            raise ValueError("give one of header, joined and gathered")
        if self.gathered and "label" not in re.compile(self.gathered).groupindex:
            raise ValueError("gathered needs a group `label`")
        if self.extract and re.compile(self.extract).groups < 1:
            raise ValueError("extract needs a group")
        return self


class Sum(Part):
    """Money made of other money: `plus` less `minus`; blank parts are 0, all of `plus` blank is blank.

    What is subtracted never takes it below zero (an unpaid order does not owe its freight);
    a negative `plus` stays negative, so that the row rules see it.
    """

    plus: Names = Field(min_length=1, description="money columns that are added")
    minus: Names = Field(default=(), description="money columns that are taken off")
    only_if: str | None = Field(default=None, description="0 where this column is blank: not paid, nothing paid")


class Choice(Part):
    """A column that is the first filled one of others."""

    of: Names = Field(min_length=1, description="columns, the best first")
    when: When = Field(
        default_factory=dict, description="all but the first count only in rows with one of these codes in each column"
    )


def _choice(value: Any) -> Any:
    """Let YAML write a mere list of columns."""
    return {"of": value} if isinstance(value, str | list | tuple) else value


class Share(Part):
    """Money of the order divided over its lines, exact to the fen: the larger the weight, the larger the share."""

    of: str = Field(description="money column of the order")
    by: str = Field(description="money or integer column of the lines that weighs; all 0 or blank: the first line")


class Flag(Part):
    """Rows that a person should look at: the text shows something that is not counted."""

    column: str = Field(description="column of the layout")
    pattern: str = Field(description="regular expression over its text")
    unless: When = Field(default_factory=dict, description="not in rows with one of these codes in each column")
    why: str = Field(description="what the person should look for")


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

    type: Literal["phone", "email", "push_token", "external_userid", "member", "name", "coupon"] = Field(
        description="what it is; an id (`external_userid`, `member`) where a vendor knows people by it"
    )
    column: str = Field(description="column that holds it")


class ConsentRule(Part):
    """A consent column: what it says about which channel, and when."""

    key: str = Field(description="key type of the contact that the consent is about")
    touch_channel: str = Field(description="channel of messages that it is about")
    purpose: str = Field(default="marketing", description="purpose of messages that it is about")
    column: str = Field(description="code column: granted, withdrawn, or blank for never asked")
    at: str | None = Field(
        default=None, description="instant at which it was said; without it the answer is a state at the export"
    )
    withdrawn_at: str | None = Field(default=None, description="instant of a later withdrawal")


class RefundRule(Part):
    """Refunds that an order export shows on the order or its lines: a running total, or a word alone.

    A paid order or line that is closed or cancelled was paid back, whatever stands here.
    """

    column: str | None = Field(default=None, description="money column with what was refunded so far")
    itemised_when: When = Field(
        default_factory=dict,
        description="rows with one of these codes in each column are refunds of their own number and time, not orders",
    )
    counted_when: When = Field(
        default_factory=dict, description="the amount counts only in rows with one of these codes in each column"
    )
    full_when: When = Field(
        default_factory=dict, description="codes of any of these columns that refund what was paid in full"
    )

    @field_validator("full_when", mode="before")
    @classmethod
    def _of_status(cls, value: Any) -> Any:
        """Let YAML write a mere list of statuses."""
        return {"status": value} if isinstance(value, str | list | tuple) else value


class ExportedAt(Part):
    """When the file was exported, as its name tells; `at` is the regular expression's group."""

    pattern: str = Field(description="regular expression over the file's name, with a group `at`")
    format: str = Field(description="strptime pattern of that group, in the layout's zone, or epoch_s")


Choices = Annotated[Choice, BeforeValidator(_choice)]
"""A `Choice`, or the list of its columns."""

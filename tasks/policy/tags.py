"""Tags as the policy declares them: what a tag rests on, what it may say, and how long it holds.

How tags depend on each other stands in tag_graph.py; what they are for each customer, in tasks/transforms/tags.
"""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from tasks.policy.base import Code, Condition, Label, Rule, added

TagType = Literal["static", "rule", "model", "composite", "window", "top", "imported", "keyword"]
Source = Literal["orders", "lines", "events"]
Place = Literal["event_names", "services", "products", "source_tags"]
FORMS = ("when", "value", "measure", "window", "top", "imported", "keyword")
"""The ways to define a tag; each tag uses one."""
_OF_THEIR_OWN = ("window", "top", "imported", "keyword")
"""Forms that are a type by themselves."""
PLACES: tuple[Place, ...] = ("event_names", "services", "products", "source_tags")
ROWS: dict[Source, tuple[str, ...]] = {
    "orders": (
        "channel", "shop_id", "order_id", "paid_on", "gross_fen", "paid_fen", "refunded_fen", "net_fen", "has_coupon",
    ),
    "lines": (
        "channel", "shop_id", "order_id", "paid_on", "product_id", "product_name", "brand", "category", "department",
        "quantity", "net_fen",
    ),
    "events": ("channel", "shop_id", "event", "event_name", "campaign", "product_id", "happened_on"),
}  # fmt: skip
"""What a window's filter and aggregate may read of each row."""


class Value(Rule):
    """One value that a tag may take."""

    code: str = Field(min_length=1, description="the value as data holds it")
    label: Label


class Band(Rule):
    """One value of a banded tag: everything at or above `at_least` and below the next band."""

    code: Code
    label: Label
    at_least: int = Field(description="lower bound, in the unit of the measure")


class Window(Rule):
    """One number over what a customer did in the last days, `(as_of - days, as_of]`."""

    of: Source = Field(description="rows that are counted: qualifying orders, their lines, or events")
    take: Literal["count", "days", "sum", "largest", "distinct"] = Field(
        default="count",
        description="rows, days with a row, or of a column the sum, the greatest or how many values",
    )
    column: str | None = Field(default=None, description="column that is summed, compared or told apart")
    days: int = Field(ge=1, description="days up to as_of")
    where: Condition | None = Field(default=None, description="SQL condition over the rows; all of them without one")

    @model_validator(mode="after")
    def _with_its_column(self) -> Self:
        """Refuse an aggregate without its column, and a column that the rows do not have."""
        if (self.column is None) != (self.take in {"count", "days"}):
            raise ValueError(f"`take: {self.take}` needs {'no' if self.column else 'a'} column")
        if self.column is not None and self.column not in ROWS[self.of]:
            raise ValueError(f"{self.of} have no `{self.column}`, but {', '.join(ROWS[self.of])}")
        return self


class Top(Rule):
    """The customers who stand highest by a measure."""

    by: Condition = Field(description="SQL expression of a number; who has none does not compete")
    percent: int | None = Field(default=None, ge=1, le=100, description="share of those who compete, rounded down")
    count: int | None = Field(default=None, ge=1, description="so many of those who compete")
    among: Condition | None = Field(default=None, description="SQL condition: who competes; everyone without one")
    ties: Literal["in", "out"] = Field(
        default="in", description="equal customers at the edge are all in, or all out; never some of them"
    )

    @model_validator(mode="after")
    def _one_size(self) -> Self:
        """Refuse a top without a size, and one with two."""
        if (self.percent is None) == (self.count is None):
            raise ValueError("a top needs exactly one of percent and count")
        return self


class Imported(Rule):
    """A tag that a source put on the person: in a membership file, an adviser's contacts, or a brand's own list."""

    table: Literal["members", "follows"] = Field(
        default="members", description="profiles, or advisers' contacts; a list with a layout of its own is in members"
    )
    tag: str | None = Field(default=None, min_length=1, description="the source's tag: yes or no")
    prefix: str | None = Field(default=None, min_length=1, description="the tag is what follows this text")
    channel: str | None = Field(default=None, description="only what this channel says; any channel without one")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        """Refuse a tag that is sought in two ways, or in none."""
        if (self.tag is None) == (self.prefix is None):
            raise ValueError("an imported tag needs exactly one of tag and prefix")
        return self


class Keyword(Rule):
    """Words that are sought in the names that exports give; what persons write is never stored, so never searched."""

    words: tuple[str, ...] = Field(min_length=1, description="any of them; capitals and small letters are the same")
    places: tuple[Place, ...] = Field(
        default=PLACES,
        min_length=1,
        description="event_names: the source's names of events; services: those of service and survey events; "
        "products: product names on qualifying orders; source_tags: tags of profiles and advisers",
    )
    days: int = Field(default=365, ge=1, description="days up to as_of; a source's tag counts while it stands")


class Tag(Rule):
    """One tag: exactly one of `when`, `value`, `measure`, `window`, `top`, `imported` and `keyword` defines it.

    The order of declarations does not matter: the engine works out what a tag rests on first.
    """

    code: Code
    label: Label
    type: TagType = added(
        "rule",
        description="what the tag rests on; window, top, imported and keyword tell it themselves, a composite reads "
        "other tags, a model what a model fitted, a static what a profile says",
    )
    owner: str = Field(default="crm", description="team that answers for the tag")
    meaning: Label = Field(description="one sentence on what the tag says")
    when: Condition | None = Field(default=None, description="SQL condition: the tag is yes or no")
    value: Condition | None = Field(default=None, description="SQL expression: the tag is its value")
    measure: Condition | None = Field(default=None, description="SQL expression that `bands` cut")
    bands: tuple[Band, ...] = Field(default=(), description="from the lowest band upwards; of a measure or a window")
    window: Window | None = added(None, description="a number over what the customer did in the last days")
    top: Top | None = added(None, description="who stands highest by a measure")
    imported: Imported | None = added(None, description="what a source says of the person")
    keyword: Keyword | None = added(None, description="words that are sought in names")
    at_least: int | None = added(
        None, description="of a window: the tag is yes from this number on; without it the tag is the number"
    )
    values: tuple[Value, ...] = added(
        (), description="every value that a `value` tag may take; another one is cleared. Open without them"
    )
    when_null: Literal["clear", "carry"] = added(
        "clear",
        description="where nothing is known: no value (of a yes-or-no tag: no), or the last one for `valid_days`",
    )
    valid_days: int | None = added(
        None, description="days for which a carried value stands after it was last confirmed", ge=1
    )

    @model_validator(mode="before")
    @classmethod
    def _told_by_its_form(cls, given: Any) -> Any:
        """A window, a top, an imported and a keyword tag is of that type without saying so."""
        if isinstance(given, dict) and "type" not in given:
            told = next((form for form in _OF_THEIR_OWN if given.get(form) is not None), None)
            return given if told is None else given | {"type": told}
        return given

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        """Refuse a tag that is two kinds at once, or none, and parts that do not belong together."""
        forms = [form for form in FORMS if getattr(self, form) is not None]
        if len(forms) != 1:
            raise ValueError(f"tag {self.code} needs exactly one of {', '.join(FORMS)}")
        if (forms[0] in _OF_THEIR_OWN) != (self.type in _OF_THEIR_OWN) or self.type in {*_OF_THEIR_OWN} - {*forms}:
            raise ValueError(f"tag {self.code}: {forms[0]} makes no tag of type {self.type}")
        if bool(self.bands) != (self.measure is not None) and self.window is None:
            raise ValueError(f"tag {self.code}: measure and bands belong together")
        if self.at_least is not None and (self.window is None or self.bands):
            raise ValueError(f"tag {self.code}: at_least belongs to a window without bands")
        if self.values and self.value is None:
            raise ValueError(f"tag {self.code}: only a `value` tag lists its values")
        if (self.when_null == "carry") != (self.valid_days is not None):
            raise ValueError(f"tag {self.code}: `when_null: carry` and valid_days belong together")
        return self

    @property
    def form(self) -> str:
        """Which of the forms defines the tag."""
        return next(form for form in FORMS if getattr(self, form) is not None)

    @property
    def is_yes_or_no(self) -> bool:
        """Whether the tag is true or false and never null."""
        told_by = self.window and self.at_least, self.imported and self.imported.tag
        return self.form in {"when", "top", "keyword"} or any(told is not None for told in told_by)

    @property
    def codes(self) -> dict[str, Label]:
        """The values that the tag may take, where they are declared."""
        return {band.code: band.label for band in self.bands} | {value.code: value.label for value in self.values}

    @property
    def confirmed_column(self) -> str | None:
        """The column beside a carried tag: when its value was last confirmed."""
        return f"{self.code}_on" if self.when_null == "carry" else None

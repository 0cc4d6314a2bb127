"""Audiences as the operator writes them: audiences/*.yaml. Each becomes a column `in_<code>` that conditions read."""

from decimal import Decimal
from typing import Self

from pydantic import Field, model_validator

from tasks.policy.base import Code, Condition, Label, Rule


class TopOf(Rule):
    """The members who stand highest by a number; of equal ones the first by customer id, so that the size holds."""

    by: Condition = Field(description="column or SQL expression; who has none does not compete")
    most: int | None = Field(default=None, ge=1, description="so many of them")
    percent: Decimal | None = Field(
        default=None, gt=0, le=100, description="share of those who compete, rounded down to whole people"
    )

    @model_validator(mode="after")
    def _one_size(self) -> Self:
        """Refuse a top without a size, and one with two."""
        if (self.most is None) == (self.percent is None):
            raise ValueError("a top needs exactly one of most and percent")
        return self


class Audience(Rule):
    """A group of people: who meets a condition and is in an included audience, less the excluded; of these the top."""

    code: Code
    label: Label
    meaning: Label | None = Field(default=None, description="one sentence on whom it holds")
    owner: str = Field(default="crm", description="team that answers for the audience")
    where: Condition | None = Field(
        default=None, description="SQL condition over customers, tags, moves, history and other audiences (`in_<code>`)"
    )
    include: tuple[Code, ...] = Field(default=(), description="audiences of which a member must be in one at least")
    exclude: tuple[Code, ...] = Field(default=(), description="audiences of which a member is in none")
    top: TopOf | None = Field(default=None, description="of the members, those who stand highest by a number")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        """Refuse an audience that is everyone by oversight, and one that is in and out at once."""
        if not (self.where or self.include or self.exclude or self.top):
            raise ValueError(f"audience {self.code} needs one of where, include, exclude and top")
        if both := sorted({*self.include} & {*self.exclude}):
            raise ValueError(f"audience {self.code} includes and excludes {both[0]}")
        return self

    @property
    def column(self) -> str:
        """The column that tells who is in it."""
        return f"in_{self.code}"

    @property
    def conditions(self) -> dict[str, str]:
        """Its texts that are read as expressions, by the field that they stand in."""
        texts = {"where": self.where, "top.by": self.top.by if self.top else None}
        return {name: text for name, text in texts.items() if text is not None}

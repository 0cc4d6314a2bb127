"""Groups of customers who are alike in several dimensions at once, and what each kind of group is called."""

import itertools
from decimal import Decimal
from typing import Self

from pydantic import Field, model_validator

from expectations.tables import TABLES
from tasks.policy.base import Code, Label, Rule


class Dimension(Rule):
    """One dimension: a column of customers or traits, as a score."""

    column: Code
    edges: tuple[Decimal, ...] = Field(
        default=(), description="the score is how many of these the value reaches; without any, the value is a score"
    )
    top: int = Field(default=5, ge=1, le=20, description="greatest score, where there are no edges")

    @model_validator(mode="after")
    def _rising(self) -> Self:
        """Refuse a column that is no number of a customer, and edges that do not rise."""
        if self.column not in _numbers():
            raise ValueError(f"{self.column} is no column of numbers; expected one of customers or traits")
        if any(a >= b for a, b in itertools.pairwise(self.edges)):
            raise ValueError(f"edges of {self.column} must rise, found {[str(edge) for edge in self.edges]}")
        return self

    @property
    def greatest(self) -> int:
        """The greatest score of the dimension."""
        return len(self.edges) or self.top


def _numbers() -> frozenset[str]:
    schemas = (TABLES["customers"].schema, TABLES["traits"].schema)
    return frozenset(name for schema in schemas for name, dtype in schema.items() if dtype.is_numeric())


class Profile(Rule):
    """What a group is called that lies high in some dimensions and low in others."""

    code: Code
    label: Label
    high: tuple[Code, ...] = Field(default=(), description="dimensions in which the group stands above the others")
    low: tuple[Code, ...] = Field(default=(), description="dimensions in which it stands below")
    play: Label | None = Field(default=None, description="what to do with these people")


class Clusters(Rule):
    """Groups by k-means over scores; as many as there are profiles, each with a name of its own."""

    dimensions: tuple[Dimension, ...] = Field(description="what makes customers alike")
    profiles: tuple[Profile, ...] = Field(description="one for each group")
    rounds: int = Field(default=100, ge=1, description="most rounds until the groups stand")

    @model_validator(mode="after")
    def _named(self) -> Self:
        """Refuse doubled names, and profiles of dimensions that are not there."""
        columns, codes = [d.column for d in self.dimensions], [p.code for p in self.profiles]
        for names in (columns, codes):
            if doubled := sorted({name for name in names if names.count(name) > 1}):
                raise ValueError(f"{doubled[0]} stands twice")
        for profile in self.profiles:
            if strangers := sorted({*profile.high, *profile.low} - {*columns}):
                raise ValueError(f"profile {profile.code}: {strangers[0]} is none of the dimensions")
        return self

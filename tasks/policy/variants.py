"""How the people of a campaign are split: who is left out to measure by, and who gets which variant."""

from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from tasks.policy.base import Code, Condition, Rule

HELD_OUT = "holdout"
TREATED = "treated"
RESERVED = (HELD_OUT, TREATED)
OF_VARIANT = ("variant", "template", "hour")
"""What the run tells of each person's variant, beside the variables of the message: code, template, hour."""
BESIDE = "@"
"""Stands before such a name where the campaign has a variable of that name."""


class Holdout(Rule):
    """People left out on purpose, so that the effect can be measured."""

    experiment: str = Field(min_length=3, description="immutable experiment id; salt of the hash, never renamed")
    percent: Decimal = Field(ge=0, le=100, description="share of the audience that gets nothing")


def _not_reserved(code: str) -> str:
    if code in RESERVED:
        raise ValueError(f"{code} is what the log of assignments calls everybody else")
    return code


class Variant(Rule):
    """One of several messages of a campaign; what it does not say is as in the campaign."""

    code: Annotated[Code, AfterValidator(_not_reserved)]
    weight: int = Field(default=1, ge=1, description="its share of the people, against the weights of the others")
    template: str | None = Field(default=None, description="template code at the vendor")
    variables: dict[str, Condition] = Field(default_factory=dict, description="template variable to expression")
    text: str | None = Field(default=None, description="text of the message with {variables}")
    hour: int | None = Field(default=None, ge=0, le=23, description="hour of the day at which it should arrive")
    incentive_fen: int | None = Field(default=None, ge=0, description="worth of what it gives away, per message")


class Split(Rule):
    """Who gets which variant."""

    by: tuple[Code, ...] = Field(
        default=(),
        description="columns of customers within whose values every variant gets its exact share; by the hash "
        "alone where there are none",
    )
    coverage: Decimal = Field(
        default=Decimal(100), gt=0, le=100, description="share of the people who take part; raising it moves nobody"
    )


def _of_word(told: Any) -> Any:
    """`split: hash` is short for a split by nothing but the hash."""
    return {} if told == "hash" else told


Splitting = Annotated[Split, BeforeValidator(_of_word)]
